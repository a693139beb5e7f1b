//! Strategy texts read once: checked strategies by their hash.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;

use crate::domain::strategy_version::StrategyMistake;
use crate::workflow::error::Error;
use crate::workflow::judge_order::ActiveStrategy;
use crate::workflow::strategy_ledger::{STRATEGIES_MAX, StrategyLedger};

/// Checks the text of a strategy; every mistake with its place.
pub type StrategyReader =
    Arc<dyn Fn(&str) -> Result<ActiveStrategy, Vec<StrategyMistake>> + Send + Sync>;

/// Digits of a hash that tell strategies of one name apart for people.
const HASH_DIGITS: usize = 12;

/// Reads strategy texts and keeps what it read; copies share it.
#[derive(Clone)]
pub struct StrategyShelf {
    read: StrategyReader,
    kept: Arc<Mutex<IndexMap<Box<str>, Arc<ActiveStrategy>>>>,
}

impl StrategyShelf {
    /// An empty shelf.
    pub fn new(read: StrategyReader) -> Self {
        Self { read, kept: Arc::default() }
    }

    /// What reads the texts.
    pub fn reader(&self) -> StrategyReader {
        self.read.clone()
    }

    /// The strategy of a text that was never seen.
    ///
    /// # Errors
    /// Every mistake of the text.
    pub fn check(&self, toml: &str) -> Result<Arc<ActiveStrategy>, Vec<StrategyMistake>> {
        (self.read)(toml).map(Arc::new)
    }

    /// The strategy of a text whose hash is known.
    ///
    /// # Errors
    /// `Invalid` with every mistake.
    pub fn read(&self, hash: &str, toml: &str) -> Result<Arc<ActiveStrategy>, Error> {
        if let Some(kept) = self.lock().get(hash) {
            return Ok(kept.clone());
        }
        let read = self.check(toml).map_err(Error::InvalidStrategy)?;
        let mut kept = self.lock();
        if kept.len() == STRATEGIES_MAX {
            kept.shift_remove_index(0);
        }
        kept.insert(hash.into(), read.clone());
        Ok(read)
    }

    /// The one of a ledger with this hash, else the newest with this name; `None` when there
    /// is none, or it no longer reads.
    pub fn find(&self, ledger: &StrategyLedger, name: &str) -> Option<Arc<ActiveStrategy>> {
        let versions = ledger.versions();
        let found = ledger
            .get(name)
            .or_else(|| versions.iter().rev().find(|version| *version.name == *name))?;
        self.read(&found.hash, &found.toml).ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, IndexMap<Box<str>, Arc<ActiveStrategy>>> {
        // Whoever panicked has put in a whole entry or none.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Name and start of the hash of every strategy, newest first.
pub fn names(ledger: &StrategyLedger) -> Vec<String> {
    let name = |version: &crate::domain::strategy_version::StrategyVersion| {
        let hash: String = version.hash.chars().take(HASH_DIGITS).collect();
        format!("`{}` ({hash})", version.name)
    };
    ledger.versions().iter().rev().map(name).collect()
}

impl fmt::Debug for StrategyShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrategyShelf").field("kept", &self.lock().len()).finish_non_exhaustive()
    }
}

//! The strategies and backgrounds that recorded decisions name, by their hash.
//!
//! What a decision names was activated before it, so the journal is looked through from
//! there to its start; what a service still knows is not looked for. Everything is found
//! by hash, so it does not matter which thread asks first.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::background::Background;
use crate::model::bundle::Bundle;
use crate::store::journal::reader::JournalReader;
use crate::store::log::{find_background, find_strategy};
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::ActiveStrategy;
use crate::workflow::strategy_shelf::StrategyReader;

/// Most backgrounds that are kept compiled; a few MB each.
const BACKGROUNDS_MAX: usize = 4;

/// A strategy of the past; `None` when its text does not read any more.
pub type PastStrategy = Option<Arc<FittedStrategy>>;

/// A background of the past; `None` when the journal does not hold it.
type PastBackground = Option<Arc<Explainer>>;

/// A strategy beside a bundle.
#[derive(Clone, Debug)]
pub struct FittedStrategy {
    /// The strategy.
    pub active: Arc<ActiveStrategy>,
    /// Where among the bundle's features those are that its rules name.
    pub rule_places: Box<[Option<usize>]>,
}

impl FittedStrategy {
    /// Fits a strategy to a bundle.
    pub fn new(active: Arc<ActiveStrategy>, bundle: &Bundle) -> Self {
        let rule_places = active.strategy.rules.places(&bundle.manifest().features).into();
        Self { active, rule_places }
    }
}

/// Finds what recorded decisions were made with.
pub struct PastJudges<'a> {
    reader: &'a JournalReader,
    bundle: &'a Bundle,
    read_strategy: StrategyReader,
    strategies: Mutex<Vec<(Box<str>, PastStrategy)>>,
    backgrounds: Mutex<VecDeque<(Box<str>, PastBackground)>>,
}

impl<'a> PastJudges<'a> {
    /// Nothing found yet but what is known anyway.
    pub fn new(
        reader: &'a JournalReader,
        bundle: &'a Bundle,
        read_strategy: StrategyReader,
        known: &[Arc<ActiveStrategy>],
    ) -> Self {
        let fit = |it: &Arc<ActiveStrategy>| Arc::new(FittedStrategy::new(it.clone(), bundle));
        let known = known.iter().map(|it| (it.strategy.hash.clone(), Some(fit(it))));
        Self {
            reader,
            bundle,
            read_strategy,
            strategies: Mutex::new(known.collect()),
            backgrounds: Mutex::default(),
        }
    }

    /// The strategy of a decision at a position.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read.
    pub fn strategy(&self, hash: &str, position: u64) -> Result<PastStrategy, Error> {
        // Held while looking: the others wait for the same strategy anyway.
        let mut strategies = self.strategies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, strategy)) = strategies.iter().find(|(known, _)| **known == *hash) {
            return Ok(strategy.clone());
        }
        let toml = find_strategy(self.reader, position, hash);
        let toml = toml.map_err(|error| Error::failed("looking for a strategy", error))?;
        let active = toml.and_then(|toml| (self.read_strategy)(&toml).ok()).map(Arc::new);
        let fit = |active| Arc::new(FittedStrategy::new(active, self.bundle));
        let strategy = active.map(fit);
        strategies.push((hash.into(), strategy.clone()));
        Ok(strategy)
    }

    /// The bundle compiled against the background of a decision at a position; `None` when
    /// the journal does not hold it.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read.
    pub fn background(&self, hash: &str, position: u64) -> Result<Option<Arc<Explainer>>, Error> {
        let mut backgrounds = self.backgrounds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, explainer)) = backgrounds.iter().find(|(known, _)| **known == *hash) {
            return Ok(explainer.clone());
        }
        let background = find_background(self.reader, position, hash);
        let found = background.map_err(|error| Error::failed("looking for a background", error))?;
        let explainer = found.and_then(|it| {
            let rows = Background::new(&it.name, it.n_features as usize, it.ranks).ok()?;
            Explainer::compile(self.bundle, rows).ok().map(Arc::new)
        });
        backgrounds.push_back((hash.into(), explainer.clone()));
        if BACKGROUNDS_MAX < backgrounds.len() {
            backgrounds.pop_front();
        }
        Ok(explainer)
    }
}

impl fmt::Debug for PastJudges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PastJudges").field("strategies", &self.strategies).finish_non_exhaustive()
    }
}

//! What became of the strategy file when it was looked at last.
//!
//! Whoever watches the file writes it, and whoever shows how the service does reads it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::strategy_version::StrategyMistake;
use crate::domain::time::Timestamp;

/// The newest text of the strategy file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyReload {
    /// When it was read.
    pub at: Timestamp,
    /// Name of the file, without its folder.
    pub file: Box<str>,
    /// What became of it.
    pub end: ReloadEnd,
}

/// What became of a text of the strategy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadEnd {
    /// It judges, or is known already.
    Taken,
    /// It has mistakes: the strategy before it stays.
    Mistakes(Vec<StrategyMistake>),
    /// It could not be taken yet, and is tried again.
    Failed,
}

/// The last reload; `None` until the file was read once.
#[derive(Debug, Default)]
pub struct LastReload(Mutex<Reloads>);

#[derive(Debug, Default)]
struct Reloads {
    last: Option<StrategyReload>,
    counts: ReloadCounts,
}

/// What became of all reloads since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReloadCounts {
    /// Texts that judge or did already.
    pub n_taken: u64,
    /// Texts with mistakes.
    pub n_mistaken: u64,
    /// Attempts that failed; they are made again.
    pub n_failed: u64,
}

impl LastReload {
    /// Remembers a reload in place of the one before.
    pub fn set(&self, reload: StrategyReload) {
        let mut reloads = self.reloads();
        let counts = &mut reloads.counts;
        *match reload.end {
            ReloadEnd::Taken => &mut counts.n_taken,
            ReloadEnd::Mistakes(_) => &mut counts.n_mistaken,
            ReloadEnd::Failed => &mut counts.n_failed,
        } += 1;
        reloads.last = Some(reload);
    }

    /// The last one.
    pub fn get(&self) -> Option<StrategyReload> {
        self.reloads().last.clone()
    }

    /// What became of all since the start.
    pub fn counts(&self) -> ReloadCounts {
        self.reloads().counts
    }

    fn reloads(&self) -> MutexGuard<'_, Reloads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

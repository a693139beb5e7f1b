//! What an experiment showed on the way: few looks, spread evenly.

use serde::{Deserialize, Serialize};

use crate::domain::experiment_report::Look;
use crate::domain::time::Timestamp;
use crate::workflow::experiment_report::look;
use crate::workflow::experiment_run::ExperimentRun;

/// Most looks that are kept: a picture shows no more.
const LOOKS_MAX: usize = 64;
/// Orders and changes between the first looks.
const FIRST_STRIDE: u64 = 16;

/// The looks so far. When there are too many, every second one goes and the next ones lie twice
/// as far apart: what is kept depends on what was folded alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookLog {
    stride: u64,
    n_ticks: u64,
    taken: Vec<Look>,
}

impl Default for LookLog {
    fn default() -> Self {
        Self { stride: FIRST_STRIDE, n_ticks: 0, taken: Vec::new() }
    }
}

impl LookLog {
    /// Those that are kept, oldest first.
    pub fn taken(&self) -> &[Look] {
        &self.taken
    }

    /// Counts an order or a change; true when it is time to look.
    fn is_due(&mut self) -> bool {
        self.n_ticks += 1;
        self.n_ticks.is_multiple_of(self.stride)
    }

    fn keep(&mut self, look: Look) {
        self.taken.push(look);
        if self.taken.len() < LOOKS_MAX {
            return;
        }
        let mut n = 0;
        self.taken.retain(|_| {
            n += 1;
            n % 2 == 0
        });
        self.stride *= 2;
    }
}

impl ExperimentRun {
    /// Counts an order or a change, known at an instant; looks now and then.
    pub(super) fn tick(&mut self, at: Timestamp) {
        if self.looks.is_due() {
            // Facts of a history that is told late say when they were known, not where the
            // journal has them.
            let before = self.looks.taken.last().map_or(self.started.at, |look| look.at);
            let look = look(self, at.max(before));
            self.looks.keep(look);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_stay_few_and_lie_evenly_over_all_that_happened() {
        let mut log = LookLog::default();
        for n in 1..=100_000 {
            if log.is_due() {
                log.keep(Look { at: Timestamp(n), arms: Vec::new() });
            }
            assert!(log.taken().len() < LOOKS_MAX);
        }
        let at: Vec<i64> = log.taken().iter().map(|look| look.at.0).collect();
        let gaps: Vec<i64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(LOOKS_MAX / 2 - 1 <= at.len(), "{}", at.len());
        assert!(gaps.iter().all(|gap| *gap == gaps[0] && *gap == at[0]), "{at:?}");
    }
}

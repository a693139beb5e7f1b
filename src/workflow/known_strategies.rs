//! The strategies that a service has judged with, by name or by hash.

use std::sync::Arc;

use tracing::warn;

use crate::workflow::judge_order::ActiveStrategy;
use crate::workflow::past::StrategyReader;
use crate::workflow::state::State;

/// Digits of a hash that tell strategies of one name apart for people.
const HASH_DIGITS: usize = 12;

/// Checked strategies, the one activated last at the end.
#[derive(Debug, Default)]
pub struct KnownStrategies(Vec<Arc<ActiveStrategy>>);

impl KnownStrategies {
    /// Those of a state; one that no longer reads is told in the log and left out.
    pub fn of(state: &State, read: &StrategyReader) -> Self {
        let mut known = Vec::with_capacity(state.strategies.len());
        for strategy in &state.strategies {
            match read(&strategy.toml) {
                Ok(active) => known.push(Arc::new(active)),
                Err(mistakes) => {
                    let (hash, n) = (&strategy.hash, mistakes.len());
                    warn!(%hash, mistakes = n, "a strategy of the past does not read any more");
                }
            }
        }
        Self(known)
    }

    /// The one with this hash, else the newest with this name.
    pub fn find(&self, name: &str) -> Option<Arc<ActiveStrategy>> {
        let newest = |is_it: fn(&ActiveStrategy) -> &str| {
            self.0.iter().rev().find(|active| is_it(active) == name).cloned()
        };
        newest(|it| &it.strategy.hash).or_else(|| newest(|it| &it.strategy.name))
    }

    /// Name and start of the hash of each, newest first.
    pub fn names(&self) -> Vec<String> {
        let name = |active: &Arc<ActiveStrategy>| {
            let strategy = &active.strategy;
            let hash: String = strategy.hash.chars().take(HASH_DIGITS).collect();
            format!("`{}` ({hash})", strategy.name)
        };
        self.0.iter().rev().map(name).collect()
    }
}

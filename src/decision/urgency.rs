//! Which risk matters most.

use std::cmp::Ordering;

use crate::decision::strategy::Strategy;
use crate::domain::head::HeadId;
use crate::domain::risk::{Probability, RiskBand};

/// How much a risk matters: its band first, then how near to (or how far above) its review
/// threshold it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Urgency {
    /// Cut by the strategy's thresholds.
    pub band: RiskBand,
    /// Probability / review threshold; a number.
    nearness: f64,
}

impl Urgency {
    /// Of a risk with a probability under the strategy.
    pub fn of(strategy: &Strategy, head: &HeadId, probability: Probability) -> Self {
        let policy = strategy.risk(head);
        let probability = probability.value();
        let nearness = probability / policy.review_above.max(1e-9);
        Self { band: policy.band(probability), nearness }
    }

    /// Less urgent first.
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        self.band.cmp(&other.band).then(self.nearness.total_cmp(&other.nearness))
    }
}

/// Position of the greatest; the first of equals.
pub fn most_urgent(urgencies: impl IntoIterator<Item = Urgency>) -> Option<usize> {
    let mut leading: Option<(usize, Urgency)> = None;
    for (at, urgency) in urgencies.into_iter().enumerate() {
        if leading.is_none_or(|(_, best)| best.total_cmp(&urgency).is_lt()) {
            leading = Some((at, urgency));
        }
    }
    leading.map(|(at, _)| at)
}

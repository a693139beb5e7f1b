//! Operators of the world: they know more than the features, and decide.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::sim1_truth::N_ACTIONS;

/// How far an operator's feeling for a value is off.
const FEELING_ERROR: f64 = 6.0;

/// What an operator makes of an order.
pub(crate) struct Operator {
    /// What every action is felt to be worth.
    felt: [f64; N_ACTIONS],
    /// What they would do by themselves.
    pub own: usize,
}

impl Operator {
    /// One who looks at an order with these values.
    pub(crate) fn draw(values: &[f64; N_ACTIONS], dice: &mut ChaCha8Rng) -> Self {
        let felt = values.map(|value| {
            let error: f64 = StandardNormal.sample(dice);
            value + FEELING_ERROR * error
        });
        Self { own: best(&felt), felt }
    }

    /// The chance that they take what is recommended; else they do their own.
    pub(crate) fn acceptance(&self, recommended: usize) -> f64 {
        let gap = self.felt[self.own] - self.felt[recommended];
        1.0 / (1.0 + (gap / 8.0 - 2.2).exp())
    }
}

/// The action that is worth most.
pub(crate) fn best(values: &[f64; N_ACTIONS]) -> usize {
    (0..N_ACTIONS).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
}

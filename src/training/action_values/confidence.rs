//! From votes to `p_best`: how likely the first action is the best one.
//!
//! Votes know how bootstraps disagree, not what all of them get wrong: the best of several
//! estimates is more often lucky than unlucky, and held-back trees even out what is special
//! about an action. Orders whose truth is known, so simulated ones, show by how much.

use crate::model::calibration::CalibrationMap;
use crate::training::action_values::ActionValue;
use crate::training::calibrate::HeldOut;
use crate::training::calibrate::isotonic::isotonic_steps;

/// Fewest orders for a map of their own.
const ROWS_MIN: usize = 200;

/// The first action of an order whose truth is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedAction {
    /// Number of the action with the largest value.
    pub action: usize,
    /// Its vote.
    pub vote: f64,
    /// True when no action is worth more.
    pub is_best: bool,
}

/// From votes to `p_best`, by first action: what is wrong differs between actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Confidence {
    of_all: CalibrationMap,
    /// By action; nothing where too few orders have it first.
    of_action: Vec<Option<CalibrationMap>>,
}

impl Confidence {
    /// Isotonic in the vote, for all orders and for those of each first action.
    pub fn fit(rows: &[JudgedAction]) -> Self {
        let map = |rows: &mut dyn Iterator<Item = &JudgedAction>| -> (usize, CalibrationMap) {
            let held_out = |row: &JudgedAction| HeldOut {
                raw: row.vote,
                target: f64::from(u8::from(row.is_best)),
            };
            let rows: Vec<HeldOut> = rows.map(held_out).collect();
            (rows.len(), isotonic_steps(&rows))
        };
        let n_actions = rows.iter().map(|row| row.action + 1).max().unwrap_or(0);
        let of_action = (0..n_actions).map(|action| {
            let (n, map) = map(&mut rows.iter().filter(|row| row.action == action));
            (ROWS_MIN <= n).then_some(map)
        });
        Self { of_action: of_action.collect(), of_all: map(&mut rows.iter()).1 }
    }

    /// Probability that this action, the first of an order, is the best one.
    pub fn p_best(&self, first: &ActionValue) -> f64 {
        let own = self.of_action.get(first.action).and_then(Option::as_ref);
        own.unwrap_or(&self.of_all).apply(first.vote)
    }
}

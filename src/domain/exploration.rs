//! Declined orders that are released to learn how they would have ended.
//!
//! Orders that are always stopped have no outcome, so nothing could be learned about them. A few
//! of them are therefore released, each with a known chance, within limits of money.

use serde::{Deserialize, Serialize};

use crate::domain::assignment::draw_of_order;
use crate::domain::money::Currency;
use crate::domain::order::OrderKey;
use crate::domain::risk::Probability;

/// Salt of the draws: independent of every experiment's.
const SALT: &str = "exploration";

/// What was drawn for an order that would have been declined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Exploration {
    /// Chance with which the order was released; 0 when a limit withheld it.
    pub propensity: Probability,
    /// True when it was drawn, so that releasing it is recommended first.
    pub is_released: bool,
    /// The most that its release can lose, minor units of the strategy's currency.
    pub at_risk_minor: f64,
    /// The limit that left no chance.
    pub withheld_by: Option<ExplorationLimit>,
}

/// What ends the release of orders for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplorationLimit {
    /// Money at risk in one hour.
    Hour,
    /// Money at risk in 24 hours.
    Day,
    /// Money at risk in 30 days.
    Month,
    /// Another order of the same ring was released in the last 24 hours.
    Ring,
}

/// Money at risk by the newest releases, and what is known of an order's ring.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExplorationRoom {
    /// Put at risk in this hour, minor units.
    pub hour_minor: f64,
    /// In the newest 24 hours.
    pub day_minor: f64,
    /// In the newest 30 days.
    pub month_minor: f64,
    /// What an earlier revision of the same order put at risk; `None` when none was released.
    pub own_minor: Option<f64>,
    /// True when another order of the ring was released in the newest 24 hours.
    pub is_ring_explored: bool,
}

/// What exploration cost so far and what it showed.
#[derive(Clone, Debug, PartialEq)]
pub struct ExplorationReport {
    /// True when the active strategy releases orders to learn.
    pub is_on: bool,
    /// Currency of the money.
    pub currency: Currency,
    /// At risk against the limit of the active strategy, minor units: hour, day, month.
    pub spent: [(f64, f64); 3],
    /// Orders that were drawn, of those that are remembered.
    pub n_released: u64,
    /// Of these, ended well.
    pub n_good: u64,
    /// Ended badly.
    pub n_bad: u64,
    /// What those that ended badly had put at risk, minor units.
    pub bad_minor: f64,
    /// Orders that were not drawn, though they had a chance.
    pub n_not_drawn: u64,
    /// Orders that a limit left no chance, by limit, in the order of [`ExplorationLimit::ALL`].
    pub n_withheld: [u64; 4],
}

impl ExplorationLimit {
    /// Every limit.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Month, Self::Ring];
}

/// What an order draws, in [0, 1), see [`draw_of_order`].
pub fn draw_of(order: &OrderKey) -> f64 {
    draw_of_order(SALT, order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(order_id: &str, revision: u32) -> OrderKey {
        OrderKey { channel: "app".into(), order_id: order_id.into(), revision }
    }

    #[test]
    fn a_revision_draws_what_the_order_drew_and_draws_are_even() {
        assert_eq!(draw_of(&key("7", 0)).to_bits(), draw_of(&key("7", 3)).to_bits());
        let n = (0..100_000).filter(|n| draw_of(&key(&n.to_string(), 0)) < 0.1).count();
        // Six standard deviations: 6 · sqrt(100,000 · 0.09) = 569.
        assert!(n.abs_diff(10_000) < 569, "{n}");
    }
}

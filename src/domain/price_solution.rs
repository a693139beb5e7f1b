//! The price of a reviewer's minute that was solved for, and what it means.

use serde::Serialize;

use crate::domain::backtest::RefusalReason;
use crate::domain::head::HeadId;

/// The price of a reviewer's minute at which given hours suffice.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Solution {
    /// Solved.
    Solved(Box<Solved>),
    /// There is no such price.
    Refused {
        /// Why.
        reason: RefusalReason,
        /// Minutes per day that no price avoids, where that is the reason.
        forced_minutes_per_day: Option<f64>,
    },
}

/// A draft whose reviews take the given hours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Solved {
    /// The hours that were asked for.
    pub hours_per_day: f64,
    /// `money.review_minute_minor` that meets them.
    pub review_minute_minor: f64,
    /// The price in the draft.
    pub draft_review_minute_minor: f64,
    /// Minutes per day at that price, over these orders.
    pub minutes_per_day: f64,
    /// False when the hours are more than all useful reviews take even at no price.
    pub is_binding: bool,
    /// Standard error of the mean minutes per day, from the days one by one, in minutes:
    /// on other days the mean will be off by about as much. `None` with a single day.
    pub day_noise_minutes: Option<f64>,
    /// What the price means: per risk, for an order of the median amount.
    pub thresholds: Vec<ImpliedThreshold>,
    /// The draft's text with the new price, all else as it was.
    pub strategy_toml: String,
}

/// From which probability on a risk alone leads to a review, for an order of an amount.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImpliedThreshold {
    /// The risk; all others are taken as 0.
    pub head: HeadId,
    /// The amount, minor units.
    pub amount_minor: f64,
    /// The lowest probability at which the order is not released as it is.
    pub stopped_from: Option<f64>,
    /// The lowest probability at which review is first.
    pub review_from: Option<f64>,
}

//! Orders that wait for a person, and which of them to look at.

use serde::{Deserialize, Serialize};

use crate::domain::decision::DecisionId;
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;
use crate::domain::risk::TopRisk;
use crate::domain::time::Timestamp;

/// An order that waits for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingOrder {
    /// Which order.
    pub order: OrderKey,
    /// When it was placed.
    pub event_time: Timestamp,
    /// What a review is expected to gain over the best other action, minor units.
    pub gain_minor: f64,
    /// Of the gain.
    pub currency: Currency,
    /// How long the review takes.
    pub minutes: f64,
    /// What the customer pays in all; `None` when unknown.
    pub amount: Option<Money>,
    /// The risk that matters most; `None` without risk heads.
    pub top_risk: Option<TopRisk>,
    /// True when people see the recommendation only once they have chosen.
    pub is_blind: bool,
}

/// Which orders are asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueQuery {
    /// Minutes of all reviewers together; `None` is a day as the strategy declares it.
    pub minutes: Option<f64>,
    /// Orders placed before are left out.
    pub placed_from: Timestamp,
    /// Most orders to name.
    pub orders_max: usize,
}

/// Why an order is looked at, or that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It gains most.
    Ranked,
    /// It was drawn.
    Drawn,
    /// There is no time for it.
    Waits,
}

/// An order with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedOrder {
    /// Which decision.
    pub decision_id: DecisionId,
    /// The order.
    pub waiting: WaitingOrder,
    /// Its place.
    pub place: Place,
    /// Probability, over the draws, that it is looked at.
    pub propensity: f64,
}

/// Which orders to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewQueue {
    /// The one to take first, first; as many as were asked for.
    pub orders: Vec<QueuedOrder>,
    /// Minutes that were given out.
    pub minutes: f64,
    /// Orders that wait.
    pub n_waiting: u64,
    /// What all of them would take.
    pub waiting_minutes: f64,
    /// Of them, looked at.
    pub n_looked_at: u64,
    /// Hash of the strategy that declares hours and random share.
    pub strategy_hash: Box<str>,
}

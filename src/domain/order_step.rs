//! Steps in the life of an order, and which of two contradicting ones stands.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// Steps that contradict each other do so when they are less than this apart; otherwise
/// one followed the other.
pub const CONTRADICTION_SPAN: Span = Span(1_000_000);

/// Which step stands against which, whoever tells them.
pub const PRECEDENCE: [(OrderStepKind, OrderStepKind); 3] = [
    // What was called off must not ship; money that was taken can be given back.
    (OrderStepKind::Cancelled, OrderStepKind::Paid),
    // Goods that are there, or were, were not called off in time.
    (OrderStepKind::Delivered, OrderStepKind::Cancelled),
    (OrderStepKind::Returned, OrderStepKind::Cancelled),
];

/// Steps in the life of an order that histories count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrderStepKind {
    /// Paid.
    Paid,
    /// Called off.
    Cancelled,
    /// Arrived.
    Delivered,
    /// Came back, wholly or in part.
    Returned,
    /// Money went back.
    Refunded,
    /// The payer's bank took the money back.
    ChargedBack,
}

/// A step that does not count, since another one of its order stands against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LostStep {
    /// When it was told to have happened.
    pub lost_time: Timestamp,
    /// The step.
    pub lost: OrderStepKind,
    /// When the step that stands was told to have happened.
    pub stands_time: Timestamp,
    /// That step.
    pub stands: OrderStepKind,
}

impl OrderStepKind {
    /// How many kinds of steps there are.
    pub const COUNT: usize = 6;
}

impl LostStep {
    /// The instant from which both are known; before, the step counted.
    pub fn known_at(&self) -> Timestamp {
        self.lost_time.max(self.stands_time)
    }
}

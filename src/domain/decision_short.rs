//! A decision as a line of a list.

use serde::Serialize;

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::money::Money;
use crate::domain::order::OrderKey;
use crate::domain::risk::TopRisk;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

/// Most decisions that are asked for at once; ids beyond are left out.
pub const DECISIONS_SHORT_MAX: usize = 100;

/// A decision as a line of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionShort {
    /// Which one.
    pub decision_id: DecisionId,
    /// About which order.
    pub order: OrderKey,
    /// When the order was placed.
    pub event_time: Timestamp,
    /// When it was asked.
    pub received_time: Timestamp,
    /// What the customer pays in all.
    pub amount: Option<Money>,
    /// The risk that matters most; `None` without risk heads.
    pub top_risk: Option<TopRisk>,
    /// First recommended action.
    pub first_action: Option<ActionKind>,
    /// The first sentence of its reasons.
    pub reason: Option<Text>,
    /// True when people see the recommendation only once they have chosen.
    pub is_blind: bool,
}

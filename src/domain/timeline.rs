//! What is known about an order and its account, as it happened.

use serde::Serialize;

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::{OutcomeKind, OutcomeSource};
use crate::domain::money::Money;
use crate::domain::order::OrderKey;
use crate::domain::risk::TopRisk;
use crate::domain::time::Timestamp;

/// Most decisions of the same account that a timeline shows: the newest before this one.
pub const ACCOUNT_DECISIONS_MAX: u32 = 20;
/// Most decisions about the order itself, in all its revisions; the newest are shown.
pub const ORDER_DECISIONS_MAX: u32 = 50;
/// Most steps, choices and outcomes of the order, each; the newest are shown.
pub const ORDER_WORDS_MAX: u32 = 100;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// When, by the clock of whoever told it.
    pub at: Timestamp,
    /// What.
    pub what: TimelineKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    /// A step of the order was told.
    Event {
        /// Name of the fact: `order_paid`.
        kind: Box<str>,
    },
    /// An order was judged; its entry stands where the order was placed.
    Decision {
        /// Which decision.
        decision_id: DecisionId,
        /// About which order.
        order: OrderKey,
        /// When it was asked, by the clock of the service.
        received_time: Timestamp,
        /// First recommended action.
        first_action: Option<ActionKind>,
        /// The risk that mattered most; `None` without risk heads.
        top_risk: Option<TopRisk>,
        /// What the customer was to pay.
        amount: Option<Money>,
        /// Of whom or what it is.
        relation: TimelineRelation,
    },
    /// Somebody chose.
    Choice {
        /// Which choice.
        choice_id: Box<str>,
        /// About which decision.
        decision_id: DecisionId,
        /// Pseudonym of who chose.
        operator_id: Box<str>,
        /// What.
        action: ActionKind,
    },
    /// Something followed, or was taken back.
    Outcome {
        /// Which outcome.
        outcome_id: Box<str>,
        /// What followed.
        kind: OutcomeKind,
        /// Money that moved.
        amount: Option<Money>,
        /// Who says so.
        source: OutcomeSource,
        /// False when it was sent again, taken back, or takes back.
        stands: bool,
        /// The outcome that it takes back.
        retracts: Option<Box<str>>,
    },
}

/// How a decision of a timeline is related to the one that the timeline is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineRelation {
    /// It is the one.
    This,
    /// Another one about the same order.
    SameOrder,
    /// One before it, about another order of the same account.
    SameAccount,
}

impl TimelineKind {
    /// Among what happened at one instant: steps, then decisions, choices, outcomes.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Event { .. } => 0,
            Self::Decision { .. } => 1,
            Self::Choice { .. } => 2,
            Self::Outcome { .. } => 3,
        }
    }
}

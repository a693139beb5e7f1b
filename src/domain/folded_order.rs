//! What a state keeps of a judged order: a fraction of the answer.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::assignment::Assignment;
use crate::domain::decision::{ActionKind, Decision, DecisionId, DecisionState};
use crate::domain::exploration::Exploration;
use crate::domain::money::Currency;
use crate::domain::order::OrderKey;
use crate::domain::record::{Record, ScoreRequest};
use crate::domain::risk::TopRisk;
use crate::domain::time::Timestamp;

/// A record as far as a state is folded from it.
#[derive(Clone, Debug, PartialEq)]
pub enum FoldedRecord {
    /// An order that was judged.
    Order(Box<FoldedOrder>),
    /// Anything else, whole.
    Other(Box<Record>),
}

/// An order that was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedOrder {
    /// What was asked.
    pub request: ScoreRequest,
    /// What was answered.
    pub decision: FoldedDecision<'static>,
}

/// An answer, without what only people and replays read of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedDecision<'d> {
    /// Identifies it.
    pub decision_id: DecisionId,
    /// The order it is about.
    pub order: OrderKey,
    /// How complete it is.
    pub state: DecisionState,
    /// When the request arrived, by our clock.
    pub received_time: Timestamp,
    /// BLAKE3 of the bundle's manifest, 64 hex digits.
    pub model_hash: Arc<str>,
    /// Experiment and arm; `None` when no experiment covers the order.
    pub assignment: Option<Assignment>,
    /// One per risk head, in bundle order.
    pub risks: Vec<TopRisk>,
    /// One per eligible action, in strategy order.
    pub impacts: Vec<FoldedImpact>,
    /// The best actions, best first.
    pub actions: Vec<FoldedAction>,
    /// What was drawn for an order that would have been declined.
    pub exploration: Option<Exploration>,
    /// True when people see the actions only once they have chosen.
    pub is_blind: bool,
    /// The feature vector in bundle order, NaN is unknown.
    pub features: Cow<'d, [f32]>,
}

/// What an action costs of people's time.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedImpact {
    /// What is done; of a plan the first action.
    pub action: ActionKind,
    /// Name of the plan; empty for a single action.
    pub plan: Box<str>,
    /// Of the money in the decision.
    pub currency: Currency,
    /// Minutes of review.
    pub review_minutes: f64,
}

/// One of the best actions.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedAction {
    /// What to do; of a plan the first action.
    pub action: ActionKind,
    /// Name of the plan; empty for a single action.
    pub plan: Box<str>,
    /// Value lost by taking the next one instead, minor units; 0 for the last.
    pub gap_to_next_minor: f64,
}

impl<'d> FoldedDecision<'d> {
    /// What a state keeps of an answer.
    pub fn of(decision: &'d Decision) -> Self {
        let risks = decision.risks.iter().map(|risk| TopRisk {
            head: risk.head.clone(),
            probability: risk.probability,
            band: risk.band,
        });
        let impacts = decision.impacts.iter().map(|impact| FoldedImpact {
            action: impact.action,
            plan: impact.plan.clone(),
            currency: impact.currency,
            review_minutes: impact.review_minutes,
        });
        let actions = decision.actions.iter().map(|best| FoldedAction {
            action: best.action,
            plan: best.plan.clone(),
            gap_to_next_minor: best.gap_to_next_minor,
        });
        Self {
            decision_id: decision.decision_id,
            order: decision.order.clone(),
            state: decision.state,
            received_time: decision.times.received_time,
            model_hash: decision.versions.model_hash.clone(),
            assignment: decision.versions.assignment.clone(),
            risks: risks.collect(),
            impacts: impacts.collect(),
            actions: actions.collect(),
            exploration: decision.exploration,
            is_blind: decision.is_blind,
            features: Cow::Borrowed(&decision.features),
        }
    }
}

//! The answer about an order: what it is, what made it, what to do.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::assignment::Assignment;
use crate::domain::counterfactual::CounterfactualSearch;
use crate::domain::evidence::Evidence;
use crate::domain::exploration::Exploration;
use crate::domain::head::HeadId;
use crate::domain::impact::{ActionImpact, RecommendedAction};
use crate::domain::order::OrderKey;
use crate::domain::risk::{Probability, RiskAssessment};
use crate::domain::rule::RuleOutcome;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::domain::unlike::UnlikeTraining;

/// Identifies a decision; a time-ordered UUID (version 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(pub Uuid);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What can be done about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Release it.
    Approve,
    /// Release it and watch the account.
    ApproveAndWatch,
    /// Ask the buyer for a further proof (step-up verification).
    Challenge,
    /// Call the buyer.
    PhoneCheck,
    /// A person looks at it.
    Review,
    /// Keep the stock set aside for 24 hours.
    Hold,
    /// Release at most the allowed quantity.
    LimitQuantity,
    /// Put the buyer on the reservation list.
    OfferReservation,
    /// Send it in parts.
    SplitShipment,
    /// Send it first.
    Expedite,
    /// Cancel and pay back.
    Decline,
}

impl ActionKind {
    /// Every action, in contract order.
    pub const ALL: [Self; 11] = [
        Self::Approve,
        Self::ApproveAndWatch,
        Self::Challenge,
        Self::PhoneCheck,
        Self::Review,
        Self::Hold,
        Self::LimitQuantity,
        Self::OfferReservation,
        Self::SplitShipment,
        Self::Expedite,
        Self::Decline,
    ];

    /// True when the goods leave as ordered, without a question to anybody.
    pub fn is_release(self) -> bool {
        match self {
            Self::Approve | Self::ApproveAndWatch | Self::SplitShipment | Self::Expedite => true,
            Self::Challenge
            | Self::PhoneCheck
            | Self::Review
            | Self::Hold
            | Self::LimitQuantity
            | Self::OfferReservation
            | Self::Decline => false,
        }
    }

    /// The name used in configs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::ApproveAndWatch => "approve_and_watch",
            Self::Challenge => "challenge",
            Self::PhoneCheck => "phone_check",
            Self::Review => "review",
            Self::Hold => "hold",
            Self::LimitQuantity => "limit_quantity",
            Self::OfferReservation => "offer_reservation",
            Self::SplitShipment => "split_shipment",
            Self::Expedite => "expedite",
            Self::Decline => "decline",
        }
    }

    /// The action with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// How complete an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionState {
    /// Everything was computed.
    Final,
    /// A part is missing; `degraded_reasons` says which.
    Degraded,
    /// Support is too thin to recommend more than a review.
    Abstained,
}

/// The stored answer about one order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Identifies it.
    pub decision_id: DecisionId,
    /// Idempotency key of the request.
    pub request_id: Box<str>,
    /// The order it is about.
    pub order: OrderKey,
    /// How complete it is.
    pub state: DecisionState,
    /// When what happened.
    pub times: DecisionTimes,
    /// What made it.
    pub versions: Versions,
    /// Attribution: one per risk head, in bundle order.
    pub risks: Vec<RiskAssessment>,
    /// What the features that the answer speaks about counted in the graph.
    pub evidence: Evidence,
    /// Impact of each eligible action, in strategy order.
    pub impacts: Vec<ActionImpact>,
    /// The best actions, best first; at most three unless asked for otherwise.
    pub actions: Vec<RecommendedAction>,
    /// What was drawn for an order that would have been declined, to learn how it ends; `None`
    /// for every other order.
    pub exploration: Option<Exploration>,
    /// True when people see the actions only once they have chosen, so that what they would do
    /// without them is known.
    pub is_blind: bool,
    /// Rules of the strategy that matched or could not be judged, in the strategy's order.
    pub rules: Vec<RuleOutcome>,
    /// Words of the selected rules, each once, in the order of the rules.
    pub tags: Vec<Box<str>>,
    /// Notices of the selected rules for other systems, each once, in the order of the rules.
    pub notices: Vec<Box<str>>,
    /// How urgent the order is to the business: sum over the selected rules, 0 without any.
    pub priority: i64,
    /// At most three sentences for people.
    pub reasons: Vec<Reason>,
    /// Whether the order is unlike the training data, and why.
    pub unlike_training: UnlikeTraining,
    /// The smallest changes toward release that would have led to another first action;
    /// empty when the first action releases the order.
    pub counterfactuals: Vec<CounterfactualSearch>,
    /// The feature vector in bundle order, NaN is unknown; kept in the journal, not answered.
    #[serde(skip)]
    pub features: Vec<f32>,
    /// Feature ids that had no value for this order.
    pub missing_inputs: Vec<Arc<str>>,
    /// Why the answer is less than complete.
    pub degraded_reasons: Vec<DegradedReason>,
    /// Time spent per stage; measured, hence not part of a replay.
    pub stage_timings: Vec<StageTiming>,
}

/// The clocks of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionTimes {
    /// When the order was placed, by the caller's clock.
    pub event_time: Timestamp,
    /// When the request arrived, by ours.
    pub received_time: Timestamp,
}

/// What made a decision: enough to make it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// Bundle name and version, `risk/2026-11-22`.
    pub model: Arc<str>,
    /// BLAKE3 of the bundle's manifest, 64 hex digits.
    pub model_hash: Arc<str>,
    /// Name of the strategy.
    pub strategy: Arc<str>,
    /// BLAKE3 of the strategy file, 64 hex digits.
    pub strategy_hash: Arc<str>,
    /// BLAKE3 of the feature schema, 64 hex digits.
    pub schema_hash: Arc<str>,
    /// Journal position that the graph had folded before the order.
    pub graph_position: u64,
    /// Version of this program.
    pub build: Arc<str>,
    /// What contributions compare the order with; empty when the bundle has no background.
    pub background: Arc<str>,
    /// BLAKE3 of the background's rows, 64 hex digits; empty without one.
    pub background_hash: Arc<str>,
    /// Experiment and arm; `None` when no experiment covers the order.
    pub assignment: Option<Assignment>,
    /// Probability with which this judge was assigned; 1 without an experiment.
    pub propensity: Probability,
}

/// A sentence for people, made from contributions; never a new computation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Stable code, for machines: the feature id.
    pub code: Arc<str>,
    /// The risk it speaks about.
    pub head: HeadId,
    /// Values that the sentence names.
    pub arguments: Vec<ReasonArgument>,
    /// The sentence.
    pub text: Text,
}

/// A value that a sentence names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReasonArgument {
    /// Name in the message.
    pub name: Box<str>,
    /// Value.
    pub value: ReasonValue,
}

/// A typed value in a sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonValue {
    /// A plain number.
    Number(f64),
    /// A pseudonymous node label.
    Node(String),
}

/// Why an answer is less than complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DegradedReason {
    /// The order is older than the lateness that the graph allows.
    LateEvent,
    /// The order names an entity kind that the model has never seen.
    UnknownEntityKind,
    /// Too few of the model's inputs are known.
    FewInputsKnown,
    /// The graph was over its budget and shed orders that its retention would have kept: counts
    /// that look back past them are too small.
    PastShed,
    /// Too little time was left to read the graph: what is read from it is unknown, there is no
    /// evidence, and a person decides first.
    GraphLate,
    /// Too little time was left for graph evidence and the search for the smallest changes;
    /// risks, impacts and actions are as they always are.
    ExplanationLate,
}

impl DegradedReason {
    /// The name used in JSON and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LateEvent => "late_event",
            Self::UnknownEntityKind => "unknown_entity_kind",
            Self::FewInputsKnown => "few_inputs_known",
            Self::PastShed => "past_shed",
            Self::GraphLate => "graph_late",
            Self::ExplanationLate => "explanation_late",
        }
    }
}

/// Time spent in one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StageTiming {
    /// Which stage.
    pub stage: Stage,
    /// Nanoseconds.
    pub nanos: u64,
}

/// Stages of scoring an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reading features from order and graph.
    Features,
    /// Scores and contributions.
    Model,
    /// Impact, actions, reasons, evidence.
    Decision,
}

impl Stage {
    /// The name used in JSON and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Model => "model",
            Self::Decision => "decision",
        }
    }
}

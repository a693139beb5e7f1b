//! The answer about an order: what it is, what follows, what to do.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::evidence::Evidence;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::HeadId;
use crate::domain::money::Currency;
use crate::domain::order::OrderKey;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

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

/// Risk cut into three by the strategy's thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskBand {
    /// Below the review threshold.
    Low,
    /// Between the thresholds.
    Elevated,
    /// At or above the decline threshold.
    High,
}

impl RiskBand {
    /// Every band, lowest first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Elevated, Self::High];

    /// The name used in strategies and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Elevated => "elevated",
            Self::High => "high",
        }
    }

    /// The band with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|band| band.as_str() == name)
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
    /// Graph evidence behind the leading contributions.
    pub evidence: Evidence,
    /// Impact of each eligible action, in strategy order.
    pub impacts: Vec<ActionImpact>,
    /// The best actions, best first; at most three unless asked for otherwise.
    pub actions: Vec<RecommendedAction>,
    /// At most three sentences for people.
    pub reasons: Vec<Reason>,
    /// The feature vector in bundle order, NaN is unknown; kept in the journal, not answered.
    #[serde(skip)]
    pub features: Vec<f32>,
    /// Feature ids that had no value for this order.
    pub missing_inputs: Vec<Box<str>>,
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
    pub model: Box<str>,
    /// BLAKE3 of the bundle's manifest, 64 hex digits.
    pub model_hash: Box<str>,
    /// Name of the strategy.
    pub strategy: Box<str>,
    /// BLAKE3 of the strategy file, 64 hex digits.
    pub strategy_hash: Box<str>,
    /// BLAKE3 of the feature schema, 64 hex digits.
    pub schema_hash: Box<str>,
    /// Journal position that the graph had folded before the order.
    pub graph_position: u64,
    /// Version of this program.
    pub build: Box<str>,
    /// Experiment arm, empty when no experiment covers the order.
    pub experiment_arm: Box<str>,
    /// Probability with which this strategy was assigned; 1 without an experiment.
    pub propensity: Probability,
}

/// A probability in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(f64);

impl Eq for Probability {}

impl Probability {
    /// Certainty.
    pub const ONE: Self = Self(1.0);

    /// The nearest probability: NaN becomes 0, anything outside is clamped.
    pub fn clamped(value: f64) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// What one risk head says, and exactly why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RiskAssessment {
    /// Which risk.
    pub head: HeadId,
    /// Calibrated probability under the strategy's weights.
    pub probability: Probability,
    /// 90 % interval of that probability: model uncertainty.
    pub interval: (Probability, Probability),
    /// Calibrated probability of the model alone, all weights 1.
    pub model_probability: Probability,
    /// Cut by the strategy's thresholds.
    pub band: RiskBand,
    /// Score of the average order, log-odds.
    pub base: f64,
    /// `base + Σ log_odds` of all contributions and the rest: the model alone.
    pub raw_log_odds: f64,
    /// `base + Σ weight × log_odds`: under the strategy.
    pub weighted_log_odds: f64,
    /// `raw_log_odds − base − Σ log_odds` as computed; |residual| ≤ 1e-9.
    pub residual: f64,
    /// The largest shifts under the strategy, largest absolute first; as many as were asked for.
    pub contributions: Vec<Contribution>,
    /// All other features together, so that the sum stays exact.
    pub rest: ContributionRest,
    /// Held-out rows that back the calibration near this score.
    pub n_support: u64,
}

/// One feature's shift of a risk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// Stable feature id.
    pub feature: Box<str>,
    /// Theme that the strategy weights.
    pub group: FeatureGroup,
    /// The feature's value; `None` when unknown.
    pub value: Option<f64>,
    /// The model's share, log-odds.
    pub log_odds: f64,
    /// The strategy's weight of the group; its share is `(weight − 1) × log_odds`.
    pub weight: f64,
}

/// The features whose contributions are not listed one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ContributionRest {
    /// How many features.
    pub n_features: u32,
    /// Sum of their shifts, the model's share, log-odds.
    pub log_odds: f64,
    /// Sum of their shifts under the strategy's weights, log-odds.
    pub weighted_log_odds: f64,
}

/// A number with its uncertainty, in minor units of the strategy's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Expected value.
    pub mean: f64,
    /// 10 % quantile.
    pub p10: f64,
    /// 90 % quantile.
    pub p90: f64,
}

/// What follows if one action is taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionImpact {
    /// The action.
    pub action: ActionKind,
    /// Currency of all money below.
    pub currency: Currency,
    /// Sum of the parts; positive is good for the shop.
    pub total: Estimate,
    /// Each kind of consequence by itself.
    pub parts: Vec<ImpactPart>,
    /// Minutes of a person's time, expected.
    pub review_minutes: f64,
}

/// One kind of consequence of an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImpactPart {
    /// What kind.
    pub kind: ImpactKind,
    /// Money, minor units; negative is a cost. Price indices are not money: see `unit`.
    pub value: Estimate,
    /// What the numbers count.
    pub unit: ImpactUnit,
    /// Held-out rows that back the number; 0 when it rests on the strategy's assumption.
    pub n_support: u64,
    /// Heads or coefficients that drive it, strongest first.
    pub drivers: Vec<Box<str>>,
}

/// Kinds of consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactKind {
    /// Goods and fees lost to fraud and abuse.
    RiskLoss,
    /// Margin earned when the order goes through.
    Margin,
    /// Cost of returns.
    ReturnCost,
    /// An honest order or customer lost.
    FalseStop,
    /// What the action itself costs.
    ActionCost,
    /// Later purchases won.
    FuturePurchases,
    /// Price index of the SKU in its region if released.
    PriceIndex,
}

/// What an impact's numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactUnit {
    /// Minor units of the currency.
    MinorUnits,
    /// Index points; 1 = usual price level.
    Index,
}

/// One of the best actions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecommendedAction {
    /// From 1.
    pub rank: u32,
    /// What to do.
    pub action: ActionKind,
    /// Expected value against doing nothing more than releasing, minor units.
    pub value: Estimate,
    /// Probability, under the model's own uncertainty, that no eligible action is better.
    pub confidence: Probability,
    /// Value lost by taking the next one instead, minor units; 0 for the last.
    pub gap_to_next_minor: f64,
    /// True when the gap lies within the noise.
    pub is_close_call: bool,
    /// True when a person must confirm it.
    pub requires_approval: bool,
    /// What it is called and what the customer is told.
    pub title: Text,
}

/// A sentence for people, made from contributions; never a new computation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Stable code, for machines: the feature id.
    pub code: Box<str>,
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

//! What a back-test found: recorded orders under a draft of a strategy.
//!
//! Three levels of honesty, never mixed. `replay` counts what would have been decided and
//! claims no value. `off_policy` would be a value learned from logged chances; without
//! those it is refused and holds no number. `assumption` is money by the strategies' own
//! model of impact, at the probabilities of the model.

use serde::Serialize;

use crate::domain::decision::DecisionId;
use crate::domain::head::HeadId;
use crate::domain::impact::RecommendedAction;
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;
use crate::domain::price_solution::Solution;
use crate::domain::recorded_order::ActionName;
use crate::domain::risk::{Probability, RiskBand};
use crate::domain::share::Share;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

/// What a back-test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestReport {
    /// Which orders were judged again.
    pub window: BacktestWindow,
    /// The draft.
    pub draft: StrategyName,
    /// The strategies of the recorded decisions, the one of most orders first.
    pub recorded: Vec<RecordedStrategy>,
    /// What would have been decided: counts, no claim of value.
    pub replay: ReplayLevel,
    /// Value from logged chances.
    pub off_policy: OffPolicyLevel,
    /// Money by the strategies' own model of impact.
    pub assumption: AssumptionLevel,
    /// Orders whose truth the journal knows.
    pub known_truth: KnownTruth,
    /// What people have to do.
    pub reviewers: ReviewerLoad,
    /// The same by channel, region and age of the account.
    pub slices: Vec<SliceRow>,
    /// The draft with the price of a minute at which the hours suffice, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solution: Option<Solution>,
    /// The orders with another first action, most money at stake first; not all.
    pub flipped: Vec<FlippedOrder>,
}

/// Which orders were judged again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestWindow {
    /// Judged again.
    pub orders: u64,
    /// When the first of them was placed.
    pub from: Option<Timestamp>,
    /// When the last of them was placed.
    pub to: Option<Timestamp>,
    /// Days between the two without those (UTC) that have no order; at least 1.
    pub days: f64,
    /// True when they are less than a day apart: all that is counted by day is then of
    /// that part of a day.
    pub is_part_of_a_day: bool,
    /// Decisions that cannot be compared, hence in no other count.
    pub not_comparable: NotComparable,
    /// First actions that the recorded strategy chooses again from the recorded features:
    /// all, or something is inexact.
    pub reproduced: Share,
}

/// Why decisions cannot be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NotComparable {
    /// Another bundle made them.
    pub other_bundle: u64,
    /// They compare with orders that the journal does not hold any more.
    pub background_gone: u64,
    /// They recommend nothing, or have other features than the bundle.
    pub incomplete: u64,
}

/// A strategy by name and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StrategyName {
    /// Name.
    pub name: Box<str>,
    /// BLAKE3 of the file, 64 hex digits.
    pub hash: Box<str>,
}

/// A strategy that made recorded decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordedStrategy {
    /// Which; without a name when its text does not read any more.
    pub strategy: StrategyName,
    /// How many of the orders.
    pub orders: u64,
    /// False when its text does not read any more: then its minutes and its money are not
    /// known.
    pub is_readable: bool,
}

/// What would have been decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayLevel {
    /// Orders by recorded and new first action; pairs without orders are left out.
    pub matrix: Vec<MatrixCell>,
    /// Orders with another first action.
    pub flips: Flips,
    /// Stopped where they were released.
    pub newly_stopped: u64,
    /// Released where they were stopped.
    pub newly_released: u64,
}

/// Orders by recorded and new first action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatrixCell {
    /// What was recommended first.
    pub recorded: ActionName,
    /// What the draft recommends first.
    pub draft: ActionName,
    /// How many orders.
    pub orders: u64,
}

/// Orders with another first action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Flips {
    /// How many.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// `count / of`: exact for these orders.
    pub share: f64,
    /// 95 % interval of the share for other orders like these, accounts drawn as a whole;
    /// `None` with too few accounts.
    pub interval: Option<(f64, f64)>,
}

/// Value from logged chances of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum OffPolicyLevel {
    /// No number.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
}

/// Why something is refused; part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalReason {
    /// No recorded decision was drawn by chance, so none says what another would have led to.
    NoPropensities,
    /// Some were, but this build does not estimate from them yet.
    NoEstimator,
    /// The orders are less than a day apart.
    LessThanADay,
    /// What must be reviewed at any price takes more than the hours.
    ForcedReviews,
    /// No order asks for a person at any price.
    NothingToReview,
}

impl RefusalReason {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPropensities => "NO_PROPENSITIES",
            Self::NoEstimator => "NO_ESTIMATOR",
            Self::LessThanADay => "LESS_THAN_A_DAY",
            Self::ForcedReviews => "FORCED_REVIEWS",
            Self::NothingToReview => "NOTHING_TO_REVIEW",
        }
    }
}

/// Money by the strategies' own model of impact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssumptionLevel {
    /// One per set of coefficients: of the recorded strategies, and of the draft. Each
    /// prefers its own choices, so the two enclose what the choices are worth to somebody
    /// who is not sure of the coefficients.
    pub differences: Vec<MoneyDifference>,
}

/// Whose coefficients and weights value both first actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coefficients {
    /// Those of the strategy that made the decision.
    Recorded,
    /// Those of the draft.
    Draft,
}

/// Expected value of the new first actions minus that of the recorded ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MoneyDifference {
    /// By whose coefficients.
    pub coefficients: Coefficients,
    /// Currency of the money.
    pub currency: Currency,
    /// Orders that were valued.
    pub orders: u64,
    /// Orders that were not: one of the actions is not in the catalog or not eligible
    /// there, or the strategy does not read or counts in another currency.
    pub not_valued: u64,
    /// Sum over the orders, minor units.
    pub total_minor: f64,
    /// 95 % interval of the sum over other orders like these, accounts drawn as a whole;
    /// `None` with too few accounts. It holds the chance of which orders come, not doubts
    /// about model or coefficients.
    pub interval: Option<(f64, f64)>,
    /// Per day, minor units.
    pub per_day_minor: f64,
}

/// Orders whose truth the journal knows: labels that are final, lost disputes, what
/// analysts confirmed. All others are not known, not good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KnownTruth {
    /// Known good.
    pub good: u64,
    /// Known bad.
    pub bad: u64,
    /// Not known, or not final yet.
    pub not_known: u64,
    /// Of the good ones that were released: newly stopped.
    pub good_newly_stopped: Share,
    /// Of the good ones that were stopped: newly released.
    pub good_newly_released: Share,
    /// Of the bad ones that were stopped: newly released.
    pub bad_newly_released: Share,
    /// Of the bad ones that were released: newly stopped.
    pub bad_newly_stopped: Share,
    /// Facts about orders that are not among these.
    pub facts_elsewhere: u64,
}

/// What people have to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReviewerLoad {
    /// Minutes that the draft declares per day.
    pub capacity_minutes_per_day: f64,
    /// Expected minutes per day of the recorded first actions; `None` where a recorded
    /// strategy does not read any more.
    pub recorded_minutes_per_day: Option<f64>,
    /// Expected minutes per day of the new first actions.
    pub draft_minutes_per_day: f64,
    /// Minutes of the new first actions on the busiest day (UTC).
    pub busiest_day_minutes: f64,
    /// Days (UTC) on which they take more than declared.
    pub days_over_capacity: u64,
    /// Days (UTC) with an order.
    pub days: u64,
    /// The queue for review under the draft, every day starting empty.
    pub queue: QueueLoad,
}

/// The queue for review: what fits into the time that other actions leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct QueueLoad {
    /// Orders that ask for review.
    pub asked: u64,
    /// Looked at since they gain most per minute.
    pub ranked: u64,
    /// Looked at since they were drawn.
    pub drawn: u64,
    /// Not looked at on their day.
    pub waiting: u64,
    /// Minutes of those that were looked at.
    pub used_minutes: f64,
    /// Minutes of those that were not.
    pub waiting_minutes: f64,
    /// What reviews gain over the best other action, of those that were looked at, minor
    /// units of the draft's currency.
    pub gained_minor: f64,
    /// The same of those that were not.
    pub waiting_gain_minor: f64,
}

/// A dimension of slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SliceBy {
    /// Sales channel.
    Channel,
    /// Region of the order.
    Region,
    /// Whether the account is younger than 30 days.
    NewAccount,
}

/// One slice of the orders.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SliceRow {
    /// Dimension.
    pub by: SliceBy,
    /// Value; `None` where the order does not tell it, or beyond the most values shown.
    pub value: Option<Box<str>>,
    /// Orders.
    pub orders: u64,
    /// Orders with another first action.
    pub flips: u64,
    /// Money by the draft's coefficients, minor units.
    pub draft_difference_minor: f64,
    /// Minutes per day of the recorded first actions, as far as known.
    pub recorded_minutes_per_day: f64,
    /// Minutes per day of the new first actions.
    pub draft_minutes_per_day: f64,
}

/// An order with another first action, with both explanations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlippedOrder {
    /// Which decision.
    pub decision_id: DecisionId,
    /// Which order.
    pub order: OrderKey,
    /// When it was placed.
    pub event_time: Timestamp,
    /// Its amount.
    pub amount: Option<Money>,
    /// How much either side's coefficients say the other side's action costs: the larger
    /// of the two, minor units.
    pub stake_minor: f64,
    /// As it was decided.
    pub recorded: ExplainedSide,
    /// As the draft decides.
    pub draft: ExplainedSide,
}

/// One side of a flipped order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedSide {
    /// The best actions, best first.
    pub actions: Vec<RecommendedAction>,
    /// The risks, in bundle order.
    pub risks: Vec<SideRisk>,
    /// The sentences.
    pub reasons: Vec<Text>,
}

/// A risk of one side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SideRisk {
    /// The head.
    pub head: HeadId,
    /// Under the side's weights.
    pub probability: Probability,
    /// Under the side's thresholds.
    pub band: RiskBand,
}

//! What follows from an action, in money and its uncertainty.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::decision::ActionKind;
use crate::domain::money::Currency;
use crate::domain::risk::Probability;
use crate::domain::text::Text;

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
    /// The action; of a plan the first one.
    pub action: ActionKind,
    /// Name of the plan in the strategy; empty for a single action.
    pub plan: Box<str>,
    /// Currency of all money below.
    pub currency: Currency,
    /// Sum of the parts; positive is good for the shop.
    pub total: Estimate,
    /// Each kind of consequence by itself; a kind that is not listed is 0.
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
    pub drivers: Vec<Cow<'static, str>>,
    /// From where on the strategy calls the number alarming; `None` when it says nothing.
    pub alarm_from: Option<f64>,
}

/// Kinds of consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactKind {
    /// Goods and fees lost to fraud and abuse.
    RiskLoss,
    /// Audits and penalties of the platform.
    PlatformPenalty,
    /// Margin earned when the order goes through.
    Margin,
    /// Cost of returns.
    ReturnCost,
    /// Later purchases that honest buyers who were stopped no longer make.
    FalseStop,
    /// Complaints of honest buyers who were stopped.
    Complaint,
    /// What honest buyers are given for waiting.
    DelayCompensation,
    /// The time of the people who look at it.
    ReviewCost,
    /// What the action itself costs.
    ActionCost,
    /// Later purchases won.
    FuturePurchases,
    /// Price index of the SKU in its region if released.
    PriceIndex,
    /// Pieces that leave the stock.
    StockUse,
}

/// What an impact's numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactUnit {
    /// Minor units of the currency.
    MinorUnits,
    /// Index points; 1 = usual price level.
    Index,
    /// Pieces of goods.
    Pieces,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanStep {
    /// What is done.
    pub kind: StepKind,
    /// What it is called.
    pub title: Text,
}

/// What a step of a plan does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Something about the order.
    Action(ActionKind),
    /// Telling another system, by the name of what it is told.
    Notice(Box<str>),
}

/// One of the best actions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecommendedAction {
    /// From 1.
    pub rank: u32,
    /// What to do; of a plan the first action.
    pub action: ActionKind,
    /// Name of the plan in the strategy; empty for a single action.
    pub plan: Box<str>,
    /// What the plan does, in its order; empty for a single action.
    pub steps: Vec<PlanStep>,
    /// Expected value against doing nothing more than releasing, minor units.
    pub value: Estimate,
    /// Probability that no eligible action would have earned more, once it is known which
    /// risks the order was; over all eligible actions it sums to 1.
    pub p_best: Probability,
    /// Probability that a person who sees the recommendations takes this one.
    pub p_confirm: Probability,
    /// Choices of people behind `p_confirm`.
    pub n_confirm: u64,
    /// True when these are too few, so that `p_confirm` rests on the strategy's prior.
    pub is_prior_only: bool,
    /// Value lost by taking the next one instead, minor units; 0 for the last.
    pub gap_to_next_minor: f64,
    /// True when the gap lies within the noise.
    pub is_close_call: bool,
    /// True when a person must confirm it.
    pub requires_approval: bool,
    /// The rule that put it first, whatever it is worth; `None` when its value did.
    pub forced_by: Option<Box<str>>,
    /// What it is called.
    pub title: Text,
    /// What the customer is told; empty when nothing is said.
    pub customer_message: Text,
}

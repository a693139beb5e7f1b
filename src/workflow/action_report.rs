//! How good recommended actions are, as a report.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::training::metrics::bootstrap::Measured;

/// How good the recommended actions are.
#[derive(Clone, Debug, Serialize)]
pub struct ActionReport {
    /// Orders judged whose truth is known.
    pub n_orders: u64,
    /// Money per 1,000 orders, minor units, by policy.
    pub money: MoneyByPolicy,
    /// (first action − threshold) / (oracle − threshold).
    pub gain_share: Measured,
    /// The same of somebody who knows the kind of buyer.
    pub buyer_known_share: Measured,
    /// Orders whose best action in hindsight is among the recommended.
    pub best_recommended: Measured,
    /// `p_best` of the first action over all decisions.
    pub all: Reliability,
    /// The same over those whose leading risk is not low: where there is something to decide.
    pub contested: Reliability,
    /// What each kind of buyer's orders earn.
    pub archetypes: BTreeMap<Box<str>, ArchetypeMoney>,
    /// How often each action came first, and how often it would have been best.
    pub actions: BTreeMap<Box<str>, ActionCounts>,
}

/// Money per 1,000 orders, minor units of the strategy's currency.
#[derive(Clone, Debug, Serialize)]
pub struct MoneyByPolicy {
    /// The first action of every answer.
    pub first: Measured,
    /// Every order released.
    pub release_all: Measured,
    /// The best policy of one threshold on the largest probability, chosen in hindsight.
    pub threshold: Measured,
    /// Which action it takes above the threshold.
    pub threshold_action: &'static str,
    /// The threshold.
    pub threshold_at: f64,
    /// The best action of every order for somebody who knows what kind of buyer placed it, and
    /// how often orders of that kind turn out to be what, but not how this one will: what no
    /// model could do better, as far as buyers act by chance.
    pub buyer_known: Measured,
    /// The best action of every order, its truth being known.
    pub oracle: Measured,
}

/// How far probabilities of being the best offered action are from what came true.
#[derive(Clone, Debug, Serialize)]
pub struct Reliability {
    /// Decisions.
    pub n: u64,
    /// Debiased calibration error of `p_best`.
    pub p_best_ece: Measured,
    /// The same of a softmax over the expected values in major units.
    pub softmax_ece: Measured,
    /// `p_best` in ten bins of equal mass.
    pub bins: Vec<ReliabilityBin>,
}

/// Mean money of an order of one kind of buyer, minor units.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ArchetypeMoney {
    /// Orders.
    pub n: u64,
    /// Under the first action.
    pub first: f64,
    /// Under the threshold.
    pub threshold: f64,
    /// When the kind of buyer is known.
    pub buyer_known: f64,
    /// When the truth is known.
    pub oracle: f64,
    /// How often each action came first.
    pub actions: BTreeMap<Box<str>, u64>,
}

/// Orders of about the same `p_best`.
#[derive(Clone, Debug, Serialize)]
pub struct ReliabilityBin {
    /// Orders.
    pub n: u64,
    /// Mean `p_best` of the first action.
    pub predicted: f64,
    /// Share of the orders whose first action was the best offered one.
    pub observed: f64,
}

/// How often an action came first, and how often it would have been best.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ActionCounts {
    /// Recommended first.
    pub first: u64,
    /// Best in hindsight.
    pub best: u64,
}

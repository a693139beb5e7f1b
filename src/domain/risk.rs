//! What a risk head says about an order, and exactly why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::domain::feature::FeatureGroup;
use crate::domain::head::HeadId;

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
    /// All contributions by theme, in [`FeatureGroup::ALL`] order, themes without features
    /// left out: `base + Σ log_odds = raw_log_odds`.
    pub groups: Vec<Share<FeatureGroup>>,
    /// All contributions by the kind of entity whose history they read, `None` for the
    /// order itself: `base + Σ log_odds = raw_log_odds`.
    pub entities: Vec<Share<Option<EntityKind>>>,
}

/// The risk that matters most: highest band, then probability, then bundle order.
pub fn top_risk(risks: &[RiskAssessment]) -> Option<&RiskAssessment> {
    top_by(risks, |risk| (risk.band, risk.probability))
}

/// The same of risks in short.
pub fn top_risk_short(risks: &[TopRisk]) -> Option<&TopRisk> {
    top_by(risks, |risk| (risk.band, risk.probability))
}

fn top_by<R>(risks: &[R], weight: impl Fn(&R) -> (RiskBand, Probability)) -> Option<&R> {
    let mut top: Option<&R> = None;
    for risk in risks {
        if top.is_none_or(|top| weight(top) < weight(risk)) {
            top = Some(risk);
        }
    }
    top
}

/// A risk in short, mostly the one that matters most in a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopRisk {
    /// Which risk.
    pub head: HeadId,
    /// How probable.
    pub probability: Probability,
    /// Its band.
    pub band: RiskBand,
}

/// Contributions summed over one theme or one kind of entity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share<K> {
    /// The theme or kind.
    pub of: K,
    /// How many features.
    pub n_features: u32,
    /// Sum of their shifts: the model's share, log-odds.
    pub log_odds: f64,
    /// Sum of their shifts under the strategy's weights, log-odds.
    pub weighted_log_odds: f64,
}

/// One feature's shift of a risk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// Stable feature id.
    pub feature: Arc<str>,
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

/// A probability in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(f64);

impl Eq for Probability {}

impl Probability {
    /// Certainty.
    pub const ONE: Self = Self(1.0);
    /// Never.
    pub const ZERO: Self = Self(0.0);

    /// The nearest probability: NaN becomes 0, anything outside is clamped.
    pub fn clamped(value: f64) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

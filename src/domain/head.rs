//! Heads: the things a bundle predicts, and what scoring one of them gives.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of a head: one of [`RiskType`]'s names or any other that a config declares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeadId(pub Box<str>);

/// The risk types that ship with a contract of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskType {
    /// Somebody else's card or account pays.
    PaymentFraud,
    /// Limited goods are bought up for resale.
    ResellerHoarding,
    /// Coupons and sign-up gifts are farmed.
    PromoAbuse,
    /// Orders that exist only to raise a shop's rank (brushing).
    FakeOrder,
    /// Goods are bought to be used, swapped or refunded.
    ReturnAbuse,
}

/// What a head's output means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// Calibrated probability of a risk type.
    Risk,
    /// Calibrated probability of a later outcome.
    ImpactProbability,
    /// Expected value of a later quantity, in the unit the head's card names.
    ImpactValue,
}

impl RiskType {
    /// Every risk type, in catalog order.
    pub const ALL: [Self; 5] = [
        Self::PaymentFraud,
        Self::ResellerHoarding,
        Self::PromoAbuse,
        Self::FakeOrder,
        Self::ReturnAbuse,
    ];

    /// The name used as head id, in configs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PaymentFraud => "payment_fraud",
            Self::ResellerHoarding => "reseller_hoarding",
            Self::PromoAbuse => "promo_abuse",
            Self::FakeOrder => "fake_order",
            Self::ReturnAbuse => "return_abuse",
        }
    }

    /// The risk type with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|risk| risk.as_str() == name)
    }

    /// The head that predicts it.
    pub fn head(self) -> HeadId {
        HeadId(self.as_str().into())
    }
}

impl HeadId {
    /// The risk type this head predicts, if it is one of the shipped ones.
    pub fn risk_type(&self) -> Option<RiskType> {
        RiskType::parse(&self.0)
    }
}

impl fmt::Display for HeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one head says about one feature vector, before any strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadScore {
    /// Which head.
    pub head: HeadId,
    /// What the numbers mean.
    pub kind: HeadKind,
    /// Score of the average order: log-odds, or for values the head's unit or its logarithm.
    pub base: f64,
    /// Sum of `base` and all contributions, computed by the trees themselves.
    pub raw: f64,
    /// Exact Shapley values; shape `[n_features]`, unit of `base`.
    pub contributions: Vec<f64>,
    /// Calibrated probability in [0, 1], or the value itself for value heads.
    pub calibrated: f64,
    /// 90 % interval around `calibrated`: model uncertainty of a probability, nine of
    /// ten outcomes of a value.
    pub interval: (f64, f64),
    /// Held-out rows that back the calibration near this score.
    pub n_support: u64,
}

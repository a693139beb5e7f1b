//! What the synthetic marketplace tells labels for, and when they mature.

use crate::domain::head::{HeadId, HeadKind, RiskType};
use crate::domain::time::Span;

/// The payer's bank took the money back (0 or 1).
pub const CHARGEBACK: &str = "chargeback";
/// Goods came back within 30 days (0 or 1).
pub const RETURN: &str = "return";
/// Margin of the buyer's later orders within 45 days, CNY major units.
pub const REPURCHASE_VALUE: &str = "repurchase_value";
/// Market price ÷ list price of the leading SKU in its region, 7 days later.
pub const PRICE_INDEX: &str = "price_index";

/// Heads that get labels: the five risks first, in catalog order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimulatedHead {
    /// A risk type.
    Risk(RiskType),
    /// [`CHARGEBACK`].
    Chargeback,
    /// [`RETURN`].
    Return,
    /// [`REPURCHASE_VALUE`].
    RepurchaseValue,
    /// [`PRICE_INDEX`].
    PriceIndex,
}

impl SimulatedHead {
    /// Every head, in the order in which bundles hold them.
    pub const ALL: [Self; 9] = [
        Self::Risk(RiskType::PaymentFraud),
        Self::Risk(RiskType::ResellerHoarding),
        Self::Risk(RiskType::PromoAbuse),
        Self::Risk(RiskType::FakeOrder),
        Self::Risk(RiskType::ReturnAbuse),
        Self::Chargeback,
        Self::Return,
        Self::RepurchaseValue,
        Self::PriceIndex,
    ];

    /// The name in label facts.
    pub fn id(self) -> HeadId {
        HeadId(
            match self {
                Self::Risk(risk) => risk.as_str(),
                Self::Chargeback => CHARGEBACK,
                Self::Return => RETURN,
                Self::RepurchaseValue => REPURCHASE_VALUE,
                Self::PriceIndex => PRICE_INDEX,
            }
            .into(),
        )
    }

    /// What a value means.
    pub fn kind(self) -> HeadKind {
        match self {
            Self::Risk(_) => HeadKind::Risk,
            Self::Chargeback | Self::Return => HeadKind::ImpactProbability,
            Self::RepurchaseValue | Self::PriceIndex => HeadKind::ImpactValue,
        }
    }

    /// Span after the order at which a negative is told and nothing changes any more.
    ///
    /// A fifth of the chargebacks come after 45 days; they are lost as label noise,
    /// so that 90 simulated days leave 45 with every label.
    pub fn horizon(self) -> Span {
        match self {
            Self::Risk(RiskType::PaymentFraud) | Self::Chargeback | Self::RepurchaseValue => {
                Span::days(45)
            }
            Self::Risk(RiskType::ResellerHoarding | RiskType::PromoAbuse) => Span::days(21),
            Self::Risk(RiskType::FakeOrder | RiskType::ReturnAbuse) | Self::Return => {
                Span::days(30)
            }
            Self::PriceIndex => Span::days(7),
        }
    }
}

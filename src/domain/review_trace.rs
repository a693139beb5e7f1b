//! How an order was looked at before somebody chose about it.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// How an order was looked at before somebody chose about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewTrace {
    /// When the first key or pointer touched the page; `None` when nothing but the choice did.
    #[serde(default)]
    pub first_input_at: Option<Timestamp>,
    /// Time on the page without pauses of more than 30 seconds.
    pub active_ms: u64,
    /// What of the answer was seen.
    pub explanation: Explanation,
    /// Whether it was worth looking at; `None` when nobody said.
    #[serde(default)]
    pub alert_worth: Option<AlertWorth>,
    /// Why they chose so, each code once; the note has what no code says.
    #[serde(default)]
    pub reason_codes: Vec<ReasonCode>,
}

/// What of the answer somebody saw before they chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// Score, recommendation and reasons.
    Full,
    /// The order alone; the recommendation only after the choice.
    Blind,
    /// The evidence, without score and recommendation.
    EvidenceOnly,
}

impl Explanation {
    /// Every variant, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Full, Self::Blind, Self::EvidenceOnly];
}

/// Whether an order was worth looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertWorth {
    /// The suspicion was right.
    Confirmed,
    /// It was wrong, but worth a look.
    Valuable,
    /// Nobody should have had to look.
    FalsePositive,
}

/// Why somebody chose as they did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Knows the customer.
    KnownCustomer,
    /// The customer confirmed on the phone.
    VerifiedByPhone,
    /// A document confirms it.
    VerifiedDocument,
    /// A gift: buyer and recipient differ.
    GiftOrder,
    /// The customer travels.
    Travel,
    /// The card is stolen.
    StolenCard,
    /// Somebody else uses the account.
    AccountTakeover,
    /// Bought up for resale.
    ResellerAbuse,
    /// Coupons are farmed.
    CouponAbuse,
    /// Refunds are farmed.
    RefundAbuse,
    /// The addresses differ for a good reason.
    AddressMismatchOk,
    /// The model was told something wrong.
    ModelWrongData,
    /// The rules of the shop or the law.
    Policy,
    /// Anything else; the note should say.
    Other,
}

impl ReasonCode {
    /// Every code, in the order of menus and reports.
    pub const ALL: [Self; 14] = [
        Self::KnownCustomer,
        Self::VerifiedByPhone,
        Self::VerifiedDocument,
        Self::GiftOrder,
        Self::Travel,
        Self::StolenCard,
        Self::AccountTakeover,
        Self::ResellerAbuse,
        Self::CouponAbuse,
        Self::RefundAbuse,
        Self::AddressMismatchOk,
        Self::ModelWrongData,
        Self::Policy,
        Self::Other,
    ];

    /// Name, as in catalogs and forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KnownCustomer => "known_customer",
            Self::VerifiedByPhone => "verified_by_phone",
            Self::VerifiedDocument => "verified_document",
            Self::GiftOrder => "gift_order",
            Self::Travel => "travel",
            Self::StolenCard => "stolen_card",
            Self::AccountTakeover => "account_takeover",
            Self::ResellerAbuse => "reseller_abuse",
            Self::CouponAbuse => "coupon_abuse",
            Self::RefundAbuse => "refund_abuse",
            Self::AddressMismatchOk => "address_mismatch_ok",
            Self::ModelWrongData => "model_wrong_data",
            Self::Policy => "policy",
            Self::Other => "other",
        }
    }

    /// The code with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_name_in_forms_and_json() {
        for code in ReasonCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(ReasonCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(ReasonCode::parse(""), None);
    }
}

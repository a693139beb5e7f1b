//! What people chose and what the world did later.

use serde::{Deserialize, Serialize};

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::money::Money;
use crate::domain::order::OrderKey;
use crate::domain::review_trace::ReviewTrace;
use crate::domain::time::Timestamp;

/// What an operator decided about a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorChoice {
    /// The caller's id; telling the same choice again is harmless.
    pub choice_id: Box<str>,
    /// Which decision.
    pub decision_id: DecisionId,
    /// Pseudonym of the operator.
    pub operator_id: Box<str>,
    /// What they did.
    pub action: ActionKind,
    /// Rank of that action among those shown, from 1; `None` when it was not shown.
    #[serde(default)]
    pub chosen_rank: Option<u32>,
    /// Why they went against the first recommendation.
    #[serde(default)]
    pub override_reason: Option<OverrideReason>,
    /// Free note; must not hold personal data.
    #[serde(default)]
    pub note: Option<Box<str>>,
    /// When the order was opened for review.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    /// When they decided.
    pub decided_at: Timestamp,
    /// How the order was looked at; `None` when that was not measured.
    // Left out when absent: what was told before it was measured has the same digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewTrace>,
}

/// Why an operator went against the first recommendation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideReason {
    /// Knows the customer.
    KnownCustomer,
    /// The evidence does not hold.
    EvidenceWrong,
    /// Something the system does not see.
    OutsideInformation,
    /// The rules of the shop or the law.
    PolicyRequires,
    /// The customer confirmed.
    CustomerConfirmed,
    /// Anything else; the note should say.
    Other,
}

/// What the world did later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The caller's id; telling the same outcome again is harmless.
    pub outcome_id: Box<str>,
    /// Which decision it follows, if known.
    #[serde(default)]
    pub decision_id: Option<DecisionId>,
    /// Which order it is about, if known.
    #[serde(default)]
    pub order: Option<OrderKey>,
    /// What happened.
    pub kind: OutcomeKind,
    /// Money that moved.
    #[serde(default)]
    pub amount: Option<Money>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Who says so.
    pub source: OutcomeSource,
    /// What the source itself calls it, a case number; the same kind told again by this source
    /// under this reference is the same outcome. Must not hold personal data.
    // Left out when absent: what was told before there were references has the same digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<Box<str>>,
    /// Id of the outcome that this one takes back; `None` when it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracts: Option<Box<str>>,
    /// Who told it: the owner of the API key, as the door saw it; `None` without a key.
    // No part of what is told: who tells the same again under another key tells nothing new.
    #[serde(skip)]
    pub told_by: Option<Box<str>>,
}

/// What happened later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The payer disputed the charge.
    ChargebackOpened,
    /// The shop won the dispute.
    ChargebackWon,
    /// The shop lost the dispute.
    ChargebackLost,
    /// Money went back.
    Refund,
    /// Goods came back.
    Return,
    /// Delivered and kept.
    DeliveredOk,
    /// Could not be delivered.
    DeliveryFailed,
    /// The customer bought again.
    Repurchase,
    /// The platform audited the shop.
    PlatformAudit,
    /// The platform fined the shop.
    PlatformPenalty,
    /// The customer complained.
    Complaint,
    /// The customer closed the account.
    AccountClosed,
    /// Confirmed as abuse.
    ConfirmedFraud,
    /// Confirmed as honest.
    ConfirmedLegit,
}

impl OutcomeKind {
    /// Every kind, in the order of menus.
    pub const ALL: [Self; 14] = [
        Self::ChargebackOpened,
        Self::ChargebackWon,
        Self::ChargebackLost,
        Self::Refund,
        Self::Return,
        Self::DeliveredOk,
        Self::DeliveryFailed,
        Self::Repurchase,
        Self::PlatformAudit,
        Self::PlatformPenalty,
        Self::Complaint,
        Self::AccountClosed,
        Self::ConfirmedFraud,
        Self::ConfirmedLegit,
    ];

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Name, as in a catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChargebackOpened => "chargeback_opened",
            Self::ChargebackWon => "chargeback_won",
            Self::ChargebackLost => "chargeback_lost",
            Self::Refund => "refund",
            Self::Return => "return",
            Self::DeliveredOk => "delivered_ok",
            Self::DeliveryFailed => "delivery_failed",
            Self::Repurchase => "repurchase",
            Self::PlatformAudit => "platform_audit",
            Self::PlatformPenalty => "platform_penalty",
            Self::Complaint => "complaint",
            Self::AccountClosed => "account_closed",
            Self::ConfirmedFraud => "confirmed_fraud",
            Self::ConfirmedLegit => "confirmed_legit",
        }
    }

    /// True when it shows that the order was bad, false when it shows that it was good; most
    /// outcomes show neither.
    pub fn shows_bad(self) -> Option<bool> {
        match self {
            Self::ChargebackLost | Self::ConfirmedFraud => Some(true),
            Self::ConfirmedLegit => Some(false),
            Self::ChargebackOpened
            | Self::ChargebackWon
            | Self::Refund
            | Self::Return
            | Self::DeliveredOk
            | Self::DeliveryFailed
            | Self::Repurchase
            | Self::PlatformAudit
            | Self::PlatformPenalty
            | Self::Complaint
            | Self::AccountClosed => None,
        }
    }
}

/// Who says that an outcome happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeSource {
    /// Card network or bank.
    Network,
    /// The platform.
    Platform,
    /// The carrier.
    Carrier,
    /// The customer service system.
    Crm,
    /// An analyst.
    Analyst,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_before_reviews_were_measured_is_said_in_the_same_words() {
        let text = r#"{"choice_id":"c-1","decision_id":"00000000-0000-0000-0000-000000000001","operator_id":"op","action":"hold","chosen_rank":null,"override_reason":null,"note":null,"opened_at":null,"decided_at":"2026-01-01T00:00:00Z"}"#;
        let choice: OperatorChoice = serde_json::from_str(text).unwrap();
        assert_eq!(choice.review, None);
        assert_eq!(serde_json::to_string(&choice).unwrap(), text);
    }

    #[test]
    fn an_outcome_of_before_there_were_references_is_said_in_the_same_words() {
        let text = r#"{"outcome_id":"o-1","decision_id":null,"order":null,"kind":"refund","amount":null,"occurred_at":"2026-01-01T00:00:00Z","source":"crm"}"#;
        let outcome: Outcome = serde_json::from_str(text).unwrap();
        assert_eq!((&outcome.source_ref, &outcome.retracts), (&None, &None));
        // The state keeps digests of these words to tell what is told again.
        assert_eq!(serde_json::to_string(&outcome).unwrap(), text);
    }
}

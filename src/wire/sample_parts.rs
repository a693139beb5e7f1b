//! Parts of the sample decision, with every field set.

use crate::domain::access::{AuditDraft, AuditEntry, AuditHead};
use crate::domain::api_key::{API_KEY_CHANGED, ApiKey, Scope};
use crate::domain::counterfactual::{
    Counterfactual, CounterfactualAim, CounterfactualDirection, CounterfactualProof,
    CounterfactualSearch, FeatureChange, LeverChange, LeverRange,
};
use crate::domain::decision::ActionKind;
use crate::domain::entity::{EntityKind, EntityRef, IdentityKey};
use crate::domain::erasure::IdentifierErased;
use crate::domain::evidence::{DeltaIfRemoved, Evidence, EvidenceEdge, EvidenceNode};
use crate::domain::exploration::{Exploration, ExplorationLimit};
use crate::domain::head::RiskType;
use crate::domain::impact::{ActionImpact, Estimate, ImpactKind, ImpactPart, ImpactUnit};
use crate::domain::money::Currency;
use crate::domain::pseudonym::{PseudonymLinked, Rotation, RotationStarted};
use crate::domain::record::{ApiKeyChanged, Record};
use crate::domain::risk::Probability;
use crate::domain::strategy_version::Signature;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

/// A key with every field set.
pub(super) fn api_key_changed(head: &AuditHead, at: Timestamp) -> ApiKeyChanged {
    let key = ApiKey {
        name: "checkout".into(),
        owner: "shop.eu".into(),
        scopes: [Scope::Score, Scope::AuditRead].into(),
        calls_per_second: Some(250),
        is_active: true,
        expires: Some(Timestamp(at.0 + 1)),
        key_hash: "1f".repeat(32).into(),
    };
    let draft = AuditDraft {
        actor: "lin".into(),
        action: API_KEY_CHANGED.into(),
        subject: key.name.clone(),
        detail: key.description().into(),
    };
    ApiKeyChanged { audited: AuditEntry::next(head, draft, at), key }
}

/// An erased identifier.
pub(super) fn identifier_erased(head: &AuditHead, at: Timestamp) -> IdentifierErased {
    let phone = IdentityKey::from_secret(b"samples").entity(EntityKind::Phone, "1");
    let signature = Signature { by: "lin".into(), at, note: "asked by letter".into() };
    let other = IdentityKey::from_secret(b"before").entity(EntityKind::Phone, "1");
    IdentifierErased::new((phone, vec![other]), head, signature)
}

/// A pseudonym of another identity secret, and the rotation that it comes of.
pub(super) fn pseudonyms(at: Timestamp) -> [Record; 2] {
    let rotation = Rotation { current: "0123456789abcdef".into(), previous: "f".repeat(16).into() };
    let [pseudonym, known_as] =
        [b"now", b"old"].map(|it| IdentityKey::from_secret(it).entity(EntityKind::Email, "a"));
    [
        Record::RotationStarted(RotationStarted { rotation, at }),
        Record::PseudonymLinked(PseudonymLinked { pseudonym, known_as, at }),
    ]
}

/// Withheld although drawn: every field has a value of its own.
pub(super) fn exploration() -> Exploration {
    Exploration {
        propensity: Probability::clamped(0.0375),
        is_released: true,
        at_risk_minor: 12_345.5,
        withheld_by: Some(ExplorationLimit::Month),
    }
}

pub(super) fn search() -> CounterfactualSearch {
    let change = |feature: &str, from, to| FeatureChange { feature: feature.into(), from, to };
    CounterfactualSearch {
        head: RiskType::ResellerHoarding.head(),
        direction: CounterfactualDirection::TowardRelease,
        aim: CounterfactualAim::OtherAction,
        target: Some(Probability::clamped(0.3)),
        counterfactuals: vec![Counterfactual {
            levers: vec![LeverChange {
                lever: "order_quantity_sum".into(),
                range: Some(LeverRange { lowest: 1.0, highest: 3.5, is_open: true }),
                features: vec![
                    change("order_quantity_sum", Some(6.0), Some(1.0)),
                    change("ip_amount_to_mean_all", None, Some(0.1)),
                ],
            }],
            cost: 2.5,
            probability: Probability::clamped(0.2),
            first_action: ActionKind::Approve,
            is_proven_minimal: true,
            text: Text::new("1 piece", "1 件"),
        }],
        proof: CounterfactualProof::Complete,
    }
}

pub(super) fn evidence() -> Evidence {
    let key = IdentityKey::from_secret(b"test");
    let node = |entity: EntityRef| EvidenceNode {
        entity,
        n_orders: 12,
        n_bad: 3,
        is_hub: true,
        is_of_order: true,
    };
    Evidence {
        nodes: vec![
            node(key.entity(EntityKind::Ip, "10.0.0.1")),
            node(key.entity(EntityKind::Sku, "LIM-001")),
        ],
        edges: vec![EvidenceEdge {
            from: 0,
            to: 1,
            n_orders: 9,
            event_ids: vec!["e9".into(), "e1".into()],
            first_seen: Timestamp(1),
            last_seen: Timestamp(2_000_000),
            features: vec!["ring_size".into()],
            delta_if_removed: Some(DeltaIfRemoved {
                log_odds: -1.25,
                probability: Probability::clamped(0.125),
            }),
        }],
        is_truncated: true,
    }
}

pub(super) fn impact() -> ActionImpact {
    ActionImpact {
        action: ActionKind::Decline,
        currency: Currency::CNY,
        total: Estimate { mean: -1.0, p10: -2.0, p90: 3.0 },
        parts: vec![ImpactPart {
            kind: ImpactKind::PriceIndex,
            value: Estimate { mean: 1.08, p10: 1.0, p90: 1.2 },
            unit: ImpactUnit::Index,
            n_support: 77,
            drivers: vec!["reseller_hoarding".into()],
            alarm_from: Some(1.2),
        }],
        review_minutes: 4.5,
        plan: "protect".into(),
    }
}

//! Identifiers that were erased: who wanted it, and what is left to show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::access::{AuditDraft, AuditEntry, AuditHead};
use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::order::Order;
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;

/// Action of an entry that tells an erasure.
pub const IDENTIFIER_ERASED: &str = "identifier.erased";
/// Digits of the fingerprint by which an entry names what was erased.
const FINGERPRINT_DIGITS: usize = 16;
/// Most identifiers that are erased in one call.
pub const ERASED_PER_CALL_MAX: usize = 100;

/// An identifier that was erased. The entry of the audit log is part of the record, so that
/// neither is ever there without the other; its number is what reads show from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierErased {
    /// The identifier, sealed.
    pub entity: EntityRef,
    /// Its other pseudonyms, by earlier and later secrets.
    pub others: Vec<EntityRef>,
    /// Who wanted it, when and why.
    pub audited: AuditEntry,
}

impl IdentifierErased {
    /// The record of an erasure behind the end of the audit log.
    pub fn new(
        (entity, others): (EntityRef, Vec<EntityRef>),
        head: &AuditHead,
        signature: Signature,
    ) -> Self {
        let Signature { by, at, note } = signature;
        let fingerprint = fingerprints(&entity, &others);
        let shown = shown_as(&entity, head.sequence.saturating_add(1));
        let detail = if note.is_empty() { fingerprint } else { format!("{fingerprint}; {note}") };
        let draft = AuditDraft {
            actor: by,
            action: IDENTIFIER_ERASED.into(),
            subject: shown.label().into(),
            detail: detail.into(),
        };
        Self { entity, others, audited: AuditEntry::next(head, draft, at) }
    }

    /// Every pseudonym of it.
    pub fn all(&self) -> impl Iterator<Item = &EntityRef> {
        std::iter::once(&self.entity).chain(&self.others)
    }

    /// What is shown instead of the identifier.
    pub fn shown(&self) -> EntityRef {
        shown_as(&self.entity, self.audited.sequence)
    }

    /// True when the entry tells this very erasure.
    pub fn is_told_by(&self, entry: &AuditEntry) -> bool {
        let rest = entry.detail.strip_prefix(&*fingerprints(&self.entity, &self.others));
        let is_whole = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("; "));
        is_whole && *entry.subject == *self.shown().label() && *entry.action == *IDENTIFIER_ERASED
    }
}

/// By these somebody who has the identifier and any of its secrets can show that it was erased,
/// and nobody else whose it was.
fn fingerprints(entity: &EntityRef, others: &[EntityRef]) -> String {
    let mut shown = "fingerprint".to_owned();
    for entity in std::iter::once(entity).chain(others) {
        let text = format!("{}:{}", entity.kind.as_str(), entity.key);
        let hash = blake3::hash(text.as_bytes()).to_hex();
        shown.push(' ');
        shown.push_str(&hash[..FINGERPRINT_DIGITS]);
    }
    shown
}

fn shown_as(entity: &EntityRef, number: u64) -> EntityRef {
    EntityRef { kind: entity.kind, key: EntityKey::Plain(format!("erased-{number}").into()) }
}

/// When an identifier was erased last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Journal position of the record.
    pub position: u64,
    /// The clock of whoever was asked.
    pub at: Timestamp,
    /// What is shown instead.
    pub shown: EntityRef,
}

/// Every identifier that was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasures {
    erased: BTreeMap<EntityRef, Erased>,
}

impl Erasures {
    /// True when nothing was ever erased.
    pub fn is_empty(&self) -> bool {
        self.erased.is_empty()
    }

    /// Folds an erasure.
    pub fn add(&mut self, position: u64, record: &IdentifierErased) {
        let erased = Erased { position, at: record.audited.at, shown: record.shown() };
        for entity in record.all() {
            self.erased.insert(entity.clone(), erased.clone());
        }
    }

    /// When an identifier was erased last, if it ever was.
    pub fn get(&self, entity: &EntityRef) -> Option<&Erased> {
        self.erased.get(entity)
    }

    /// They, by identifier.
    pub fn iter(&self) -> impl Iterator<Item = (&EntityRef, &Erased)> {
        self.erased.iter()
    }

    /// Takes identifiers out of an order that was placed no later than they were erased.
    pub fn strip_order(&self, order: &mut Order, placed_at: Timestamp) {
        if !self.is_empty() {
            order.entities.retain(|entity| !self.is_gone(entity, placed_at));
        }
    }

    /// Takes identifiers out of a fact from no later than they were erased; false when nothing
    /// is left of it.
    pub fn strip(&self, event: &mut Event) -> bool {
        if self.is_empty() {
            return true;
        }
        let time = event.event_time;
        match &mut event.fact {
            Fact::OrderPlaced(order) => self.strip_order(order, time),
            Fact::AccountCreated(created) => {
                created.entities.retain(|entity| !self.is_gone(entity, time));
                return !self.is_gone(&created.account, time);
            }
            Fact::Label(label) if !label.concerns.is_empty() => {
                label.concerns.retain(|entity| !self.is_gone(entity, time));
                return !label.concerns.is_empty();
            }
            Fact::Label(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::OrderChargedBack(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Choice(_)
            | Fact::Outcome(_) => {}
        }
        true
    }

    fn is_gone(&self, entity: &EntityRef, time: Timestamp) -> bool {
        self.get(entity).is_some_and(|erased| time <= erased.at)
    }
}

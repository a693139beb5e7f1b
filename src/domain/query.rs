//! Questions about decisions: which ones, and what if something were different.

use std::collections::BTreeMap;

use crate::domain::decision::{ActionKind, DecisionId, DecisionState};
use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::head::HeadId;
use crate::domain::money::Money;
use crate::domain::order::{AddressKind, AttributeValue, Order, OrderItem, OrderKey, PaymentKind};
use crate::domain::record::ScoreRequest;
use crate::domain::risk::{Probability, RiskBand};
use crate::domain::time::Timestamp;

/// Names one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionKey {
    /// By its id.
    Id(DecisionId),
    /// The newest one about this revision of an order.
    Order(OrderKey),
}

/// Which decisions to list; all conditions hold, `None` is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Sales channel of the order.
    pub channel: Option<Box<str>>,
    /// Received at or after.
    pub received_from: Option<Timestamp>,
    /// Received before.
    pub received_until: Option<Timestamp>,
    /// At least one risk is in this band or a higher one.
    pub band_at_least: Option<RiskBand>,
    /// The action of rank 1.
    pub first_action: Option<ActionKind>,
    /// How complete the answer is.
    pub state: Option<DecisionState>,
}

/// A page of decisions, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionQuery {
    /// Which decisions.
    pub filter: DecisionFilter,
    /// Only ids below this one, the last of the page before; `None` starts at the newest.
    pub older_than: Option<DecisionId>,
    /// Most decisions to return; at least 1.
    pub n_max: u32,
}

/// What would have been decided, had something been different?
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
    /// What to start from.
    pub subject: WhatIfSubject,
    /// Changes of the order, applied in this order.
    pub changes: Vec<OrderChange>,
    /// Another strategy; `None` keeps the one of the subject.
    pub strategy: Option<StrategyChoice>,
    /// Values that features take whatever graph and order say, each feature at most once.
    pub features: Vec<FeatureValue>,
    /// Where a risk should get; `None` asks for no search of its own.
    pub target: Option<ProbabilityTarget>,
}

/// Which strategy a what-if judges under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StrategyChoice {
    /// One that need not be known: the text of its file.
    Text(Box<str>),
    /// One that the service has judged with, by its name or hash.
    Known(Box<str>),
}

/// A feature with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureValue {
    /// Stable feature id.
    pub feature: Box<str>,
    /// In the feature's unit; `None` is unknown.
    pub value: Option<f64>,
}

/// A risk and where its probability should get.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbabilityTarget {
    /// Which risk.
    pub head: HeadId,
    /// To reach or pass.
    pub probability: Probability,
}

/// What a what-if starts from.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one per question, moved once")]
pub enum WhatIfSubject {
    /// A recorded decision, as of its own moment.
    Decision(DecisionId),
    /// An order that need not be known, as of now.
    Request(ScoreRequest),
}

/// A new value of one field of an order; `None` makes it unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderChange {
    /// `amount`.
    Amount(Option<Money>),
    /// `discount`.
    Discount(Option<Money>),
    /// `items`; empty when unknown.
    Items(Vec<OrderItem>),
    /// The entity of one kind.
    Entity(EntityKind, Option<EntityRef>),
    /// `account_created_at`.
    AccountCreatedAt(Option<Timestamp>),
    /// `address_kind`.
    AddressKind(Option<AddressKind>),
    /// `payment_kind`.
    PaymentKind(Option<PaymentKind>),
    /// `countries.ip`.
    IpCountry(Option<Box<str>>),
    /// `countries.payment`.
    PaymentCountry(Option<Box<str>>),
    /// `countries.shipping`.
    ShippingCountry(Option<Box<str>>),
    /// `device_distance_km`.
    DeviceDistanceKm(Option<f64>),
    /// One of the further facts.
    Attribute(Box<str>, Option<AttributeValue>),
}

/// A field that came out differently when it was computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDifference {
    /// Dotted path, `risks[0].probability`.
    pub path: Box<str>,
    /// The recorded value.
    pub recorded: Box<str>,
    /// The value of the second computation.
    pub replayed: Box<str>,
}

impl OrderChange {
    /// Puts the new value into the order.
    pub fn apply(&self, order: &mut Order) {
        match self {
            Self::Amount(amount) => order.amount = *amount,
            Self::Discount(discount) => order.discount = *discount,
            Self::Items(items) => order.items.clone_from(items),
            Self::Entity(kind, entity) => {
                change_entity(&mut order.entities, *kind, entity.as_ref());
            }
            Self::AccountCreatedAt(time) => order.account_created_at = *time,
            Self::AddressKind(kind) => order.address_kind = *kind,
            Self::PaymentKind(kind) => order.payment_kind = *kind,
            Self::IpCountry(code) => order.countries.ip.clone_from(code),
            Self::PaymentCountry(code) => order.countries.payment.clone_from(code),
            Self::ShippingCountry(code) => order.countries.shipping.clone_from(code),
            Self::DeviceDistanceKm(km) => order.device_distance_km = *km,
            Self::Attribute(name, value) => {
                change_attribute(&mut order.attributes, name, value.as_ref());
            }
        }
    }
}

// The place of the entity is kept: a changed order differs in nothing but the change.
fn change_entity(entities: &mut Vec<EntityRef>, kind: EntityKind, new: Option<&EntityRef>) {
    let position = entities.iter().position(|entity| entity.kind == kind);
    match (position, new) {
        (Some(idx), Some(entity)) => entities[idx] = entity.clone(),
        (Some(idx), None) => drop(entities.remove(idx)),
        (None, Some(entity)) => entities.push(entity.clone()),
        (None, None) => {}
    }
}

fn change_attribute(
    attributes: &mut BTreeMap<Box<str>, AttributeValue>,
    name: &str,
    new: Option<&AttributeValue>,
) {
    match new {
        Some(value) => drop(attributes.insert(name.into(), value.clone())),
        None => drop(attributes.remove(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::EntityKey;

    #[test]
    fn a_change_touches_only_its_own_field() {
        let key = OrderKey { channel: "web".into(), order_id: "o1".into(), revision: 0 };
        let entity = |kind, name: &str| EntityRef { kind, key: EntityKey::Plain(name.into()) };
        let mut order = Order::new(key);
        order.entities = vec![entity(EntityKind::Region, "A"), entity(EntityKind::Merchant, "M")];
        let before = order.clone();
        let region = entity(EntityKind::Region, "B");
        OrderChange::Entity(EntityKind::Region, Some(region.clone())).apply(&mut order);
        assert_eq!(order.entities, [region, before.entities[1].clone()]);
        let back = Some(before.entities[0].clone());
        OrderChange::Entity(EntityKind::Region, back).apply(&mut order);
        let name: Box<str> = "share".into();
        OrderChange::Attribute(name.clone(), Some(AttributeValue::Number(1.0))).apply(&mut order);
        OrderChange::Attribute(name, None).apply(&mut order);
        assert_eq!(order, before);
    }
}

//! Orders by a few numbers, and what the catalog reads of them, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderItem, OrderKey};
use crate::domain::time::Timestamp;
use crate::feature::catalog::Catalog;
use crate::feature::schema::SchemaBuilder;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;

/// Which numbers an order's entities have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub(super) account: u32,
    pub(super) ip: u32,
    pub(super) device: u32,
    pub(super) address: u32,
    pub(super) phone: u32,
    pub(super) payment: u32,
    pub(super) sku: u32,
}

impl Trace {
    /// Somebody at home: everything has the account's number, and the item too.
    pub(super) fn of(account: u32) -> Self {
        Self {
            account,
            ip: account,
            device: account,
            address: account,
            phone: account,
            payment: account,
            sku: account,
        }
    }
}

/// The entity with a number.
pub(super) fn entity(kind: EntityKind, n: u32) -> EntityRef {
    EntityRef { kind, key: EntityKey::Hashed(u128::from(n) + 1) }
}

/// Whole yuan.
pub(super) fn yuan(major: i64) -> Money {
    Money { currency: Currency::CNY, minor_units: 100 * major }
}

/// An order of one piece.
pub(super) fn order(id: u32, trace: &Trace, opened: Timestamp, price: Money) -> Order {
    let order_id = id.to_string().into();
    let mut order = Order::new(OrderKey { channel: "web".into(), order_id, revision: 0 });
    order.entities = vec![
        entity(EntityKind::Account, trace.account),
        entity(EntityKind::Ip, trace.ip),
        entity(EntityKind::Device, trace.device),
        entity(EntityKind::Address, trace.address),
        entity(EntityKind::Phone, trace.phone),
        entity(EntityKind::PaymentInstrument, trace.payment),
    ];
    let sku = entity(EntityKind::Sku, trace.sku);
    order.items = vec![OrderItem { sku, quantity: 1, unit_price: Some(price) }];
    order.amount = Some(price);
    order.account_created_at = Some(opened);
    order
}

/// The order, placed.
pub(super) fn placed(event_time: Timestamp, order: Order) -> Event {
    Event { event_id: "e".into(), event_time, ingest_time: None, fact: Fact::OrderPlaced(order) }
}

/// What an order sees after some events as of an instant, by feature.
pub(super) fn features(
    events: &[Event],
    probe: &Order,
    as_of: Timestamp,
) -> BTreeMap<Arc<str>, f32> {
    let mut graph = KnowledgeGraph::new(GraphSettings::default());
    let mut schema = SchemaBuilder::default();
    for event in events {
        graph.apply(event);
        schema.observe(event);
    }
    let catalog = Catalog::new(&schema.finish());
    let mut values = Vec::new();
    catalog.extract(&graph, probe, as_of, &mut values);
    catalog.specs().iter().map(|spec| spec.id.clone()).zip(values).collect()
}

/// Equal within a thousandth; unknown equals unknown.
pub(super) fn is_near(found: f32, expected: f32) -> bool {
    (found - expected).abs() < 1e-3 || found.is_nan() && expected.is_nan()
}

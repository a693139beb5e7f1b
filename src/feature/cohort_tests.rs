//! A family and a gang on the same network in the same hour, told apart.

use std::collections::BTreeMap;

use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderItem, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::feature::schema::SchemaBuilder;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;

/// The hour in which both come to the same network: the 1,000th day.
const MEETING: Timestamp = Timestamp(1_000 * Span::DAY.0);
const N_ACCOUNTS: u32 = 6;
const N_ORDERS: u32 = 12;

/// Which numbers an order's entities have.
struct Trace {
    account: u32,
    ip: u32,
    device: u32,
    address: u32,
    phone: u32,
    payment: u32,
    sku: u32,
}

fn entity(kind: EntityKind, n: u32) -> EntityRef {
    EntityRef { kind, key: EntityKey::Hashed(u128::from(n) + 1) }
}

fn yuan(major: i64) -> Money {
    Money { currency: Currency::CNY, minor_units: 100 * major }
}

fn order(id: u32, trace: &Trace, opened: Timestamp, price: Money) -> Order {
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

fn placed(event_time: Timestamp, order: Order) -> Event {
    Event { event_id: "e".into(), event_time, ingest_time: None, fact: Fact::OrderPlaced(order) }
}

/// Two orders of each of six people with things and a past of their own, to the homes of
/// eight relatives; two of them once paid with the same card.
fn family() -> Vec<Event> {
    let mut events = Vec::new();
    let opened = |n: u32| MEETING - Span::days(100 * i64::from(n + 1));
    let at_home = |n: u32| Trace {
        account: n,
        ip: 100 + n,
        device: n,
        address: 100 + n,
        phone: n,
        payment: n.max(1),
        sku: n,
    };
    for n in 0..N_ACCOUNTS {
        let order = order(n, &at_home(n), opened(n), yuan(80));
        events.push(placed(MEETING - Span::days(40), order));
    }
    for n in 0..N_ORDERS {
        let member = n % N_ACCOUNTS;
        let trace = Trace { ip: 1, address: n % 8, sku: n, ..at_home(member) };
        let price = yuan(20 * i64::from(n + 1));
        let order = order(100 + n, &trace, opened(member), price);
        events.push(placed(MEETING + Span(i64::from(n) * 300_000_000), order));
    }
    events
}

/// As many orders of as many accounts, opened an hour ago, for one thing at one price.
fn gang() -> Vec<Event> {
    let gang = (0..N_ORDERS).map(|n| {
        let account = n % N_ACCOUNTS;
        let trace = Trace {
            account,
            ip: 1,
            device: account % 2,
            address: 0,
            phone: account % 3,
            payment: account % 2,
            sku: 0,
        };
        let opened = MEETING - Span(i64::from(account) * 600_000_000) - Span::HOUR;
        let order = order(n, &trace, opened, yuan(99));
        placed(MEETING + Span(i64::from(n) * 300_000_000), order)
    });
    gang.collect()
}

/// What one more order of the first account sees, by feature.
fn features(events: &[Event]) -> BTreeMap<Box<str>, f32> {
    let mut graph = KnowledgeGraph::new(GraphSettings::default());
    let mut schema = SchemaBuilder::default();
    for event in events {
        graph.apply(event);
        schema.observe(event);
    }
    let trace = Trace { account: 0, ip: 1, device: 0, address: 0, phone: 0, payment: 0, sku: 0 };
    let probe = order(999, &trace, MEETING - Span::days(100), yuan(99));
    let catalog = Catalog::new(&schema.finish());
    let mut values = Vec::new();
    catalog.extract(&graph, &probe, MEETING + Span::HOUR, &mut values);
    catalog.specs().iter().map(|spec| spec.id.clone()).zip(values).collect()
}

fn is_near(found: f32, expected: f32) -> bool {
    (found - expected).abs() < 1e-3 || found.is_nan() && expected.is_nan()
}

#[test]
fn a_family_and_a_gang_of_the_same_counts_on_the_same_ip_differ_in_every_cohort_row() {
    let (family, gang) = (features(&family()), features(&gang()));
    for counted in ["ip_orders_count_1h", "ip_orders_count_1d", "ip_accounts_distinct_1d"] {
        assert!(is_near(family[counted], gang[counted]), "{counted}");
    }
    let expected = [
        ("account_age_median_1d", 400.0 + 1.0 / 24.0, 2.5 / 24.0),
        ("settled_share_1d", 1.0, 0.0),
        ("customers_share_1d", 1.0, 0.0),
        ("acquainted_share_1d", 2.0 / 6.0, 0.0),
        ("signup_burst_share_1d", 1.0 / 6.0, 1.0),
        ("new_address_share_1d", 1.0, f32::NAN),
        ("devices_per_account_1d", 1.0, 2.0 / 6.0),
        ("addresses_per_account_1d", 8.0 / 6.0, 1.0 / 6.0),
        ("phones_per_account_1d", 1.0, 3.0 / 6.0),
        ("payment_instruments_per_account_1d", 5.0 / 6.0, 2.0 / 6.0),
        ("top_sku_share_1d", 1.0 / 12.0, 1.0),
        ("sku_variety_1d", 1.0, 0.0),
        ("amount_spread_1d", 0.7121, 0.0),
    ];
    for (id, of_family, of_gang) in expected {
        let id = format!("ip_cohort_{id}");
        let (found, other) = (family[&*id], gang[&*id]);
        assert!(is_near(found, of_family), "{id} of the family: {found}");
        assert!(is_near(other, of_gang), "{id} of the gang: {other}");
    }
    let rows = gang.keys().filter(|id| id.starts_with("ip_cohort_")).count();
    assert_eq!(rows, expected.len());
}

#[test]
fn an_account_that_is_alone_tells_nothing_about_sign_ups_in_one_go() {
    let alone = features(&gang()[..1]);
    assert!(alone["ip_cohort_signup_burst_share_1d"].is_nan());
    assert!(alone["ip_cohort_sku_variety_1d"].is_nan());
    assert!(alone["ip_cohort_amount_spread_1d"].is_nan());
    assert!(is_near(alone["ip_cohort_settled_share_1d"], 0.0));
}

#[test]
fn who_used_a_network_before_or_shares_a_card_from_before_is_acquainted() {
    let family = features(&family());
    // The card: accounts 0 and 1. Nobody had used the network before that day.
    assert!((family["ip_cohort_acquainted_share_1d"] - 2.0 / 6.0).abs() < 1e-6);
    // Account 0 had used its device before, and it alone orders from it.
    assert!(is_near(family["device_cohort_acquainted_share_1d"], 1.0));
    // A gang's links are as new as its accounts: they do not make it a family.
    assert!(is_near(features(&gang())["device_cohort_acquainted_share_1d"], 0.0));
}

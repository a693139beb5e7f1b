//! Every read of a history equals a plain look through all orders.
//!
//! Few merchants and addresses of the network among many accounts, so that lists, hubs
//! and pairs of hubs all occur; a short retention and late orders, so that orders leave.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Order, OrderItem, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::hub::HubTraits;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::pair_read::PairSeen;
use crate::graph::settings::GraphSettings;

const RETENTION: Span = Span::days(8);
/// Kinds of the stream, and how many there are of each.
pub(super) const KINDS: [(EntityKind, u32); 5] = [
    (EntityKind::Account, 40),
    (EntityKind::Ip, 3),
    (EntityKind::Device, 25),
    (EntityKind::Merchant, 2),
    (EntityKind::Region, 2),
];
pub(super) const N_SKUS: u32 = 6;

/// One order as the model keeps it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) time: Timestamp,
    picks: [u32; KINDS.len()],
    skus: BTreeSet<u32>,
    minor_units: i64,
}

pub(super) fn entity(kind: EntityKind, n: u32) -> EntityRef {
    EntityRef { kind, key: EntityKey::Hashed(u128::from(n) + 1) }
}

pub(super) fn told(id: usize, seen: &Seen) -> Event {
    let order_id = id.to_string().into();
    let mut order = Order::new(OrderKey { channel: "web".into(), order_id, revision: 0 });
    let kinds = KINDS.iter().zip(seen.picks);
    order.entities = kinds.map(|(&(kind, _), n)| entity(kind, n)).collect();
    let amount = Money { currency: Currency::CNY, minor_units: seen.minor_units };
    order.amount = Some(amount);
    for &sku in &seen.skus {
        let sku = entity(EntityKind::Sku, sku);
        order.items.push(OrderItem { sku, quantity: 1, unit_price: Some(amount) });
    }
    Event {
        event_id: "e".into(),
        event_time: seen.time,
        ingest_time: None,
        fact: Fact::OrderPlaced(order),
    }
}

/// Orders every twenty minutes, each told up to some hours late or after a pause.
pub(super) fn stream() -> impl Strategy<Value = Vec<Seen>> {
    let picks = KINDS.map(|(_, n)| 0..n);
    let skus = prop::collection::btree_set(0..N_SKUS, 0..3);
    let one = (0_i64..300, prop::bool::weighted(0.01), picks, skus, 1_i64..90_000);
    prop::collection::vec(one, 1..700).prop_map(|orders| {
        let mut clock = 0;
        let seen = |(late, has_pause, picks, skus, minor_units)| {
            clock += if has_pause { 3 * 24 * 60 } else { 20 };
            // Most come in time; the others share instants with what came before.
            let late = if late < 240 { 0 } else { 20 * (late - 240) };
            let time = Timestamp(Span::minutes(clock - late).0);
            Seen { time, picks, skus, minor_units }
        };
        orders.into_iter().map(seen).collect()
    })
}

/// The orders of an entity in a window, newest first.
fn orders_of(
    model: &[Seen],
    (kind, n): (usize, u32),
    (since, as_of): (Timestamp, Timestamp),
) -> Vec<&Seen> {
    let is_own = |seen: &&Seen| match kind {
        SKU => seen.skus.contains(&n),
        _ => seen.picks[kind] == n,
    };
    let mut orders: Vec<&Seen> = model
        .iter()
        .filter(|seen| since <= seen.time && seen.time <= as_of)
        .filter(is_own)
        .collect();
    orders.sort_by_key(|seen| std::cmp::Reverse(seen.time));
    orders
}

/// Positions in [`KINDS`].
const ACCOUNT: usize = 0;
const IP: usize = 1;
const DEVICE: usize = 2;
/// The position after them stands for SKUs.
const SKU: usize = KINDS.len();

fn kind_at(at: usize) -> (EntityKind, u32) {
    KINDS.get(at).copied().unwrap_or((EntityKind::Sku, N_SKUS))
}

/// Counterparts of a kind and the orders they share, newest first.
fn met(orders: &[&Seen], kind: usize) -> BTreeMap<u32, Vec<Timestamp>> {
    let mut met: BTreeMap<u32, Vec<Timestamp>> = BTreeMap::new();
    for seen in orders {
        if kind == SKU {
            seen.skus.iter().for_each(|&sku| met.entry(sku).or_default().push(seen.time));
        } else {
            met.entry(seen.picks[kind]).or_default().push(seen.time);
        }
    }
    met
}

fn check_meetings(
    graph: &KnowledgeGraph,
    (history, own): (&History<'_>, usize),
    orders: &[&Seen],
    window: Window,
) -> Result<(), TestCaseError> {
    for other in 0..=SKU {
        let (kind, n_max) = kind_at(other);
        let is_met = kind_at(own).0 != EntityKind::Region && !(own == SKU && other == SKU);
        let expected = if is_met { met(orders, other) } else { BTreeMap::new() };
        prop_assert_eq!(history.n_distinct(kind, window), expected.len() as u64);
        let recent: BTreeSet<_> = history.recent(kind, window, 64).into_iter().collect();
        let nodes = expected.keys().filter_map(|&n| graph.find(&entity(kind, n)));
        if orders.len() <= 256 {
            prop_assert_eq!(recent, nodes.collect::<BTreeSet<_>>());
        }
        if window != Window::Ever {
            continue;
        }
        for n in 0..n_max {
            let Some(node) = graph.find(&entity(kind, n)) else { continue };
            let times = expected.get(&n);
            let pair =
                times.map(|times| PairSeen { n_orders: times.len() as u64, last_seen: times[0] });
            prop_assert_eq!(history.pair(node, kind), pair, "{:?} {}", kind, n);
            let first = times.and_then(|times| times.last().copied());
            prop_assert_eq!(history.first_met(node, kind), first);
        }
    }
    Ok(())
}

/// What makes the network of these orders a hub.
fn traits_of(orders: &[&Seen]) -> HubTraits {
    if orders.len() < 2 {
        return HubTraits::default();
    }
    let n_of = |kind| met(orders, kind).len() as u64;
    let days: BTreeSet<i64> = orders.iter().map(|seen| seen.time.day_number()).collect();
    HubTraits {
        n_accounts: n_of(ACCOUNT),
        n_active_days: days.len() as u64,
        unrelated: (n_of(DEVICE) as f64 / n_of(ACCOUNT) as f64).min(1.0),
        n_items: Some(n_of(SKU)).filter(|&n_items| 0 < n_items),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Late orders, pauses and expiry come between the orders that let traits be remembered.
    #[test]
    fn traits_of_a_hub_equal_a_look_through_whenever_they_are_read(
        orders in stream(), retention_days in prop_oneof![Just(8), Just(40)],
    ) {
        let retention = Span::days(retention_days);
        let mut graph = KnowledgeGraph::new(GraphSettings { retention, ..GraphSettings::default() });
        let mut model: Vec<Seen> = Vec::new();
        let mut newest = Timestamp(i64::MIN);
        for (id, seen) in orders.iter().enumerate() {
            graph.apply(&told(id, seen));
            model.push(seen.clone());
            newest = newest.max(seen.time);
            if !id.is_multiple_of(24) {
                continue;
            }
            for (ip, days_ago) in (0..KINDS[IP].1).flat_map(|ip| [(ip, 0), (ip, 1), (ip, 6)]) {
                let as_of = newest - Span::days(days_ago);
                let history = graph.history_of(&entity(EntityKind::Ip, ip), as_of);
                let since = (as_of.start_of_day() - Span::days(30)).max(newest - retention);
                let before = Timestamp(as_of.start_of_day().0 - 1);
                let days = orders_of(&model, (IP, ip), (since, before));
                prop_assert_eq!(history.hub_traits(), Some(traits_of(&days)));
            }
        }
    }

    #[test]
    fn every_read_equals_a_look_through_all_orders(
        orders in stream(), minutes_ago in prop_oneof![Just(0_i64), 0_i64..5_000],
    ) {
        let settings = GraphSettings { retention: RETENTION, ..GraphSettings::default() };
        let mut graph = KnowledgeGraph::new(settings);
        let mut model: Vec<Seen> = Vec::new();
        let mut newest = Timestamp(i64::MIN);
        for (id, seen) in orders.iter().enumerate() {
            graph.apply(&told(id, seen));
            if newest.0 == i64::MIN || newest - RETENTION <= seen.time {
                model.push(seen.clone());
            }
            newest = newest.max(seen.time);
        }
        let as_of = newest - Span::minutes(minutes_ago);
        let horizon = newest - RETENTION;
        for own in 0..=SKU {
            let (kind, n_max) = kind_at(own);
            for n in 0..n_max {
                let history = graph.history_of(&entity(kind, n), as_of);
                let ever = orders_of(&model, (own, n), (Timestamp(i64::MIN), as_of));
                prop_assert_eq!(history.totals(Window::Ever).n_orders, ever.len() as u64);
                let first = ever.last().map(|seen| seen.time);
                prop_assert_eq!(history.first_seen(), first);
                for window in Window::ALL {
                    let after = window.span().map_or(Timestamp(i64::MIN), |span| as_of - span);
                    let since = horizon.max(Timestamp(after.0.saturating_add(1)));
                    let inside = orders_of(&model, (own, n), (since, as_of));
                    let amounts: Vec<i64> =
                        inside.iter().map(|seen| seen.minor_units).collect();
                    let read = history.totals(window);
                    if window != Window::Ever {
                        prop_assert_eq!(read.n_orders, inside.len() as u64);
                        let amount = amounts.iter().sum::<i64>() as f64 / 100.0;
                        prop_assert!((read.amount - amount).abs() < 1e-6);
                        let before = history.totals_before(window).n_orders;
                        prop_assert_eq!(before, (ever.len() - inside.len()) as u64);
                    }
                    let sum: f64 = history.amounts(window, usize::MAX).sum();
                    let amount = amounts.iter().sum::<i64>() as f64 / 100.0;
                    prop_assert!((sum - amount).abs() < 1e-6);
                    check_meetings(&graph, (&history, own), &inside, window)?;
                }
            }
        }
    }
}

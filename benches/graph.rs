//! Does the cost of one order stay flat while hubs grow?
//!
//! Orders of 45 days with Zipf-skewed entities: a marketplace (seven entities and
//! a basket; 300 rows spread evenly over the catalog), the same with five categories
//! (their rows besides), and a card stream (account and merchant; every row). Each
//! sample applies or reads a batch of orders on a graph that already holds 16 k, 64 k
//! or 256 k of them; divide by the batch.
//! `ring` walks the rings of accounts with five orders each, which share an address
//! with so many in all as the argument says; divide by the batch as well.
//! Budgets: extract < 15 us (marketplace), < 5 us (cards); apply < 4 us; ring < 1 us
//! (alone), < 50 us (32 accounts).

#![expect(clippy::expect_used, reason = "a bench may panic")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "drawn numbers and times are whole, small and not negative"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use orderlens::domain::entity::{EntityKey, EntityKind, EntityRef};
use orderlens::domain::event::{Event, Fact, Label};
use orderlens::domain::feature::{CatalogSchema, OrderFields};
use orderlens::domain::head::RiskType;
use orderlens::domain::money::{Currency, Money};
use orderlens::domain::order::{AttributeValue, Countries, Order, OrderItem, OrderKey};
use orderlens::domain::time::{Span, Timestamp};
use orderlens::feature::catalog::Catalog;
use orderlens::feature::schema::SchemaBuilder;
use orderlens::graph::knowledge::{KnowledgeGraph, RING_KINDS};
use orderlens::graph::settings::GraphSettings;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};

const BATCH: usize = 512;
const SIZES: [usize; 3] = [16_384, 65_536, 262_144];
const ROWS: usize = 300;
const RING_ACCOUNTS: usize = 16_384;
/// Orders of each of them.
const RING_ORDERS: usize = 5;

/// Kind, how many there are per order, how skewed.
const MARKETPLACE: &[(EntityKind, f64, f64)] = &[
    (EntityKind::Account, 0.4, 0.6),
    (EntityKind::Device, 0.4, 0.6),
    (EntityKind::Ip, 0.2, 1.05),
    (EntityKind::Address, 0.3, 0.9),
    (EntityKind::Phone, 0.4, 0.6),
    (EntityKind::PaymentInstrument, 0.4, 0.6),
    (EntityKind::Merchant, 0.01, 1.1),
];
/// How many words a category has.
const CATEGORIES: &[(&str, u64)] = &[("browser", 12), ("referrer", 2_000)];
const COUNTRIES: u64 = 150;
const CARDS: &[(EntityKind, f64, f64)] =
    &[(EntityKind::Account, 0.01, 0.3), (EntityKind::Merchant, 0.02, 0.3)];

fn main() {
    divan::main();
}

/// Gives the orders of a stream their categories.
fn with_categories((past, next): (Vec<Event>, Vec<Event>)) -> (Vec<Event>, Vec<Event>) {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut word = |n: u64| -> Box<str> {
        let words = Zipf::new(n, 1.0).expect("a valid skew");
        (words.sample(&mut rng) as u64).to_string().into()
    };
    let mut add = |mut event: Event| {
        if let Fact::OrderPlaced(order) = &mut event.fact {
            let [ip, payment, shipping] = [(); 3].map(|()| Some(word(COUNTRIES)));
            order.countries = Countries { ip, payment, shipping };
            for &(name, n) in CATEGORIES {
                order.attributes.insert(name.into(), AttributeValue::Category(word(n)));
            }
        }
        event
    };
    let past = past.into_iter().map(&mut add).collect();
    (past, next.into_iter().map(add).collect())
}

/// `n` orders and their verdicts a week later, by time; then a batch that is still to come.
fn stream(kinds: &[(EntityKind, f64, f64)], n: usize) -> (Vec<Event>, Vec<Event>) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let has_basket = 2 < kinds.len();
    let picks: Vec<(EntityKind, Zipf<f64>)> = kinds
        .iter()
        .map(|&(kind, share, skew)| {
            let count = ((n as f64 * share) as u64).max(10);
            (kind, Zipf::new(count, skew).expect("a valid skew"))
        })
        .collect();
    let skus = Zipf::new(2_000, 1.0).expect("a valid skew");
    let mut events = Vec::new();
    for idx in 0..n + 8 * BATCH {
        let time = Timestamp((Span::days(45).0 as f64 / n as f64 * idx as f64) as i64);
        let order_id = idx.to_string().into();
        let mut order = Order::new(OrderKey { channel: "web".into(), order_id, revision: 0 });
        let account = picks[0].1.sample(&mut rng) as u128;
        for (kind, zipf) in &picks {
            // Things of one's own are shared now and then; the rest is anybody's.
            let is_own = RING_KINDS.contains(kind) && rng.gen_bool(0.95);
            let drawn = zipf.sample(&mut rng) as u128;
            let is_account = *kind == EntityKind::Account;
            let number = if is_own || is_account { account } else { drawn };
            let key = EntityKey::Hashed(number * 0x9E37_79B9_7F4A_7C15);
            order.entities.push(EntityRef { kind: *kind, key });
        }
        let minor_units = rng.gen_range(500..90_000);
        order.amount = Some(Money { currency: Currency::CNY, minor_units });
        for _ in 0..if has_basket { rng.gen_range(1..3) } else { 0 } {
            let key = EntityKey::Plain((skus.sample(&mut rng) as u64).to_string().into());
            let sku = EntityRef { kind: EntityKind::Sku, key };
            order.items.push(OrderItem { sku, quantity: 1, unit_price: order.amount });
        }
        let label = Label {
            order: order.key.clone(),
            head: RiskType::PaymentFraud.head(),
            value: f64::from(u8::from(rng.gen_bool(0.01))),
            matures_at: None,
            concerns: Vec::new(),
        };
        events.push(event(time, Fact::OrderPlaced(order)));
        if idx < n {
            events.push(event(time + Span::days(7), Fact::Label(label)));
        }
    }
    events.sort_by_key(|event| event.event_time);
    let is_order = |event: &&Event| matches!(event.fact, Fact::OrderPlaced(_));
    let cut = events.iter().enumerate().filter(|(_, e)| is_order(e)).nth(n).map_or(0, |at| at.0);
    let later = events.split_off(cut);
    (events, later.into_iter().filter(|event| is_order(&event)).collect())
}

fn event(event_time: Timestamp, fact: Fact) -> Event {
    Event { event_id: "".into(), event_time, ingest_time: None, fact }
}

fn graph_and_schema(events: &[Event]) -> (KnowledgeGraph, CatalogSchema) {
    let mut graph = KnowledgeGraph::new(GraphSettings::default());
    let mut schema = SchemaBuilder::default();
    for event in events {
        graph.apply(event);
        schema.observe(event);
    }
    (graph, schema.finish())
}

/// Rows spread evenly over a catalog without categories, and all of the categories.
fn few_rows(schema: &CatalogSchema) -> Catalog {
    let fields = OrderFields { countries: false, ..schema.fields };
    let plain = CatalogSchema { categories: BTreeMap::new(), fields, ..schema.clone() };
    let [all, plain] = [schema, &plain].map(|schema| {
        let catalog = Catalog::new(schema);
        catalog.specs().iter().map(|spec| spec.id.clone()).collect::<Vec<_>>()
    });
    let n_rows = ROWS.min(plain.len());
    let mut rows: Vec<Arc<str>> =
        (0..n_rows).map(|row| plain[row * plain.len() / n_rows].clone()).collect();
    rows.extend(all.into_iter().filter(|id| !plain.contains(id)));
    Catalog::new(schema).select(&rows).expect("ids of the catalog")
}

fn bench_extract(bencher: Bencher<'_, '_>, (past, next): (Vec<Event>, Vec<Event>)) {
    let (graph, schema) = graph_and_schema(&past);
    let catalog = few_rows(&schema);
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for event in &next[..BATCH] {
            if let Fact::OrderPlaced(order) = &event.fact {
                out.clear();
                catalog.extract(&graph, order, event.event_time, &mut out);
                black_box(&out);
            }
        }
    });
}

fn bench_apply(bencher: Bencher<'_, '_>, (past, next): (Vec<Event>, Vec<Event>)) {
    let (mut graph, _) = graph_and_schema(&past);
    let mut batches = next.chunks_exact(BATCH);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for event in batches.next().unwrap_or_default() {
            graph.apply(black_box(event));
        }
    });
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn extract_marketplace(bencher: Bencher<'_, '_>, n: usize) {
    bench_extract(bencher, stream(MARKETPLACE, n));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn extract_categories(bencher: Bencher<'_, '_>, n: usize) {
    bench_extract(bencher, with_categories(stream(MARKETPLACE, n)));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1)]
fn extract_cards(bencher: Bencher<'_, '_>, n: usize) {
    bench_extract(bencher, stream(CARDS, n));
}

#[divan::bench(args = SIZES, sample_count = 6, sample_size = 1)]
fn apply_marketplace(bencher: Bencher<'_, '_>, n: usize) {
    bench_apply(bencher, stream(MARKETPLACE, n));
}

#[divan::bench(args = SIZES, sample_count = 6, sample_size = 1)]
fn apply_categories(bencher: Bencher<'_, '_>, n: usize) {
    bench_apply(bencher, with_categories(stream(MARKETPLACE, n)));
}

#[divan::bench(args = SIZES, sample_count = 6, sample_size = 1)]
fn apply_cards(bencher: Bencher<'_, '_>, n: usize) {
    bench_apply(bencher, stream(CARDS, n));
}

/// Orders of 16,384 accounts at things of their own, but for one address per `n_sharing`,
/// which divides them.
fn neighbors(n_sharing: usize) -> KnowledgeGraph {
    let settings = GraphSettings { ring_link_accounts_max: 64, ..GraphSettings::default() };
    let mut graph = KnowledgeGraph::new(settings);
    for (minute, idx) in (0_i64..).zip(0..RING_ORDERS * RING_ACCOUNTS) {
        let account = idx % RING_ACCOUNTS;
        let order_id = idx.to_string().into();
        let mut order = Order::new(OrderKey { channel: "web".into(), order_id, revision: 0 });
        order.entities.push(entity(EntityKind::Account, account));
        for kind in RING_KINDS {
            let is_shared = kind == EntityKind::Address && idx < RING_ACCOUNTS;
            let number = if is_shared { account / n_sharing } else { RING_ACCOUNTS + account };
            order.entities.push(entity(kind, number));
        }
        graph.apply(&event(Timestamp(Span::minutes(minute).0), Fact::OrderPlaced(order)));
    }
    graph
}

fn entity(kind: EntityKind, number: usize) -> EntityRef {
    let key = EntityKey::Hashed((number as u128 + 1) * 0x9E37_79B9_7F4A_7C15);
    EntityRef { kind, key }
}

#[divan::bench(args = [1, 2, 8, 32], sample_count = 20, sample_size = 1)]
fn ring(bencher: Bencher<'_, '_>, n_sharing: usize) {
    let graph = neighbors(n_sharing);
    let as_of = Timestamp(Span::days(90).0);
    let mut accounts = (0..RING_ACCOUNTS).cycle().step_by(61);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for account in accounts.by_ref().take(BATCH) {
            let account = entity(EntityKind::Account, account);
            let ring = graph.history_of(&account, as_of).ring();
            assert_eq!(ring.len(), if n_sharing == 1 { 0 } else { n_sharing });
            black_box(ring);
        }
    });
}

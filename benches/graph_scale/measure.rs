//! Fills a store with orders and times the ones that follow.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use orderlens::domain::entity::EntityKind;
use orderlens::domain::event::{Event, Fact};
use orderlens::feature::catalog::Catalog;
use orderlens::feature::schema::SchemaBuilder;
use orderlens::graph::knowledge::KnowledgeGraph;
use orderlens::graph::settings::GraphSettings;
use serde::{Deserialize, Serialize};

use crate::peers::{Past, Peer, WINDOWS};
use crate::stream::{KINDS, Stream, event};

/// Orders measured once our graph is full; peers take longer at their hubs.
const N_MEASURED: usize = 6_000;
const N_MEASURED_PEERS: usize = 400;
/// Catalogs that take turns.
const N_CATALOGS: usize = 3;
/// Features of a bundle's size, spread evenly over the catalog.
const N_CHOSEN: usize = 150;
const WINDOW_IDS: [&str; WINDOWS.len()] = ["1h", "1d", "7d", "30d"];
/// Windows of the catalog's distinct counts.
const DISTINCT: [usize; 2] = [1, 3];
const PAGE_BYTES: f64 = 4_096.0;

/// What a store costs, and what it told of the first measured orders.
#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) bytes_per_order: f64,
    pub(crate) apply: Times,
    /// The features that every store has.
    pub(crate) same: Times,
    pub(crate) chosen: Option<Times>,
    pub(crate) all: Option<Times>,
    /// Shape: `[N_MEASURED_PEERS][61]`.
    pub(crate) told: Vec<Vec<f32>>,
}

/// Times of single orders, in microseconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Times {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// Fills our graph and measures it.
pub(crate) fn measure_ours(n_orders: usize) -> Measured {
    let before = resident_bytes();
    let mut graph = KnowledgeGraph::new(GraphSettings::default());
    let mut schema = SchemaBuilder::default();
    let mut stream = Stream::new(n_orders);
    fill(n_orders, &mut stream, |event| {
        graph.apply(event);
        schema.observe(event);
    });
    let bytes_per_order = (resident_bytes() - before) / n_orders as f64;
    let all = Catalog::new(&schema.finish());
    let evenly = (0..N_CHOSEN).map(|row| row * all.specs().len() / N_CHOSEN);
    let ids: Vec<Arc<str>> = evenly.map(|at| all.specs()[at].id.clone()).collect();
    let chosen = all.select(&ids).expect("ids of the catalog");
    let same = all.select(&same_ids()).expect("ids of the catalog");
    let catalogs: [&Catalog; N_CATALOGS] = [&same, &chosen, &all];
    let mut extract: [Vec<f64>; N_CATALOGS] = Default::default();
    let (mut apply, mut told, mut row) = (Vec::new(), Vec::new(), Vec::new());
    for idx in 0..N_MEASURED {
        let (time, order) = stream.order();
        // Each order is read once: a second reading would find its entities in the cache.
        let turn = idx % N_CATALOGS;
        row.clear();
        extract[turn].push(micros(|| catalogs[turn].extract(&graph, &order, time, &mut row)));
        if idx < N_MEASURED_PEERS {
            row.clear();
            same.extract(&graph, &order, time, &mut row);
            told.push(row.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect());
        }
        let event = event(time, Fact::OrderPlaced(order));
        apply.push(micros(|| graph.apply(&event)));
    }
    let [same, chosen, all] = extract.map(Times::of);
    let (chosen, all) = (Some(chosen), Some(all));
    Measured { bytes_per_order, apply: Times::of(apply), same, chosen, all, told }
}

/// Fills a peer and measures it.
pub(crate) fn measure_peer<P: Peer>(mut peer: P, n_orders: usize) -> Measured {
    let before = resident_bytes();
    let mut stream = Stream::new(n_orders);
    fill(n_orders, &mut stream, |event| {
        if let Fact::OrderPlaced(order) = &event.fact {
            peer.apply(event.event_time, order);
        }
    });
    let bytes_per_order = (resident_bytes() - before) / n_orders as f64;
    let (mut extract, mut apply, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..N_MEASURED_PEERS {
        let (time, order) = stream.order();
        let mut past = [Past::default(); KINDS.len()];
        extract.push(micros(|| past = peer.extract(time, &order)));
        told.push(features(&past));
        apply.push(micros(|| peer.apply(time, &order)));
    }
    let (apply, same) = (Times::of(apply), Times::of(extract));
    Measured { bytes_per_order, apply, same, chosen: None, all: None, told }
}

impl Times {
    fn of(mut micros: Vec<f64>) -> Self {
        micros.sort_by(f64::total_cmp);
        let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }
}

fn fill(n_orders: usize, stream: &mut Stream, mut apply: impl FnMut(&Event)) {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} orders, {eta} left");
    let bar = ProgressBar::new(n_orders as u64).with_style(style.expect("a valid template"));
    for _ in bar.wrap_iter(0..n_orders) {
        while let Some(label) = stream.label() {
            apply(&label);
        }
        let (time, order) = stream.order();
        apply(&event(time, Fact::OrderPlaced(order)));
    }
    bar.finish_and_clear();
}

/// Ids of counts, amounts and accounts, in the order of [`features`].
fn same_ids() -> Vec<Arc<str>> {
    let mut ids: Vec<Arc<str>> = Vec::new();
    for (kind, ..) in KINDS {
        let id = |what: &str, at: usize| format!("{}_{what}_{}", kind.as_str(), WINDOW_IDS[at]);
        ids.extend((0..WINDOWS.len()).map(|at| id("orders_count", at).into()));
        ids.extend((1..WINDOWS.len()).map(|at| id("amount_sum", at).into()));
        if kind != EntityKind::Account {
            ids.extend(DISTINCT.map(|at| id("accounts_distinct", at).into()));
        }
    }
    ids
}

/// A peer's past as the features of [`same_ids`]; an account meets no account.
fn features(past: &[Past; KINDS.len()]) -> Vec<f32> {
    let mut features = Vec::new();
    for ((kind, ..), [orders, amounts, accounts]) in KINDS.iter().zip(past) {
        features.extend(orders.iter().map(|&count| count as f32));
        features.extend(amounts[1..].iter().map(|&minor| (minor as f64 / 100.0) as f32));
        if *kind != EntityKind::Account {
            features.extend(DISTINCT.map(|at| accounts[at] as f32));
        }
    }
    features
}

fn micros(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

/// Memory that the process has in use now.
fn resident_bytes() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    pages.unwrap_or(0.0) * PAGE_BYTES
}

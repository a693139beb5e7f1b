//! Plays recorded events in the order they became known, point in time.
//!
//! Training, evaluation and serving read features through the same call over
//! the same fold, so there is no online/offline skew to look for.

use std::collections::BinaryHeap;

use indexmap::IndexMap;
use ndarray::Array2;
use rustc_hash::FxBuildHasher;

use crate::domain::entity::{EntityKey, EntityKind};
use crate::domain::event::{Event, Fact, Label};
use crate::domain::feature::CatalogSchema;
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::feature::schema::SchemaBuilder;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;
use crate::training::set::{HeadTarget, TrainingSet};

/// A half-open span of event time, `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First instant inside.
    pub from: Timestamp,
    /// First instant after.
    pub to: Timestamp,
}

/// Which orders become rows, and when their labels may be seen.
#[derive(Clone, Debug)]
pub struct HistoryPlan {
    /// Spans of orders to extract; rows keep the index of their window.
    pub windows: Vec<Window>,
    /// Labels become known no earlier than this after their order.
    pub label_delay: Span,
    /// How the graph remembers.
    pub graph: GraphSettings,
}

/// One extracted order.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// Natural key.
    pub order: OrderKey,
    /// When it was placed.
    pub event_time: Timestamp,
    /// Index of its window in [`HistoryPlan::windows`].
    pub window: usize,
    /// The account, if the order names one; for per-account metrics.
    pub account: Option<u128>,
}

/// The truth about a row for one head, as it became known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowLabel {
    /// The value; for probabilities a positive wins over a negative.
    pub value: f64,
    /// When it became known (label delay included).
    pub known_at: Timestamp,
    /// When nothing can change it any more.
    pub matures_at: Timestamp,
}

/// Extracted rows with everything that later became known about them.
#[derive(Debug)]
pub struct History {
    /// One per extracted order, in stream order.
    pub rows: Vec<HistoryRow>,
    /// Shape `[n_rows, n_features]`; NaN is unknown.
    pub features: Array2<f32>,
    /// The catalog the columns follow.
    pub catalog: Catalog,
    /// Per head, one entry per row.
    pub labels: IndexMap<HeadId, Vec<Option<RowLabel>>>,
    /// Time of the last event played.
    pub end: Timestamp,
    /// Events played.
    pub n_events: u64,
    /// The graph as it is at the end.
    pub graph: KnowledgeGraph,
    /// Confirmed bad orders per head and account (by hash), in the order they became known.
    pub account_positives: IndexMap<(HeadId, u128), Vec<AccountPositive>, FxBuildHasher>,
}

/// A confirmed bad order of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountPositive {
    /// When the order was placed.
    pub order_time: Timestamp,
    /// When it was known to be bad.
    pub known_at: Timestamp,
}

/// Finds out what a source offers from the events before `until`.
///
/// # Errors
/// Whatever the event source reports.
pub fn discover_schema<E>(
    events: impl Iterator<Item = Result<Event, E>>,
    until: Timestamp,
) -> Result<CatalogSchema, E> {
    let mut builder = SchemaBuilder::default();
    for event in events {
        let event = event?;
        // A label names its head even when it comes late: the head exists in the source.
        if event.known_at() < until || matches!(event.fact, Fact::Label(_)) {
            builder.observe(&event);
        }
    }
    Ok(builder.finish())
}

/// Plays all events and extracts the orders inside the plan's windows.
///
/// # Errors
/// Whatever the event source reports.
pub fn play_history<E>(
    events: impl Iterator<Item = Result<Event, E>>,
    catalog: Catalog,
    plan: &HistoryPlan,
    progress: &mut dyn FnMut(u64),
) -> Result<History, E> {
    let mut player = Player::new(catalog, plan);
    for event in events {
        player.play(event?);
        if player.n_events.is_multiple_of(4_096) {
            progress(player.n_events);
        }
    }
    progress(player.n_events);
    Ok(player.finish())
}

/// A label that the label delay holds back; ordered so that the earliest comes first.
struct HeldLabel {
    known_at: Timestamp,
    sequence: u64,
    event: Event,
}

struct Player<'a> {
    plan: &'a HistoryPlan,
    catalog: Catalog,
    graph: KnowledgeGraph,
    rows: Vec<HistoryRow>,
    cells: Vec<f32>,
    row_of_order: IndexMap<OrderKey, u32, FxBuildHasher>,
    order_times: IndexMap<u64, (Timestamp, Option<u128>), FxBuildHasher>,
    held: BinaryHeap<HeldLabel>,
    labels: IndexMap<HeadId, Vec<Option<RowLabel>>>,
    account_positives: IndexMap<(HeadId, u128), Vec<AccountPositive>, FxBuildHasher>,
    end: Timestamp,
    n_events: u64,
}

impl<'a> Player<'a> {
    fn new(catalog: Catalog, plan: &'a HistoryPlan) -> Self {
        Self {
            plan,
            catalog,
            graph: KnowledgeGraph::new(plan.graph.clone()),
            rows: Vec::new(),
            cells: Vec::new(),
            row_of_order: IndexMap::default(),
            order_times: IndexMap::default(),
            held: BinaryHeap::new(),
            labels: IndexMap::new(),
            account_positives: IndexMap::default(),
            end: Timestamp(i64::MIN),
            n_events: 0,
        }
    }

    fn play(&mut self, event: Event) {
        self.n_events += 1;
        let now = event.known_at();
        self.end = self.end.max(now);
        self.release_labels(now);
        match &event.fact {
            Fact::OrderPlaced(order) => self.order_placed(order, event.event_time),
            Fact::Label(label) => {
                let known_at = self.label_time(label, now);
                if known_at > now {
                    let sequence = self.n_events;
                    let event = Event { event_time: known_at, ingest_time: None, ..event };
                    self.held.push(HeldLabel { known_at, sequence, event });
                    return;
                }
                self.label_known(label, now);
            }
            Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::OrderChargedBack(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Choice(_)
            | Fact::Outcome(_) => {}
        }
        self.graph.apply(&event);
    }

    /// Extracts before applying: an order never counts itself.
    fn order_placed(&mut self, order: &Order, event_time: Timestamp) {
        let account = order.entity(EntityKind::Account).map(|entity| match &entity.key {
            EntityKey::Hashed(hash) => *hash,
            EntityKey::Twice(twice) => twice.current,
            EntityKey::Plain(name) => u128::from(text_hash(name)),
        });
        self.order_times.insert(order_hash(&order.key), (event_time, account));
        let is_inside = |window: &Window| window.from <= event_time && event_time < window.to;
        let Some(window) = self.plan.windows.iter().position(is_inside) else { return };
        if self.row_of_order.contains_key(&order.key) {
            return;
        }
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.row_of_order.insert(order.key.clone(), row);
        self.catalog.extract(&self.graph, order, event_time, &mut self.cells);
        self.rows.push(HistoryRow { order: order.key.clone(), event_time, window, account });
    }

    /// When a label may be seen: never before the plan's delay after its order.
    fn label_time(&self, label: &Label, now: Timestamp) -> Timestamp {
        match self.order_times.get(&order_hash(&label.order)) {
            Some((order_time, _)) => now.max(*order_time + self.plan.label_delay),
            None => now,
        }
    }

    fn release_labels(&mut self, now: Timestamp) {
        while self.held.peek().is_some_and(|held| held.known_at <= now) {
            let Some(held) = self.held.pop() else { return };
            self.tell(&held.event);
        }
    }

    fn tell(&mut self, event: &Event) {
        if let Fact::Label(label) = &event.fact {
            self.label_known(label, event.event_time);
        }
        self.graph.apply(event);
    }

    fn label_known(&mut self, label: &Label, known_at: Timestamp) {
        if label.value >= 0.5
            && let Some((order_time, Some(account))) =
                self.order_times.get(&order_hash(&label.order))
        {
            let positive = AccountPositive { order_time: *order_time, known_at };
            let key = (label.head.clone(), *account);
            self.account_positives.entry(key).or_default().push(positive);
        }
        let Some(row) = self.row_of_order.get(&label.order) else { return };
        let column = self.labels.entry(label.head.clone()).or_default();
        column.resize(column.len().max(self.rows.len()), None);
        let cell = &mut column[*row as usize];
        let told = RowLabel {
            value: label.value,
            known_at,
            matures_at: label.matures_at.unwrap_or(known_at).max(known_at),
        };
        // The first truth stands, but a later positive overrules an earlier negative.
        if cell.is_none_or(|before| before.value < 0.5 && told.value >= 0.5) {
            *cell = Some(told);
        }
    }

    fn finish(mut self) -> History {
        while let Some(held) = self.held.pop() {
            self.end = self.end.max(held.known_at);
            self.tell(&held.event);
        }
        let n_rows = self.rows.len();
        for column in self.labels.values_mut() {
            column.resize(n_rows, None);
        }
        self.labels.sort_unstable_keys();
        let n_features = self.catalog.specs().len();
        let cell = |(row, column)| self.cells[row * n_features + column];
        let features = Array2::from_shape_fn((n_rows, n_features), cell);
        History {
            rows: self.rows,
            features,
            catalog: self.catalog,
            labels: self.labels,
            end: self.end,
            n_events: self.n_events,
            graph: self.graph,
            account_positives: self.account_positives,
        }
    }
}

impl History {
    /// The truth about a row as it was known and mature at `as_of`; NaN when it was not.
    pub fn truth(&self, row: usize, head: &HeadId, as_of: Timestamp) -> f32 {
        self.labels.get(head).map_or(f32::NAN, |labels| target(labels[row], as_of))
    }

    /// True when the row's account had a bad order since `since`, known when the row's day began.
    pub fn is_known_bad(&self, row: usize, head: &HeadId, since: Timestamp) -> bool {
        let row = &self.rows[row];
        let day = row.event_time.start_of_day();
        let Some(account) = row.account else { return false };
        let positives = self.account_positives.get(&(head.clone(), account));
        positives.is_some_and(|positives| {
            positives.iter().any(|bad| since <= bad.order_time && bad.known_at <= day)
        })
    }

    /// Row numbers of one window, in stream order.
    pub fn rows_of(&self, window: usize) -> Vec<usize> {
        (0..self.rows.len()).filter(|row| self.rows[*row].window == window).collect()
    }

    /// A training set of one window with the labels that were known and mature at `as_of`.
    pub fn training_set(
        &self,
        window: usize,
        as_of: Timestamp,
        schema: &CatalogSchema,
    ) -> TrainingSet {
        let rows = self.rows_of(window);
        let heads = self
            .labels
            .iter()
            .map(|(head, labels)| {
                let values = rows.iter().map(|row| target(labels[*row], as_of)).collect();
                HeadTarget { id: head.clone(), kind: kind_of(head, labels), values }
            })
            .collect();
        TrainingSet {
            features: self.features.select(ndarray::Axis(0), &rows),
            specs: self.catalog.specs().to_vec(),
            schema: schema.clone(),
            times: rows.iter().map(|row| self.rows[*row].event_time).collect(),
            weights: vec![1.0; rows.len()],
            heads,
        }
    }
}

/// Immature truth is no truth: a positive that came early says nothing about its neighbors.
#[expect(clippy::cast_possible_truncation, reason = "targets are f32 by the set's contract")]
fn target(label: Option<RowLabel>, as_of: Timestamp) -> f32 {
    match label {
        Some(label) if label.known_at <= as_of && label.matures_at <= as_of => label.value as f32,
        _ => f32::NAN,
    }
}

/// A shipped risk type is a risk; other yes/no heads are impacts; the rest are values.
#[expect(clippy::float_cmp, reason = "probability labels are exactly 0 or 1")]
fn kind_of(head: &HeadId, labels: &[Option<RowLabel>]) -> HeadKind {
    let is_binary = labels.iter().flatten().all(|label| label.value == 0.0 || label.value == 1.0);
    match (is_binary, head.0.as_ref()) {
        (false, _) => HeadKind::ImpactValue,
        (true, "chargeback" | "return") => HeadKind::ImpactProbability,
        (true, _) => HeadKind::Risk,
    }
}

fn order_hash(order: &OrderKey) -> u64 {
    use std::hash::BuildHasher;
    FxBuildHasher.hash_one((&order.channel, &order.order_id))
}

fn text_hash(text: &str) -> u64 {
    use std::hash::BuildHasher;
    FxBuildHasher.hash_one(text)
}

impl Ord for HeldLabel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.known_at, other.sequence).cmp(&(self.known_at, self.sequence))
    }
}

impl PartialOrd for HeldLabel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for HeldLabel {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for HeldLabel {}

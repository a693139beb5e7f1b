//! From a journal to a training set: what was known at an instant.
//!
//! A set is a function of the journal up to a position and of the plan, so that its content hash
//! names it for good. Rows are orders with the features that they had; labels count once nothing
//! can change them any more, so that "no chargeback yet" is never taken for "good". Orders that
//! were stopped have no label and no row: nothing is made up about them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::assignment::draw;
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::order::{Order, OrderKey};
use crate::domain::record::Record;
use crate::domain::time::Timestamp;
use crate::feature::catalog::Catalog;
use crate::store::error::Error as StoreError;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_from;
use crate::training::set::{HeadTarget, TrainingSet};
use crate::workflow::play_history::{History, HistoryPlan, discover_schema, play_history};
use crate::workflow::read_journal::{erased_until, linked_until};
use crate::workflow::state::placed_event;

/// Share of the rings that nothing is learned from: the promotion gate judges by their orders.
pub const HELD_OUT_SHARE: f64 = 0.25;
/// Salt of the draw that holds rings out; the same for every model of a service.
const HELD_OUT_SALT: &str = "held-out";

/// Most rows per ring and day that count whole; of more, each counts less: a burst of forty
/// orders by one gang is one observation of a gang, not forty.
pub const RING_ROWS_PER_DAY: f64 = 5.0;

/// A training set with what it was made of.
#[derive(Debug)]
pub struct LearnedSet {
    /// The rows.
    pub set: TrainingSet,
    /// What they are.
    pub manifest: SetManifest,
    /// The history that they are of.
    pub history: History,
}

/// What a training set was made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetManifest {
    /// BLAKE3 of features, times, weights and labels, 64 hex digits.
    pub content_hash: Box<str>,
    /// Only what was received until then is in it.
    pub as_of: Timestamp,
    /// The last journal position that was received until then.
    pub position: u64,
    /// Orders placed from here on.
    pub from: Timestamp,
    /// Rows.
    pub n_rows: u64,
    /// Columns.
    pub n_features: u64,
    /// Rows of rings that are held out for the promotion gate, and left out here.
    pub n_held_out: u64,
    /// Rows that count less since their ring had many on a day.
    pub n_weighted_down: u64,
    /// Rows of declined orders that were drawn for release; each counts for one over its chance.
    pub n_drawn: u64,
    /// Weight of the row that counts most; 1 where none was drawn.
    pub weight_max: f32,
    /// What is known of each head.
    pub heads: Vec<HeadCount>,
}

/// Labels of a head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeadCount {
    /// Which head.
    pub head: HeadId,
    /// Rows whose label nothing can change any more.
    pub n_mature: u64,
    /// Of these, bad ones; 0 for values.
    pub n_positive: u64,
    /// Rows that are told but left out: their label may change, or their ring is held out.
    pub n_waiting: u64,
    /// Rows of which nothing is told: too young, or stopped.
    pub n_untold: u64,
}

/// The events of a journal that were received until an instant, in its order.
pub fn received_until(
    reader: &JournalReader,
    until: Timestamp,
) -> impl Iterator<Item = Result<Event, StoreError>> + '_ {
    // What was erased by then, nobody learns from: not from earlier orders either.
    // A journal that does not read is told by what is read next.
    let erasures = erased_until(reader, until).unwrap_or_default();
    let pseudonyms = linked_until(reader, until).unwrap_or_default();
    let events = read_from(reader, 1).map(|entry| entry.map(|(_, record)| event_of(record)));
    events.filter_map(move |event| match event {
        Ok(Some(mut event)) => {
            // Whoever was told of by two names is one person.
            event.persons_mut().into_iter().for_each(|person| pseudonyms.rename(person));
            let is_told = event.known_at() <= until && erasures.strip(&mut event);
            is_told.then_some(Ok(event))
        }
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    })
}

/// What a record tells about orders, with the time when it was received.
fn event_of(record: Record) -> Option<Event> {
    match record {
        Record::Event(received) => {
            let event = received.event;
            Some(Event { ingest_time: Some(received.received_time), ..event })
        }
        Record::Decision(scored) => {
            let received = scored.decision.times.received_time;
            Some(Event { ingest_time: Some(received), ..placed_event(&scored.request) })
        }
        Record::StrategyProposed(_)
        | Record::StrategyApproved(_)
        | Record::StrategyActivated(_)
        | Record::ModelActivated(_)
        | Record::BackgroundActivated(_)
        | Record::GraphActivated(_)
        | Record::ExperimentStarted(_)
        | Record::ExperimentRamped(_)
        | Record::ExperimentEnded(_)
        | Record::PersonChanged(_)
        | Record::ApiKeyChanged(_)
        | Record::Audited(_)
        | Record::Noted(_)
        | Record::IdentifierErased(_)
        | Record::RotationStarted(_)
        | Record::PseudonymLinked(_)
        | Record::Followed(_) => None,
    }
}

/// The orders of a journal that were placed in a span.
///
/// # Errors
/// When the journal cannot be read.
pub fn orders_between(
    reader: &JournalReader,
    (from, to): (Timestamp, Timestamp),
) -> Result<BTreeMap<OrderKey, Order>, StoreError> {
    let mut orders = BTreeMap::new();
    for event in received_until(reader, to) {
        let event = event?;
        let is_inside = from <= event.event_time && event.event_time < to;
        if let Fact::OrderPlaced(order) = event.fact
            && is_inside
        {
            orders.insert(order.key.clone(), order);
        }
    }
    Ok(orders)
}

/// The training set of window 0 of a plan, as of an instant.
///
/// # Errors
/// When the journal cannot be read.
pub fn learn(
    reader: &JournalReader,
    (plan, as_of): (&HistoryPlan, Timestamp),
    progress: &mut dyn FnMut(u64),
) -> Result<LearnedSet, StoreError> {
    let schema = discover_schema(received_until(reader, as_of), as_of)?;
    let events = received_until(reader, as_of);
    let history = play_history(events, Catalog::new(&schema), plan, progress)?;
    let mut set = history.training_set(0, as_of, &schema);
    let rings = rings_of(&history, as_of);
    let n_held_out = hold_out(&rings, &mut set);
    let n_weighted_down = weigh_bursts(&history, &rings, &mut set);
    let n_drawn = weigh_drawn(&drawn_orders(reader, as_of)?, &history, &mut set);
    let manifest = SetManifest {
        content_hash: content_hash(&set),
        as_of,
        position: last_received(reader, as_of)?,
        from: plan.windows[0].from,
        n_rows: set.times.len() as u64,
        n_features: set.specs.len() as u64,
        n_held_out,
        n_weighted_down,
        n_drawn,
        weight_max: set.weights.iter().copied().fold(1.0, f32::max),
        heads: head_counts(&history, as_of, &set),
    };
    Ok(LearnedSet { set, manifest, history })
}

/// When the first order of a journal was placed, and when its last fact was received; `None`
/// for a journal without orders.
///
/// # Errors
/// When the journal cannot be read.
pub fn span_of(reader: &JournalReader) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let (mut first, mut last) = (None, Timestamp(i64::MIN));
    for event in received_until(reader, Timestamp(i64::MAX)) {
        let event = event?;
        last = last.max(event.known_at());
        if let Fact::OrderPlaced(_) = event.fact {
            first = Some(first.map_or(event.event_time, |at: Timestamp| at.min(event.event_time)));
        }
    }
    Ok(first.map(|first| (first, last)))
}

fn last_received(reader: &JournalReader, as_of: Timestamp) -> Result<u64, StoreError> {
    let mut last = 0;
    for entry in read_from(reader, 1) {
        let (position, record) = entry?;
        if event_of(record).is_some_and(|event| event.known_at() <= as_of) {
            last = position;
        }
    }
    Ok(last)
}

/// The ring of every row of window 0; `None` for an order without account.
pub fn rings_of(history: &History, as_of: Timestamp) -> Vec<Option<u128>> {
    let mut rings: BTreeMap<u128, u128> = BTreeMap::new();
    let mut ring =
        |account: u128| *rings.entry(account).or_insert_with(|| ring_of(history, account, as_of));
    let rows = history.rows_of(0);
    rows.into_iter().map(|row| history.rows[row].account.map(&mut ring)).collect()
}

/// Whether nothing is learned from a ring.
pub fn is_held_out(ring: u128) -> bool {
    draw(HELD_OUT_SALT, &format!("{ring:032x}")) < HELD_OUT_SHARE
}

/// Takes the labels of rings that are held out away; how many rows that are.
pub fn hold_out(rings: &[Option<u128>], set: &mut TrainingSet) -> u64 {
    let mut n_held_out = 0;
    for (row, ring) in rings.iter().enumerate() {
        if ring.is_some_and(is_held_out) {
            n_held_out += 1;
            set.heads.iter_mut().for_each(|head| head.values[row] = f32::NAN);
        }
    }
    n_held_out
}

/// Weighs the rows of rings with many orders on a day; how many there are.
#[expect(clippy::cast_possible_truncation, reason = "weights are f32 by the set's contract")]
fn weigh_bursts(history: &History, rings: &[Option<u128>], set: &mut TrainingSet) -> u64 {
    let day = |row: usize| history.rows[row].event_time.start_of_day();
    let keys: Vec<Option<(u128, Timestamp)>> = history
        .rows_of(0)
        .into_iter()
        .zip(rings)
        .map(|(row, ring)| Some(((*ring)?, day(row))))
        .collect();
    let mut sizes: BTreeMap<(u128, Timestamp), f64> = BTreeMap::new();
    for key in keys.iter().flatten() {
        *sizes.entry(*key).or_default() += 1.0;
    }
    let mut n_weighted_down = 0;
    for (weight, key) in set.weights.iter_mut().zip(keys) {
        let size = key.and_then(|key| sizes.get(&key)).copied().unwrap_or(1.0);
        if RING_ROWS_PER_DAY < size {
            *weight = (RING_ROWS_PER_DAY / size) as f32;
            n_weighted_down += 1;
        }
    }
    n_weighted_down
}

/// The chance with which each declined order was released that was drawn until an instant.
fn drawn_orders(
    reader: &JournalReader,
    as_of: Timestamp,
) -> Result<BTreeMap<OrderKey, f64>, StoreError> {
    let mut drawn = BTreeMap::new();
    for entry in read_from(reader, 1) {
        let (_, record) = entry?;
        let Record::Decision(scored) = record else { continue };
        let decision = &scored.decision;
        if let Some(exploration) = decision.exploration
            && exploration.is_released
            && decision.times.received_time <= as_of
        {
            drawn.insert(decision.order.clone(), exploration.propensity.value());
        }
    }
    Ok(drawn)
}

/// Lets each drawn order stand for those like it that were not drawn; how many there are.
#[expect(clippy::cast_possible_truncation, reason = "weights are f32 by the set's contract")]
fn weigh_drawn(drawn: &BTreeMap<OrderKey, f64>, history: &History, set: &mut TrainingSet) -> u64 {
    let mut n_drawn = 0;
    for (weight, row) in set.weights.iter_mut().zip(history.rows_of(0)) {
        if let Some(chance) = drawn.get(&history.rows[row].order) {
            *weight = (f64::from(*weight) / chance) as f32;
            n_drawn += 1;
        }
    }
    n_drawn
}

/// The smallest account of a ring names it.
fn ring_of(history: &History, account: u128, as_of: Timestamp) -> u128 {
    let entity = EntityRef { kind: EntityKind::Account, key: EntityKey::Hashed(account) };
    let ring = history.graph.history_of(&entity, as_of).ring();
    let keys = ring.into_iter().filter_map(|node| match &history.graph.entity(node)?.key {
        EntityKey::Hashed(key) => Some(*key),
        EntityKey::Plain(_) | EntityKey::Twice(_) => None,
    });
    keys.min().unwrap_or(account).min(account)
}

fn head_counts(history: &History, as_of: Timestamp, set: &TrainingSet) -> Vec<HeadCount> {
    let rows = history.rows_of(0);
    let count = |head: &HeadTarget| {
        let labels = history.labels.get(&head.id);
        let told = |row: &&usize| {
            labels.is_some_and(|it| it[**row].is_some_and(|label| label.known_at <= as_of))
        };
        let n_told = rows.iter().filter(told).count() as u64;
        let n_mature = head.values.iter().filter(|value| !value.is_nan()).count() as u64;
        let is_binary = head.kind != HeadKind::ImpactValue;
        let positives = head.values.iter().filter(|value| is_binary && 0.5 <= **value);
        HeadCount {
            head: head.id.clone(),
            n_mature,
            n_positive: positives.count() as u64,
            n_waiting: n_told.saturating_sub(n_mature),
            n_untold: (rows.len() as u64).saturating_sub(n_told),
        }
    };
    set.heads.iter().map(count).collect()
}

/// Names a set for good: every number of it, in order.
fn content_hash(set: &TrainingSet) -> Box<str> {
    let mut hash = blake3::Hasher::new();
    for value in &set.features {
        hash.update(&value.to_bits().to_le_bytes());
    }
    for time in &set.times {
        hash.update(&time.0.to_le_bytes());
    }
    for weight in &set.weights {
        hash.update(&weight.to_bits().to_le_bytes());
    }
    for head in &set.heads {
        hash.update(head.id.0.as_bytes());
        for value in &head.values {
            hash.update(&value.to_bits().to_le_bytes());
        }
    }
    hash.finalize().to_hex().as_str().into()
}

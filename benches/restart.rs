//! How long does a service take to start again, and does it answer as before?
//!
//! `cargo bench --bench restart -- [ORDERS [TAIL]]` (20,000 and 2,000 without arguments):
//! the facts of a synthetic marketplace go into a journal. An engine folds all of them,
//! saves a snapshot, is told TAIL further facts, every order of which it scores, and sees
//! up to 1,000 of these orders in dry runs (an order takes about ten facts). Then it is
//! stopped and another one starts on the same folder, from the snapshot and the tail, and
//! must see the same orders alike, to the last field. What the graph knows must hash the
//! same, folded from the snapshot and the tail or from the first record.
//! Budget: seconds at 1,000,000 orders.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

#[path = "shared/placed.rs"]
mod placed;

use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::domain::decision::{Decision, DecisionId};
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::record::{ReceivedEvent, Record, ScoreRequest};
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::disk_use::bytes_in;
use orderlens::store::journal::Journal;
use orderlens::store::log::{read_from, submit_when_room};
use orderlens::store::snapshot::load;
use orderlens::workflow::engine::Engine;
use orderlens::workflow::model_shelf::only_loaded;
use orderlens::workflow::past::SNAPSHOT_SCHEMA;
use orderlens::workflow::replay_decision::differences;
use orderlens::workflow::service::OrderService;
use orderlens::workflow::start_engine::{EngineInputs, EngineSettings, start_engine};
use orderlens::workflow::state::State;
use uuid::Uuid;

use crate::placed::request;

/// The allocator of the program that is shipped.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_ORDERS: usize = 20_000;
const N_TAIL: usize = 2_000;
const N_SEEN: usize = 1_000;
/// Days that the orders are spread over.
const DAYS: u32 = 60;
const START: Timestamp = Timestamp(1_767_225_600_000_000);

fn main() {
    let asked: Vec<usize> = env::args().filter_map(|text| text.parse().ok()).collect();
    let n_orders = asked.first().copied().unwrap_or(N_ORDERS);
    let n_tail = asked.get(1).copied().unwrap_or(N_TAIL);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let folder = tempfile::tempdir_in(folder).expect("the build folder takes one more");
    let mut settings = shipped().expect("the shipped settings are tested");
    folder.path().clone_into(&mut settings.paths.data);
    let engine = engine_settings(&settings);
    let judge = load_judge(&settings).expect("run it where the shipped bundle is");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");

    let mut events = events(n_orders);
    let head = fill(&engine, &mut events, n_orders);
    println!("{n_orders} synthetic orders, {head} facts before the snapshot");
    let read_strategy = reader(&judge);
    let inputs = EngineInputs {
        judge,
        read_strategy,
        read_bundle: only_loaded(),
        new_id,
        nanos: || 0,
        now: START,
    };
    let running = started("from the journal alone", &engine, &inputs);
    let (position, took) = timed(|| runtime.block_on(running.save_snapshot()));
    let position = position.expect("the disk has room");
    println!("{took:8.2} s  saving a snapshot at record {position}");
    let bytes = |folder: &str| bytes_in(&engine.data_dir.join(folder), "").expect("a folder");
    let per_order = |folder| bytes(folder) / n_orders as u64;
    println!("            of {} bytes an order", per_order("snapshots"));
    println!("            beside {} bytes an order of the journal", per_order("journal"));
    let tail: Vec<Event> = events.take(n_tail).collect();
    runtime.block_on(tell(&running, &tail));
    let seen: Vec<ScoreRequest> = tail.iter().filter_map(request).take(N_SEEN).collect();
    assert!(!seen.is_empty(), "no order in a tail of {n_tail} facts: nothing to compare");
    let before = runtime.block_on(see(&running, &seen));
    running.stop();

    let running = started("from snapshot and tail", &engine, &inputs);
    println!("            of which the tail: {} records", running.durable_position() - position);
    let after = runtime.block_on(see(&running, &seen));
    running.stop();
    let pairs = before.iter().zip(&after);
    let n_same = pairs.filter(|(before, after)| differences(before, after).is_empty()).count();
    println!("{n_same} of {} answers are the same before and after", before.len());
    assert!(n_same == before.len() && n_same == after.len(), "a restart changed answers");
    let (saved, _) = load(&engine.data_dir.join("snapshots"), SNAPSHOT_SCHEMA, u64::MAX)
        .expect("the folder of snapshots");
    let saved = saved.expect("the snapshot that was saved");
    let starts =
        [State::read(&saved.state, engine.background), Ok(State::empty(engine.background))];
    let hashes = starts.map(|state| hash_at_end(&engine, state.expect("a saved state")));
    println!(
        "the graph hashes to {} from snapshot and tail",
        blake3::Hash::from(hashes[0]).to_hex()
    );
    assert!(hashes[0] == hashes[1], "the journal alone leads to another graph");
}

/// Hash of what the graph knows after the rest of the journal.
fn hash_at_end(engine: &EngineSettings, mut state: State) -> [u8; 32] {
    let (journal, _) =
        Journal::open(&engine.data_dir.join("journal"), engine.journal).expect("a closed journal");
    for entry in read_from(&journal.reader(), state.position + 1) {
        state.fold(&entry.expect("a whole journal").1);
    }
    state.graph.state_hash()
}

/// The facts of a marketplace with a tenth more orders than asked for.
fn events(n_orders: usize) -> impl Iterator<Item = Event> {
    let per_day = u32::try_from(n_orders).unwrap_or(u32::MAX) / DAYS + 1;
    let settings = SimulationSettings::new(1, START, DAYS + DAYS / 10, per_day);
    Simulation::new(settings, IdentityKey::from_secret(b"the secret of a bench"))
        .map(|told| told.event)
}

/// Writes facts to the journal until it has so many orders; gives how many facts those are.
fn fill(engine: &EngineSettings, events: &mut impl Iterator<Item = Event>, n_orders: usize) -> u64 {
    let (journal, _) =
        Journal::open(&engine.data_dir.join("journal"), engine.journal).expect("an empty folder");
    let writer = journal.writer();
    let (told, durable) = mpsc::channel();
    let (mut n_facts, mut n_told) = (0, 0);
    for event in events {
        n_told += usize::from(matches!(event.fact, Fact::OrderPlaced(_)));
        let received_time = event.event_time;
        let record = Record::Event(ReceivedEvent { event, received_time });
        let told = told.clone();
        // The receiver outlives the writer, so there is somebody to tell.
        let done = move |written: Result<u64, _>| told.send(written.is_ok()).unwrap_or_default();
        submit_when_room(&writer, &record, done).expect("the disk has room");
        n_facts += 1;
        if n_told == n_orders {
            break;
        }
    }
    drop(told);
    assert!(durable.iter().all(|is_durable| is_durable), "the journal lost a record");
    n_facts
}

fn started(how: &str, settings: &EngineSettings, inputs: &EngineInputs) -> Engine {
    let (engine, took) = timed(|| start_engine(settings, inputs));
    println!("{took:8.2} s  starting {how}");
    engine.expect("the engine starts on its own folder")
}

/// Tells facts as callers would: orders are scored, all else is ingested.
async fn tell(engine: &Engine, events: &[Event]) {
    for event in events {
        let at = event.event_time;
        match request(event) {
            Some(request) => engine.score_order(request, at).await.map(drop),
            None => engine.ingest_event(event.clone(), at).await.map(drop),
        }
        .expect("the engine takes what the marketplace tells");
    }
}

/// What the engine would answer, once per order; ids are drawn anew and left out.
async fn see(engine: &Engine, requests: &[ScoreRequest]) -> Vec<Decision> {
    let mut seen = Vec::with_capacity(requests.len());
    for request in requests {
        let decision = engine.dry_run(request.clone(), request.event_time).await;
        let decision = decision.expect("the engine sees what it scored");
        let decision_id = DecisionId(Uuid::nil());
        seen.push(Decision { decision_id, ..Decision::clone(&decision) });
    }
    seen
}

/// Ids in the order of asking.
fn new_id(_: Timestamp) -> DecisionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    DecisionId(Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()))
}

/// What a call gave, and the seconds that it took.
fn timed<T>(call: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let given = call();
    (given, started.elapsed().as_secs_f64())
}

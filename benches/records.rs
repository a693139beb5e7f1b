//! How many journal records a second get into the records?
//!
//! `cargo bench --bench records -- [ORDERS]` (5,000 without arguments): the facts of a synthetic
//! marketplace, about ten an order, and a decision about each order are filled into an empty
//! SQLite file and, if `ORDERLENS_RECORDS_URL` names a server, into an empty schema of
//! PostgreSQL, from a journal on a disk. By transactions of 500 records, as shipped, and of
//! 5,000. The disk that the records take is counted as well.
//! Budget: more than what a service writes at its peak; otherwise lists lag behind.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

#[path = "shared/placed.rs"]
mod placed;

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::config::secret::from_environment;
use orderlens::domain::decision::DecisionId;
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::record::{ReceivedEvent, Record, ScoredOrder};
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::journal::{Journal, JournalSettings};
use orderlens::store::log::{bytes_of, read_at, submit_when_room};
use orderlens::store::records::fill::RecordsWriter;
use orderlens::store::records::follow::catch_up;
use orderlens::store::records::postgres_url::PostgresUrl;
use orderlens::store::records::query::Records;
use orderlens::store::records::{Sharing, postgres, sqlite};
use orderlens::workflow::model_shelf::only_loaded;
use orderlens::workflow::service::OrderService as _;
use orderlens::workflow::start_engine::{EngineInputs, start_engine};
use uuid::Uuid;

use crate::placed::request;

/// The allocator of the program that is shipped.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_ORDERS: u64 = 5_000;
const DAYS: u32 = 30;
const START: Timestamp = Timestamp(1_767_225_600_000_000);
const BATCHES: [usize; 2] = [500, 5_000];

fn main() {
    let asked = env::args().find_map(|text| text.parse().ok());
    let n_orders: u64 = asked.unwrap_or(N_ORDERS);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let folder = tempfile::tempdir_in(folder).expect("the build folder takes one more");
    let model = decided(&folder.path().join("engine"));
    for batch in BATCHES {
        let dir = folder.path().join(format!("batch_{batch}"));
        let journal = journal_of(&dir, n_orders, &model);
        let end = journal.durable_position();
        println!("{n_orders} orders, {end} records of the journal, {batch} a transaction");
        let (writer, records, _) = sqlite::open(&dir.join("records.sqlite"), end).expect("a file");
        measure("SQLite", &journal, (writer, &records), batch);
        let Some(url) = from_environment("ORDERLENS_RECORDS_URL") else { continue };
        let url = PostgresUrl::parse(&url).expect("an address");
        let (writer, records) = postgres::open(&url, Sharing::Alone).expect("an address");
        measure("PostgreSQL", &journal, (writer, &records), batch);
    }
}

fn measure(
    name: &str,
    journal: &Journal,
    (mut writer, records): (RecordsWriter, &Records),
    batch: usize,
) {
    let started = Instant::now();
    catch_up(&journal.reader(), &mut writer, batch).expect("a database that answers");
    let seconds = started.elapsed().as_secs_f64();
    let n = journal.durable_position();
    assert_eq!(records.position().expect("whole records"), n);
    let bytes = records.bytes().expect("a size");
    let (pace, size) = (n as f64 / seconds, bytes as f64 / n as f64);
    println!("{name:>12} {seconds:7.2} s {pace:9.0} records/s {size:6.0} bytes a record");
}

/// A decision that the shipped bundle and strategy make.
fn decided(dir: &Path) -> ScoredOrder {
    let mut settings = shipped().expect("the shipped settings are tested");
    dir.clone_into(&mut settings.paths.data);
    let engine = engine_settings(&settings);
    let judge = load_judge(&settings).expect("run it where the shipped bundle is");
    let inputs = EngineInputs {
        read_strategy: reader(&judge),
        judge,
        read_bundle: only_loaded(),
        new_id: |_| DecisionId(Uuid::nil()),
        nanos: || 0,
        now: START,
    };
    let running = start_engine(&engine, &inputs).expect("an empty folder");
    let told = market().find(|told| request(&told.event).is_some()).expect("an order");
    let asked = request(&told.event).expect("an order");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(running.score_order(asked, told.event.event_time)).expect("an answer");
    let position = running.durable_position();
    let record = read_at(&running.journal_reader(), position).expect("a whole journal");
    running.stop();
    let scored = record.and_then(|record| {
        let Record::Decision(scored) = record else { return None };
        Some(scored)
    });
    Arc::unwrap_or_clone(scored.expect("the last record is the decision"))
}

fn market() -> Simulation {
    let settings = SimulationSettings::new(1, START, DAYS, 5_000);
    Simulation::new(settings, IdentityKey::from_secret(b"the secret of a bench"))
}

/// A journal of facts; behind each placed order the decision about it.
fn journal_of(dir: &Path, n_orders: u64, model: &ScoredOrder) -> Journal {
    let sizes: JournalSettings =
        engine_settings(&shipped().expect("the shipped settings are tested")).journal;
    let (journal, _) = Journal::open(&dir.join("journal"), sizes).expect("an empty folder");
    let (mut n, mut last, mut bytes) = (0, 0, [0; 2]);
    for told in market() {
        let decision = request(&told.event).map(|asked| {
            n += 1;
            let mut scored = model.clone();
            let decision = Arc::make_mut(&mut scored.decision);
            decision.decision_id = DecisionId(Uuid::from_u128(n.into()));
            decision.request_id = asked.request_id.clone();
            decision.order = asked.order.key.clone();
            decision.times.event_time = asked.event_time;
            decision.times.received_time = asked.event_time;
            scored.request = asked;
            Record::Decision(Arc::new(scored))
        });
        let received_time = told.event.event_time;
        let event = Record::Event(ReceivedEvent { event: told.event, received_time });
        for (kind, record) in [Some(event), decision].into_iter().enumerate() {
            let Some(record) = record else { continue };
            bytes[kind] += bytes_of(&record).len() as u64;
            last = submit_when_room(&journal.writer(), &record, |written| {
                assert!(written.is_ok(), "the disk has room");
            })
            .expect("the disk has room");
        }
        if n == n_orders {
            break;
        }
    }
    while journal.durable_position() < last {
        std::thread::yield_now();
    }
    let (event, decision) = (bytes[0] / (last - n), bytes[1] / n);
    println!("in the journal an event has {event} bytes and a decision {decision}");
    journal
}

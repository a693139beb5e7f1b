//! Many replicas on one stream hold the same records.

pub(crate) mod broker;
mod laws;
mod processes;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Broker;
use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::domain::decision::{Decision, DecisionId};
use orderlens::domain::entity::{EntityKey, IdentityKey, Twice};
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::stream::settings::{Servers, StreamSettings};
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::engine::Engine;
use orderlens::workflow::error::Error;
use orderlens::workflow::model_shelf::only_loaded;
use orderlens::workflow::replica::board::{Phase, ReplicaStatus};
use orderlens::workflow::replica::start_replica::{ReplicaSettings, start_replica};
use orderlens::workflow::service::OrderService as _;
use orderlens::workflow::start_engine::{EngineInputs, EngineSettings};
use uuid::Uuid;

const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 50;
/// Small enough that the service makes several of its own.
const BACKGROUND: BackgroundRule =
    BackgroundRule { every_approved: 60, rows_min: 24, rows_max: 48 };
/// How long replicas may take to agree.
const PATIENCE: Duration = Duration::from_mins(1);

fn settings_of(data: &Path) -> EngineSettings {
    let mut settings = shipped().unwrap();
    data.clone_into(&mut settings.paths.data);
    EngineSettings { background: BACKGROUND, ..engine_settings(&settings) }
}

fn inputs() -> EngineInputs {
    let judge = load_judge(&shipped().unwrap()).unwrap();
    EngineInputs {
        read_strategy: reader(&judge),
        judge,
        read_bundle: only_loaded(),
        new_id: |_| DecisionId(Uuid::now_v7()),
        nanos: || 0,
        now: START,
    }
}

/// A tested replica fails a test when it stands still.
fn check_runs(status: &ReplicaStatus) {
    assert!(!matches!(status.phase, Phase::Halted(_)), "{status:?}");
}

/// A replica that may still be catching up.
fn start(name: &str, data: &Path, broker: &Broker) -> Engine {
    let replica = ReplicaSettings {
        name: name.into(),
        stream: StreamSettings {
            servers: Servers::parse(&broker.url()).unwrap(),
            name: "ORDERS".into(),
            n_copies: 1,
            ack_within: Duration::from_secs(2),
        },
    };
    start_replica(&settings_of(data), &inputs(), replica).unwrap()
}

/// A replica that has caught up.
async fn join(name: &str, data: &Path, broker: &Broker) -> Engine {
    let engine = start(name, data, broker);
    let is_settled =
        |it: &ReplicaStatus| it.obstacle().is_none() || matches!(it.phase, Phase::Halted(_));
    check_runs(&until(&engine, is_settled).await);
    engine
}

async fn until(engine: &Engine, is_so: impl FnMut(&ReplicaStatus) -> bool) -> ReplicaStatus {
    let mut status = engine.replica().unwrap();
    let waiting = tokio::time::timeout(PATIENCE, status.wait_for(is_so)).await;
    waiting.expect("a replica gets there in time").unwrap().clone()
}

/// A simulated marketplace.
fn events(days: u32, orders_per_day: u32) -> Vec<Event> {
    let settings = SimulationSettings::new(31, START, days, orders_per_day);
    let identity = IdentityKey::from_secret(b"replicas");
    let mut n_prices = 0;
    let is_told = |event: &Event| {
        let is_price = matches!(event.fact, Fact::MarketPrice(_));
        n_prices += usize::from(is_price);
        !is_price || n_prices.is_multiple_of(PRICE_STEP)
    };
    Simulation::new(settings, identity).map(|told| told.event).filter(is_told).collect()
}

/// The same with other hashes in place of those by the identity secret of [`events`].
fn resealed(mut event: Event, key: fn(u128) -> EntityKey) -> Event {
    for person in event.persons_mut() {
        if let EntityKey::Hashed(hash) = person.key {
            person.key = key(hash);
        }
    }
    event
}

/// As a replica hashes that has the next secret alone.
fn by_next(hash: u128) -> EntityKey {
    EntityKey::Hashed(hash.rotate_left(1))
}

/// As one hashes that has both.
fn by_both(hash: u128) -> EntityKey {
    EntityKey::Twice(Box::new(Twice { current: hash.rotate_left(1), previous: hash }))
}

/// Tells a fact, or asks for a decision when it is an order; again, with the same id, until it
/// is answered.
async fn tell(engines: &[&Engine], first: usize, event: Event) -> Option<Arc<Decision>> {
    let since = Instant::now();
    for at in first.. {
        let engine = engines[at % engines.len()];
        let told = tell_once(engine, event.clone()).await;
        if let Err(Error::Unavailable(_) | Error::Exhausted { .. }) = told {
            assert!(since.elapsed() < PATIENCE, "nobody answers");
            tokio::time::sleep(Duration::from_millis(20)).await;
        } else {
            return told.unwrap();
        }
    }
    None
}

async fn tell_once(engine: &Engine, event: Event) -> Result<Option<Arc<Decision>>, Error> {
    let at = event.event_time;
    let Fact::OrderPlaced(order) = event.fact.clone() else {
        engine.ingest_event(event, at).await?;
        return Ok(None);
    };
    let request = ScoreRequest {
        request_id: event.event_id,
        event_time: at,
        order,
        max_actions: 3,
        max_contributions: 12,
    };
    Ok(Some(engine.score_order(request, at).await?.decision))
}

/// Waits until all have executed the same, and compares their journals byte by byte.
async fn check_equal(engines: &[&Engine]) -> Vec<Vec<u8>> {
    let since = Instant::now();
    loop {
        let status = engines.iter().map(|engine| engine.replica().unwrap().borrow().clone());
        let executed: Vec<u64> = status.map(|status| status.executed).collect();
        let durable: Vec<u64> = engines.iter().map(|engine| engine.durable_position()).collect();
        let is_same = |all: &[u64]| all.iter().all(|one| *one == all[0]);
        if is_same(&executed) && is_same(&durable) {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "executed {executed:?}, durable {durable:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first = journal_of(engines[0]);
    for engine in &engines[1..] {
        let other = journal_of(engine);
        assert_eq!(first.len(), other.len());
        let differs = first.iter().zip(&other).position(|(one, other)| one != other);
        assert_eq!(differs, None, "records differ");
    }
    first
}

fn journal_of(engine: &Engine) -> Vec<Vec<u8>> {
    engine.journal_reader().read_from(1).map(|entry| entry.unwrap().1).collect()
}

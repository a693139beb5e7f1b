//! Starts an engine as one of many replicas that follow a stream.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use tokio::runtime;
use tokio::sync::mpsc;
use tracing::info;

use crate::domain::proposal::{Origin, Start};
use crate::store::log::last_followed;
use crate::stream::settings::StreamSettings;
use crate::workflow::engine::Engine;
use crate::workflow::error::Error;
use crate::workflow::replica::board::Board;
use crate::workflow::replica::execute::Membership;
use crate::workflow::replica::kept_tail::KeptTail;
use crate::workflow::replica::session::{Courier, WaitingBatches};
use crate::workflow::start_engine::{EngineInputs, EngineSettings, Opened};
use crate::workflow::way::Way;

/// Records that the first message of a stream may make; a journal with more of them and no word
/// of a stream has a history of its own.
const FIRST_RECORDS_MAX: u64 = 8;
/// Backgrounds that may wait to be proposed.
const OFFERS_MAX: usize = 2;

/// Which replica, of which stream.
#[derive(Clone, Debug)]
pub struct ReplicaSettings {
    /// Its name: in logs, and in the messages that it sends.
    pub name: Box<str>,
    /// The stream that it follows.
    pub stream: StreamSettings,
}

/// Opens the data folder and starts the engine's threads, as one of many replicas. The engine
/// answers questions at once; it takes no proposals before it has caught up with the stream.
///
/// # Errors
/// As [`crate::workflow::start_engine::start_engine`]; `Unavailable` when the folder has a
/// history that comes from no stream.
pub fn start_replica(
    settings: &EngineSettings,
    inputs: &EngineInputs,
    replica: ReplicaSettings,
) -> Result<Engine, Error> {
    let opened = Opened::new(settings, inputs)?;
    let reader = opened.reader();
    let mark =
        last_followed(&reader).map_err(|error| Error::failed("reading the journal", error))?;
    if mark.is_none() && FIRST_RECORDS_MAX < reader.durable_position() {
        let why = "this data folder has a history of its own, not that of a stream; a replica \
                   starts with an empty one or a copy of another replica's";
        return Err(Error::Unavailable(why.into()));
    }
    let (executed, reached) = mark.unzip();
    let state = opened.load_state(executed.unwrap_or_default())?;
    let sequence = reached.as_ref().map_or(0, |reached| reached.sequence);
    info!(replica = &*replica.name, sequence, "goes on after message {sequence} of the stream");
    let board = Board::new(&replica.name, sequence);
    let (commands, queue) = mpsc::channel(settings.queue_max);
    let (proposing, proposals) = mpsc::channel(settings.queue_max);
    let (offering, offers) = mpsc::channel(OFFERS_MAX);
    let records_held = Arc::new(AtomicBool::new(false));
    let courier = Courier {
        settings: replica.stream,
        origin: Origin { replica: replica.name, run: (inputs.new_id)(inputs.now).0, number: 0 },
        start: start_of(settings, inputs),
        board: board.clone(),
        reached,
        sequencer: commands.clone(),
        proposals,
        offers,
        waiting: WaitingBatches::default(),
        records_held: records_held.clone(),
    };
    let kept = KeptTail::new(reader);
    let membership = Membership { board: board.clone(), kept, offers: offering, records_held };
    let way = Way::Replica { sequencer: commands, proposals: proposing, board };
    // Measured times differ between replicas, and their journals must not.
    let inputs = EngineInputs { nanos: || 0, ..inputs.clone() };
    let engine = opened.run(state, &inputs, (way, queue), Some(membership))?;
    spawn(courier)?;
    Ok(engine)
}

fn start_of(settings: &EngineSettings, inputs: &EngineInputs) -> Start {
    let (bundle, strategy) = (inputs.judge.bundle(), inputs.judge.strategy());
    Start {
        graph: settings.graph.to_json().into(),
        model: bundle.full_name(),
        model_hash: bundle.hash().into(),
        strategy: strategy.toml.clone(),
        rotation: settings.rotation.clone(),
        at: inputs.now,
    }
}

/// Runs on a thread of its own, which ends with the engine.
fn spawn(courier: Courier) -> Result<(), Error> {
    let failed = |error| Error::failed("starting the replica", error);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    thread::Builder::new()
        .name("replica".to_owned())
        .spawn(move || runtime.block_on(courier.run()))
        .map(drop)
        .map_err(failed)
}

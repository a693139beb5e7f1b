//! Opens a data folder: journal, records, state; then starts the engine on it.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::domain::experiment::ExperimentEnd;
use crate::domain::pseudonym::Rotation;
use crate::domain::record::{ExperimentEnded, GraphActivated, ModelActivated, Record};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::graph::settings::GraphSettings;
use crate::store::journal::reader::JournalReader;
use crate::store::journal::{Journal, JournalSettings, JournalWriter};
use crate::store::log::{append, read_to_fold};
use crate::store::records::follow::{FollowSettings, RecordsFollower, Source};
use crate::store::records::query::Records;
use crate::store::records::tail::RecordTail;
use crate::store::records::{RecordsPlace, Sharing};
use crate::store::{records, snapshot};
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::background_build::BackgroundBuild;
use crate::workflow::command::Command;
use crate::workflow::durable_mark::DurableMark;
use crate::workflow::engine::{Engine, EngineParts, NewId};
use crate::workflow::erased_board::ErasedBoard;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainers;
use crate::workflow::judge_order::{Judge, Stopwatch};
use crate::workflow::judges::Judges;
use crate::workflow::key_ring::KeyRing;
use crate::workflow::lineup::Lineup;
use crate::workflow::model_shelf::{BundleReader, ModelShelf};
use crate::workflow::outlets::Outlets;
use crate::workflow::pace::TimeBudgets;
use crate::workflow::past::{Past, SNAPSHOT_SCHEMA, judge_of};
use crate::workflow::replica::execute::Membership;
use crate::workflow::sequencer::Sequencer;
use crate::workflow::shelves::Shelves;
use crate::workflow::state::State;
use crate::workflow::strategy_ledger::{StrategyStep, file_activated};
use crate::workflow::strategy_shelf::{StrategyReader, StrategyShelf};
use crate::workflow::way::Way;

/// Folder of the journal, in the data folder.
pub(super) const JOURNAL_DIR: &str = "journal";
/// Folder of the saved states.
pub(super) const SNAPSHOTS_DIR: &str = "snapshots";
/// Batches of records that are kept in memory for the records' database.
const TAIL_BATCHES: usize = 4;
/// File of the records; those of its log start with the same name.
pub(super) const RECORDS_FILE: &str = "records.sqlite";

/// Where and how an engine works.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Folder of journal, records and snapshots; made when missing.
    pub data_dir: PathBuf,
    /// Sizes of the journal.
    pub journal: JournalSettings,
    /// How the graph remembers.
    pub graph: GraphSettings,
    /// When it makes a background of its own.
    pub background: BackgroundRule,
    /// Which identity secrets are rotated, if any are.
    pub rotation: Option<Rotation>,
    /// Commands that may wait; more are refused with `Exhausted`.
    pub queue_max: usize,
    /// Time that parts of an answer need.
    pub budgets: TimeBudgets,
    /// Which database has the records.
    pub records: RecordsPlace,
    /// Pause of the records after they caught up.
    pub records_pause: Duration,
    /// Journal records per transaction of the records.
    pub records_batch_max: usize,
    /// Snapshots kept.
    pub snapshots_kept: usize,
}

/// What only the caller can give: models, clocks, ids.
#[derive(Clone)]
pub struct EngineInputs {
    /// Bundle and strategy.
    pub judge: Judge,
    /// Checks strategy texts.
    pub read_strategy: StrategyReader,
    /// Reads bundles by name, where they are kept.
    pub read_bundle: BundleReader,
    /// Makes decision ids.
    pub new_id: NewId,
    /// Measures stages.
    pub nanos: Stopwatch,
    /// When the engine starts.
    pub now: Timestamp,
}

/// Opens the data folder and starts the engine's threads.
///
/// # Errors
/// `Unavailable` when the folder is in use or a replica's, `Internal` when journal or records
/// cannot be trusted.
pub fn start_engine(settings: &EngineSettings, inputs: &EngineInputs) -> Result<Engine, Error> {
    let opened = Opened::new(settings, inputs)?;
    let mut state = opened.load_state(u64::MAX)?;
    if let Some(followed) = &state.followed {
        let stream = &followed.stream;
        let why = format!("this data folder is a replica's, which follows stream {stream}");
        return Err(Error::Unavailable(why.into()));
    }
    activate(&mut state, &opened.journal.writer(), settings, (inputs, &opened.shelves))?;
    let (commands, queue) = mpsc::channel(settings.queue_max);
    opened.run(state, inputs, (Way::Alone(commands), queue), None)
}

/// An open data folder, before the engine's threads start on it.
#[derive(Debug)]
pub(super) struct Opened<'s> {
    settings: &'s EngineSettings,
    journal: Journal,
    snapshot_dir: PathBuf,
    shelves: Shelves,
}

impl<'s> Opened<'s> {
    /// Opens a data folder.
    ///
    /// # Errors
    /// As [`start_engine`].
    pub(super) fn new(settings: &'s EngineSettings, inputs: &EngineInputs) -> Result<Self, Error> {
        let dir = &settings.data_dir;
        let (journal, opened) = Journal::open(&dir.join(JOURNAL_DIR), settings.journal)
            .map_err(|error| Error::failed("opening the journal", error))?;
        if let Some(torn) = &opened.torn {
            warn!(bytes = torn.bytes, path = %torn.path.display(), "cut off a half-written record");
        }
        let shelves = Shelves {
            strategies: StrategyShelf::new(inputs.read_strategy.clone()),
            models: ModelShelf::new(inputs.read_bundle.clone()),
        };
        shelves.models.keep(inputs.judge.bundle());
        Ok(Self { settings, journal, snapshot_dir: dir.join(SNAPSHOTS_DIR), shelves })
    }

    /// Reads the journal.
    pub(super) fn reader(&self) -> JournalReader {
        self.journal.reader()
    }

    /// Starts the threads on a state that the journal leads to.
    ///
    /// # Errors
    /// As [`start_engine`].
    pub(super) fn run(
        self,
        state: State,
        inputs: &EngineInputs,
        (way, queue): (Way, mpsc::Receiver<Command>),
        membership: Option<Membership>,
    ) -> Result<Engine, Error> {
        let Self { settings, journal, snapshot_dir, shelves } = self;
        let (dir, reader, end) = (&settings.data_dir, journal.reader(), journal.durable_position());
        let explainers = Explainers::default();
        let is_held = membership.as_ref().map(|it| it.records_held.clone()).unwrap_or_default();
        let tail = RecordTail::new(TAIL_BATCHES * settings.records_batch_max);
        let source = Source { journal: reader.clone(), tail: tail.clone(), is_held };
        let sharing = if membership.is_some() { Sharing::Replicas } else { Sharing::Alone };
        let (answers, follower) = open_records(settings, source, (end, sharing))?;
        let past = Past {
            reader,
            snapshot_dir,
            snapshots_kept: settings.snapshots_kept,
            background: settings.background,
            judge: inputs.judge.clone(),
            explainers: explainers.clone(),
            shelves: shelves.clone(),
        };
        let durable = DurableMark::new(end);
        let judge = explainers.explain(&judge_of(&inputs.judge, &state, &shelves)?, &state)?;
        let bundle = judge.bundle().clone();
        let judges = Judges::new(judge, &state, shelves)?;
        let active = judges.active();
        let keys = Arc::new(KeyRing::default());
        keys.publish(state.access.keys_in_use());
        let erased = Arc::new(ErasedBoard::default());
        erased.publish(&state.erasures);
        let (writer, marked) = (journal.writer(), durable.clone());
        let outlets =
            Outlets { writer, durable: marked, tail, keys: keys.clone(), erased: erased.clone() };
        let build = BackgroundBuild::new(bundle, explainers);
        let sequencer = Sequencer::new(state, judges, outlets, build, (inputs.nanos, inputs.now));
        let sequencer = match membership {
            Some(membership) => sequencer.of_replica(membership),
            None => sequencer,
        };
        let sequencer = thread::Builder::new()
            .name("sequencer".to_owned())
            .spawn(move || sequencer.run(queue))
            .map_err(|error| Error::failed("starting the sequencer", error))?;
        Ok(Engine::new(EngineParts {
            way,
            sequencer,
            journal,
            durable,
            records: answers,
            follower,
            keys,
            erased,
            active,
            past,
            new_id: inputs.new_id,
            nanos: inputs.nanos,
            budgets: settings.budgets,
            data_dir: dir.clone(),
        }))
    }

    /// The newest snapshot, folded on up to a position or the end of the journal.
    ///
    /// # Errors
    /// `Internal` when journal or snapshots cannot be read.
    pub(super) fn load_state(&self, up_to: u64) -> Result<State, Error> {
        let (reader, rule) = (self.reader(), self.settings.background);
        let end = reader.durable_position().min(up_to);
        let empty = || State::empty(rule);
        let (saved, skipped) = snapshot::load(&self.snapshot_dir, SNAPSHOT_SCHEMA, end)
            .map_err(|error| Error::failed("reading snapshots", error))?;
        for skipped in &skipped {
            warn!(%skipped, "passed over a snapshot");
        }
        let mut state = match saved.map(|saved| State::read(&saved.state, rule)) {
            Some(Ok(state)) => state,
            Some(Err(error)) => {
                warn!(%error, "passed over a snapshot that does not read");
                empty()
            }
            None => empty(),
        };
        for entry in read_to_fold(&reader, state.position + 1) {
            let (position, record) =
                entry.map_err(|error| Error::failed("reading the journal", error))?;
            if end < position {
                break;
            }
            state.refold(&record);
        }
        let status = state.graph.status();
        info!(position = state.position, ?status, "state is folded");
        Ok(state)
    }
}

/// The records, and what keeps them up with the journal.
fn open_records(
    settings: &EngineSettings,
    source: Source,
    (end, sharing): (u64, Sharing),
) -> Result<(Records, RecordsFollower), Error> {
    let file = settings.data_dir.join(RECORDS_FILE);
    let (filler, answers, rebuild) = records::open(&settings.records, &file, (end, sharing))
        .map_err(|error| Error::failed("opening the records", error))?;
    if let Some(rebuild) = rebuild {
        info!(?rebuild, "filling the records from the whole journal");
    }
    let follow = FollowSettings {
        pause: settings.records_pause,
        batch_records_max: settings.records_batch_max,
    };
    let follower = RecordsFollower::start(source, filler, follow)
        .map_err(|error| Error::failed("starting the records", error))?;
    Ok((answers, follower))
}

/// Tells the journal by which settings the graph remembers and which strategy and bundle
/// judge from here on, if they are others.
fn activate(
    state: &mut State,
    writer: &JournalWriter,
    settings: &EngineSettings,
    (inputs, shelves): (&EngineInputs, &Shelves),
) -> Result<(), Error> {
    let bundle = inputs.judge.bundle();
    let mut records = Vec::new();
    let graph = settings.graph.to_json();
    if *state.graph_settings != *graph {
        let settings = graph.into_boxed_str();
        records.push(Record::GraphActivated(GraphActivated { settings, at: inputs.now }));
    }
    records.extend(state.rotation_record(settings.rotation.as_ref(), inputs.now));
    // What is offered again is no news: what people promoted since then goes on judging.
    let is_news = state.models.offered_hash() != bundle.hash();
    if is_news || judge_of(&inputs.judge, state, shelves).is_err() {
        records.push(Record::ModelActivated(ModelActivated {
            name: bundle.full_name(),
            hash: bundle.hash().into(),
            signature: Signature { by: Box::default(), at: inputs.now, note: Box::default() },
            report_hash: Box::default(),
        }));
    }
    records.extend(strategy_record(state, inputs, shelves)?);
    let plan = state.experiments.running_plan();
    if let Some((plan, _)) = plan
        && let Err(error) = arms_of(state, inputs, shelves)
    {
        warn!(%error, experiment = %plan.id, "an arm cannot judge any more: the experiment ends");
        records.push(Record::ExperimentEnded(ExperimentEnded {
            id: plan.id.clone(),
            end: ExperimentEnd::Killed,
            signature: Signature { by: Box::default(), at: inputs.now, note: Box::default() },
        }));
    }
    for record in records {
        append(writer, &record).map_err(|error| Error::failed("writing the journal", error))?;
        state.fold(&record);
    }
    Ok(())
}

/// Whether the arms of the running experiment can judge.
fn arms_of(state: &State, inputs: &EngineInputs, shelves: &Shelves) -> Result<Lineup, Error> {
    let named = (&state.strategies, state.experiments.running_plan());
    Lineup::of(&inputs.judge, named, shelves)
}

/// The strategy file judges when it says something new, or when what judged before does not
/// read any more.
fn strategy_record(
    state: &State,
    inputs: &EngineInputs,
    shelves: &Shelves,
) -> Result<Option<Record>, Error> {
    let file = inputs.judge.strategy();
    if let Err(error) = Lineup::of(&inputs.judge, (&state.strategies, None), shelves) {
        warn!(%error, "the strategy that judged before does not read: the file judges now");
        return Ok(Some(file_activated(file, inputs.now)));
    }
    let signature = Signature { by: Box::default(), at: inputs.now, note: Box::default() };
    state.strategies.record_of(&StrategyStep::File(file.clone()), signature)
}

impl std::fmt::Debug for EngineInputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineInputs").field("judge", &self.judge).finish_non_exhaustive()
    }
}

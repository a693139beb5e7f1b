//! What those who watch the service ask: everything at once.

use std::future::Future;
use std::time::UNIX_EPOCH;

use crate::domain::graph_status::GraphStatus;
use crate::domain::pseudonym::RotationProgress;
use crate::domain::time::Timestamp;
use crate::store::disk_use::newest_in;
use crate::training::drift::Shift;
use crate::workflow::command::Command;
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;
use crate::workflow::experiment_run::ExperimentRun;
use crate::workflow::feature_sample::FeatureSample;
use crate::workflow::sequencer::Sequencer;
use crate::workflow::start_engine::SNAPSHOTS_DIR;
use crate::workflow::undecided::Reviews;
use crate::workflow::work_tally::WorkTally;

/// What the sequencer knows, read at one instant.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Journal position that the state has folded; the disk may be behind.
    pub position: u64,
    /// What was done since the start.
    pub tally: WorkTally,
    /// How full the graph is.
    pub graph: GraphStatus,
    /// Entries of the audit log.
    pub n_audit_entries: u64,
    /// Remembered experiments.
    pub experiments: ExperimentTally,
    /// How far the last rotation of the identity secret has come; `None` before the first.
    pub rotation: Option<RotationProgress>,
    reviews: Reviews,
}

/// How many experiments are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExperimentTally {
    /// They run.
    pub n_running: u64,
    /// Somebody ended them.
    pub n_ended: u64,
    /// A guardrail ended them.
    pub n_breached: u64,
}

/// Orders that wait for a review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueTally {
    /// How many.
    pub n: u64,
    /// When the oldest of them was placed; `None` without any.
    pub oldest: Option<Timestamp>,
}

/// What is known without asking the sequencer.
#[derive(Clone, Debug, PartialEq)]
pub struct Plumbing {
    /// The last journal position that is on disk.
    pub durable_position: u64,
    /// Why the journal takes nothing more; `None` while it does.
    pub journal_failure: Option<Box<str>>,
    /// Commands that wait for the sequencer.
    pub n_commands: u64,
    /// Most that may.
    pub commands_max: u64,
    /// When the newest snapshot was saved; `None` without one.
    pub snapshot_time: Option<Timestamp>,
}

/// How far a feature is from the population that the model was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureShift {
    /// Id of the feature.
    pub feature: Box<str>,
    /// Population stability index.
    pub index: f64,
}

impl Sequencer {
    /// Reads the state; orders wait meanwhile, so nothing is worked out here.
    pub(super) fn watched(&self) -> Watched {
        let state = &self.state;
        let mut experiments = ExperimentTally::default();
        for run in state.experiments.runs() {
            *experiments.of(run) += 1;
        }
        Watched {
            position: state.position,
            tally: self.work.tally().clone(),
            graph: state.graph.status(),
            n_audit_entries: state.access.head().sequence,
            experiments,
            rotation: state.pseudonyms.rotation().cloned(),
            reviews: state.undecided.waiting_for_review(),
        }
    }
}

impl Watched {
    /// The orders that wait for a review; looks at each.
    pub fn queue(&self) -> QueueTally {
        let placed = self.reviews.iter().map(|(_, order)| order.event_time);
        QueueTally { n: self.reviews.len() as u64, oldest: placed.min() }
    }
}

impl ExperimentTally {
    fn of(&mut self, run: &ExperimentRun) -> &mut u64 {
        match run.summary().ended {
            None => &mut self.n_running,
            Some((end, _)) if end.is_breach() => &mut self.n_breached,
            Some(_) => &mut self.n_ended,
        }
    }
}

/// Answers those who watch.
pub trait WatchService: Send + Sync + 'static {
    /// What the sequencer knows.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn watch(&self) -> impl Future<Output = Result<Watched, Error>> + Send;

    /// What is known without it, also when it does not answer.
    ///
    /// # Errors
    /// `Internal` when the data folder cannot be read.
    fn plumbing(&self) -> impl Future<Output = Result<Plumbing, Error>> + Send;

    /// How far each feature has moved; empty while too few orders were judged.
    ///
    /// # Errors
    /// `Internal` when the work was cut short.
    fn feature_shifts(
        &self,
        sample: FeatureSample,
    ) -> impl Future<Output = Result<Vec<FeatureShift>, Error>> + Send;
}

impl WatchService for Engine {
    async fn watch(&self) -> Result<Watched, Error> {
        self.ask(|reply| Command::Watch { reply }).await
    }

    async fn plumbing(&self) -> Result<Plumbing, Error> {
        let snapshots = self.data_dir.join(SNAPSHOTS_DIR);
        let newest = move || {
            newest_in(&snapshots).map_err(|error| Error::failed("looking at snapshots", error))
        };
        let saved = block(newest).await?;
        let since_epoch = saved.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let micros = since_epoch.and_then(|since| i64::try_from(since.as_micros()).ok());
        let failure = self.journal.as_ref().and_then(|journal| journal.writer().failure());
        let (n_commands, commands_max) = self.way.waiting();
        Ok(Plumbing {
            durable_position: self.durable_position(),
            journal_failure: failure.map(|error| error.to_string().into()),
            n_commands: n_commands as u64,
            commands_max: commands_max as u64,
            snapshot_time: micros.map(Timestamp),
        })
    }

    async fn feature_shifts(&self, sample: FeatureSample) -> Result<Vec<FeatureShift>, Error> {
        let bundle = self.active().bundle().clone();
        let shifts = block(move || Ok(sample.shifts(&bundle).unwrap_or_default())).await?;
        let of = |shift: Shift| FeatureShift { feature: shift.name, index: shift.psi };
        Ok(shifts.into_iter().map(of).collect())
    }
}

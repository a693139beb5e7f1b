//! Makes earlier states again: a snapshot before them, then the journal.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::warn;

use crate::domain::decision::Decision;
use crate::domain::query::FieldDifference;
use crate::domain::record::{ScoreRequest, ScoredOrder};
use crate::store::journal::reader::JournalReader;
use crate::store::log::{as_recorded, read_to_fold};
use crate::store::medium::Disk;
use crate::store::snapshot::{Snapshot, load, save};
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainers;
use crate::workflow::judge_order::{ActiveStrategy, Judge, Stamp};
use crate::workflow::lineup::Lineup;
use crate::workflow::pace::{LeftOut, Pace};
use crate::workflow::replay_decision::differences;
use crate::workflow::shelves::Shelves;
use crate::workflow::sight::Sight;
use crate::workflow::state::State;

/// What a snapshot's bytes are; changes with the meaning of [`State`] or of anything in it.
pub const SNAPSHOT_SCHEMA: &str = concat!("state-23/", env!("CARGO_PKG_VERSION"));

/// What is needed to stand where an earlier decision stood.
#[derive(Debug)]
pub struct Past {
    /// Reads the journal.
    pub reader: JournalReader,
    /// Folder of the saved states.
    pub snapshot_dir: PathBuf,
    /// How many saved states to keep.
    pub snapshots_kept: usize,
    /// When the service makes a background of its own; no answer depends on it.
    pub background: BackgroundRule,
    /// The judge that the service started with.
    pub judge: Judge,
    /// Bundles, compiled against the backgrounds of the journal.
    pub explainers: Explainers,
    /// Reads strategies and bundles.
    pub shelves: Shelves,
}

impl Past {
    /// Saves the state at a position.
    ///
    /// # Errors
    /// `Internal` when it cannot be written.
    pub fn save(&self, position: u64, state: Vec<u8>) -> Result<(), Error> {
        let snapshot = Snapshot { position, schema: SNAPSHOT_SCHEMA.to_owned(), state };
        save(&Disk, &self.snapshot_dir, &snapshot, self.snapshots_kept)
            .map(drop)
            .map_err(|error| Error::failed("writing a snapshot", error))
    }

    /// The state after the record at `position`, folded on from the latest snapshot.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read.
    pub fn state_at(&self, position: u64) -> Result<State, Error> {
        let mut state = self.latest_snapshot(position);
        for entry in read_to_fold(&self.reader, state.position + 1) {
            let (at, record) =
                entry.map_err(|error| Error::failed("reading the journal", error))?;
            if position < at {
                break;
            }
            state.refold(&record);
        }
        Ok(state)
    }

    /// The state in which a recorded decision was made, and the judge that made it, or
    /// would have under another strategy.
    ///
    /// # Errors
    /// `Unavailable` when the bundle that made the decision is not loaded.
    pub fn stand_at(
        &self,
        scored: &ScoredOrder,
        strategy: Option<Arc<ActiveStrategy>>,
    ) -> Result<(State, Judge), Error> {
        let state = self.state_at(scored.decision.versions.graph_position)?;
        // Another strategy is not another model: the bundle must be the recorded one.
        let pace = Pace::AsBefore(LeftOut::of(&scored.decision.degraded_reasons));
        let judge = if let Some(strategy) = strategy {
            self.explaining_judge(&state)?.with_strategy(strategy)
        } else {
            let request = &scored.request;
            self.lineup_of(&state)?.judge(&state, &request.order, request.event_time)
        };
        Ok((state, judge.at_pace(pace)))
    }

    /// Judges a recorded order again and compares; no difference is the promise.
    ///
    /// # Errors
    /// As [`Past::stand_at`].
    pub fn replay(&self, scored: Arc<ScoredOrder>) -> Result<Vec<FieldDifference>, Error> {
        let (mut state, judge) = self.stand_at(&scored, None)?;
        let sight = judge.see(&mut state, &scored.request, &[], || 0);
        let again = judge_as_recorded(&judge, &sight, &scored.decision, &scored.request)?;
        // It may come from memory, where zeros still have signs.
        let recorded = as_recorded(scored).map_err(unreadable)?;
        Ok(differences(&recorded.decision, &again.decision))
    }

    /// The judges of a state.
    ///
    /// # Errors
    /// `Unavailable` when their bundle is not loaded, `Invalid` when a strategy no longer
    /// reads, `Internal` when their background does not compile.
    pub fn lineup_of(&self, state: &State) -> Result<Lineup, Error> {
        let named = (&state.strategies, state.experiments.running_plan());
        Lineup::of(&self.explaining_judge(state)?, named, &self.shelves)
    }

    /// The bundle that was active in a state, against the background of that state.
    fn explaining_judge(&self, state: &State) -> Result<Judge, Error> {
        let judge = judge_of(&self.judge, state, &self.shelves)?;
        self.explainers.explain(&judge, state)
    }

    /// The state before the first record.
    pub fn empty(&self) -> State {
        State::empty(self.background)
    }

    /// The newest usable snapshot not after `position`; an empty state when there is none.
    fn latest_snapshot(&self, position: u64) -> State {
        match load(&self.snapshot_dir, SNAPSHOT_SCHEMA, position) {
            Ok((snapshot, skipped)) => {
                // A snapshot after the position is no fault here; damage was told at start-up.
                drop(skipped);
                snapshot
                    .and_then(|snapshot| State::read(&snapshot.state, self.background).ok())
                    .unwrap_or_else(|| self.empty())
            }
            Err(error) => {
                warn!(%error, "cannot read snapshots, folding the whole journal");
                self.empty()
            }
        }
    }
}

/// A judge with the bundle that is active in a state; its own before the first activation.
///
/// # Errors
/// `Unavailable` when the bundle is not there, `Internal` when it does not fit.
pub fn judge_of(judge: &Judge, state: &State, shelves: &Shelves) -> Result<Judge, Error> {
    let Some(active) = state.models.active() else { return Ok(judge.clone()) };
    if *active.hash == *judge.bundle().hash() {
        return Ok(judge.clone());
    }
    let bundle = shelves.models.get(&active.name, &active.hash)?;
    let fitted = judge.with_bundle(bundle);
    fitted.map_err(|error| Error::failed("fitting the strategy to a bundle", error))
}

/// The decision again, as the journal would hold it, with the recorded id, clocks and
/// timings: those are given, not made.
///
/// # Errors
/// `Internal` when the journal could not hold it.
pub fn judge_as_recorded(
    judge: &Judge,
    sight: &Sight,
    recorded: &Decision,
    request: &ScoreRequest,
) -> Result<Arc<ScoredOrder>, Error> {
    let stamp =
        Stamp { decision_id: recorded.decision_id, received_time: recorded.times.received_time };
    let again = judge.decide(sight, request, &stamp, || 0);
    let decision = Decision { stage_timings: recorded.stage_timings.clone(), ..again };
    let scored = ScoredOrder { request: request.clone(), decision: Arc::new(decision) };
    as_recorded(Arc::new(scored)).map_err(unreadable)
}

fn unreadable(error: crate::store::error::Error) -> Error {
    Error::failed("reading back a decision", error)
}

//! One thread owns the state and puts everything told into one order.
//!
//! It judges, hands the record to the journal's writer and folds it, without
//! waiting: answers leave from the writer's callback, once they are durable.
//! A journal that fails is poisoned and answers nothing more, so a state that
//! ran ahead of the disk is never seen by anyone.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use crate::domain::event::Event;
use crate::domain::exploration::ExplorationReport;
use crate::domain::query::DecisionKey;
use crate::domain::record::{ReceivedEvent, Record, ScoreRequest, ScoredOrder};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::store::journal::JournalWriter;
use crate::store::log::submit_when_room;
use crate::store::records::tail::RecordTail;
use crate::workflow::background_build::BackgroundBuild;
use crate::workflow::command::{Command, Place, Reply, Scored, Stepped, Told};
use crate::workflow::durable_mark::DurableMark;
use crate::workflow::engine_models::model_changed;
use crate::workflow::error::Error;
use crate::workflow::experiment_run::ExperimentRun;
use crate::workflow::experiment_steps::ExperimentStep;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::{Stamp, Stopwatch};
use crate::workflow::judges::Judges;
use crate::workflow::key_ring::KeyRing;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::recent_work::WorkLog;
use crate::workflow::service::{GraphStatusAnswer, NeighborhoodAnswer};
use crate::workflow::state::{State, event_digest, request_digest};
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};
use crate::workflow::trial::Seen;
use crate::workflow::watch_shedding::ShedWatch;

/// Where records go, and the mark of how far they are durable.
#[derive(Debug)]
pub struct Outlets {
    /// Takes records.
    pub writer: JournalWriter,
    /// Is moved when they are on disk.
    pub durable: DurableMark,
    /// Shows doors who may call.
    pub keys: Arc<KeyRing>,
    /// Holds the newest for who follows the journal.
    pub tail: RecordTail,
}

/// Owner of the state.
#[derive(Debug)]
pub struct Sequencer {
    pub(super) state: State,
    judges: Judges,
    outlets: Outlets,
    background: BackgroundBuild,
    recent: VecDeque<(u64, Arc<ScoredOrder>)>,
    work: WorkLog,
    shed_watch: ShedWatch,
    nanos: Stopwatch,
    /// When it started.
    now: Timestamp,
}

impl Sequencer {
    /// A sequencer on a state that has folded the whole journal.
    pub fn new(
        state: State,
        judges: Judges,
        outlets: Outlets,
        background: BackgroundBuild,
        (nanos, now): (Stopwatch, Timestamp),
    ) -> Self {
        let (recent, work) = (VecDeque::new(), WorkLog::default());
        let shed_watch = ShedWatch::default();
        Self { state, judges, outlets, background, recent, work, shed_watch, nanos, now }
    }

    /// Serves commands until every sender is gone, then gives the state back.
    pub fn run(mut self, mut commands: mpsc::Receiver<Command>) -> State {
        // A crash between a harm and the stop that it calls for must not keep it running.
        self.guard(self.now);
        while let Some(command) = commands.blocking_recv() {
            match command {
                Command::Score { request, received_time, decision_id, reply } => {
                    self.renew_background(received_time);
                    let stamp = Stamp { decision_id, received_time };
                    self.score(*request, &stamp, reply);
                }
                Command::See { trials, reply } => {
                    let lineup = self.judges.lineup();
                    answer(reply, Ok(Seen::new(lineup, &mut self.state, trials, self.nanos)));
                }
                Command::Look { looking, reply } => {
                    let (seen, position) = (self.state.graph.look_on(looking), self.state.position);
                    answer(reply, Ok(seen.map(|view| NeighborhoodAnswer { view, position })));
                }
                Command::Status { reply } => {
                    let (status, position) = (self.state.graph.status(), self.state.position);
                    answer(reply, Ok(GraphStatusAnswer { status, position }));
                }
                Command::Reviews { reply } => {
                    let waiting = self.state.undecided.waiting_for_review();
                    let active = self.judges.lineup().active().strategy().clone();
                    answer(reply, Ok((waiting, active, self.state.position)));
                }
                Command::Operators { reply } => self.tell(reply, self.state.operators.reports()),
                Command::ReviewTimes { reply } => {
                    self.tell(reply, self.state.review_times.reports());
                }
                Command::Work { n, reply } => self.tell(reply, self.work.report(n)),
                Command::Explorations { reply } => answer(reply, Ok(self.explorations())),
                Command::Ingest { event, received_time, reply } => {
                    self.renew_background(received_time);
                    self.ingest(*event, received_time, reply);
                }
                Command::Step { step, signature, reply } => self.step(&step, signature, reply),
                Command::Strategies { reply } => answer(reply, Ok(self.strategies())),
                Command::Model { bundle, expected, signature, reply } => {
                    self.change_model(&bundle, expected.as_deref(), signature, reply);
                }
                Command::Models { reply } => self.tell(reply, self.state.models.clone()),
                Command::StepExperiment { step, signature, reply } => {
                    self.experiment(&step, signature, reply);
                }
                Command::Experiment { id, reply } => {
                    let run = self.state.experiments.get(&id).cloned();
                    answer(reply, Ok((run, self.state.position)));
                }
                Command::Experiments { reply } => {
                    let runs = self.state.experiments.runs().iter();
                    let told = runs.map(ExperimentRun::summary).collect();
                    answer(reply, Ok((told, self.state.position)));
                }
                Command::Find { key, reply } => answer(reply, self.find(&key)),
                Command::Access(asked) => self.access(*asked),
                Command::Snapshot { reply } => {
                    let bytes = postcard::to_stdvec(&self.state)
                        .map_err(|error| Error::failed("writing a snapshot", error));
                    answer(reply, bytes.map(|bytes| (self.state.position, bytes)));
                }
            }
        }
        self.background.stop();
        self.state
    }

    /// Answers with what holds as of the state's position.
    fn tell<T>(&self, reply: Reply<(T, u64)>, told: T) {
        answer(reply, Ok((told, self.state.position)));
    }

    /// Puts a background that is done into the journal, in front of what is recorded next,
    /// and starts the next one when it is due. Dry runs do neither.
    fn renew_background(&mut self, now: Timestamp) {
        if let Some(explainer) = self.background.finished(&self.state) {
            self.activate(&explainer, now);
        }
        self.background.start_if_due(&self.state);
    }

    fn activate(&mut self, explainer: &Arc<Explainer>, now: Timestamp) {
        let background = &explainer.background;
        let record = self.background.record(background, now);
        let durable = self.outlets.durable.clone();
        // A failed write stops the journal, which whoever writes next is told.
        let done =
            move |written: Result<u64, _>| written.into_iter().for_each(|at| durable.advance(at));
        match submit_when_room(&self.outlets.writer, &record, done) {
            Ok(position) => {
                self.state.fold(&record);
                let (name, hash, rows) =
                    (background.name(), background.hash(), background.n_rows());
                info!(position, hash, rows, "contributions compare with {name}");
                self.judges.explain(explainer);
            }
            Err(error) => self.background.fail(&self.state, &error),
        }
    }

    fn score(&mut self, request: ScoreRequest, stamp: &Stamp, reply: Reply<Scored>) {
        if let Some(before) = self.state.answered(&request.request_id) {
            let is_same = before.content == request_digest(&request);
            let place = self.place(before.position);
            answer(reply, Ok(Scored::Before { place, is_same }));
            return;
        }
        let lineup = self.judges.lineup();
        let judge = lineup.judge(&self.state, &request.order, request.event_time);
        let decision = judge.judge(&mut self.state, &request, stamp, self.nanos);
        let scored = Arc::new(ScoredOrder { request, decision: Arc::new(decision) });
        let record = Record::Decision(scored.clone());
        let Some(position) = self.submit(&record, reply, Scored::New(scored.clone())) else {
            return;
        };
        self.fold_and_guard(&record, stamp.received_time);
        self.work.made(&scored.decision);
        self.outlets.tail.push(position, record);
        self.remember(position, scored);
    }

    /// Who judges what follows in the journal is changed by the record before it.
    fn step(
        &mut self,
        step: &StrategyStep,
        signature: Signature,
        reply: Reply<(StrategyLedger, u64)>,
    ) {
        let change = match self.judges.change(&self.state, step, signature) {
            Ok(Some(change)) => change,
            Ok(None) => return answer(reply, Ok(self.strategies())),
            Err(error) => return answer(reply, Err(error)),
        };
        let told = (change.ledger, self.state.position + 1);
        if self.submit(&change.record, reply, told).is_some() {
            self.fold(&change.record);
            self.judges.follow(change.lineup);
        }
    }

    /// Another bundle judges what follows in the journal.
    fn change_model(
        &mut self,
        (bundle, report_hash): &(Arc<Bundle>, Box<str>),
        expected: Option<&str>,
        signature: Signature,
        reply: Reply<(ModelLedger, u64)>,
    ) {
        if expected.is_some_and(|expected| self.state.models.active_hash() != expected) {
            return answer(reply, Err(model_changed()));
        }
        let asked = (bundle, report_hash.clone());
        let change = match self.judges.change_model(&self.state, asked, signature) {
            Ok(Some(change)) => change,
            Ok(None) => {
                return answer(reply, Ok((self.state.models.clone(), self.state.position)));
            }
            Err(error) => return answer(reply, Err(error)),
        };
        let mut ledger = self.state.models.clone();
        let position = self.state.position + 1;
        if let Record::ModelActivated(activated) = &change.record {
            ledger.fold(activated, position);
        }
        if self.submit(&change.record, reply, (ledger, position)).is_some() {
            self.fold(&change.record);
            self.background.follow(bundle.clone());
            self.judges.follow_model(change);
        }
    }

    fn experiment(&mut self, step: &ExperimentStep, signature: Signature, reply: Reply<Stepped>) {
        match self.judges.change_experiment(&self.state, step, signature) {
            Ok(None) => answer(reply, Ok(Stepped::Before(self.state.position))),
            Ok(Some(change)) => {
                let told = Stepped::New(self.state.position + 1);
                if self.submit(&change.record, reply, told).is_some() {
                    self.fold(&change.record);
                    self.judges.follow(change.lineup);
                }
            }
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Folds a record, and ends the experiment that it shows to do harm: by the next order, all
    /// are judged as before it.
    fn fold_and_guard(&mut self, record: &Record, now: Timestamp) {
        let before = self.state.experiments.n_changes();
        self.fold(record);
        if self.state.experiments.n_changes() != before {
            self.guard(now);
        }
    }

    fn guard(&mut self, now: Timestamp) {
        let Some(run) = self.state.experiments.running() else { return };
        let Some(end) = run.breach() else { return };
        warn!(experiment = %run.plan.id, ?end, "a guardrail ends the experiment");
        let step = ExperimentStep::End { id: run.plan.id.clone(), end };
        let signature = Signature { by: Box::default(), at: now, note: Box::default() };
        let (reply, _) = oneshot::channel();
        self.experiment(&step, signature, reply);
    }

    fn explorations(&self) -> (ExplorationReport, u64) {
        let active = self.judges.lineup().active().strategy();
        (self.state.explorations.report(&active.strategy), self.state.position)
    }

    fn strategies(&self) -> (StrategyLedger, u64) {
        (self.state.strategies.clone(), self.state.position)
    }

    fn ingest(&mut self, event: Event, received_time: Timestamp, reply: Reply<Told>) {
        if let Some(missing) = self.missing_decision(&event.fact) {
            answer(reply, Err(Error::UnknownDecision(missing)));
            return;
        }
        if let Some(before) = self.state.told(&event.event_id) {
            let is_same = before.content == event_digest(&event);
            answer(reply, Ok(Told::Before { position: before.position, is_same }));
            return;
        }
        let record = Record::Event(ReceivedEvent { event, received_time });
        if let Some(position) = self.submit(&record, reply, Told::New) {
            self.fold_and_guard(&record, received_time);
            self.outlets.tail.push(position, record);
        }
    }

    pub(super) fn fold(&mut self, record: &Record) {
        self.state.fold(record);
        if matches!(record, Record::ApiKeyChanged(_) | Record::PersonChanged(_)) {
            self.outlets.keys.publish(self.state.access.keys_in_use());
        }
        let status = self.state.graph.status();
        if let Some(until) = self.shed_watch.news(&status) {
            let n_shed = status.counts.n_shed;
            warn!(%until, n_shed, "the graph is full: orders before {until} are shed");
        }
    }

    /// Hands a record to the writer; waits for room, which slows the doors down.
    ///
    /// `None` when the journal takes nothing any more: the reply is dropped with
    /// the callback, and its owner reads that as the journal being gone.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        record: &Record,
        reply: Reply<T>,
        told: T,
    ) -> Option<u64> {
        let durable = self.outlets.durable.clone();
        let submitted =
            submit_when_room(&self.outlets.writer, record, move |written| match written {
                Ok(position) => {
                    durable.advance(position);
                    answer(reply, Ok(told));
                }
                Err(error) => answer(reply, Err(Error::journal_lost(&error))),
            });
        submitted.inspect_err(|error| error!(%error, "the journal refused a record")).ok()
    }

    fn find(&self, key: &DecisionKey) -> Result<Place, Error> {
        let position = match key {
            DecisionKey::Id(id) => self.state.decision_position(*id),
            DecisionKey::Order(order) => self.state.order_position(order),
        };
        position.map(|position| self.place(position)).ok_or_else(|| match key {
            DecisionKey::Id(id) => Error::UnknownDecision(*id),
            DecisionKey::Order(order) => Error::UnknownOrder(order.clone()),
        })
    }

    fn place(&self, position: u64) -> Place {
        let recent = self.recent.iter().rev().find(|(at, _)| *at == position);
        Place { position, recent: recent.map(|(_, scored)| scored.clone()) }
    }

    /// Keeps what is not durable yet; the journal answers for the rest.
    fn remember(&mut self, position: u64, scored: Arc<ScoredOrder>) {
        let durable = self.outlets.durable.position();
        while self.recent.front().is_some_and(|(at, _)| *at <= durable) {
            self.recent.pop_front();
        }
        self.recent.push_back((position, scored));
    }
}

/// A caller that hung up does not want the answer; what was recorded stays recorded.
pub(super) fn answer<T>(reply: Reply<T>, result: Result<T, Error>) {
    drop(reply.send(result));
}

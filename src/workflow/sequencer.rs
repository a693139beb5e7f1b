//! One thread owns the state and puts everything told into one order.
//!
//! It judges, hands the record to the journal's writer and folds it, without
//! waiting: answers leave from the writer's callback, once they are durable.
//! A journal that fails is poisoned and answers nothing more, so a state that
//! ran ahead of the disk is never seen by anyone.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::info;

use crate::domain::exploration::ExplorationReport;
use crate::domain::query::DecisionKey;
use crate::domain::record::{Record, ScoreRequest, ScoredOrder};
use crate::domain::review_times::ReviewTimesReport;
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::store::error::Error as StoreError;
use crate::store::log::bytes_of;
use crate::workflow::background_build::BackgroundBuild;
use crate::workflow::command::{Command, Place, Reply, Scored};
use crate::workflow::engine_models::model_changed;
use crate::workflow::error::Error;
use crate::workflow::experiment_run::ExperimentRun;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::{Stamp, Stopwatch};
use crate::workflow::judges::Judges;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::outlets::Outlets;
use crate::workflow::pace::Pace;
use crate::workflow::recent_work::WorkLog;
use crate::workflow::replica::execute::Membership;
use crate::workflow::service::GraphStatusAnswer;
use crate::workflow::state::State;
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};
use crate::workflow::told_fact::ToldFact;
use crate::workflow::trial::Seen;
use crate::workflow::watch_shedding::ShedWatch;

/// Owner of the state.
#[derive(Debug)]
pub struct Sequencer {
    pub(super) state: State,
    pub(super) judges: Judges,
    pub(super) outlets: Outlets,
    pub(super) background: BackgroundBuild,
    /// `None`: it decides alone what comes after what.
    pub(super) membership: Option<Membership>,
    recent: VecDeque<(u64, Arc<ScoredOrder>)>,
    pub(super) work: WorkLog,
    pub(super) shed_watch: ShedWatch,
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
        let membership = None;
        Self {
            state,
            judges,
            outlets,
            background,
            membership,
            recent,
            work,
            shed_watch,
            nanos,
            now,
        }
    }

    /// The sequencer of a replica: what a stream holds decides what comes after what.
    #[must_use]
    pub fn of_replica(self, membership: Membership) -> Self {
        Self { membership: Some(membership), ..self }
    }

    /// Serves commands until every sender is gone, then gives the state back.
    pub fn run(mut self, mut commands: mpsc::Receiver<Command>) -> State {
        // A crash between a harm and the stop that it calls for must not keep it running.
        // A replica comes to it by itself: it executes again what led there.
        if self.membership.is_none() {
            self.guard(self.now);
        }
        while let Some(command) = self.outlets.next(&mut commands) {
            match command {
                Command::Score { request, received_time, decision_id, pace, reply } => {
                    self.renew_background(received_time);
                    let stamp = Stamp { decision_id, received_time };
                    self.score(*request, (&stamp, pace), reply);
                }
                Command::See { trials, reply } => {
                    let lineup = self.judges.lineup();
                    answer(reply, Ok(Seen::new(lineup, &mut self.state, trials, self.nanos)));
                }
                Command::Look { looking, reply } => self.look(looking, reply),
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
                Command::ReviewTimes { reply } => self.review_times(reply),
                Command::Work { n, reply } => self.tell(reply, self.work.report(n)),
                Command::Watch { reply } => answer(reply, Ok(self.watched())),
                Command::Explorations { reply } => answer(reply, Ok(self.explorations())),
                Command::Ingest { event, received_time, reply } => {
                    self.renew_background(received_time);
                    self.ingest(ToldFact::of(*event, received_time), Some(reply));
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
                Command::Name { entities, reply } => self.tell_names(entities, reply),
                Command::Access(asked) => self.access(*asked),
                Command::Batch(batch) => self.execute(*batch),
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

    fn review_times(&self, reply: Reply<(Vec<ReviewTimesReport>, u64)>) {
        self.tell(reply, self.state.review_times.reports());
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

    pub(super) fn activate(&mut self, explainer: &Arc<Explainer>, now: Timestamp) {
        let background = &explainer.background;
        let record = self.background.record(background, now);
        let durable = self.outlets.durable.clone();
        let done = move |written: Result<u64, Arc<StoreError>>| match written {
            Ok(position) => durable.advance(position),
            Err(error) => durable.lose(&error),
        };
        match self.hand_over(bytes_of(&record), done) {
            Ok(position) => {
                self.state.fold(&record);
                let (name, hash, rows) =
                    (background.name(), background.hash(), background.n_rows());
                info!(position, hash, rows, "contributions compare with {name}");
                self.judges.explain(explainer);
            }
            Err(error) => {
                self.journal_lost(&error);
                self.background.fail(&self.state, &error);
            }
        }
    }

    pub(super) fn score(
        &mut self,
        mut request: ScoreRequest,
        (stamp, pace): (&Stamp, Pace),
        reply: Reply<Scored>,
    ) {
        let former = self.recognize_request(&mut request, stamp.received_time);
        if let Some(before) = self.state.answered(&request.request_id) {
            let is_same = self.is_same_request((before.content, former), &request);
            let asked = Box::new(request);
            let known = Scored::Before { place: self.place(before.position), is_same, asked };
            return answer(reply, Ok(known));
        }
        // Work for nobody would only make the others late.
        if pace.is_over(self.nanos) {
            return answer(reply, Err(Error::Late));
        }
        self.state.erasures.strip_order(&mut request.order, request.event_time);
        let lineup = self.judges.lineup();
        let judge = lineup.judge(&self.state, &request.order, request.event_time).at_pace(pace);
        let decision = judge.judge(&mut self.state, &request, stamp, self.nanos);
        let scored = Arc::new(ScoredOrder { request, decision: Arc::new(decision) });
        let record = Record::Decision(scored.clone());
        let Some(position) = self.submit(&record, reply, Scored::New(scored.clone())) else {
            return;
        };
        self.fold_and_guard(&record, stamp.received_time);
        self.work.made(&scored.decision);
        self.hand_on(position, record);
        self.remember(position, scored);
    }

    /// Who judges what follows in the journal is changed by the record before it.
    pub(super) fn step(
        &mut self,
        step: &StrategyStep,
        signature: Signature,
        reply: Reply<(StrategyLedger, u64)>,
    ) {
        let change = match self.judges.change(&self.state, step, signature) {
            Ok(Some(change)) => change,
            Ok(None) => return answer(reply, Ok(self.strategies())),
            Err(error) => return self.refuse(reply, error),
        };
        let told = (change.ledger, self.state.position + 1);
        if self.submit(&change.record, reply, told).is_some() {
            self.fold(&change.record);
            self.judges.follow(change.lineup);
        }
    }

    /// Another bundle judges what follows in the journal.
    pub(super) fn change_model(
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
            Err(error) => return self.refuse(reply, error),
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

    fn explorations(&self) -> (ExplorationReport, u64) {
        let active = self.judges.lineup().active().strategy();
        (self.state.explorations.report(&active.strategy), self.state.position)
    }

    fn strategies(&self) -> (StrategyLedger, u64) {
        (self.state.strategies.clone(), self.state.position)
    }

    pub(super) fn fold(&mut self, record: &Record) {
        self.state.fold(record);
        self.publish(record);
        self.look_for_shedding();
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
        self.submit_bytes(bytes_of(record), Some(reply), told)
    }

    /// The same with the bytes of the record.
    pub(super) fn submit_bytes<T: Send + 'static>(
        &self,
        bytes: Vec<u8>,
        reply: Option<Reply<T>>,
        told: T,
    ) -> Option<u64> {
        let durable = self.outlets.durable.clone();
        let done = move |written: Result<u64, Arc<StoreError>>| match written {
            Ok(position) => {
                durable.advance(position);
                answer(reply, Ok(told));
            }
            Err(error) => {
                durable.lose(&error);
                answer(reply, Err(Error::journal_lost(&error)));
            }
        };
        self.hand_over(bytes, done).inspect_err(|error| self.journal_lost(error)).ok()
    }

    fn hand_over(
        &self,
        bytes: Vec<u8>,
        done: impl FnOnce(Result<u64, Arc<StoreError>>) + Send + 'static,
    ) -> Result<u64, StoreError> {
        let position = self.state.position + 1;
        match &self.membership {
            Some(membership) if membership.kept.holds(position) => {
                membership.keep(position, &bytes, done)
            }
            Some(_) | None => self.outlets.writer.submit_asleep(bytes, done),
        }
    }

    fn journal_lost(&self, error: &StoreError) {
        self.outlets.durable.lose(error);
        self.halt_on(&Error::journal_lost(error));
    }

    /// Answers with an error; a replica stands still when the others may have none.
    pub(super) fn refuse<T>(&self, reply: Reply<T>, error: Error) {
        self.halt_on(&error);
        answer(reply, Err(error));
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
pub(super) fn answer<T>(reply: impl Into<Option<Reply<T>>>, result: Result<T, Error>) {
    if let Some(reply) = reply.into() {
        drop(reply.send(result));
    }
}

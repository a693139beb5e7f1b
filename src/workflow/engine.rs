//! The engine behind every door: asks the sequencer, reads journal and records.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::domain::decision::{Decision, DecisionId};
use crate::domain::event::Event;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::neighborhood::NeighborhoodQuery;
use crate::domain::query::{DecisionKey, DecisionQuery, FieldDifference, WhatIf, WhatIfSubject};
use crate::domain::record::{Record, ScoreRequest, ScoredOrder};
use crate::domain::time::{Span, Timestamp};
use crate::graph::neighborhood::Looking;
use crate::store::journal::Journal;
use crate::store::journal::reader::JournalReader;
use crate::store::records::follow::RecordsFollower;
use crate::store::records::query::{DecisionRow, PageCursor, Records};
use crate::workflow::command::{Command, Place, Scored};
use crate::workflow::durable_mark::DurableMark;
use crate::workflow::erased_board::ErasedBoard;
use crate::workflow::error::{Error, with_cause};
use crate::workflow::judge_order::{Judge, Stopwatch};
use crate::workflow::key_ring::KeyRing;
use crate::workflow::pace::TimeBudgets;
use crate::workflow::past::Past;
use crate::workflow::preview::PREVIEWS_MAX;
use crate::workflow::read_journal::{decision_at, no_decision, record_at};
use crate::workflow::replica::board::{Board, ReplicaStatus};
use crate::workflow::service::{
    Ack, DecisionPage, GraphStatusAnswer, NeighborhoodAnswer, OrderService, ScoreAnswer,
    WhatIfAnswer,
};
use crate::workflow::similar_cases::SEARCHES_MAX;
use crate::workflow::state::State;
use crate::workflow::strategy_service::StrategyService as _;
use crate::workflow::trial::{Seen, Trial};
use crate::workflow::way::Way;
use crate::workflow::what_if::Terms;

/// Makes ids for decisions that were received at an instant.
pub type NewId = fn(Timestamp) -> DecisionId;

/// A running engine. Dropping the last handle stops its threads after the queued work.
#[derive(Debug)]
pub struct Engine {
    pub(super) way: Way,
    pub(super) durable: DurableMark,
    pub(super) reader: JournalReader,
    pub(super) records: Arc<Records>,
    pub(super) follower: RecordsFollower,
    past: Arc<Past>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) erased: Arc<ErasedBoard>,
    active: watch::Receiver<Judge>,
    new_id: NewId,
    nanos: Stopwatch,
    budgets: TimeBudgets,
    pub(super) data_dir: PathBuf,
    pub(super) previews: Arc<Semaphore>,
    pub(super) similar_searches: Arc<Semaphore>,
    sequencer: Option<JoinHandle<State>>,
    pub(super) journal: Option<Journal>,
}

/// What [`Engine::new`] joins.
#[derive(Debug)]
pub struct EngineParts {
    /// Way to the sequencer.
    pub way: Way,
    /// Its thread.
    pub sequencer: JoinHandle<State>,
    /// The open journal.
    pub journal: Journal,
    /// Mark of what is durable, shared with the sequencer.
    pub durable: DurableMark,
    /// Answers lists.
    pub records: Records,
    /// Keeps the records up with the journal.
    pub follower: RecordsFollower,
    /// The API keys of the moment, shared with the sequencer.
    pub keys: Arc<KeyRing>,
    /// What was erased, shared with the sequencer.
    pub erased: Arc<ErasedBoard>,
    /// Who judges what no experiment covers.
    pub active: watch::Receiver<Judge>,
    /// Makes earlier states again.
    pub past: Past,
    /// Makes ids.
    pub new_id: NewId,
    /// Tells how much time is left.
    pub nanos: Stopwatch,
    /// What parts of an answer need of it.
    pub budgets: TimeBudgets,
    /// Folder of journal, records and snapshots.
    pub data_dir: PathBuf,
}

impl Engine {
    /// Joins the running parts.
    pub fn new(parts: EngineParts) -> Self {
        Self {
            way: parts.way,
            durable: parts.durable,
            reader: parts.journal.reader(),
            records: Arc::new(parts.records),
            follower: parts.follower,
            keys: parts.keys,
            erased: parts.erased,
            active: parts.active,
            past: Arc::new(parts.past),
            new_id: parts.new_id,
            nanos: parts.nanos,
            budgets: parts.budgets,
            data_dir: parts.data_dir,
            previews: Arc::new(Semaphore::new(PREVIEWS_MAX)),
            similar_searches: Arc::new(Semaphore::new(SEARCHES_MAX)),
            sequencer: Some(parts.sequencer),
            journal: Some(parts.journal),
        }
    }

    /// Writes a snapshot of the state as it is now, so that the next start is quick.
    ///
    /// # Errors
    /// `Internal` when it cannot be written; nothing depends on it.
    pub async fn save_snapshot(&self) -> Result<u64, Error> {
        let (position, bytes) = self.ask(|reply| Command::Snapshot { reply }).await?;
        // A snapshot of what is not durable would know more than the journal after a crash.
        self.durable.reached(position).await?;
        let past = self.past.clone();
        block(move || past.save(position, bytes)).await?;
        Ok(position)
    }

    /// The last journal position that is on disk.
    pub fn durable_position(&self) -> u64 {
        self.durable.position()
    }

    /// Stops the threads: what was submitted is written, then the journal is let go.
    pub fn stop(mut self) {
        let (closed, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.way, Way::Alone(closed)));
        if let Some(sequencer) = self.sequencer.take() {
            // A sequencer that panicked has told the log; there is nothing left to save.
            drop(sequencer.join());
        }
        drop(self.journal.take());
    }

    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.way.send(command(reply))?;
        answer.await.map_err(|_| self.way.lost())?
    }

    /// Who judges what no experiment covers.
    pub(super) fn active(&self) -> Judge {
        self.active.borrow().clone()
    }

    /// Makes earlier states again, and reads strategies.
    pub(super) fn past(&self) -> &Arc<Past> {
        &self.past
    }

    /// Waits until a position is durable.
    pub(super) async fn reached(&self, position: u64) -> Result<(), Error> {
        self.durable.reached(position).await
    }

    /// The scored order at a place, as soon as it is durable.
    async fn scored_at(&self, place: Place) -> Result<Arc<ScoredOrder>, Error> {
        self.durable.reached(place.position).await?;
        if let Some(scored) = place.recent {
            return Ok(scored);
        }
        let Record::Decision(scored) = self.record_at(place.position).await? else {
            return Err(no_decision(place.position));
        };
        Ok(scored)
    }

    pub(super) async fn record_at(&self, position: u64) -> Result<Record, Error> {
        let reader = self.reader.clone();
        block(move || record_at(&reader, position)).await
    }

    /// The scored order as it was recorded: to compute with, not to show.
    pub(super) async fn find(&self, key: DecisionKey) -> Result<Arc<ScoredOrder>, Error> {
        let place = self.ask(|reply| Command::Find { key, reply }).await?;
        self.scored_at(place).await
    }

    /// The scored order without what was erased since.
    pub(super) async fn find_shown(&self, key: DecisionKey) -> Result<Arc<ScoredOrder>, Error> {
        Ok(self.erased.shown(self.find(key).await?))
    }

    async fn see(&self, trials: Vec<Trial>) -> Result<Seen, Error> {
        self.ask(|reply| Command::See { trials, reply }).await
    }
}

impl OrderService for Engine {
    fn active_strategy(&self) -> Arc<str> {
        (&*self.active.borrow().strategy().strategy.name).into()
    }

    fn records_failure(&self) -> Option<Box<str>> {
        self.follower.failure().map(|failure| with_cause(&failure))
    }

    fn journal_lost(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.durable.lost())
    }

    fn replica(&self) -> Option<watch::Receiver<ReplicaStatus>> {
        self.way.board().map(Board::watch)
    }

    async fn score_in_time(
        &self,
        request: ScoreRequest,
        received: Timestamp,
        left: Option<Span>,
    ) -> Result<ScoreAnswer, Error> {
        let decision_id = (self.new_id)(received);
        let pace = self.budgets.pace(left, self.nanos);
        let request = Box::new(request);
        let command =
            |reply| Command::Score { request, received_time: received, decision_id, pace, reply };
        match self.ask(command).await? {
            Scored::New(scored) => Ok(ScoreAnswer::new(&scored)),
            Scored::Before { place, is_same, asked } => {
                let scored = self.scored_at(place).await?;
                let fields = if is_same {
                    Vec::new()
                } else {
                    self.differing(&scored.request, &asked).await?
                };
                if fields.is_empty() {
                    let decision = self.erased.shown_decision(scored.decision.clone());
                    return Ok(ScoreAnswer { decision, is_replayed: true });
                }
                Err(Error::IdReused { id: asked.request_id, fields })
            }
        }
    }

    async fn dry_run(
        &self,
        request: ScoreRequest,
        received: Timestamp,
    ) -> Result<Arc<Decision>, Error> {
        let decision_id = (self.new_id)(received);
        let trial = Trial { request, given: Vec::new(), strategy: None, decision_id };
        let seen = self.see(vec![trial]).await?;
        let decided = block(move || Ok(seen.decide(received).pop())).await?;
        decided.map(Arc::new).ok_or_else(|| Error::Unavailable("it was not looked at".into()))
    }

    async fn get_decision(&self, key: DecisionKey) -> Result<Arc<Decision>, Error> {
        Ok(self.find_shown(key).await?.decision.clone())
    }

    async fn list_decisions(&self, query: DecisionQuery) -> Result<DecisionPage, Error> {
        // A list asked for now shows what was answered before now.
        self.records_caught_up().await?;
        let after = match query.older_than {
            None => None,
            Some(decision_id) => {
                let last = self.find(DecisionKey::Id(decision_id)).await?;
                let received_time = last.decision.times.received_time;
                Some(PageCursor { received_time, decision_id })
            }
        };
        let records = self.records.clone();
        let limit = query.n_max.saturating_add(1);
        let filter = query.filter.into();
        let rows = block(move || {
            records
                .list_decisions(&filter, after, limit)
                .map_err(|error| Error::unread("listing decisions", error))
        });
        let mut rows = rows.await?;
        let has_more = rows.len() > query.n_max as usize;
        rows.truncate(query.n_max as usize);
        // Another replica may have filled in what this one is about to hear.
        if let Some(last) = rows.iter().map(|row| row.position).max() {
            self.durable.reached(last).await?;
        }
        let (reader, erased) = (self.reader.clone(), self.erased.clone());
        let read = block(move || {
            let read = |row: DecisionRow| {
                decision_at(&reader, row.position).map(|decision| erased.shown_decision(decision))
            };
            rows.into_iter().map(read).collect::<Result<_, _>>()
        });
        Ok(DecisionPage { decisions: read.await?, has_more })
    }

    async fn what_if(&self, question: WhatIf, received: Timestamp) -> Result<WhatIfAnswer, Error> {
        let known = self.list_strategies().await?;
        let terms = Terms::read(&question, (&self.past, &self.active()), &known)?;
        match question.subject {
            WhatIfSubject::Request(request) => {
                let ids = [received; 2].map(self.new_id);
                let seen = self.see(terms.trials(request, ids)).await?;
                block(move || terms.answer_seen(seen, received)).await
            }
            WhatIfSubject::Decision(id) => {
                let scored = self.find(DecisionKey::Id(id)).await?;
                let past = self.past.clone();
                let answer = block(move || terms.answer_recorded(&past, &scored)).await?;
                Ok(self.erased.shown_answer(answer))
            }
        }
    }

    async fn get_neighborhood(
        &self,
        query: NeighborhoodQuery,
        received_time: Timestamp,
    ) -> Result<NeighborhoodAnswer, Error> {
        let mut looking = Box::new(Looking::new(query, received_time));
        // Orders are judged between two walks.
        let shown = loop {
            match self.ask(|reply| Command::Look { looking, reply }).await? {
                Ok(shown) => break shown,
                Err(more) => looking = more,
            }
        };
        // What is shown is on disk: nobody sees a state that a crash could take back.
        self.durable.reached(shown.position).await?;
        Ok(shown)
    }

    async fn get_graph_status(&self) -> Result<GraphStatusAnswer, Error> {
        let read = self.ask(|reply| Command::Status { reply }).await?;
        self.durable.reached(read.position).await?;
        Ok(read)
    }

    async fn replay_decision(&self, id: DecisionId) -> Result<Vec<FieldDifference>, Error> {
        let (scored, past) = (self.find(DecisionKey::Id(id)).await?, self.past.clone());
        block(move || past.replay(scored)).await
    }

    async fn ingest_event(&self, event: Event, received: Timestamp) -> Result<Ack, Error> {
        let id = event.event_id.clone();
        self.tell(event, id, received).await
    }

    async fn record_choice(
        &self,
        choice: OperatorChoice,
        received: Timestamp,
    ) -> Result<Ack, Error> {
        let id = choice.choice_id.clone();
        let event = Event::of_choice(choice);
        self.tell(event, id, received).await
    }

    async fn record_outcome(&self, outcome: Outcome, received: Timestamp) -> Result<Ack, Error> {
        let id = outcome.outcome_id.clone();
        let event = Event::of_outcome(outcome);
        self.tell(event, id, received).await
    }
}

pub(super) async fn block<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::failed("a background task", error)),
    }
}

//! The sequencer's part for replicas: executes what the stream holds.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc;
use tracing::warn;

use crate::domain::proposal::{
    Proposal, ProposedBackground, ProposedScore, Start, Step, StrategyWish,
};
use crate::domain::record::{Followed, GraphActivated, Record};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::model::background::Background;
use crate::store::error::Error as StoreError;
use crate::workflow::access_command::AccessCommand;
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::Stamp;
use crate::workflow::pace::Pace;
use crate::workflow::replica::board::Board;
use crate::workflow::replica::kept_tail::KeptTail;
use crate::workflow::replica::ready::Ready;
use crate::workflow::replica::waiting::{
    OrderedBatch, Waiting, audited, erased, key, models, nobody, noted, person, scored, stepped,
    strategies, told,
};
use crate::workflow::sequencer::{Sequencer, answer};
use crate::workflow::strategy_ledger::StrategyStep;

/// What a sequencer has to have to be a replica's.
#[derive(Debug)]
pub struct Membership {
    /// Where it tells how it does.
    pub board: Board,
    /// What its journal holds of a message that was not executed in full.
    pub kept: KeptTail,
    /// Takes what it proposes itself.
    pub offers: mpsc::Sender<Proposal>,
    /// True while the records wait: it is far behind.
    pub records_held: Arc<AtomicBool>,
}

impl Membership {
    /// Passes over a record that the journal holds already.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when it holds another one: then the replica stands still.
    pub fn keep(
        &self,
        position: u64,
        bytes: &[u8],
        done: impl FnOnce(Result<u64, Arc<StoreError>>),
    ) -> Result<u64, StoreError> {
        if let Err(why) = self.kept.check(position, bytes) {
            self.board.halt(&why);
            return Err(StoreError::Closed);
        }
        done(Ok(position));
        Ok(position)
    }
}

impl Sequencer {
    /// Executes a batch and puts down that it has; once it stands still, nothing.
    pub(in crate::workflow) fn execute(&mut self, batch: OrderedBatch) {
        for (ready, waiting) in batch.entries {
            if self.stands_still() {
                return;
            }
            match ready {
                Ready::Score(score) => self.execute_score(*score, waiting),
                Ready::Tell(fact) => {
                    self.offer_background(fact.received.received_time);
                    self.ingest(*fact, told(waiting));
                }
                Ready::Background(background) => self.take_background(*background),
                Ready::Step(step) => self.execute_step(*step, waiting),
            }
        }
        if self.stands_still() {
            return;
        }
        let (sequence, checksum) = (batch.sequence, batch.checksum);
        let stream = (&*batch.stream).into();
        self.add_quietly(&Record::Followed(Followed { stream, sequence, checksum }));
        if let Some(membership) = &self.membership {
            membership.board.executed(sequence);
        }
    }

    /// Whether it must execute nothing more.
    fn stands_still(&self) -> bool {
        self.membership.as_ref().is_none_or(|it| it.board.is_halted())
    }

    /// A replica that cannot execute what all others do must not go on without it.
    pub(in crate::workflow) fn halt_on(&self, error: &Error) {
        let Some(membership) = &self.membership else { return };
        match error.kind() {
            ErrorKind::Unavailable | ErrorKind::Internal | ErrorKind::Exhausted => {
                membership.board.halt(&error.to_string());
            }
            // Every replica refuses it alike.
            ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Refused
            | ErrorKind::Late => {}
        }
    }

    fn execute_score(&mut self, score: ProposedScore, waiting: Option<Waiting>) {
        let ProposedScore { request, received_time, decision_id } = score;
        self.offer_background(received_time);
        let stamp = Stamp { decision_id, received_time };
        self.score(request, (&stamp, Pace::Unhurried), scored(waiting));
    }

    fn execute_step(&mut self, step: Step, waiting: Option<Waiting>) {
        match step {
            Step::Start(start) => {
                self.take_start(&start);
                if let (Some(Waiting::Start), Some(membership)) = (waiting, &self.membership) {
                    membership.board.follow();
                }
            }
            Step::Strategy { step, signature } => {
                let reply = strategies(waiting);
                match self.read_wish(step) {
                    Ok(step) => self.step(&step, signature, reply),
                    Err(error) => answer(reply, Err(error)),
                }
            }
            Step::Model { name, hash, report_hash, expected, signature } => {
                match self.judges.shelves().models.get(&name, &hash) {
                    Ok(bundle) => {
                        let (asked, reply) = ((bundle, report_hash), models(waiting));
                        self.change_model(&asked, expected.as_deref(), signature, reply);
                    }
                    Err(error) => self.halt_on(&error),
                }
            }
            Step::Experiment { step, signature } => {
                self.experiment(&step, signature, stepped(waiting));
            }
            Step::Person { draft, signature } => {
                let reply = person(waiting);
                self.access(AccessCommand::Change { draft, signature, reply });
            }
            Step::Key { change, signature } => {
                let reply = key(waiting);
                self.access(AccessCommand::ChangeKey { change, signature, reply });
            }
            Step::Erase { entity, signature } => {
                let reply = erased(waiting);
                self.access(AccessCommand::Erase { entity, signature, reply });
            }
            Step::Audit { draft, at } => {
                let reply = audited(waiting);
                self.access(AccessCommand::Audit { draft, at, reply });
            }
            Step::Note(note) => {
                let reply = noted(waiting);
                self.access(AccessCommand::Note { note, reply });
            }
        }
    }

    fn read_wish(&self, wish: StrategyWish) -> Result<StrategyStep, Error> {
        let read = |toml: &str| {
            self.judges.shelves().strategies.check(toml).map_err(Error::InvalidStrategy)
        };
        Ok(match wish {
            StrategyWish::File(toml) => StrategyStep::File(read(&toml)?),
            StrategyWish::Propose(toml) => StrategyStep::Propose(read(&toml)?),
            StrategyWish::Approve(hash) => StrategyStep::Approve(hash),
            StrategyWish::Activate { hash, percent } => StrategyStep::Activate { hash, percent },
            StrategyWish::Revert => StrategyStep::Revert,
        })
    }

    /// What a replica came up with is taken where it says something new.
    fn take_start(&mut self, start: &Start) {
        let Start { graph, model, model_hash, strategy, rotation, at } = start;
        if let Some(record) = self.state.rotation_record(rotation.as_ref(), *at) {
            self.add_quietly(&record);
        }
        if *self.state.graph_settings != **graph {
            let settings = graph.clone();
            self.add_quietly(&Record::GraphActivated(GraphActivated { settings, at: *at }));
        }
        let signature = || Signature { by: Box::default(), at: *at, note: Box::default() };
        if *self.state.models.offered_hash() != **model_hash {
            match self.judges.shelves().models.get(model, model_hash) {
                Ok(bundle) => {
                    let asked = (bundle, Box::default());
                    self.change_model(&asked, None, signature(), nobody());
                }
                Err(error) => return self.halt_on(&error),
            }
        }
        match self.read_wish(StrategyWish::File(strategy.clone())) {
            Ok(step) => self.step(&step, signature(), nobody()),
            Err(error) => warn!(%error, "the strategy file of a replica does not read here"),
        }
    }

    /// The first background that replaces the present one counts; those of other replicas, which
    /// were made of the same orders, come too late.
    fn take_background(&mut self, offered: ProposedBackground) {
        let ProposedBackground { replaces, activated } = offered;
        let present = self.state.background.as_ref().map_or("", Background::name);
        let is_of_bundle = *activated.model_hash == *self.state.models.active_hash();
        if present != &*replaces || !is_of_bundle {
            return;
        }
        if let Some(explainer) = self.background.explainer_of(&activated) {
            self.activate(&explainer, activated.at);
        }
    }

    /// Proposes a background that is done, and starts the next one when it is due.
    fn offer_background(&mut self, now: Timestamp) {
        let Some(membership) = &self.membership else { return };
        // What was due while it was catching up, others have made.
        if !membership.board.is_following() {
            return;
        }
        if let Some(explainer) = self.background.finished(&self.state) {
            let offers = membership.offers.clone();
            self.offer(&explainer, now, &offers);
        }
        self.background.start_if_due(&self.state);
    }

    fn offer(&mut self, explainer: &Explainer, at: Timestamp, offers: &mpsc::Sender<Proposal>) {
        if let Record::BackgroundActivated(activated) =
            self.background.record(&explainer.background, at)
        {
            let replaces = self.state.background.as_ref().map_or("", Background::name).into();
            let offer = Proposal::Background(Box::new(ProposedBackground { replaces, activated }));
            // When it gets lost, the next one is not far.
            drop(offers.try_send(offer));
        }
        self.background.rest(&self.state);
    }

    /// Records and folds what nobody waits for.
    pub(in crate::workflow) fn add_quietly(&mut self, record: &Record) {
        if self.submit(record, nobody(), ()).is_some() {
            self.fold(record);
        }
    }
}

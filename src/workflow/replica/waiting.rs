//! Commands split into what is proposed and who waits for it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::domain::access::{AuditEntry, Person};
use crate::domain::api_key::ApiKey;
use crate::domain::erasure::Erased;
use crate::domain::proposal::{Proposal, ProposedFact, ProposedScore, Step, StrategyWish};
use crate::workflow::access_command::{AccessCommand, Noting};
use crate::workflow::command::{Command, Reply, Scored, Stepped, Told};
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::replica::ready::Ready;
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};

/// Who waits until a proposal is executed. Dropping it tells the caller that its fate is not
/// known.
#[derive(Debug)]
pub enum Waiting {
    /// For a decision.
    Score(Reply<Scored>),
    /// For a fact.
    Tell(Reply<Told>),
    /// For a step on strategies.
    Strategy(Reply<(StrategyLedger, u64)>),
    /// For another bundle.
    Model(Reply<(ModelLedger, u64)>),
    /// For a step of an experiment.
    Experiment(Reply<Stepped>),
    /// For a person.
    Person(Reply<(Person, u64)>),
    /// For an API key.
    Key(Reply<(ApiKey, u64)>),
    /// For an erasure.
    Erase(Reply<(Erased, u64)>),
    /// For an entry of the audit log.
    Audit(Reply<(AuditEntry, u64)>),
    /// For a note.
    Note(Reply<(Noting, u64)>),
    /// The replica itself: it has caught up when this is executed.
    Start,
}

/// A batch of the stream, and who waits for what of it.
#[derive(Debug)]
pub struct OrderedBatch {
    /// The stream, with the time it was made.
    pub stream: Arc<str>,
    /// Its number in the stream.
    pub sequence: u64,
    /// CRC-32 of its bytes.
    pub checksum: u32,
    /// What is to be executed, in order.
    pub entries: Vec<(Ready, Option<Waiting>)>,
    /// Its place in the queue: few batches wait, so that memory stays bounded.
    pub place: OwnedSemaphorePermit,
}

/// What becomes of a command.
#[derive(Debug)]
pub enum Split {
    /// It changes something: all replicas execute it.
    Proposed(Proposal, Waiting),
    /// It changes nothing: it is answered here.
    Here(Box<Command>),
}

/// Splits a command.
pub fn split(command: Command) -> Split {
    let step = |step, waiting| Split::Proposed(Proposal::Step(Box::new(step)), waiting);
    match command {
        // All replicas must come to the same answer, however late one of them is.
        Command::Score { request, received_time, decision_id, pace: _, reply } => {
            let score = ProposedScore { request: *request, received_time, decision_id };
            Split::Proposed(Proposal::Score(Box::new(score)), Waiting::Score(reply))
        }
        Command::Ingest { event, received_time, reply } => {
            let fact = ProposedFact { event: *event, received_time };
            Split::Proposed(Proposal::Tell(Box::new(fact)), Waiting::Tell(reply))
        }
        Command::Step { step: asked, signature, reply } => {
            let wish = wish_of(&asked);
            step(Step::Strategy { step: wish, signature }, Waiting::Strategy(reply))
        }
        Command::Model { bundle: (bundle, report_hash), expected, signature, reply } => {
            let (name, hash) = (bundle.full_name(), bundle.hash().into());
            let model = Step::Model { name, hash, report_hash, expected, signature };
            step(model, Waiting::Model(reply))
        }
        Command::StepExperiment { step: asked, signature, reply } => {
            step(Step::Experiment { step: asked, signature }, Waiting::Experiment(reply))
        }
        Command::Access(asked) => split_access(*asked),
        here @ (Command::See { .. }
        | Command::Look { .. }
        | Command::Status { .. }
        | Command::Reviews { .. }
        | Command::Operators { .. }
        | Command::ReviewTimes { .. }
        | Command::Work { .. }
        | Command::Explorations { .. }
        | Command::Models { .. }
        | Command::Experiment { .. }
        | Command::Experiments { .. }
        | Command::Strategies { .. }
        | Command::Find { .. }
        | Command::Name { .. }
        | Command::Batch(_)
        | Command::Watch { .. }
        | Command::Snapshot { .. }) => Split::Here(Box::new(here)),
    }
}

fn split_access(asked: AccessCommand) -> Split {
    let step = |step, waiting| Split::Proposed(Proposal::Step(Box::new(step)), waiting);
    match asked {
        AccessCommand::Change { draft, signature, reply } => {
            step(Step::Person { draft, signature }, Waiting::Person(reply))
        }
        AccessCommand::ChangeKey { change, signature, reply } => {
            step(Step::Key { change, signature }, Waiting::Key(reply))
        }
        AccessCommand::Erase { entity, signature, reply } => {
            step(Step::Erase { entity, signature }, Waiting::Erase(reply))
        }
        AccessCommand::Audit { draft, at, reply } => {
            step(Step::Audit { draft, at }, Waiting::Audit(reply))
        }
        AccessCommand::Note { note, reply } => step(Step::Note(note), Waiting::Note(reply)),
        here @ (AccessCommand::People { .. }
        | AccessCommand::Find { .. }
        | AccessCommand::Keys { .. }
        | AccessCommand::Head { .. }) => Split::Here(Box::new(Command::Access(Box::new(here)))),
    }
}

fn wish_of(step: &StrategyStep) -> StrategyWish {
    match step {
        StrategyStep::File(read) => StrategyWish::File(read.toml.clone()),
        StrategyStep::Propose(read) => StrategyWish::Propose(read.toml.clone()),
        StrategyStep::Approve(hash) => StrategyWish::Approve(hash.clone()),
        StrategyStep::Activate { hash, percent } => {
            StrategyWish::Activate { hash: hash.clone(), percent: *percent }
        }
        StrategyStep::Revert => StrategyWish::Revert,
    }
}

/// Who waits for a decision.
pub(super) fn scored(waiting: Option<Waiting>) -> Reply<Scored> {
    if let Some(Waiting::Score(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for a fact.
pub(super) fn told(waiting: Option<Waiting>) -> Option<Reply<Told>> {
    if let Some(Waiting::Tell(reply)) = waiting { Some(reply) } else { None }
}

/// Who waits for a step on strategies.
pub(super) fn strategies(waiting: Option<Waiting>) -> Reply<(StrategyLedger, u64)> {
    if let Some(Waiting::Strategy(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for another bundle.
pub(super) fn models(waiting: Option<Waiting>) -> Reply<(ModelLedger, u64)> {
    if let Some(Waiting::Model(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for a step of an experiment.
pub(super) fn stepped(waiting: Option<Waiting>) -> Reply<Stepped> {
    if let Some(Waiting::Experiment(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for a person.
pub(super) fn person(waiting: Option<Waiting>) -> Reply<(Person, u64)> {
    if let Some(Waiting::Person(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for an API key.
pub(super) fn key(waiting: Option<Waiting>) -> Reply<(ApiKey, u64)> {
    if let Some(Waiting::Key(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for an erasure.
pub(super) fn erased(waiting: Option<Waiting>) -> Reply<(Erased, u64)> {
    if let Some(Waiting::Erase(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for an entry of the audit log.
pub(super) fn audited(waiting: Option<Waiting>) -> Reply<(AuditEntry, u64)> {
    if let Some(Waiting::Audit(reply)) = waiting { reply } else { nobody() }
}

/// Who waits for a note.
pub(super) fn noted(waiting: Option<Waiting>) -> Reply<(Noting, u64)> {
    if let Some(Waiting::Note(reply)) = waiting { reply } else { nobody() }
}

/// A reply that nobody reads: another replica was asked.
pub(super) fn nobody<T>() -> Reply<T> {
    oneshot::channel().0
}

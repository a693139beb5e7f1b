//! What the doors ask of the sequencer, and what it answers.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::decision::DecisionId;
use crate::domain::entity::EntityRef;
use crate::domain::event::Event;
use crate::domain::experiment_draft::ExperimentSummary;
use crate::domain::exploration::ExplorationReport;
use crate::domain::operators::OperatorReport;
use crate::domain::proposal::ExperimentStep;
use crate::domain::query::DecisionKey;
use crate::domain::record::{ScoreRequest, ScoredOrder};
use crate::domain::review_times::ReviewTimesReport;
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::graph::neighborhood::Looking;
use crate::model::bundle::Bundle;
use crate::workflow::access_command::AccessCommand;
use crate::workflow::error::Error;
use crate::workflow::experiment_run::ExperimentRun;
use crate::workflow::judge_order::ActiveStrategy;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::pace::Pace;
use crate::workflow::recent_work::RecentWork;
use crate::workflow::replica::waiting::OrderedBatch;
use crate::workflow::service::{GraphStatusAnswer, NeighborhoodAnswer};
use crate::workflow::strategy_ledger::{StrategyLedger, StrategyStep};
use crate::workflow::trial::{Seen, Trial};
use crate::workflow::undecided::Reviews;
use crate::workflow::watch_service::Watched;

/// Sends the answer to whoever asked.
pub type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A view of the graph, or what to look on from.
pub type Looked = Result<NeighborhoodAnswer, Box<Looking>>;

/// Orders that wait for a review, the active strategy, and as of which journal position.
pub type Waiting = (Reviews, Arc<ActiveStrategy>, u64);

/// What the doors ask of the sequencer.
#[derive(Debug)]
pub enum Command {
    /// Judge an order and record the answer.
    Score {
        /// What is asked.
        request: Box<ScoreRequest>,
        /// When it arrived.
        received_time: Timestamp,
        /// Id for a new decision.
        decision_id: DecisionId,
        /// How much time there is.
        pace: Pace,
        /// Where the answer goes.
        reply: Reply<Scored>,
    },
    /// See orders, all in the same state, and forget them.
    See {
        /// The orders.
        trials: Vec<Trial>,
        /// Where it goes what was seen.
        reply: Reply<Seen>,
    },
    /// Show a part of the graph.
    Look {
        /// Which part, and what is seen of it.
        looking: Box<Looking>,
        /// Where the view goes, or what to look on from.
        reply: Reply<Looked>,
    },
    /// Tell how full the graph is.
    Status {
        /// Where the answer goes.
        reply: Reply<GraphStatusAnswer>,
    },
    /// List the orders that wait for a review.
    Reviews {
        /// Where the answer goes: the orders, the active strategy, the journal position.
        reply: Reply<Waiting>,
    },
    /// Tell how operators choose.
    Operators {
        /// Where the answer goes: the operators, the journal position.
        reply: Reply<(Vec<OperatorReport>, u64)>,
    },
    /// Tell how long people look at orders.
    ReviewTimes {
        /// Where the answer goes: a report per explanation, the journal position.
        reply: Reply<(Vec<ReviewTimesReport>, u64)>,
    },
    /// Tell how the newest decisions were made.
    Work {
        /// How many.
        n: u32,
        /// Where the answer goes, and up to which position it is made.
        reply: Reply<(RecentWork, u64)>,
    },
    /// Tell what releasing declined orders cost and showed.
    Explorations {
        /// Where the answer goes: the report, the journal position.
        reply: Reply<(ExplorationReport, u64)>,
    },
    /// Record a fact.
    Ingest {
        /// The fact, sealed.
        event: Box<Event>,
        /// When it arrived.
        received_time: Timestamp,
        /// Where the answer goes.
        reply: Reply<Told>,
    },
    /// Do something with strategies.
    Step {
        /// What.
        step: StrategyStep,
        /// Who, when and why.
        signature: Signature,
        /// Where the strategies after it go, and up to which position they are folded.
        reply: Reply<(StrategyLedger, u64)>,
    },
    /// Let another bundle judge.
    Model {
        /// The bundle, loaded, and the hash of the report that its promotion rests on.
        bundle: (Arc<Bundle>, Box<str>),
        /// Hash of the bundle that has to be active for this; `None` takes any.
        expected: Option<Box<str>>,
        /// Who, when and why.
        signature: Signature,
        /// Where the bundles after it go, and up to which position they are folded.
        reply: Reply<(ModelLedger, u64)>,
    },
    /// List the bundles that judged.
    Models {
        /// Where they go, and up to which position they are folded.
        reply: Reply<(ModelLedger, u64)>,
    },
    /// Do something with an experiment.
    StepExperiment {
        /// What.
        step: ExperimentStep,
        /// Who, when and why.
        signature: Signature,
        /// Where the answer goes.
        reply: Reply<Stepped>,
    },
    /// Copy an experiment as it is now.
    Experiment {
        /// Which one.
        id: Box<str>,
        /// Where it goes, and up to which position it is folded.
        reply: Reply<(Option<ExperimentRun>, u64)>,
    },
    /// List the experiments that are remembered.
    Experiments {
        /// Where they go, and up to which position they are folded.
        reply: Reply<(Vec<ExperimentSummary>, u64)>,
    },
    /// List the strategies.
    Strategies {
        /// Where they go, and up to which position they are folded.
        reply: Reply<(StrategyLedger, u64)>,
    },
    /// Find a decision.
    Find {
        /// By what.
        key: DecisionKey,
        /// Where the answer goes.
        reply: Reply<Place>,
    },
    /// Tell by which names entities are known.
    Name {
        /// The entities.
        entities: Vec<EntityRef>,
        /// Where they go, in the same order.
        reply: Reply<Vec<EntityRef>>,
    },
    /// Ask or do something about people, the audit log or notes.
    Access(Box<AccessCommand>),
    /// Execute what a stream holds, each at its place.
    Batch(Box<OrderedBatch>),
    /// Tell what those who watch the service want to know.
    Watch {
        /// Where it goes.
        reply: Reply<Watched>,
    },
    /// Save a snapshot.
    Snapshot {
        /// Where the position and bytes go.
        reply: Reply<(u64, Vec<u8>)>,
    },
}

/// The answer to [`Command::Score`].
#[derive(Debug)]
pub enum Scored {
    /// Judged now, and durable.
    New(Arc<ScoredOrder>),
    /// The request id was answered before.
    Before {
        /// Where.
        place: Place,
        /// Whether the same was asked then.
        is_same: bool,
        /// What is asked now.
        asked: Box<ScoreRequest>,
    },
}

/// The answer to [`Command::Ingest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// New, and durable now.
    New,
    /// The id was told before.
    Before {
        /// Where; the answer may leave once this is durable.
        position: u64,
        /// Whether it said the same.
        is_same: bool,
    },
}

/// The answer to [`Command::StepExperiment`]: the journal position that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// Recorded there.
    New(u64),
    /// Everything was so already.
    Before(u64),
}

/// Where a scored order is: in memory while it is being written, then in the journal.
#[derive(Clone, Debug)]
pub struct Place {
    /// Journal position.
    pub position: u64,
    /// The record, while it may not be readable from the journal yet.
    pub recent: Option<Arc<ScoredOrder>>,
}

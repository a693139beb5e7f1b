//! What doors may ask of the engine.
//!
//! One trait, so that a door knows neither journal nor models. Every method
//! takes the time by the door's clock; whatever it returns is durable already.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::{BoxFuture, pending};
use tokio::sync::watch;

use crate::domain::counterfactual::CounterfactualSearch;
use crate::domain::decision::{Decision, DecisionId};
use crate::domain::difference::DecisionDifference;
use crate::domain::event::Event;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::graph_status::GraphStatus;
use crate::domain::neighborhood::{Neighborhood, NeighborhoodQuery};
use crate::domain::query::{DecisionKey, DecisionQuery, FieldDifference, WhatIf};
use crate::domain::record::{ScoreRequest, ScoredOrder};
use crate::domain::time::{Span, Timestamp};
use crate::workflow::error::Error;
use crate::workflow::replica::board::ReplicaStatus;

/// The answer to a request for a score.
#[derive(Clone, Debug)]
pub struct ScoreAnswer {
    /// The decision, on disk.
    pub decision: Arc<Decision>,
    /// True when an earlier equal request was answered with it.
    pub is_replayed: bool,
}

impl ScoreAnswer {
    /// The answer to a request that was judged now.
    pub fn new(scored: &ScoredOrder) -> Self {
        Self { decision: scored.decision.clone(), is_replayed: false }
    }
}

/// What became of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It is in the journal, on disk.
    Accepted,
    /// It was there already.
    Duplicate,
}

/// A page of decisions.
#[derive(Clone, Debug, Default)]
pub struct DecisionPage {
    /// Newest first.
    pub decisions: Vec<Arc<Decision>>,
    /// True when older ones match, too.
    pub has_more: bool,
}

/// Both answers of a what-if.
#[derive(Clone, Debug)]
pub struct WhatIfAnswer {
    /// Without the changes.
    pub baseline: Arc<Decision>,
    /// With the changes.
    pub changed: Arc<Decision>,
    /// The smallest further changes of the changed order: to another first action, toward
    /// release unless it is released, and toward one that stops it unless it is declined;
    /// then to the target if one was given.
    pub counterfactuals: Vec<CounterfactualSearch>,
    /// What the changes did.
    pub difference: DecisionDifference,
}

/// A part of the graph, and of which graph.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighborhoodAnswer {
    /// What is shown.
    pub view: Neighborhood,
    /// Journal position that the graph had folded.
    pub position: u64,
}

/// How full the graph is, and which graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphStatusAnswer {
    /// What it holds.
    pub status: GraphStatus,
    /// Journal position that the graph had folded.
    pub position: u64,
}

/// The engine, as doors see it.
pub trait OrderService: Send + Sync + 'static {
    /// Name of the strategy that judges now.
    fn active_strategy(&self) -> Arc<str>;

    /// Why the records do not follow the journal; lists and cases cannot be asked meanwhile.
    fn records_failure(&self) -> Option<Box<str>> {
        None
    }

    /// Resolves when the journal has failed: then nothing is recorded before a restart.
    fn journal_lost(&self) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    /// How the replica does that this is, whenever that changes; `None` for the only engine.
    fn replica(&self) -> Option<watch::Receiver<ReplicaStatus>> {
        None
    }

    /// Judges an order and records the decision, however long it takes.
    ///
    /// # Errors
    /// `Conflict` when the request id was used for another request.
    fn score_order(
        &self,
        request: ScoreRequest,
        received: Timestamp,
    ) -> impl Future<Output = Result<ScoreAnswer, Error>> + Send {
        self.score_in_time(request, received, None)
    }

    /// Judges an order and records the decision, for a caller who waits for so long.
    ///
    /// # Errors
    /// As [`OrderService::score_order`], and `Late`, with nothing recorded, when the order's
    /// turn does not come before its caller's time is over.
    fn score_in_time(
        &self,
        request: ScoreRequest,
        received: Timestamp,
        left: Option<Span>,
    ) -> impl Future<Output = Result<ScoreAnswer, Error>> + Send;

    /// Judges an order and forgets it: journal and graph stay as they are.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn dry_run(
        &self,
        request: ScoreRequest,
        received: Timestamp,
    ) -> impl Future<Output = Result<Arc<Decision>, Error>> + Send;

    /// One recorded decision.
    ///
    /// # Errors
    /// `NotFound` when it was never given out.
    fn get_decision(
        &self,
        key: DecisionKey,
    ) -> impl Future<Output = Result<Arc<Decision>, Error>> + Send;

    /// Recorded decisions, newest first.
    ///
    /// # Errors
    /// `Unavailable` when the records cannot be read.
    fn list_decisions(
        &self,
        query: DecisionQuery,
    ) -> impl Future<Output = Result<DecisionPage, Error>> + Send;

    /// Judges an order as it is and as it might have been; touches no state.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision, `Invalid` for a strategy with mistakes or one that
    /// is not known here, and for a feature or risk that the bundle does not have.
    fn what_if(
        &self,
        question: WhatIf,
        received: Timestamp,
    ) -> impl Future<Output = Result<WhatIfAnswer, Error>> + Send;

    /// The part of the graph around entities; changes nothing.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn get_neighborhood(
        &self,
        query: NeighborhoodQuery,
        received: Timestamp,
    ) -> impl Future<Output = Result<NeighborhoodAnswer, Error>> + Send;

    /// How full the graph is, and what its limits kept out.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn get_graph_status(&self) -> impl Future<Output = Result<GraphStatusAnswer, Error>> + Send;

    /// Judges a recorded order again, from the journal; no difference is the promise.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision.
    fn replay_decision(
        &self,
        id: DecisionId,
    ) -> impl Future<Output = Result<Vec<FieldDifference>, Error>> + Send;

    /// Takes a fact. Facts enter the journal in the order of the first polls.
    ///
    /// # Errors
    /// `Conflict` when the event id was used for another fact.
    fn ingest_event(
        &self,
        event: Event,
        received: Timestamp,
    ) -> impl Future<Output = Result<Ack, Error>> + Send;

    /// Takes what an operator chose.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision, `Conflict` when the choice id was used for
    /// another choice.
    fn record_choice(
        &self,
        choice: OperatorChoice,
        received: Timestamp,
    ) -> impl Future<Output = Result<Ack, Error>> + Send;

    /// Takes what happened later.
    ///
    /// # Errors
    /// `NotFound` for an unknown decision, `Conflict` when the outcome id was used for
    /// another outcome.
    fn record_outcome(
        &self,
        outcome: Outcome,
        received: Timestamp,
    ) -> impl Future<Output = Result<Ack, Error>> + Send;
}

//! An engine that keeps everything in memory, to test doors and clients.
//!
//! It judges by the amount alone, but keeps every promise of the trait.

mod access;
pub(crate) mod decision;
mod experiments;
mod models;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use orderlens::cli::rule_features::FeatureLists;
use orderlens::config::mistake::Mistake;
use orderlens::config::strategy::parse;
use orderlens::domain::case::Case;
use orderlens::domain::decision::{Decision, DecisionId};
use orderlens::domain::difference::{Change, DecisionDifference};
use orderlens::domain::event::Event;
use orderlens::domain::exploration::ExplorationReport;
use orderlens::domain::feedback::{OperatorChoice, Outcome};
use orderlens::domain::graph_status::{GraphCounts, GraphStatus};
use orderlens::domain::neighborhood::{Neighborhood, NeighborhoodNode, NeighborhoodQuery};
use orderlens::domain::operators::OperatorReport;
use orderlens::domain::query::{
    DecisionKey, DecisionQuery, FieldDifference, StrategyChoice, WhatIf, WhatIfSubject,
};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::review_queue::{QueueQuery, ReviewQueue};
use orderlens::domain::review_times::ReviewTimesReport;
use orderlens::domain::similar::{SimilarCases, SimilarQuery};
use orderlens::domain::strategy_version::{Signature, Signer, StrategyMistake};
use orderlens::domain::time::{Span, Timestamp};
use orderlens::workflow::access_ledger::AccessLedger;
use orderlens::workflow::case_service::CaseService;
use orderlens::workflow::error::Error;
use orderlens::workflow::experiment_book::ExperimentBook;
use orderlens::workflow::judge_order::ActiveStrategy;
use orderlens::workflow::key_ring::KeyRing;
use orderlens::workflow::model_ledger::ModelLedger;
use orderlens::workflow::preview::Preview;
use orderlens::workflow::review_service::ReviewService;
use orderlens::workflow::service::{
    Ack, DecisionPage, GraphStatusAnswer, NeighborhoodAnswer, OrderService, ScoreAnswer,
    WhatIfAnswer,
};
use orderlens::workflow::strategy_ledger::{StrategyLedger, StrategyStep};
use orderlens::workflow::strategy_service::{CheckedText, StrategyService};
use uuid::Uuid;

use crate::fake::decision::decide;

/// Channel whose orders take a second to judge.
pub(crate) const SLOW: &str = "slow";
/// Channel whose orders are refused as too many.
pub(crate) const BUSY: &str = "busy";

#[derive(Debug, Default)]
pub(crate) struct Fake {
    state: Mutex<State>,
    keys: Arc<KeyRing>,
}

#[derive(Debug, Default)]
struct State {
    scored: BTreeMap<DecisionId, (ScoreRequest, Arc<Decision>)>,
    by_request: BTreeMap<Box<str>, DecisionId>,
    facts: BTreeMap<Box<str>, String>,
    strategies: StrategyLedger,
    experiments: ExperimentBook,
    models: ModelLedger,
    access: AccessLedger,
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the lock")
    }

    fn step(
        &self,
        step: &StrategyStep,
        by: Signer,
        at: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        let mut state = self.state();
        let signature = Signature { by: by.by, at, note: by.note };
        if let Some(record) = state.strategies.record_of(step, signature)? {
            state.strategies.fold(&record);
        }
        Ok(state.strategies.clone())
    }

    fn tell(&self, id: &str, fact: String) -> Result<Ack, Error> {
        let mut state = self.state();
        match state.facts.get(id) {
            None => {
                state.facts.insert(id.into(), fact);
                Ok(Ack::Accepted)
            }
            Some(told) if *told == fact => Ok(Ack::Duplicate),
            Some(_) => Err(Error::IdReused { id: id.into(), fields: vec!["fact".into()] }),
        }
    }
}

impl OrderService for Fake {
    fn active_strategy(&self) -> Arc<str> {
        "default".into()
    }

    async fn score_in_time(
        &self,
        request: ScoreRequest,
        received: Timestamp,
        _: Option<Span>,
    ) -> Result<ScoreAnswer, Error> {
        if *request.order.key.channel == *SLOW {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if *request.order.key.channel == *BUSY {
            return Err(Error::Exhausted { retry_after: Span(20_000) });
        }
        let mut state = self.state();
        if let Some(id) = state.by_request.get(&request.request_id) {
            let (first, decision) = &state.scored[id];
            if *first == request {
                return Ok(ScoreAnswer { decision: Arc::clone(decision), is_replayed: true });
            }
            let mut fields = Vec::new();
            if first.order.amount != request.order.amount {
                fields.push("order.amount".into());
            }
            if first.event_time != request.event_time {
                fields.push("event_time".into());
            }
            return Err(Error::IdReused { id: request.request_id, fields });
        }
        let n = u128::try_from(state.scored.len()).expect("fits");
        let id = DecisionId(Uuid::from_u128((0x019c_6a3e_0000_7000_8000 << 48) + n));
        let decision = Arc::new(decide(&request, id, received));
        state.by_request.insert(request.request_id.clone(), id);
        state.scored.insert(id, (request, Arc::clone(&decision)));
        Ok(ScoreAnswer { decision, is_replayed: false })
    }

    async fn dry_run(
        &self,
        request: ScoreRequest,
        received: Timestamp,
    ) -> Result<Arc<Decision>, Error> {
        Ok(Arc::new(decide(&request, DecisionId(Uuid::from_u128(1)), received)))
    }

    async fn get_decision(&self, key: DecisionKey) -> Result<Arc<Decision>, Error> {
        let state = self.state();
        match key {
            DecisionKey::Id(id) => {
                let found = state.scored.get(&id).ok_or(Error::UnknownDecision(id))?;
                Ok(Arc::clone(&found.1))
            }
            DecisionKey::Order(key) => {
                let newest = state.scored.values().rev().find(|(_, it)| it.order == key);
                newest.map(|(_, it)| Arc::clone(it)).ok_or(Error::UnknownOrder(key))
            }
        }
    }

    async fn list_decisions(&self, query: DecisionQuery) -> Result<DecisionPage, Error> {
        let state = self.state();
        let channel = query.filter.channel;
        let n_max = query.n_max as usize;
        let mut decisions: Vec<_> = state
            .scored
            .values()
            .rev()
            .map(|(_, decision)| Arc::clone(decision))
            .filter(|it| query.older_than.is_none_or(|last| it.decision_id < last))
            .filter(|it| channel.as_ref().is_none_or(|name| it.order.channel == *name))
            .take(n_max + 1)
            .collect();
        let has_more = n_max < decisions.len();
        decisions.truncate(n_max);
        Ok(DecisionPage { decisions, has_more })
    }

    async fn what_if(&self, question: WhatIf, received: Timestamp) -> Result<WhatIfAnswer, Error> {
        if let Some(StrategyChoice::Text(toml)) = &question.strategy
            && toml.contains("wrong")
        {
            let message = "wrong: unknown key".into();
            let wrong = StrategyMistake { message, line: 1, start: 0, end: 5, suggestion: None };
            return Err(Error::InvalidStrategy(vec![wrong]));
        }
        let id = DecisionId(Uuid::from_u128(1));
        let mut request = match question.subject {
            WhatIfSubject::Request(request) => request,
            WhatIfSubject::Decision(id) => {
                let state = self.state();
                state.scored.get(&id).ok_or(Error::UnknownDecision(id))?.0.clone()
            }
        };
        let baseline = Arc::new(decide(&request, id, received));
        for change in &question.changes {
            change.apply(&mut request.order);
        }
        let changed = Arc::new(decide(&request, id, received));
        let first = |decision: &Decision| decision.actions.first().map(|first| first.action);
        let first_action = Change { before: first(&baseline), after: first(&changed) };
        let difference = DecisionDifference { first_action, risks: Vec::new() };
        Ok(WhatIfAnswer { baseline, changed, counterfactuals: Vec::new(), difference })
    }

    async fn get_neighborhood(
        &self,
        query: NeighborhoodQuery,
        received: Timestamp,
    ) -> Result<NeighborhoodAnswer, Error> {
        let alone = |entity| NeighborhoodNode {
            entity,
            n_hops: 0,
            n_orders: 0,
            n_bad: 0,
            is_hub: false,
            lost_steps: Vec::new(),
            first_seen: None,
            last_seen: None,
            is_truncated: false,
        };
        let nodes = query.seeds.into_iter().map(alone).collect();
        let as_of = query.as_of.unwrap_or(received);
        let (edges, identities) = (Vec::new(), Vec::new());
        let view = Neighborhood { nodes, identities, edges, is_truncated: false, as_of };
        Ok(NeighborhoodAnswer { view, position: 0 })
    }

    async fn get_graph_status(&self) -> Result<GraphStatusAnswer, Error> {
        let n_orders = self.state().scored.len() as u64;
        let status = GraphStatus {
            n_entities: 0,
            n_orders_kept: n_orders,
            shed_until: None,
            is_cut_by_shedding: false,
            counts: GraphCounts { n_orders, ..GraphCounts::default() },
        };
        Ok(GraphStatusAnswer { status, position: n_orders })
    }

    async fn replay_decision(&self, id: DecisionId) -> Result<Vec<FieldDifference>, Error> {
        let state = self.state();
        let (request, recorded) = state.scored.get(&id).ok_or(Error::UnknownDecision(id))?;
        let replayed = decide(request, id, recorded.times.received_time);
        assert_eq!(replayed, **recorded);
        Ok(Vec::new())
    }

    async fn ingest_event(&self, event: Event, _: Timestamp) -> Result<Ack, Error> {
        self.tell(&event.event_id, format!("{:?}", event.fact))
    }

    async fn record_choice(&self, choice: OperatorChoice, _: Timestamp) -> Result<Ack, Error> {
        if !self.state().scored.contains_key(&choice.decision_id) {
            return Err(Error::UnknownDecision(choice.decision_id));
        }
        self.tell(&choice.choice_id, format!("{choice:?}"))
    }

    async fn record_outcome(&self, outcome: Outcome, _: Timestamp) -> Result<Ack, Error> {
        self.tell(&outcome.outcome_id, format!("{outcome:?}"))
    }
}

impl CaseService for Fake {
    async fn get_case(&self, _: DecisionKey, _: Timestamp) -> Result<Case, Error> {
        // It keeps outcomes as words.
        Err(Error::Unavailable("there are no cases".into()))
    }

    async fn find_similar_cases(
        &self,
        _: SimilarQuery,
        _: Timestamp,
    ) -> Result<SimilarCases, Error> {
        Err(Error::Unavailable("there are no cases".into()))
    }
}

impl ReviewService for Fake {
    async fn get_review_queue(&self, _: QueueQuery, _: Timestamp) -> Result<ReviewQueue, Error> {
        // It never puts a review first.
        Err(Error::Unavailable("there is no queue".into()))
    }

    async fn list_operators(&self) -> Result<Vec<OperatorReport>, Error> {
        // It keeps choices as words.
        Ok(Vec::new())
    }

    async fn review_times(&self) -> Result<Vec<ReviewTimesReport>, Error> {
        Ok(Vec::new())
    }

    async fn exploration_report(&self) -> Result<ExplorationReport, Error> {
        // It declines nothing.
        Err(Error::Unavailable("there is nothing to release".into()))
    }
}

impl StrategyService for Fake {
    fn check_strategy(&self, toml: &str) -> Result<CheckedText, Vec<StrategyMistake>> {
        let read = read_strategy(toml)?;
        Ok(CheckedText { name: read.strategy.name.clone(), hash: read.strategy.hash.clone() })
    }

    async fn list_strategies(&self) -> Result<StrategyLedger, Error> {
        Ok(self.state().strategies.clone())
    }

    async fn preview_strategy(&self, _: StrategyChoice, _: u64) -> Result<Preview, Error> {
        // It keeps no features to judge again.
        Err(Error::Unavailable("there is no journal".into()))
    }

    async fn propose_strategy(
        &self,
        toml: String,
        author: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        let read = read_strategy(&toml).map_err(Error::InvalidStrategy)?;
        self.step(&StrategyStep::Propose(read), author, received)
    }

    async fn approve_strategy(
        &self,
        hash: Box<str>,
        approver: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        self.step(&StrategyStep::Approve(hash), approver, received)
    }

    async fn activate_strategy(
        &self,
        hash: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        self.step(&StrategyStep::Activate { hash, percent }, operator, received)
    }

    async fn revert_strategy(
        &self,
        operator: Signer,
        received: Timestamp,
    ) -> Result<StrategyLedger, Error> {
        self.step(&StrategyStep::Revert, operator, received)
    }
}

fn read_strategy(toml: &str) -> Result<Arc<ActiveStrategy>, Vec<StrategyMistake>> {
    let features = FeatureLists::of_build();
    let read = parse("strategy", toml, features.as_known());
    let read = read.map_err(|errors| errors.mistakes.iter().map(Mistake::as_domain).collect());
    read.map(|strategy| Arc::new(ActiveStrategy { strategy, toml: toml.into() }))
}

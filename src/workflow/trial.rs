//! Orders to judge and forget: seen where the state is, decided anywhere.
//!
//! Only the look at the graph needs the thread that owns the state. Strategy,
//! impacts, sentences and searches follow on a thread that nobody waits for.

use std::sync::Arc;

use crate::domain::decision::{Decision, DecisionId};
use crate::domain::record::ScoreRequest;
use crate::domain::time::Timestamp;
use crate::workflow::judge_order::{ActiveStrategy, Judge, Stamp, Stopwatch};
use crate::workflow::lineup::Lineup;
use crate::workflow::sight::{Given, Sight};
use crate::workflow::state::State;

/// An order to judge and forget.
#[derive(Debug)]
pub struct Trial {
    /// What is asked.
    pub request: ScoreRequest,
    /// Features that are given instead of read.
    pub given: Vec<Given>,
    /// Another strategy to judge under; `None` keeps the active one.
    pub strategy: Option<Arc<ActiveStrategy>>,
    /// Id for the answer.
    pub decision_id: DecisionId,
}

/// Trials that were seen in one state.
#[derive(Debug)]
pub struct Seen {
    /// Measures the rest of the stages.
    pub nanos: Stopwatch,
    /// In the order in which they were asked, each with who judges it and what they saw.
    pub trials: Vec<(Trial, Judge, Sight)>,
}

impl Trial {
    /// Who judges it, when a lineup judges the others.
    fn judge(&self, lineup: &Lineup, state: &State) -> Judge {
        let usual = lineup.judge(state, &self.request.order, self.request.event_time);
        match &self.strategy {
            Some(strategy) => usual.with_strategy(strategy.clone()),
            None => usual,
        }
    }
}

impl Seen {
    /// Looks at every trial in the state, which is afterwards as it was.
    pub fn new(lineup: &Lineup, state: &mut State, trials: Vec<Trial>, nanos: Stopwatch) -> Self {
        let seen = trials.into_iter().map(|mut trial| {
            trial.request.order.entities.iter_mut().for_each(|it| state.name(it));
            let judge = trial.judge(lineup, state);
            let sight = judge.see(state, &trial.request, &trial.given, nanos);
            (trial, judge, sight)
        });
        let trials = seen.collect();
        Self { nanos, trials }
    }

    /// One decision per trial.
    pub fn decide(self, received_time: Timestamp) -> Vec<Decision> {
        let Self { nanos, trials } = self;
        let decide = |(trial, judge, sight): (Trial, Judge, Sight)| {
            let stamp = Stamp { decision_id: trial.decision_id, received_time };
            judge.decide(&sight, &trial.request, &stamp, nanos)
        };
        trials.into_iter().map(decide).collect()
    }
}

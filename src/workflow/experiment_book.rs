//! Every experiment that ran, and the one that runs: a fold.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::assignment::Assignment;
use crate::domain::decision::DecisionId;
use crate::domain::entity::EntityRef;
use crate::domain::event::{Event, Fact};
use crate::domain::folded_order::FoldedDecision;
use crate::domain::order::{Order, OrderKey};
use crate::domain::record::{ExperimentEnded, ExperimentRamped, ExperimentStarted, ScoreRequest};
use crate::domain::time::Timestamp;
use crate::workflow::experiment_run::ExperimentRun;
use crate::workflow::lineup::RunningPlan;

/// Most experiments whose units are remembered, the newest; the journal has all of them.
pub const EXPERIMENTS_MAX: usize = 8;

/// Experiments after a prefix of the journal. One runs at a time: all of them change who judges
/// the same orders, and two of them at once would each see the other's effect.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ExperimentBook {
    runs: Vec<ExperimentRun>,
    /// Names that are never used again.
    names: BTreeSet<Box<str>>,
    /// The orders of those decisions that an arm made.
    decisions: IndexMap<DecisionId, OrderKey, FxBuildHasher>,
}

impl ExperimentBook {
    /// The one that runs.
    pub fn running(&self) -> Option<&ExperimentRun> {
        self.runs.last().filter(|run| run.is_running())
    }

    /// The plan of the one that runs, and the percent of the units that take part.
    pub fn running_plan(&self) -> Option<RunningPlan<'_>> {
        self.running().map(|run| (&run.plan, run.percent()))
    }

    /// The one with a name, if its units are remembered.
    pub fn get(&self, id: &str) -> Option<&ExperimentRun> {
        self.runs.iter().find(|run| *run.plan.id == *id)
    }

    /// Those that are remembered, oldest first.
    pub fn runs(&self) -> &[ExperimentRun] {
        &self.runs
    }

    /// True when a name was used before.
    pub fn is_used(&self, id: &str) -> bool {
        self.names.contains(id)
    }

    /// Folds a start.
    pub fn started(&mut self, started: &ExperimentStarted) {
        self.names.insert(started.plan.id.clone());
        if self.runs.len() == EXPERIMENTS_MAX {
            self.runs.remove(0);
        }
        self.runs.push(ExperimentRun::new(started));
    }

    /// Folds another share.
    pub fn ramped(&mut self, ramped: &ExperimentRamped) {
        if let Some(run) = self.get_mut(&ramped.id) {
            run.ramp(ramped.percent, ramped.signature.at);
        }
    }

    /// Folds an end.
    pub fn ended(&mut self, ended: &ExperimentEnded) {
        if let Some(run) = self.get_mut(&ended.id) {
            run.ended = Some((ended.end.clone(), ended.signature.clone()));
        }
    }

    /// Folds an answer of an arm; `accounts` are those that the order joined when it was judged.
    pub fn decided(
        &mut self,
        request: &ScoreRequest,
        decision: &FoldedDecision<'_>,
        accounts: &[EntityRef],
    ) {
        let Some(assignment) = &decision.assignment else { return };
        let Some(run) = self.get_mut(&assignment.experiment) else { return };
        run.exposed((&request.order, request.event_time), assignment, accounts);
        run.decided(decision);
        run.tick(decision.received_time);
        self.decisions.insert(decision.decision_id, decision.order.clone());
    }

    /// Folds a fact and when it became known: what follows an order counts for every experiment
    /// that it was in, those that ended included.
    pub fn told(&mut self, event: &Event, received: Timestamp) {
        let before: Vec<u64> = self.runs.iter().map(|run| run.n_changes).collect();
        self.count(event);
        let changed = self.runs.iter_mut().zip(before).filter(|(run, n)| run.n_changes != *n);
        changed.for_each(|(run, _)| run.tick(received));
    }

    fn count(&mut self, event: &Event) {
        if self.runs.is_empty() {
            return;
        }
        if let Fact::Choice(choice) = &event.fact
            && let Some(order) = self.decisions.get(&choice.decision_id)
        {
            self.runs.iter_mut().for_each(|run| run.chose(choice, order));
        }
        let decision =
            if let Fact::Outcome(outcome) = &event.fact { outcome.decision_id } else { None };
        let of_decision = decision.and_then(|id| self.decisions.get(&id));
        if let Some(order) = event.order_key().or(of_decision) {
            self.runs.iter_mut().for_each(|run| run.told(event, order));
        }
    }

    /// The arm of an order and how it was found; `None` when no experiment covers it.
    pub fn assign(&self, order: &Order, accounts: &[EntityRef]) -> Option<(usize, Assignment)> {
        self.running()?.assign(order, accounts)
    }

    /// Forgets an account; what its orders brought stays.
    pub fn erase(&mut self, account: &EntityRef, shown: &EntityRef) {
        self.runs.iter_mut().for_each(|run| run.erase(account, shown));
    }

    /// Knows an account under another name; what its orders brought stays.
    pub fn rename(&mut self, account: &EntityRef, known_as: &EntityRef) {
        self.runs.iter_mut().for_each(|run| run.rename(account, known_as));
    }

    /// Changes with everything that a guardrail could care for.
    pub fn n_changes(&self) -> u64 {
        self.running().map_or(0, |run| run.n_changes)
    }

    fn get_mut(&mut self, id: &str) -> Option<&mut ExperimentRun> {
        self.runs.iter_mut().find(|run| *run.plan.id == *id)
    }
}

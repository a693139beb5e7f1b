//! Who judges which order: an arm, one on trial, or the active one.

use std::sync::Arc;

use crate::domain::assignment::{draw, unit_of};
use crate::domain::experiment::{Arm, ExperimentPlan};
use crate::domain::order::Order;
use crate::domain::risk::Probability;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;
use crate::workflow::explainer::Explainer;
use crate::workflow::judge_order::Judge;
use crate::workflow::shelves::Shelves;
use crate::workflow::state::State;
use crate::workflow::strategy_ledger::StrategyLedger;

/// The judges of a state.
///
/// An order that a running experiment covers is judged by the arm of its ring. Of the others,
/// who judges depends on the account alone, so all orders of an account meet one strategy for
/// as long as the share of the one on trial stays or grows.
#[derive(Clone, Debug)]
pub struct Lineup {
    active: Judge,
    staged: Option<StagedJudge>,
    arms: Vec<Judge>,
}

/// An experiment that runs, and the percent of the units that take part.
pub type RunningPlan<'a> = (&'a ExperimentPlan, u32);

#[derive(Clone, Debug)]
struct StagedJudge {
    judge: Judge,
    share: f64,
}

impl Lineup {
    /// The judges that a state names, with the bundle of a judge as the active one. The judge's
    /// own strategy judges while the ledger names none.
    ///
    /// # Errors
    /// `Invalid` when a text does not read any more, `Unavailable` when the bundle of an arm is
    /// not there.
    pub fn of(
        judge: &Judge,
        (ledger, experiment): (&StrategyLedger, Option<RunningPlan<'_>>),
        shelves: &Shelves,
    ) -> Result<Self, Error> {
        let with = |hash: &str| match ledger.get(hash) {
            Some(version) => {
                let read = shelves.strategies.read(&version.hash, &version.toml)?;
                Ok(Some(judge.with_strategy(read)))
            }
            None => Ok::<_, Error>(None),
        };
        let active = with(ledger.active_hash())?.unwrap_or_else(|| judge.clone());
        let arms = match experiment {
            Some(running) => arms(judge, running, shelves)?,
            None => Vec::new(),
        };
        let Some(staged) = ledger.staged() else {
            return Ok(Self { active, staged: None, arms });
        };
        let Some(tried) = with(&staged.hash)? else {
            return Ok(Self { active, staged: None, arms });
        };
        let share = f64::from(staged.percent) / 100.0;
        let chance = Probability::clamped;
        Ok(Self {
            active: active.assigned_with(chance(1.0 - share)),
            staged: Some(StagedJudge { judge: tried.assigned_with(chance(share)), share }),
            arms,
        })
    }

    /// Who judges the orders that nobody else does.
    pub fn active(&self) -> &Judge {
        &self.active
    }

    /// Who judges an order in the state that this lineup is of.
    pub fn judge(&self, state: &State, order: &Order, placed_at: Timestamp) -> Judge {
        if !self.arms.is_empty() {
            let accounts = state.accounts_joined_by(order, placed_at);
            if let Some((arm, assignment)) = state.experiments.assign(order, &accounts) {
                return self.arms[arm].assigned_to(assignment);
            }
        }
        match &self.staged {
            Some(staged) if draw(staged.salt(), &unit_of(order)) < staged.share => {
                staged.judge.clone()
            }
            Some(_) | None => self.active.clone(),
        }
    }

    /// The same judges compared with other orders; arms of another bundle keep their own.
    #[must_use]
    pub fn with_explainer(&self, explainer: Option<&Arc<Explainer>>) -> Self {
        let bundle = self.active.bundle().hash();
        let compared = |judge: &Judge| {
            let is_same_bundle = judge.bundle().hash() == bundle;
            if is_same_bundle { judge.with_explainer(explainer.cloned()) } else { judge.clone() }
        };
        let staged = self
            .staged
            .as_ref()
            .map(|staged| StagedJudge { judge: compared(&staged.judge), share: staged.share });
        let arms = self.arms.iter().map(compared).collect();
        Self { active: compared(&self.active), staged, arms }
    }
}

/// The arms of an experiment, each with its own bundle and strategy.
fn arms(
    judge: &Judge,
    (plan, percent): RunningPlan<'_>,
    shelves: &Shelves,
) -> Result<Vec<Judge>, Error> {
    let taking_part = f64::from(percent) / 100.0;
    let arm = |arm: &Arm| {
        let strategy = shelves.strategies.read(&arm.strategy_hash, &arm.strategy_toml)?;
        let of_bundle = if *arm.model_hash == *judge.bundle().hash() {
            judge.clone()
        } else {
            let bundle = shelves.models.get(&arm.model, &arm.model_hash)?;
            let fitted = judge.with_bundle(bundle);
            fitted
                .map_err(|error| Error::failed("fitting an arm's strategy to its model", error))?
        };
        let propensity = Probability::clamped(arm.share * taking_part);
        Ok(of_bundle.with_strategy(strategy).assigned_with(propensity))
    };
    plan.arms.iter().map(arm).collect()
}

impl StagedJudge {
    /// The hash of what is tried: a larger share of it keeps the accounts of the smaller one.
    fn salt(&self) -> &str {
        &self.judge.strategy().strategy.hash
    }
}

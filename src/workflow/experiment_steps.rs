//! What people and guardrails do with experiments, and what stands in the way.

use crate::domain::experiment::ExperimentPlan;
use crate::domain::proposal::ExperimentStep;
use crate::domain::record::{ExperimentEnded, ExperimentRamped, ExperimentStarted, Record};
use crate::domain::strategy_version::Signature;
use crate::workflow::error::Error;
use crate::workflow::experiment_book::ExperimentBook;
use crate::workflow::experiment_run::ExperimentRun;

impl ExperimentStep {
    /// The record that the step makes now; `None` when everything is so already.
    ///
    /// # Errors
    /// `NotFound` for a name that is not known, `Conflict` when it runs by another plan,
    /// `Refused` while another one runs, for a name that was used before, and for one that has
    /// ended in another way.
    pub fn record(
        &self,
        book: &ExperimentBook,
        signature: Signature,
    ) -> Result<Option<Record>, Error> {
        match self {
            Self::Start { plan, percent } => {
                if is_started(book, plan, *percent)? {
                    return Ok(None);
                }
                let (plan, percent) = (plan.clone(), *percent);
                let started = ExperimentStarted { plan, percent, signature };
                Ok(Some(Record::ExperimentStarted(started)))
            }
            Self::Ramp { id, percent } => {
                let run = known(book, id)?;
                if run.ended.is_some() {
                    return Err(has_ended(id));
                }
                if run.percent() == *percent {
                    return Ok(None);
                }
                let (id, percent) = (id.clone(), *percent);
                Ok(Some(Record::ExperimentRamped(ExperimentRamped { id, percent, signature })))
            }
            Self::End { id, end } => match &known(book, id)?.ended {
                Some((ended, _)) if ended == end => Ok(None),
                Some(_) => Err(has_ended(id)),
                None => {
                    let (id, end) = (id.clone(), end.clone());
                    Ok(Some(Record::ExperimentEnded(ExperimentEnded { id, end, signature })))
                }
            },
        }
    }
}

/// True when an experiment runs by this plan already.
fn is_started(book: &ExperimentBook, plan: &ExperimentPlan, percent: u32) -> Result<bool, Error> {
    if let Some(running) = book.running() {
        if running.plan.id != plan.id {
            let why = format!(
                "`{}` runs; end it first: two at once would see each other's effect",
                running.plan.id
            );
            return Err(Error::Refused { reason: "EXPERIMENT_RUNS", why: why.into() });
        }
        let fields = differing_fields(running, plan, percent);
        if fields.is_empty() {
            return Ok(true);
        }
        return Err(Error::IdReused { id: plan.id.clone(), fields });
    }
    if book.is_used(&plan.id) {
        let why = format!("there was an experiment `{}` before: name another", plan.id);
        return Err(Error::Refused { reason: "EXPERIMENT_NAME_USED", why: why.into() });
    }
    Ok(false)
}

/// In what an experiment that runs differs from one that is asked for, by fields of the question;
/// `worth` is the money of the active strategy.
fn differing_fields(run: &ExperimentRun, plan: &ExperimentPlan, percent: u32) -> Vec<Box<str>> {
    let running = &run.plan;
    let first_percent = run.epochs.first().map(|epoch| epoch.percent);
    let fields = [
        ("arms", running.arms == plan.arms),
        ("guardrails", running.guardrails == plan.guardrails),
        ("holdout_percent", running.holdout_percent == plan.holdout_percent),
        ("horizon_days", running.horizon == plan.horizon),
        ("orders_min", running.orders_min == plan.orders_min),
        ("percent", first_percent == Some(percent)),
        ("worth", running.worth == plan.worth),
    ];
    fields.iter().filter(|(_, is_same)| !is_same).map(|(name, _)| (*name).into()).collect()
}

fn known<'b>(book: &'b ExperimentBook, id: &str) -> Result<&'b ExperimentRun, Error> {
    match book.get(id) {
        Some(run) => Ok(run),
        // Its units are forgotten, so it has long ended.
        None if book.is_used(id) => Err(has_ended(id)),
        None => Err(Error::UnknownExperiment(id.into())),
    }
}

fn has_ended(id: &str) -> Error {
    let why = format!("experiment `{id}` has ended: its report says why");
    Error::Refused { reason: "EXPERIMENT_ENDED", why: why.into() }
}

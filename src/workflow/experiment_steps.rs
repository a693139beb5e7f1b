//! What people and guardrails do with experiments, and what stands in the way.

use std::collections::BTreeSet;

use crate::domain::experiment::{ARMS_MAX, ExperimentEnd, ExperimentPlan, HOLDOUT_PERCENT_MAX};
use crate::domain::record::{ExperimentEnded, ExperimentRamped, ExperimentStarted, Record};
use crate::domain::strategy_version::Signature;
use crate::experiment::arms::Arms;
use crate::workflow::error::{Error, FieldMistake};
use crate::workflow::experiment_book::ExperimentBook;

/// Longest name of an experiment or an arm, bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Something that is done with an experiment.
#[derive(Clone, Debug)]
pub enum ExperimentStep {
    /// Begin it.
    Start {
        /// What is compared.
        plan: ExperimentPlan,
        /// Percent of the units that take part, 1 to 100.
        percent: u32,
    },
    /// Let another share of the units take part.
    Ramp {
        /// Which experiment.
        id: Box<str>,
        /// Percent, 1 to 100.
        percent: u32,
    },
    /// End it: everybody is judged as before.
    End {
        /// Which experiment.
        id: Box<str>,
        /// Why.
        end: ExperimentEnd,
    },
}

impl ExperimentStep {
    /// The record that the step makes now.
    ///
    /// # Errors
    /// `Invalid` with every wrong field of a plan, `NotFound` for a name that does not run,
    /// `Refused` while another one runs or for a name that was used before.
    pub fn record(&self, book: &ExperimentBook, signature: Signature) -> Result<Record, Error> {
        match self {
            Self::Start { plan, percent } => {
                let mistakes = mistakes_of(plan, *percent);
                if !mistakes.is_empty() {
                    return Err(Error::InvalidFields(mistakes));
                }
                if let Some(running) = book.running() {
                    let why = format!(
                        "`{}` runs; end it first: two at once would see each other's effect",
                        running.plan.id
                    );
                    return Err(Error::Refused { reason: "EXPERIMENT_RUNS", why: why.into() });
                }
                if book.is_used(&plan.id) {
                    let why = format!("there was an experiment `{}` before: name another", plan.id);
                    return Err(Error::Refused { reason: "EXPERIMENT_NAME_USED", why: why.into() });
                }
                let (plan, percent) = (plan.clone(), *percent);
                Ok(Record::ExperimentStarted(ExperimentStarted { plan, percent, signature }))
            }
            Self::Ramp { id, percent } => {
                check_runs(book, id)?;
                if let Some(mistake) = percent_mistake(*percent) {
                    return Err(Error::InvalidFields(vec![mistake]));
                }
                let (id, percent) = (id.clone(), *percent);
                Ok(Record::ExperimentRamped(ExperimentRamped { id, percent, signature }))
            }
            Self::End { id, end } => {
                check_runs(book, id)?;
                let (id, end) = (id.clone(), end.clone());
                Ok(Record::ExperimentEnded(ExperimentEnded { id, end, signature }))
            }
        }
    }
}

fn check_runs(book: &ExperimentBook, id: &str) -> Result<(), Error> {
    match book.running() {
        Some(run) if *run.plan.id == *id => Ok(()),
        Some(_) | None => Err(Error::UnknownExperiment(id.into())),
    }
}

/// Everything that is wrong with a plan.
fn mistakes_of(plan: &ExperimentPlan, percent: u32) -> Vec<FieldMistake> {
    let mut mistakes = Vec::new();
    let mut note = |field: &str, description: String| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    };
    let is_name = |name: &str| (1..=NAME_BYTES_MAX).contains(&name.len());
    if !is_name(&plan.id) {
        note("id", format!("must have 1 to {NAME_BYTES_MAX} bytes"));
    }
    if !is_name(&plan.salt) {
        note("salt", format!("must have 1 to {NAME_BYTES_MAX} bytes"));
    }
    if !(2..=ARMS_MAX).contains(&plan.arms.len()) {
        note("arms", format!("must be 2 to {ARMS_MAX}, the control first"));
    }
    let names: BTreeSet<&str> = plan.arms.iter().map(|arm| &*arm.name).collect();
    if names.len() < plan.arms.len() {
        note("arms", "must have different names".into());
    }
    for (at, arm) in plan.arms.iter().enumerate() {
        if !is_name(&arm.name) {
            note(&format!("arms[{at}].name"), format!("must have 1 to {NAME_BYTES_MAX} bytes"));
        }
        if !(0.0 < arm.share && arm.share < 1.0) {
            note(&format!("arms[{at}].share"), "must be above 0 and below 1".into());
        }
    }
    let shares: Vec<f64> = plan.arms.iter().map(|arm| arm.share).collect();
    if Arms::new(&shares, 1.0).is_none() {
        note("arms", "must have shares that sum to 1".into());
    }
    if HOLDOUT_PERCENT_MAX < plan.holdout_percent {
        note("holdout_percent", format!("must be 0 to {HOLDOUT_PERCENT_MAX}"));
    }
    if plan.guardrails.is_empty() {
        note("guardrails", "must name one harm or more".into());
    }
    if plan.horizon.0 <= 0 {
        note("horizon", "must be longer than 0".into());
    }
    mistakes.extend(percent_mistake(percent));
    mistakes
}

fn percent_mistake(percent: u32) -> Option<FieldMistake> {
    let is_sound = (1..=100).contains(&percent);
    (!is_sound)
        .then(|| FieldMistake { field: "percent".into(), description: "must be 1 to 100".into() })
}

//! What people ask for about experiments: a start, an end, a report.

use std::collections::BTreeSet;

use crate::domain::experiment::{
    ARMS_MAX, Epoch, ExperimentEnd, HOLDOUT_PERCENT_MAX, HORIZON_DAYS_MAX, Harm, NAME_BYTES_MAX,
};
use crate::domain::strategy_version::Signature;
use crate::domain::time::{Span, Timestamp};

/// How far shares may be from 1 in sum.
const SHARES_TOLERANCE: f64 = 1e-9;

/// An experiment as it is asked for: what it leaves out is that of the active judge.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentDraft {
    /// Its name, never used before.
    pub id: Box<str>,
    /// The arms, the control first.
    pub arms: Vec<ArmDraft>,
    /// Percent of the units that take part, 1 to 100.
    pub percent: u32,
    /// Percent of the units that are kept out of every experiment.
    pub holdout_percent: u32,
    /// Harms that end it; empty is all of them.
    pub guardrails: Vec<Harm>,
    /// Fewest orders of an arm before money may end it.
    pub orders_min: u64,
    /// How long what follows an order counts.
    pub horizon: Span,
}

/// An arm as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmDraft {
    /// Its name.
    pub name: Box<str>,
    /// Its share of those who take part.
    pub share: f64,
    /// Name and version of its bundle; `None` is the active one.
    pub model: Option<Box<str>>,
    /// Hash of its strategy, or the first digits; `None` is the active one.
    pub strategy: Option<Box<str>>,
}

impl ExperimentDraft {
    /// Tells everything that is wrong with it: dotted field, then what is wrong.
    pub fn check(&self, note: &mut dyn FnMut(&str, String)) {
        let is_name = |name: &str| (1..=NAME_BYTES_MAX).contains(&name.len());
        let bad_name = || format!("must have 1 to {NAME_BYTES_MAX} bytes");
        if !is_name(&self.id) {
            note("experiment_id", bad_name());
        }
        if !(2..=ARMS_MAX).contains(&self.arms.len()) {
            note("arms", format!("must be 2 to {ARMS_MAX}, the control first"));
        }
        let names: BTreeSet<&str> = self.arms.iter().map(|arm| &*arm.name).collect();
        if names.len() < self.arms.len() {
            note("arms", "must have different names".into());
        }
        for (at, arm) in self.arms.iter().enumerate() {
            if !is_name(&arm.name) {
                note(&format!("arms[{at}].name"), bad_name());
            }
            if !(0.0 < arm.share && arm.share < 1.0) {
                note(&format!("arms[{at}].share"), "must be above 0 and below 1".into());
            }
        }
        let sum: f64 = self.arms.iter().map(|arm| arm.share).sum();
        let is_whole = (sum - 1.0).abs() < SHARES_TOLERANCE;
        if !is_whole {
            note("arms", format!("must have shares that sum to 1, not {sum}"));
        }
        check_percent(self.percent, note);
        if HOLDOUT_PERCENT_MAX < self.holdout_percent {
            note("holdout_percent", format!("must be 0 to {HOLDOUT_PERCENT_MAX}"));
        }
        let harms: BTreeSet<Harm> = self.guardrails.iter().copied().collect();
        if harms.len() < self.guardrails.len() {
            note("guardrails", "must name each harm once".into());
        }
        if !(1..=Span::days(i64::from(HORIZON_DAYS_MAX)).0).contains(&self.horizon.0) {
            note("horizon_days", format!("must be 1 to {HORIZON_DAYS_MAX}"));
        }
    }
}

/// Tells what is wrong with a percentage of units that take part.
pub fn check_percent(percent: u32, note: &mut dyn FnMut(&str, String)) {
    if !(1..=100).contains(&percent) {
        note("percent", "must be 1 to 100".into());
    }
}

/// How somebody ends an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They have seen enough.
    Finished,
    /// Something is wrong.
    Killed,
}

impl From<Ending> for ExperimentEnd {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Finished => Self::Finished,
            Ending::Killed => Self::Killed,
        }
    }
}

/// Which state of an experiment is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportAt {
    /// The newest, at an instant.
    Now(Timestamp),
    /// That of an earlier report: the same bytes again.
    Position {
        /// Its journal position.
        position: u64,
        /// Its instant.
        as_of: Timestamp,
    },
}

/// An experiment in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentSummary {
    /// Its name.
    pub id: Box<str>,
    /// Names of its arms, the control first.
    pub arms: Vec<Box<str>>,
    /// Units in them.
    pub units: Vec<u64>,
    /// Fewest orders of an arm before money may end it.
    pub orders_min: u64,
    /// From when on how many took part.
    pub epochs: Vec<Epoch>,
    /// Who started it.
    pub started: Signature,
    /// Why it ended and who ended it; `None` while it runs.
    pub ended: Option<(ExperimentEnd, Signature)>,
}

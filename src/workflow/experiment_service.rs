//! What the doors ask about experiments.

use std::future::Future;

use crate::domain::experiment::{ExperimentPlan, Harm};
use crate::domain::strategy_version::Signer;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::error::Error;
use crate::workflow::experiment_report::ExperimentReport;

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

/// Runs experiments between strategies and models.
///
/// Every step is durable before it is answered.
pub trait ExperimentService: Send + Sync + 'static {
    /// Starts an experiment; the answer is the plan as it is registered.
    ///
    /// # Errors
    /// `Invalid` with every wrong field, `NotFound` for a strategy, `Unavailable` for a bundle,
    /// `Refused` while another one runs, or for a strategy that nobody approved.
    fn start_experiment(
        &self,
        draft: ExperimentDraft,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<ExperimentPlan, Error>> + Send;

    /// Lets another percentage of the units take part; nobody changes arms.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`.
    fn ramp_experiment(
        &self,
        id: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Ends it: finished, or killed.
    ///
    /// # Errors
    /// `NotFound` when it does not run.
    fn end_experiment(
        &self,
        id: Box<str>,
        ending: Ending,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// What an experiment has shown, as it is now or as it was at a journal position.
    ///
    /// # Errors
    /// `NotFound`.
    fn report_experiment(
        &self,
        id: Box<str>,
        at: ReportAt,
    ) -> impl Future<Output = Result<ExperimentReport, Error>> + Send;

    /// The names of the experiments that are remembered, oldest first.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_experiments(&self) -> impl Future<Output = Result<Vec<Box<str>>, Error>> + Send;
}

/// How somebody ends an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They have seen enough.
    Finished,
    /// Something is wrong.
    Killed,
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

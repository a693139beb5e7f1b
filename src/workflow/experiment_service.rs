//! What the doors ask about experiments.

use std::future::Future;

use crate::domain::experiment::ExperimentPlan;
use crate::domain::experiment_draft::{Ending, ExperimentDraft, ExperimentSummary, ReportAt};
use crate::domain::experiment_report::ExperimentReport;
use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;

/// Runs experiments between strategies and models.
///
/// Every step is durable before it is answered. A step that is asked for again changes nothing
/// and is answered like the first one.
pub trait ExperimentService: Send + Sync + 'static {
    /// Starts an experiment; the answer is the plan as it is registered.
    ///
    /// # Errors
    /// `Invalid` with every wrong field, `NotFound` for a strategy or a bundle, `Conflict` when
    /// one with this name runs by another plan, `Refused` while another one runs, for a name
    /// that was used before, or for a strategy that nobody approved.
    fn start_experiment(
        &self,
        draft: ExperimentDraft,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<StartedExperiment, Error>> + Send;

    /// Lets another percentage of the units take part; nobody changes arms.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Refused` when it has ended.
    fn ramp_experiment(
        &self,
        id: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<ExperimentSummary, Error>> + Send;

    /// Ends it: finished, or killed.
    ///
    /// # Errors
    /// `NotFound`, `Refused` when it has ended in another way.
    fn end_experiment(
        &self,
        id: Box<str>,
        ending: Ending,
        operator: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<ExperimentSummary, Error>> + Send;

    /// What an experiment has shown, as it is now or as it was at a journal position.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` for a position that the journal has not reached.
    fn report_experiment(
        &self,
        id: Box<str>,
        at: ReportAt,
    ) -> impl Future<Output = Result<ExperimentReport, Error>> + Send;

    /// The experiments that are remembered, oldest first.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_experiments(
        &self,
    ) -> impl Future<Output = Result<Vec<ExperimentSummary>, Error>> + Send;
}

/// An experiment as it was registered.
#[derive(Clone, Debug, PartialEq)]
pub struct StartedExperiment {
    /// What is compared.
    pub plan: ExperimentPlan,
    /// True when it ran by this plan before it was asked for again.
    pub is_replayed: bool,
}

//! Experiments of the fake: the real steps and reports, without orders.

use orderlens::domain::experiment::{Arm, ExperimentPlan, Harm, Worth};
use orderlens::domain::experiment_draft::{
    ArmDraft, Ending, ExperimentDraft, ExperimentSummary, ReportAt,
};
use orderlens::domain::experiment_report::ExperimentReport;
use orderlens::domain::money::Currency;
use orderlens::domain::proposal::ExperimentStep;
use orderlens::domain::record::Record;
use orderlens::domain::strategy_version::{Signature, Signer};
use orderlens::domain::time::Timestamp;
use orderlens::workflow::error::Error;
use orderlens::workflow::experiment_report::report;
use orderlens::workflow::experiment_run::ExperimentRun;
use orderlens::workflow::experiment_service::{ExperimentService, StartedExperiment};

use crate::fake::Fake;
use crate::fake::models::hash_of;

/// Every journal of the fake ends here.
const POSITION: u64 = 7;

impl Fake {
    /// True when the step changed something.
    fn step_experiment(
        &self,
        step: &ExperimentStep,
        by: Signer,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let mut state = self.state();
        let signature = Signature { by: by.by, at, note: by.note };
        match step.record(&state.experiments, signature)? {
            Some(Record::ExperimentStarted(started)) => state.experiments.started(&started),
            Some(Record::ExperimentRamped(ramped)) => state.experiments.ramped(&ramped),
            Some(Record::ExperimentEnded(ended)) => state.experiments.ended(&ended),
            Some(
                Record::Event(_)
                | Record::Decision(_)
                | Record::StrategyProposed(_)
                | Record::StrategyApproved(_)
                | Record::StrategyActivated(_)
                | Record::ModelActivated(_)
                | Record::BackgroundActivated(_)
                | Record::GraphActivated(_)
                | Record::PersonChanged(_)
                | Record::ApiKeyChanged(_)
                | Record::Audited(_)
                | Record::Noted(_)
                | Record::IdentifierErased(_)
                | Record::RotationStarted(_)
                | Record::PseudonymLinked(_)
                | Record::Followed(_),
            )
            | None => return Ok(false),
        }
        Ok(true)
    }

    fn summary(&self, id: &str) -> Result<ExperimentSummary, Error> {
        let state = self.state();
        let found = state.experiments.get(id).map(ExperimentRun::summary);
        found.ok_or_else(|| Error::UnknownExperiment(id.into()))
    }
}

impl ExperimentService for Fake {
    async fn start_experiment(
        &self,
        draft: ExperimentDraft,
        operator: Signer,
        received: Timestamp,
    ) -> Result<StartedExperiment, Error> {
        let percent = draft.percent;
        let plan = plan_of(draft)?;
        let step = ExperimentStep::Start { plan: plan.clone(), percent };
        let is_new = self.step_experiment(&step, operator, received)?;
        Ok(StartedExperiment { plan, is_replayed: !is_new })
    }

    async fn ramp_experiment(
        &self,
        id: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ExperimentSummary, Error> {
        let step = ExperimentStep::Ramp { id: id.clone(), percent };
        self.step_experiment(&step, operator, received)?;
        self.summary(&id)
    }

    async fn end_experiment(
        &self,
        id: Box<str>,
        ending: Ending,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ExperimentSummary, Error> {
        let step = ExperimentStep::End { id: id.clone(), end: ending.into() };
        self.step_experiment(&step, operator, received)?;
        self.summary(&id)
    }

    async fn report_experiment(
        &self,
        id: Box<str>,
        at: ReportAt,
    ) -> Result<ExperimentReport, Error> {
        let state = self.state();
        let run = state.experiments.get(&id).ok_or(Error::UnknownExperiment(id))?;
        let (position, as_of) = match at {
            ReportAt::Now(now) => (POSITION, now),
            ReportAt::Position { position, as_of } => (position, as_of),
        };
        Ok(report(run, position, as_of))
    }

    async fn list_experiments(&self) -> Result<Vec<ExperimentSummary>, Error> {
        Ok(self.state().experiments.runs().iter().map(ExperimentRun::summary).collect())
    }
}

fn plan_of(draft: ExperimentDraft) -> Result<ExperimentPlan, Error> {
    let arm = |arm: ArmDraft| {
        let model = arm.model.unwrap_or_else(|| "risk/1".into());
        Ok(Arm {
            name: arm.name,
            share: arm.share,
            model_hash: hash_of(&model)?,
            model,
            strategy_hash: "5".repeat(64).into(),
            strategy_toml: "".into(),
        })
    };
    let arms: Result<Vec<Arm>, Error> = draft.arms.into_iter().map(arm).collect();
    let is_all = draft.guardrails.is_empty();
    Ok(ExperimentPlan {
        salt: draft.id.clone(),
        id: draft.id,
        arms: arms?,
        holdout_percent: draft.holdout_percent,
        guardrails: if is_all { Harm::ALL.to_vec() } else { draft.guardrails },
        orders_min: draft.orders_min,
        horizon: draft.horizon,
        worth: Worth {
            minor_per_major: 100.0,
            currency: Currency::parse("CNY").expect("a currency"),
            unknown_amount: 0.0,
            margin_share: 0.2,
            return_share: 0.1,
            return_fixed: 0.0,
            chargeback_fixed: 0.0,
            abuse_share: 0.5,
            penalty_fixed: 0.0,
            complaint: 0.0,
            review_minute: 0.0,
        },
    })
}

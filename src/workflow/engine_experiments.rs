//! The engine's part for experiments: arms looked up, steps recorded.

use crate::decision::strategy::Strategy;
use crate::domain::experiment::{Arm, ExperimentEnd, ExperimentPlan, Harm, Worth};
use crate::domain::head::RiskType;
use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::workflow::command::Command;
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::Error;
use crate::workflow::experiment_report::{ExperimentReport, report};
use crate::workflow::experiment_run::ExperimentRun;
use crate::workflow::experiment_service::{
    ArmDraft, Ending, ExperimentDraft, ExperimentService, ReportAt,
};
use crate::workflow::experiment_steps::ExperimentStep;
use crate::workflow::strategy_service::StrategyService as _;

impl Engine {
    async fn step_experiment(
        &self,
        step: ExperimentStep,
        operator: Signer,
        at: Timestamp,
    ) -> Result<(), Error> {
        let signature = Signature { by: operator.by, at, note: operator.note };
        let command = |reply| Command::Experiment { step, signature, reply };
        let position = self.ask(command).await?;
        self.reached(position).await;
        Ok(())
    }

    async fn runs(&self, id: Option<Box<str>>) -> Result<(Vec<ExperimentRun>, u64), Error> {
        let (runs, position) = self.ask(|reply| Command::Experiments { id, reply }).await?;
        self.reached(position).await;
        Ok((runs, position))
    }

    /// An arm with the bundle and the strategy that it names, else those that judge now.
    async fn arm(&self, draft: ArmDraft) -> Result<Arm, Error> {
        let active = self.active();
        let bundle = match draft.model {
            Some(name) => {
                let past = self.past().clone();
                block(move || past.shelves.models.find(&name)).await?
            }
            None => active.bundle().clone(),
        };
        let (strategy_hash, strategy_toml) = if let Some(digits) = draft.strategy {
            let ledger = self.list_strategies().await?;
            let version = ledger.find(&digits)?;
            if !version.may_judge() {
                return Err(Error::Refused {
                    reason: "STRATEGY_NOT_APPROVED",
                    why: "somebody other than its author has to approve it first".into(),
                });
            }
            (version.hash.clone(), version.toml.clone())
        } else {
            let strategy = active.strategy();
            (strategy.strategy.hash.clone(), (&*strategy.toml).into())
        };
        Ok(Arm {
            name: draft.name,
            share: draft.share,
            model: bundle.full_name(),
            model_hash: bundle.hash().into(),
            strategy_hash,
            strategy_toml,
        })
    }
}

impl ExperimentService for Engine {
    async fn start_experiment(
        &self,
        draft: ExperimentDraft,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ExperimentPlan, Error> {
        let mut arms = Vec::with_capacity(draft.arms.len());
        for arm in draft.arms {
            arms.push(self.arm(arm).await?);
        }
        let guardrails =
            if draft.guardrails.is_empty() { Harm::ALL.to_vec() } else { draft.guardrails };
        let plan = ExperimentPlan {
            salt: draft.id.clone(),
            id: draft.id,
            arms,
            holdout_percent: draft.holdout_percent,
            guardrails,
            orders_min: draft.orders_min,
            horizon: draft.horizon,
            worth: worth_of(&self.active().strategy().strategy),
        };
        let step = ExperimentStep::Start { plan: plan.clone(), percent: draft.percent };
        self.step_experiment(step, operator, received).await?;
        Ok(plan)
    }

    async fn ramp_experiment(
        &self,
        id: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> Result<(), Error> {
        self.step_experiment(ExperimentStep::Ramp { id, percent }, operator, received).await
    }

    async fn end_experiment(
        &self,
        id: Box<str>,
        ending: Ending,
        operator: Signer,
        received: Timestamp,
    ) -> Result<(), Error> {
        let end = match ending {
            Ending::Finished => ExperimentEnd::Finished,
            Ending::Killed => ExperimentEnd::Killed,
        };
        self.step_experiment(ExperimentStep::End { id, end }, operator, received).await
    }

    async fn report_experiment(
        &self,
        id: Box<str>,
        at: ReportAt,
    ) -> Result<ExperimentReport, Error> {
        let unknown = || Error::UnknownExperiment(id.clone());
        match at {
            ReportAt::Now(now) => {
                let (runs, position) = self.runs(Some(id.clone())).await?;
                let run = runs.into_iter().next().ok_or_else(unknown)?;
                block(move || Ok(report(&run, position, now))).await
            }
            ReportAt::Position { position, as_of } => {
                let (past, wanted) = (self.past().clone(), id.clone());
                let found = block(move || {
                    let state = past.state_at(position)?;
                    Ok(state.experiments.get(&wanted).map(|run| report(run, position, as_of)))
                });
                found.await?.ok_or_else(unknown)
            }
        }
    }

    async fn list_experiments(&self) -> Result<Vec<Box<str>>, Error> {
        let (runs, _) = self.runs(None).await?;
        Ok(runs.into_iter().map(|run| run.plan.id).collect())
    }
}

/// The money of a strategy, as far as facts about orders are priced by it.
fn worth_of(strategy: &Strategy) -> Worth {
    let money = &strategy.money;
    let risk = |risk: RiskType| strategy.risks.get(&risk.head()).unwrap_or(&strategy.default_risk);
    Worth {
        minor_per_major: strategy.minor_per_major(),
        currency: strategy.currency,
        unknown_amount: money.unknown_amount_minor,
        margin_share: money.margin_share,
        return_share: money.return_share,
        return_fixed: money.return_fixed_minor,
        chargeback_fixed: risk(RiskType::PaymentFraud).loss_fixed_minor,
        abuse_share: risk(RiskType::PromoAbuse).loss_share,
        penalty_fixed: risk(RiskType::FakeOrder).penalty_minor,
        complaint: money.complaint_minor,
        review_minute: money.review_minute_minor,
    }
}

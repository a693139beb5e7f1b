//! The engine's part for experiments: arms looked up, steps recorded.

use crate::decision::strategy::Strategy;
use crate::domain::experiment::{Arm, ExperimentPlan, Harm, Worth};
use crate::domain::experiment_draft::{
    ArmDraft, Ending, ExperimentDraft, ExperimentSummary, ReportAt, check_percent,
};
use crate::domain::experiment_report::ExperimentReport;
use crate::domain::head::RiskType;
use crate::domain::proposal::ExperimentStep;
use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::workflow::command::{Command, Stepped};
use crate::workflow::engine::{Engine, block};
use crate::workflow::error::{Error, FieldMistake};
use crate::workflow::experiment_report::report;
use crate::workflow::experiment_service::{ExperimentService, StartedExperiment};
use crate::workflow::strategy_service::StrategyService as _;

impl Engine {
    async fn step_experiment(
        &self,
        step: ExperimentStep,
        operator: Signer,
        at: Timestamp,
    ) -> Result<Stepped, Error> {
        let signature = Signature { by: operator.by, at, note: operator.note };
        let command = |reply| Command::StepExperiment { step, signature, reply };
        let stepped = self.ask(command).await?;
        let (Stepped::New(position) | Stepped::Before(position)) = stepped;
        self.reached(position).await;
        Ok(stepped)
    }

    async fn summary(&self, id: &str) -> Result<ExperimentSummary, Error> {
        let listed = self.list_experiments().await?;
        let found = listed.into_iter().find(|it| *it.id == *id);
        found.ok_or_else(|| Error::UnknownExperiment(id.into()))
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
    ) -> Result<StartedExperiment, Error> {
        check(|note| draft.check(note))?;
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
        let stepped = self.step_experiment(step, operator, received).await?;
        Ok(StartedExperiment { plan, is_replayed: matches!(stepped, Stepped::Before(_)) })
    }

    async fn ramp_experiment(
        &self,
        id: Box<str>,
        percent: u32,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ExperimentSummary, Error> {
        check(|note| check_percent(percent, note))?;
        let step = ExperimentStep::Ramp { id: id.clone(), percent };
        self.step_experiment(step, operator, received).await?;
        self.summary(&id).await
    }

    async fn end_experiment(
        &self,
        id: Box<str>,
        ending: Ending,
        operator: Signer,
        received: Timestamp,
    ) -> Result<ExperimentSummary, Error> {
        let step = ExperimentStep::End { id: id.clone(), end: ending.into() };
        self.step_experiment(step, operator, received).await?;
        self.summary(&id).await
    }

    async fn report_experiment(
        &self,
        id: Box<str>,
        at: ReportAt,
    ) -> Result<ExperimentReport, Error> {
        let unknown = || Error::UnknownExperiment(id.clone());
        match at {
            ReportAt::Now(now) => {
                let wanted = id.clone();
                let command = |reply| Command::Experiment { id: wanted, reply };
                let (run, position) = self.ask(command).await?;
                self.reached(position).await;
                let run = run.ok_or_else(unknown)?;
                block(move || Ok(report(&run, position, now))).await
            }
            ReportAt::Position { position, as_of } => {
                let end = self.durable_position();
                if end < position {
                    let description = format!("is {position}, the journal ends at {end}").into();
                    let field = "position".into();
                    return Err(Error::InvalidFields(vec![FieldMistake { field, description }]));
                }
                let (past, wanted) = (self.past().clone(), id.clone());
                let found = block(move || {
                    let state = past.state_at(position)?;
                    Ok(state.experiments.get(&wanted).map(|run| report(run, position, as_of)))
                });
                found.await?.ok_or_else(unknown)
            }
        }
    }

    async fn list_experiments(&self) -> Result<Vec<ExperimentSummary>, Error> {
        let (listed, position) = self.ask(|reply| Command::Experiments { reply }).await?;
        self.reached(position).await;
        Ok(listed)
    }
}

/// Every mistake that is noted, as one error.
pub(super) fn check(told: impl FnOnce(&mut dyn FnMut(&str, String))) -> Result<(), Error> {
    let mut mistakes = Vec::new();
    told(&mut |field, description| {
        mistakes.push(FieldMistake { field: field.into(), description: description.into() });
    });
    if mistakes.is_empty() { Ok(()) } else { Err(Error::InvalidFields(mistakes)) }
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

//! Experiments at the door: what is asked for, and what is listed.

use crate::domain::experiment::{
    Arm, Epoch, ExperimentEnd, ExperimentPlan, HORIZON_DAYS_MAX, Harm, ORDERS_MIN_USUAL, Worth,
};
use crate::domain::experiment_draft::{
    ArmDraft, Ending, ExperimentDraft, ExperimentSummary, ReportAt, check_percent,
};
use crate::domain::strategy_version::Signer;
use crate::domain::time::{Span, Timestamp};
use crate::wire::check::{Check, Door, Path, time_to_pb};
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::model::read_model;
use crate::wire::pb::v1 as pb;
use crate::wire::strategy::read_signer;

/// Another percentage for an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// Its name.
    pub id: Box<str>,
    /// 1 to 100.
    pub percent: u32,
    /// Who asks.
    pub operator: Signer,
}

/// The end of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its name.
    pub id: Box<str>,
    /// How.
    pub ending: Ending,
    /// Who asks.
    pub operator: Signer,
}

/// What is compared, and who asks.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_start(
    request: pb::StartExperimentRequest,
    door: Door<'_>,
) -> Result<(ExperimentDraft, Signer), Error> {
    let mut check = Check::at_door(door);
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    let path = Path::Root.field("arms");
    let arms = request.arms.into_iter().enumerate();
    let arms = arms.map(|(at, arm)| read_arm(&mut check, &path.index(at), arm)).collect();
    let path = Path::Root.field("guardrails");
    let harms = request.guardrails.iter().enumerate();
    let guardrails: Vec<Option<Harm>> =
        harms.map(|(at, harm)| check.choice(&path.index(at), *harm)).collect();
    // One more than allowed is wrong as well, and no number of days leaves the years.
    let days = request.horizon_days.min(HORIZON_DAYS_MAX + 1);
    let draft = ExperimentDraft {
        id: request.experiment_id.into(),
        arms,
        percent: request.percent,
        holdout_percent: request.holdout_percent,
        guardrails: guardrails.into_iter().flatten().collect(),
        orders_min: request.orders_min.unwrap_or(ORDERS_MIN_USUAL),
        horizon: Span::days(i64::from(days)),
    };
    draft.check(&mut |field, description| check.note_field(field, description));
    check.finish(operator.map(|operator| (draft, operator)))
}

fn read_arm(check: &mut Check<'_>, path: &Path<'_>, arm: pb::ExperimentArmDraft) -> ArmDraft {
    let model = (!arm.model.is_empty()).then_some(arm.model);
    let strategy = check.text(&path.field("strategy_hash"), arm.strategy_hash);
    ArmDraft {
        name: arm.name.into(),
        share: arm.share,
        model: model.and_then(|model| read_model(check, &path.field("model"), model)),
        strategy: strategy.filter(|hash| !hash.is_empty()),
    }
}

/// Another percentage.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_ramp(request: pb::RampExperimentRequest, door: Door<'_>) -> Result<Ramp, Error> {
    let mut check = Check::at_door(door);
    let id = check.name(&Path::Root.field("experiment_id"), request.experiment_id);
    let percent = request.percent;
    check_percent(percent, &mut |field, description| check.note_field(field, description));
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    check.finish(id.zip(operator).map(|(id, operator)| Ramp { id, percent, operator }))
}

/// An end.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_stop(request: pb::StopExperimentRequest, door: Door<'_>) -> Result<Stop, Error> {
    let mut check = Check::at_door(door);
    let id = check.name(&Path::Root.field("experiment_id"), request.experiment_id);
    let path = Path::Root.field("ending");
    let ending = match pb::ExperimentEnding::try_from(request.ending) {
        Ok(pb::ExperimentEnding::Finished) => Some(Ending::Finished),
        Ok(pb::ExperimentEnding::Killed) => Some(Ending::Killed),
        Ok(pb::ExperimentEnding::Unspecified) => {
            check.note(&path, "is required");
            None
        }
        Err(_) => {
            check.note(&path, format!("{} is not a known value", request.ending));
            None
        }
    };
    let operator = read_signer(&mut check, "operator", request.operator, request.note);
    let stop = id.zip(ending).zip(operator);
    check.finish(stop.map(|((id, ending), operator)| Stop { id, ending, operator }))
}

/// Which experiment, and which state of it.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_report(
    request: pb::GetExperimentReportRequest,
    door: Door<'_>,
) -> Result<(Box<str>, ReportAt), Error> {
    let mut check = Check::at_door(door);
    let id = check.name(&Path::Root.field("experiment_id"), request.experiment_id);
    let path = Path::Root.field("as_of");
    let at = match (request.position, request.as_of) {
        (None, None) => Some(ReportAt::Now(door.now)),
        (None, Some(_)) => {
            check.note(&path, "is for reports of a position only");
            None
        }
        (Some(position), as_of) => check
            .required(&path, as_of, Check::time)
            .map(|as_of| ReportAt::Position { position, as_of }),
    };
    check.finish(id.zip(at))
}

/// The message for a plan.
pub fn plan_to_pb(plan: &ExperimentPlan) -> pb::ExperimentPlan {
    pb::ExperimentPlan {
        experiment_id: plan.id.to_string(),
        arms: plan.arms.iter().map(arm_to_pb).collect(),
        holdout_percent: plan.holdout_percent,
        guardrails: plan.guardrails.iter().map(|harm| harm.to_wire()).collect(),
        orders_min: plan.orders_min,
        horizon_days: plan.horizon.as_days(),
        worth: Some(worth_to_pb(&plan.worth)),
        plan_hash: plan.hash().into(),
    }
}

fn arm_to_pb(arm: &Arm) -> pb::ExperimentArm {
    pb::ExperimentArm {
        name: arm.name.to_string(),
        share: arm.share,
        model: arm.model.to_string(),
        model_hash: arm.model_hash.to_string(),
        strategy_hash: arm.strategy_hash.to_string(),
    }
}

fn worth_to_pb(worth: &Worth) -> pb::ExperimentWorth {
    pb::ExperimentWorth {
        currency_code: worth.currency.as_str().to_owned(),
        minor_per_major: worth.minor_per_major,
        unknown_amount: worth.unknown_amount,
        margin_share: worth.margin_share,
        return_share: worth.return_share,
        return_fixed: worth.return_fixed,
        chargeback_fixed: worth.chargeback_fixed,
        abuse_share: worth.abuse_share,
        penalty_fixed: worth.penalty_fixed,
        complaint: worth.complaint,
        review_minute: worth.review_minute,
    }
}

/// The message for an experiment in a list.
pub fn summary_to_pb(summary: &ExperimentSummary) -> pb::ExperimentSummary {
    let units = summary.arms.iter().zip(&summary.units);
    let arms = units
        .map(|(name, units)| pb::ExperimentArmSummary { name: name.to_string(), units: *units });
    let ended_by = summary.ended.as_ref().map(|(_, signature)| signature.by.to_string());
    pb::ExperimentSummary {
        experiment_id: summary.id.to_string(),
        arms: arms.collect(),
        epochs: summary.epochs.iter().map(epoch_to_pb).collect(),
        started_by: summary.started.by.to_string(),
        started_at: Some(time_to_pb(summary.started.at)),
        ended: summary.ended.as_ref().map(|(end, signature)| end_to_pb(end, signature.at)),
        ended_by: ended_by.unwrap_or_default(),
    }
}

/// The message for an epoch.
pub fn epoch_to_pb(epoch: &Epoch) -> pb::ExperimentEpoch {
    pb::ExperimentEpoch { starts_at: Some(time_to_pb(epoch.from)), percent: epoch.percent }
}

/// The message for an end.
pub fn end_to_pb(end: &ExperimentEnd, at: Timestamp) -> pb::ExperimentEnd {
    use pb::ExperimentEndReason as Reason;
    let (reason, harm, arm) = match end {
        ExperimentEnd::Finished => (Reason::Finished, None, None),
        ExperimentEnd::Killed => (Reason::Killed, None, None),
        ExperimentEnd::Harm { harm, arm } => (Reason::Harm, Some(*harm), Some(arm)),
        ExperimentEnd::Money { arm } => (Reason::Money, None, Some(arm)),
    };
    pb::ExperimentEnd {
        reason: reason.into(),
        harm: harm.map(Harm::to_wire).unwrap_or_default(),
        arm: arm.map(ToString::to_string).unwrap_or_default(),
        at: Some(time_to_pb(at)),
    }
}

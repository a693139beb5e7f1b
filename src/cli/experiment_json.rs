//! Experiments as JSON for programs.

use serde_json::{Value, json};

use crate::domain::experiment::Harm;
use crate::domain::time::Timestamp;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// A report as JSON; what is refused has no number.
pub fn report_as_json(report: &pb::ExperimentReport) -> Value {
    json!({
        "experiment_id": report.experiment_id,
        "plan_hash": report.plan_hash,
        "report_hash": report.report_hash,
        "position": report.position,
        "as_of": time(report.as_of),
        "started_at": time(report.started_at),
        "ended": report.ended.as_ref().map(end),
        "epochs": report.epochs.iter().map(epoch).collect::<Vec<_>>(),
        "status": bare(report.status().as_str_name(), "REPORT_STATUS_"),
        "advice": bare(report.advice().as_str_name(), "EXPERIMENT_ADVICE_"),
        "refusals": report.refusals().map(refusal).collect::<Vec<_>>(),
        "arms": report.arms.iter().map(arm).collect::<Vec<_>>(),
        "currency_code": report.currency_code,
        "split_p": report.split_p,
        "split_p_one_look": report.split_p_one_look,
        "mixed_share": report.mixed_share,
        "effective_units": report.effective_units,
        "comparisons": report.comparisons.iter().map(comparison).collect::<Vec<_>>(),
        "looks": report.looks.iter().map(look).collect::<Vec<_>>(),
    })
}

/// An experiment of a list as JSON.
pub fn summary_as_json(summary: &pb::ExperimentSummary) -> Value {
    let arm = |arm: &pb::ExperimentArmSummary| json!({ "name": arm.name, "units": arm.units });
    json!({
        "experiment_id": summary.experiment_id,
        "arms": summary.arms.iter().map(arm).collect::<Vec<_>>(),
        "epochs": summary.epochs.iter().map(epoch).collect::<Vec<_>>(),
        "started_by": summary.started_by,
        "started_at": time(summary.started_at),
        "ended": summary.ended.as_ref().map(end),
        "ended_by": summary.ended_by,
    })
}

/// An instant as the commands take it; `null` for none.
pub fn time(at: Option<prost_types::Timestamp>) -> Option<String> {
    at.map(|at| instant(at).to_string())
}

/// An instant of the contract.
pub fn instant(at: prost_types::Timestamp) -> Timestamp {
    let micros = at.seconds.saturating_mul(1_000_000);
    Timestamp(micros.saturating_add(i64::from(at.nanos / 1_000)))
}

/// Name of a harm, as the commands take it.
pub fn harm_name(harm: i32) -> &'static str {
    Harm::from_wire(harm).map_or("", Harm::as_str)
}

/// A name of the contract without what all of its enum begin with.
fn bare<'n>(name: &'n str, prefix: &str) -> &'n str {
    name.strip_prefix(prefix).unwrap_or(name)
}

fn refusal(refusal: pb::EstimateRefusal) -> &'static str {
    bare(refusal.as_str_name(), "ESTIMATE_REFUSAL_")
}

fn epoch(epoch: &pb::ExperimentEpoch) -> Value {
    json!({ "starts_at": time(epoch.starts_at), "percent": epoch.percent })
}

fn end(end: &pb::ExperimentEnd) -> Value {
    json!({
        "reason": bare(end.reason().as_str_name(), "EXPERIMENT_END_REASON_"),
        "harm": Harm::from_wire(end.harm).map(Harm::as_str),
        "arm": (!end.arm.is_empty()).then_some(&end.arm),
        "at": time(end.at),
    })
}

fn arm(arm: &pb::ExperimentArmReport) -> Value {
    json!({
        "name": arm.name,
        "model": arm.model,
        "strategy_hash": arm.strategy_hash,
        "share": arm.share,
        "units": arm.units,
        "orders": arm.orders,
        "matured_share": arm.matured_share,
    })
}

fn comparison(comparison: &pb::ExperimentComparison) -> Value {
    json!({
        "arm": comparison.arm,
        "money": comparison.money.as_ref().map(money),
        "money_refusals": comparison.money_refusals().map(refusal).collect::<Vec<_>>(),
        "harms": comparison.harms.iter().map(harm).collect::<Vec<_>>(),
    })
}

fn money(money: &pb::ExperimentMoney) -> Value {
    json!({
        "control": money.control,
        "arm": money.arm,
        "difference": money.difference,
        "at_every_look": money.at_every_look.as_ref().map(interval),
        "p_at_every_look": money.p_at_every_look,
        "at_one_look": money.at_one_look.as_ref().map(interval),
        "least_seen": money.least_seen,
        "p_final": money.p_final,
        "relative": money.relative.as_ref().map(|it| {
            json!({
                "effect": it.effect,
                "at_one_look": it.at_one_look.as_ref().map(interval),
            })
        }),
    })
}

fn harm(harm: &pb::HarmComparison) -> Value {
    let times = |it: &pb::TimesAsOften| json!({ "low": it.low, "high": it.high });
    json!({
        "harm": harm_name(harm.harm),
        "control_units": harm.control_units,
        "arm_units": harm.arm_units,
        "times_at_every_look": harm.times_at_every_look.as_ref().map(times),
        "p_at_every_look": harm.p_at_every_look,
        "stops_at": harm.stops_at,
    })
}

fn look(look: &pb::ExperimentLook) -> Value {
    let harm = |it: &pb::HarmLook| {
        json!({
            "harm": harm_name(it.harm),
            "control_units": it.control_units,
            "arm_units": it.arm_units,
        })
    };
    let arm = |it: &pb::ExperimentArmLook| {
        json!({
            "arm": it.arm,
            "difference": it.difference,
            "at_every_look": it.at_every_look.as_ref().map(interval),
            "harms": it.harms.iter().map(harm).collect::<Vec<_>>(),
        })
    };
    json!({ "at": time(look.at), "arms": look.arms.iter().map(arm).collect::<Vec<_>>() })
}

fn interval(interval: &pb::NumberInterval) -> Value {
    json!({ "low": interval.low, "high": interval.high })
}

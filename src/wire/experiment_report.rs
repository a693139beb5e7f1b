//! Reports on experiments as messages.

use crate::domain::experiment_report::{
    Advice, ArmLook, ArmReport, Comparison, EstimateRefusal, ExperimentReport, HarmComparison,
    Look, MoneyComparison, MoneyDifference, TimesAsOften,
};
use crate::wire::check::time_to_pb;
use crate::wire::enums::WireEnum as _;
use crate::wire::experiment::{end_to_pb, epoch_to_pb};
use crate::wire::pb::v1 as pb;

/// The message for a report.
pub fn report_to_pb(report: &ExperimentReport) -> pb::ExperimentReport {
    pb::ExperimentReport {
        experiment_id: report.id.to_string(),
        plan_hash: report.plan_hash.to_string(),
        position: report.position,
        as_of: Some(time_to_pb(report.as_of)),
        started_at: Some(time_to_pb(report.started_at)),
        ended: report.ended.as_ref().map(|(end, at)| end_to_pb(end, *at)),
        epochs: report.epochs.iter().map(epoch_to_pb).collect(),
        arms: report.arms.iter().map(arm_to_pb).collect(),
        currency_code: report.currency.as_str().to_owned(),
        split_p: report.split_p,
        split_p_one_look: report.split_p_one_look,
        mixed_share: report.mixed_share,
        effective_units: report.effective_units,
        status: report.status.to_wire(),
        refusals: refusals_to_pb(&report.refusals),
        comparisons: report.comparisons.iter().map(comparison_to_pb).collect(),
        looks: report.looks.iter().map(|look| look_to_pb(report, look)).collect(),
        advice: advice_to_pb(report.advice).into(),
        report_hash: report.hash().into(),
    }
}

fn arm_to_pb(arm: &ArmReport) -> pb::ExperimentArmReport {
    pb::ExperimentArmReport {
        name: arm.name.to_string(),
        model: arm.model.to_string(),
        strategy_hash: arm.strategy_hash.to_string(),
        share: arm.share,
        units: arm.units,
        orders: arm.orders,
        matured_share: arm.matured_share,
    }
}

fn comparison_to_pb(comparison: &Comparison) -> pb::ExperimentComparison {
    let (money, money_refusals) = match &comparison.money {
        MoneyComparison::Told(money) => (Some(money_to_pb(money)), Vec::new()),
        MoneyComparison::Refused(refusals) => (None, refusals_to_pb(refusals)),
    };
    pb::ExperimentComparison {
        arm: comparison.arm.to_string(),
        money,
        money_refusals,
        harms: comparison.harms.iter().map(harm_to_pb).collect(),
    }
}

fn money_to_pb(money: &MoneyDifference) -> pb::ExperimentMoney {
    let interval = |(low, high): (f64, f64)| Some(pb::NumberInterval { low, high });
    pb::ExperimentMoney {
        control: money.control,
        arm: money.arm,
        difference: money.difference,
        at_every_look: interval(money.at_every_look),
        p_at_every_look: money.p_at_every_look,
        at_one_look: interval(money.at_one_look),
        least_seen: money.least_seen,
        p_final: money.p_final,
        relative: money.relative.map(|it| pb::RelativeDifference {
            effect: it.effect,
            at_one_look: interval(it.at_one_look),
        }),
    }
}

fn harm_to_pb(harm: &HarmComparison) -> pb::HarmComparison {
    let times = |it: TimesAsOften| pb::TimesAsOften { low: it.low, high: it.high };
    pb::HarmComparison {
        harm: harm.harm.to_wire(),
        control_units: harm.control_units,
        arm_units: harm.arm_units,
        times_at_every_look: harm.times_at_every_look.map(times),
        p_at_every_look: harm.p_at_every_look,
        stops_at: harm.stops_at,
    }
}

fn look_to_pb(report: &ExperimentReport, look: &Look) -> pb::ExperimentLook {
    let arms = report.comparisons.iter().zip(&look.arms);
    pb::ExperimentLook {
        at: Some(time_to_pb(look.at)),
        arms: arms.map(|(comparison, look)| arm_look_to_pb(comparison, look)).collect(),
    }
}

fn arm_look_to_pb(comparison: &Comparison, look: &ArmLook) -> pb::ExperimentArmLook {
    let interval = |(low, high): (f64, f64)| pb::NumberInterval { low, high };
    let harms = comparison.harms.iter().zip(&look.harmed);
    let harm = |(harm, (control_units, arm_units)): (&HarmComparison, &(u64, u64))| pb::HarmLook {
        harm: harm.harm.to_wire(),
        control_units: *control_units,
        arm_units: *arm_units,
    };
    pb::ExperimentArmLook {
        arm: comparison.arm.to_string(),
        difference: look.money.map(|money| money.difference),
        at_every_look: look.money.map(|money| interval(money.at_every_look)),
        harms: harms.map(harm).collect(),
    }
}

fn refusals_to_pb(refusals: &[EstimateRefusal]) -> Vec<i32> {
    refusals.iter().map(|refusal| refusal.to_wire()).collect()
}

fn advice_to_pb(advice: Advice) -> pb::ExperimentAdvice {
    match advice {
        Advice::Ship => pb::ExperimentAdvice::Ship,
        Advice::StopHarm => pb::ExperimentAdvice::StopHarm,
        Advice::KeepRunning => pb::ExperimentAdvice::KeepRunning,
        Advice::NoDifferenceShown => pb::ExperimentAdvice::NoDifferenceShown,
        Advice::Refused => pb::ExperimentAdvice::Refused,
    }
}

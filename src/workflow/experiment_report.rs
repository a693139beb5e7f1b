//! What an experiment has shown so far: a function of its fold and an instant.
//!
//! Estimand: the difference per order between an arm and the control, over all units that were
//! drawn into them, whatever operators did afterwards (intention to treat). Units are rings; a
//! number that would mislead is refused, and a refusal has no number.

use crate::domain::experiment::{ExperimentEnd, Harm};
use crate::domain::experiment_report::{
    Advice, ArmLook, ArmReport, Comparison, EstimateRefusal, ExperimentReport, HarmComparison,
    Look, MoneyComparison, MoneyDifference, MoneyLook, RelativeDifference, ReportStatus,
    TimesAsOften,
};
use crate::domain::time::Timestamp;
use crate::experiment::difference::{Difference, Metric};
use crate::experiment::distributions::normal_tail_quantile;
use crate::experiment::moments::Moments;
use crate::experiment::permutation::{Ring, randomization_p};
use crate::experiment::rare_events::EventBet;
use crate::experiment::refusal::{Answer, Refusal};
use crate::experiment::relative::Relative;
use crate::experiment::sequence::Mixture;
use crate::experiment::split::one_look_p;
use crate::workflow::experiment_guard::MONEY_UNITS_SHARPEST;
use crate::workflow::experiment_run::{ExperimentRun, UnitRow};

/// Level of all intervals, of all arms together.
const ALPHA: f64 = 0.05;
/// A split less probable than this refuses every comparison.
pub const SPLIT_P_MIN: f64 = 0.001;
/// Fewest effective units that an interval is given for.
pub const EFFECTIVE_UNITS_MIN: f64 = 20.0;
/// Largest share of orders whose ring met another arm, before comparisons are refused.
pub const MIXED_SHARE_MAX: f64 = 0.15;
/// From this share on the report warns.
pub const MIXED_SHARE_WARN: f64 = 0.05;
/// Redrawn assignments behind the final p.
const REDRAWS: u32 = 1_999;
/// Power at which the least effect is seen.
const POWER: f64 = 0.8;

/// The report on an experiment whose fold stands at a position.
pub fn report(run: &ExperimentRun, position: u64, as_of: Timestamp) -> ExperimentReport {
    let refusals = refusals(run);
    let comparisons: Vec<Comparison> =
        (1..run.plan.arms.len()).map(|arm| compare(run, arm, &refusals)).collect();
    let advice = advice(run, &refusals, &comparisons);
    let has_money = comparisons.iter().any(|it| matches!(it.money, MoneyComparison::Told(_)));
    let shares: Vec<f64> = run.plan.arms.iter().map(|arm| arm.share).collect();
    ExperimentReport {
        id: run.plan.id.clone(),
        plan_hash: run.plan.hash(),
        position,
        as_of,
        started_at: run.started.at,
        ended: run.ended.as_ref().map(|(end, by)| (end.clone(), by.at)),
        epochs: run.epochs.clone(),
        arms: (0..run.plan.arms.len()).map(|arm| arm_report(run, arm, as_of)).collect(),
        currency: run.plan.worth.currency,
        split_p: run.split_p,
        split_p_one_look: one_look_p(run.units_by_arm(), &shares).ok(),
        mixed_share: mixed_share(run),
        effective_units: effective_units(run),
        status: match has_money {
            false => ReportStatus::Refused,
            true if MIXED_SHARE_WARN < mixed_share(run) => ReportStatus::Warn,
            true => ReportStatus::Ok,
        },
        refusals: refusals.into_iter().map(told).collect(),
        comparisons,
        looks: run.looks.taken().iter().cloned().chain([last_look(run, as_of)]).collect(),
        advice,
    }
}

/// The look of the report itself, after all that are kept.
fn last_look(run: &ExperimentRun, as_of: Timestamp) -> Look {
    let before = run.looks.taken().last().map_or(as_of, |look| look.at);
    look(run, as_of.max(before))
}

/// What an experiment shows at an instant.
pub(super) fn look(run: &ExperimentRun, at: Timestamp) -> Look {
    let is_refused = !refusals(run).is_empty();
    let per_1000 = per_1000(run);
    let arm = |arm: usize| {
        let shown = if is_refused { None } else { difference(run, arm).ok() };
        let money = shown.map(|(difference, _)| {
            let (low, high) = mixture(run).interval(&difference);
            MoneyLook {
                difference: difference.effect * per_1000,
                at_every_look: (low * per_1000, high * per_1000),
            }
        });
        let harmed = |harm: &Harm| {
            let units = run.harmed(*harm);
            (units[0], units[arm])
        };
        ArmLook { money, harmed: run.plan.guardrails.iter().map(harmed).collect() }
    };
    Look { at, arms: (1..run.plan.arms.len()).map(arm).collect() }
}

fn refusals(run: &ExperimentRun) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if run.split_p < SPLIT_P_MIN {
        refusals.push(Refusal::SampleRatioMismatch);
    }
    if MIXED_SHARE_MAX < mixed_share(run) {
        refusals.push(Refusal::UnitsMixed);
    }
    refusals
}

fn compare(run: &ExperimentRun, arm: usize, refusals: &[Refusal]) -> Comparison {
    let harm = |harm: &Harm| {
        let (events, ln_evidence) = run.ln_harm_evidence(*harm, arm);
        HarmComparison {
            harm: *harm,
            control_units: events.control,
            arm_units: events.treatment,
            times_at_every_look: if refusals.is_empty() {
                times_as_often(run, *harm, arm)
            } else {
                None
            },
            p_at_every_look: refusals.is_empty().then(|| (-ln_evidence).exp().min(1.0)),
            stops_at: run.guard_alpha(),
        }
    };
    let money = if refusals.is_empty() { money(run, arm) } else { Err(refusals.to_vec()) };
    Comparison {
        arm: run.plan.arms[arm].name.clone(),
        money: match money {
            Ok(money) => MoneyComparison::Told(Box::new(money)),
            Err(refusals) => MoneyComparison::Refused(refusals.into_iter().map(told).collect()),
        },
        harms: run.plan.guardrails.iter().map(harm).collect(),
    }
}

/// By the bet that watches over the harm, turned into odds.
fn times_as_often(run: &ExperimentRun, harm: Harm, arm: usize) -> Option<TimesAsOften> {
    let (events, _) = run.ln_harm_evidence(harm, arm);
    if events.treatment + events.control == 0 {
        return None;
    }
    let shares = &run.plan.arms;
    let planned = shares[arm].share / (shares[arm].share + shares[0].share);
    let (low, high) = EventBet::guard(planned).share_interval(events, run.guard_alpha());
    let times = |share: f64| share / (1.0 - share) / (planned / (1.0 - planned));
    Some(TimesAsOften {
        low: if events.treatment == 0 { 0.0 } else { times(low) },
        high: (0 < events.control).then(|| times(high)),
    })
}

fn money(run: &ExperimentRun, arm: usize) -> Answer<MoneyDifference> {
    let (difference, [control, treatment]) = difference(run, arm)?;
    let (alpha, mixture, per_1000) = (alpha(run), mixture(run), per_1000(run));
    let scaled = |(low, high): (f64, f64)| (low * per_1000, high * per_1000);
    let quantiles = normal_tail_quantile(alpha / 2.0) + normal_tail_quantile(1.0 - POWER);
    let p_final = match run.ended {
        Some(_) => Some(randomization_p(&rings(run, arm), REDRAWS, seed_of(run))?),
        None => None,
    };
    Ok(MoneyDifference {
        control: control.mean / control.mean_beside * per_1000,
        arm: treatment.mean / treatment.mean_beside * per_1000,
        difference: difference.effect * per_1000,
        at_every_look: scaled(mixture.interval(&difference)),
        p_at_every_look: mixture.p(&difference),
        at_one_look: scaled(difference.interval(alpha)),
        relative: relative([control, treatment], alpha),
        least_seen: quantiles * difference.standard_error * per_1000,
        p_final,
    })
}

/// The difference per order in minor units, and both arms: the control first.
fn difference(run: &ExperimentRun, arm: usize) -> Answer<(Difference, [Moments; 2])> {
    if effective_units(run) < EFFECTIVE_UNITS_MIN {
        return Err(vec![Refusal::TooFewClusters]);
    }
    let (control, treatment) = (run.moments(0), run.moments(arm));
    let difference = Difference::new(Metric::Ratio, &control, &treatment)?;
    Ok((difference, [control, treatment]))
}

/// What the difference is of the control; a loss has no meaningful share of it.
fn relative([control, treatment]: [Moments; 2], alpha: f64) -> Option<RelativeDifference> {
    let is_gain = 0.0 < control.mean && 0.0 < control.mean_beside;
    let found = Relative::of_means(Metric::Ratio, &control, &treatment, alpha).ok();
    found
        .filter(|_| is_gain)
        .map(|it| RelativeDifference { effect: it.effect, at_one_look: it.interval })
}

/// Level of the interval of one arm (Bonferroni).
fn alpha(run: &ExperimentRun) -> f64 {
    ALPHA / (run.plan.arms.len() - 1).max(1) as f64
}

fn mixture(run: &ExperimentRun) -> Mixture {
    Mixture::new(alpha(run), MONEY_UNITS_SHARPEST)
}

fn per_1000(run: &ExperimentRun) -> f64 {
    1_000.0 / run.plan.worth.minor_per_major
}

fn advice(run: &ExperimentRun, refusals: &[Refusal], comparisons: &[Comparison]) -> Advice {
    if let Some((ExperimentEnd::Harm { .. } | ExperimentEnd::Money { .. }, _)) = run.ended {
        return Advice::StopHarm;
    }
    if !refusals.is_empty() {
        return Advice::Refused;
    }
    let money = comparisons.iter().filter_map(|it| match &it.money {
        MoneyComparison::Told(told) => Some(told),
        MoneyComparison::Refused(_) => None,
    });
    let money: Vec<_> = money.collect();
    if money.is_empty() {
        return Advice::Refused;
    }
    if money.iter().any(|it| 0.0 < it.at_every_look.0) {
        return Advice::Ship;
    }
    if run.is_running() { Advice::KeepRunning } else { Advice::NoDifferenceShown }
}

fn arm_report(run: &ExperimentRun, arm: usize, as_of: Timestamp) -> ArmReport {
    let is_of = |row: &u32| usize::from(run.units[*row as usize].arm) == arm;
    let (mut orders, mut matured) = (0_u64, 0_u64);
    for order in run.orders.values().filter(|order| is_of(&order.unit)) {
        orders += 1;
        matured += u64::from(run.plan.horizon <= as_of - order.placed_at);
    }
    let planned = &run.plan.arms[arm];
    ArmReport {
        name: planned.name.clone(),
        model: planned.model.clone(),
        strategy_hash: planned.strategy_hash.clone(),
        share: planned.share,
        units: run.units_by_arm()[arm],
        orders,
        matured_share: (0 < orders).then(|| matured as f64 / orders as f64),
    }
}

fn rings(run: &ExperimentRun, arm: usize) -> Vec<Ring> {
    let of_both = run.units.iter().filter(|unit| [0, arm].contains(&usize::from(unit.arm)));
    let ring = |unit: &UnitRow| Ring {
        sum: unit.net as f64,
        n_orders: f64::from(unit.n_orders),
        is_treated: usize::from(unit.arm) == arm,
    };
    of_both.map(ring).collect()
}

/// The plan's own hash: the same experiment is redrawn the same way each time.
fn seed_of(run: &ExperimentRun) -> u64 {
    u64::from_str_radix(&run.plan.hash()[..16], 16).unwrap_or_default()
}

fn mixed_share(run: &ExperimentRun) -> f64 {
    let orders = |of: &dyn Fn(bool) -> bool| {
        let units = run.units.iter().filter(|unit| of(unit.is_mixed));
        units.map(|unit| f64::from(unit.n_orders)).sum::<f64>()
    };
    let all = orders(&|_| true);
    if all > 0.0 { orders(&|is_mixed| is_mixed) / all } else { 0.0 }
}

fn effective_units(run: &ExperimentRun) -> f64 {
    let sizes = || run.units.iter().map(|unit| f64::from(unit.n_orders));
    let (sum, squares) = (sizes().sum::<f64>(), sizes().map(|n| n * n).sum::<f64>());
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Why there is no number, in the words of the domain.
fn told(refusal: Refusal) -> EstimateRefusal {
    match refusal {
        Refusal::TooFewUnits => EstimateRefusal::TooFewUnits,
        Refusal::TooFewEvents => EstimateRefusal::TooFewEvents,
        Refusal::BaselineNearZero => EstimateRefusal::BaselineNearZero,
        Refusal::NoSpread => EstimateRefusal::NoSpread,
        Refusal::TooFewClusters => EstimateRefusal::TooFewClusters,
        Refusal::TooFewEffectiveRows => EstimateRefusal::TooFewEffectiveRows,
        Refusal::WeightConcentrated => EstimateRefusal::WeightConcentrated,
        Refusal::NoOverlap => EstimateRefusal::NoOverlap,
        Refusal::PropensitiesWrong => EstimateRefusal::PropensitiesWrong,
        Refusal::EstimatesDisagree => EstimateRefusal::EstimatesDisagree,
        Refusal::SampleRatioMismatch => EstimateRefusal::SampleRatioMismatch,
        Refusal::UnitInEmptyArm => EstimateRefusal::UnitInEmptyArm,
        Refusal::UnitsMixed => EstimateRefusal::UnitsMixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rings of one order each that bring about so much.
    fn arm(about: f64) -> Moments {
        let mut moments = Moments::default();
        for n in 0..100 {
            moments.add(about + f64::from(n % 3) - 1.0, 1.0);
        }
        moments
    }

    #[test]
    fn a_difference_is_a_share_of_a_control_that_surely_gains() {
        let told = relative([arm(10.0), arm(11.0)], 0.05).unwrap();
        assert!((told.effect - 0.1).abs() < 0.001, "{told:?}");
        assert!(told.at_one_look.0 < told.effect && told.effect < told.at_one_look.1);
        assert_eq!(relative([arm(-10.0), arm(11.0)], 0.05), None, "it loses");
        assert_eq!(relative([arm(0.05), arm(11.0)], 0.05), None, "it could be nothing");
    }
}

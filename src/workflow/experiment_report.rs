//! What an experiment has shown so far: a function of its fold and an instant.
//!
//! Estimand: the difference per order between an arm and the control, over all units that were
//! drawn into them, whatever operators did afterwards (intention to treat). Units are rings; a
//! number that would mislead is refused, and a refusal has no number.

use serde::Serialize;

use crate::domain::experiment::{Epoch, ExperimentEnd, Harm};
use crate::domain::time::Timestamp;
use crate::experiment::difference::{Difference, Metric};
use crate::experiment::distributions::normal_tail_quantile;
use crate::experiment::permutation::{Ring, randomization_p};
use crate::experiment::refusal::{Answer, Refusal};
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

/// What an experiment has shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExperimentReport {
    /// Its name.
    pub id: Box<str>,
    /// BLAKE3 of the plan as it was registered.
    pub plan_hash: Box<str>,
    /// Journal position that the report has folded: the same position gives the same report.
    pub position: u64,
    /// As of when.
    pub as_of: Timestamp,
    /// When it started.
    pub started_at: Timestamp,
    /// Why and when it ended; `None` while it runs.
    pub ended: Option<(ExperimentEnd, Timestamp)>,
    /// From when on how many took part.
    pub epochs: Vec<Epoch>,
    /// The arms, the control first.
    pub arms: Vec<ArmReport>,
    /// p that the split is as planned: at every look, and of this look alone.
    pub split_p: f64,
    /// The same by chi-square, valid for one look; `None` without units.
    pub split_p_one_look: Option<f64>,
    /// Share of orders whose ring met a ring of another arm.
    pub mixed_share: f64,
    /// Units that the sizes of all units are worth, (Σn)² / Σn².
    pub effective_units: f64,
    /// Why nothing can be compared; empty when it can.
    pub refusals: Vec<Refusal>,
    /// Every arm but the control against it.
    pub comparisons: Vec<Comparison>,
    /// What to do.
    pub advice: Advice,
}

/// An arm by itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmReport {
    /// Its name.
    pub name: Box<str>,
    /// Its bundle.
    pub model: Box<str>,
    /// Its strategy.
    pub strategy_hash: Box<str>,
    /// Its planned share of those who take part.
    pub share: f64,
    /// Units in it.
    pub units: u64,
    /// Their orders.
    pub orders: u64,
    /// Share of the orders that are older than the horizon; `None` without orders.
    pub matured_share: Option<f64>,
}

/// An arm against the control.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The arm.
    pub arm: Box<str>,
    /// Money per 1,000 orders, major units: arm minus control.
    pub money: MoneyComparison,
    /// Harms, in the order of the plan.
    pub harms: Vec<HarmComparison>,
}

/// Money of an arm against the control, per 1,000 orders, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyComparison {
    /// The numbers.
    Told(Box<MoneyDifference>),
    /// Why there are none.
    Refused(Vec<Refusal>),
}

/// Money per 1,000 orders, major units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MoneyDifference {
    /// Of the control.
    pub control: f64,
    /// Of the arm.
    pub arm: f64,
    /// Arm minus control.
    pub difference: f64,
    /// Interval that holds at every look: decide by this one while it runs.
    pub at_every_look: (f64, f64),
    /// p against no difference that holds at every look.
    pub p_at_every_look: f64,
    /// Interval that holds for one look, planned before.
    pub at_one_look: (f64, f64),
    /// The least difference that this many units would show at one look, four times in five.
    pub least_seen: f64,
    /// p of the final look, by redrawn assignments; `None` while it runs.
    pub p_final: Option<f64>,
}

/// A harm in an arm and in the control.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HarmComparison {
    /// Which.
    pub harm: Harm,
    /// Units of the control that it came to.
    pub control_units: u64,
    /// Units of the arm that it came to.
    pub arm_units: u64,
    /// p against "not more frequent in the arm" that holds at every look.
    pub p_at_every_look: f64,
    /// The p at which it ends the experiment.
    pub stops_at: f64,
}

/// What to do about an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Advice {
    /// An arm earns more, and no guardrail is crossed.
    Ship,
    /// An arm did harm.
    StopHarm,
    /// Nothing is sure yet.
    KeepRunning,
    /// It ended, and no difference was shown.
    NoDifferenceShown,
    /// Nothing can be compared.
    Refused,
}

/// The report on an experiment whose fold stands at a position.
pub fn report(run: &ExperimentRun, position: u64, as_of: Timestamp) -> ExperimentReport {
    let refusals = refusals(run);
    let comparisons: Vec<Comparison> =
        (1..run.plan.arms.len()).map(|arm| compare(run, arm, &refusals)).collect();
    let advice = advice(run, &refusals, &comparisons);
    let shares: Vec<f64> = run.plan.arms.iter().map(|arm| arm.share).collect();
    ExperimentReport {
        id: run.plan.id.clone(),
        plan_hash: plan_hash(run),
        position,
        as_of,
        started_at: run.started.at,
        ended: run.ended.as_ref().map(|(end, by)| (end.clone(), by.at)),
        epochs: run.epochs.clone(),
        arms: (0..run.plan.arms.len()).map(|arm| arm_report(run, arm, as_of)).collect(),
        split_p: run.split_p,
        split_p_one_look: one_look_p(run.units_by_arm(), &shares).ok(),
        mixed_share: mixed_share(run),
        effective_units: effective_units(run),
        refusals,
        comparisons,
        advice,
    }
}

/// Names what was registered.
pub fn plan_hash(run: &ExperimentRun) -> Box<str> {
    // JSON cannot fail on our own types.
    let plan = serde_json::to_vec(&run.plan).unwrap_or_default();
    blake3::hash(&plan).to_hex().as_str().into()
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
            p_at_every_look: (-ln_evidence).exp().min(1.0),
            stops_at: run.guard_alpha(),
        }
    };
    let money = if refusals.is_empty() { money(run, arm) } else { Err(refusals.to_vec()) };
    Comparison {
        arm: run.plan.arms[arm].name.clone(),
        money: match money {
            Ok(told) => MoneyComparison::Told(Box::new(told)),
            Err(refusals) => MoneyComparison::Refused(refusals),
        },
        harms: run.plan.guardrails.iter().map(harm).collect(),
    }
}

fn money(run: &ExperimentRun, arm: usize) -> Answer<MoneyDifference> {
    if effective_units(run) < EFFECTIVE_UNITS_MIN {
        return Err(vec![Refusal::TooFewClusters]);
    }
    let (control, treatment) = (run.moments(0), run.moments(arm));
    let difference = Difference::new(Metric::Ratio, &control, &treatment)?;
    let alpha = ALPHA / (run.plan.arms.len() - 1).max(1) as f64;
    let mixture = Mixture::new(alpha, MONEY_UNITS_SHARPEST);
    let per_1000 = 1_000.0 / run.plan.worth.minor_per_major;
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
        least_seen: quantiles * difference.standard_error * per_1000,
        p_final,
    })
}

fn advice(run: &ExperimentRun, refusals: &[Refusal], comparisons: &[Comparison]) -> Advice {
    if let Some((ExperimentEnd::Harm { .. } | ExperimentEnd::Money { .. }, _)) = run.ended {
        return Advice::StopHarm;
    }
    if !refusals.is_empty() {
        return Advice::Refused;
    }
    let told = comparisons.iter().filter_map(|it| match &it.money {
        MoneyComparison::Told(told) => Some(told),
        MoneyComparison::Refused(_) => None,
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        return Advice::Refused;
    }
    if told.iter().any(|it| 0.0 < it.at_every_look.0) {
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
    u64::from_str_radix(&plan_hash(run)[..16], 16).unwrap_or_default()
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

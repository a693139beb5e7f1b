//! May a challenger take the champion's place?
//!
//! Every check has a bound that was written down before; all must hold. Where chance matters the
//! end of the interval that speaks against the challenger is held to the bound, not the point.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::decision::strategy::Strategy;
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::Timestamp;
use crate::model::bundle::{Bundle, Head};
use crate::model::engine::Scratch;
use crate::training::drift::Drift;
use crate::training::metrics::bootstrap::{Measured, measure};
use crate::training::metrics::probability::{Predicted, probability_figures};
use crate::training::metrics::ranking::average_precision;
use crate::workflow::compare_bundles::compare_bundles;
use crate::workflow::evaluate_bundle::columns_of;
use crate::workflow::learn_from_journal::{is_held_out, rings_of};
use crate::workflow::play_history::History;
use crate::workflow::price_actions::{answer, earned};

/// Seed of the resamples: the same rows give the same report.
const SEED: u64 = 20_261_127;
/// Fewest bad orders that a head is ranked by.
const POSITIVES_MIN: usize = 10;
/// What the challenger may lose in average precision, mean over the risk heads.
const PRECISION_LOSS_MAX: f64 = 0.02;
/// Largest calibration error of a risk head.
const CALIBRATION_ERROR_MAX: f64 = 0.02;
/// Largest ratio between the shares of good orders that two groups see stopped.
const FALSE_STOP_RATIO_MAX: f64 = 1.25;
/// Fewest good orders of a group that is compared.
const GROUP_ORDERS_MIN: f64 = 200.0;

/// Whether a challenger may be promoted, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateReport {
    /// Bundle that judges now.
    pub champion: Box<str>,
    /// Bundle that may take its place.
    pub challenger: Box<str>,
    /// Hashes of both.
    pub hashes: [Box<str>; 2],
    /// Only what was known then is in it.
    pub as_of: Timestamp,
    /// Orders whose whole truth was known.
    pub n_orders: u64,
    /// Rings or accounts that they are of: what is resampled together.
    pub n_clusters: u64,
    /// Every check.
    pub checks: Vec<Check>,
    /// True when all hold.
    pub is_passed: bool,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// What is looked at.
    pub subject: CheckSubject,
    /// The figure, with its 90 % interval where chance matters.
    pub figure: Figure,
    /// What it is held to.
    pub bound: Bound,
    /// True when it holds.
    pub holds: bool,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckSubject {
    /// Risks that the champion knows and the challenger does not.
    LostRisks,
    /// Money per 1,000 orders, challenger minus champion, major units.
    Money,
    /// Average precision, mean over risks, challenger minus champion.
    AveragePrecision,
    /// Debiased calibration error of a risk head.
    Calibration(HeadId),
    /// How far the scores of a risk head are from those of its training, nats.
    ScoreShift(HeadId),
    /// Share of the five leading features that stay the same.
    LeadingFeatures,
    /// Good orders stopped, those from abroad over those at home.
    FalseStops,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// With its interval.
    Measured(Measured),
    /// As it is.
    Exact(f64),
    /// There are too few orders to say.
    NotEnoughData,
}

/// What a figure is held to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The lower end, or the figure, must be above.
    Above(f64),
    /// The figure must be at most this.
    AtMost(f64),
    /// People look at it; nothing is held against the challenger.
    Shown,
}

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Contest<'a> {
    /// Judges now.
    pub champion: &'a Bundle,
    /// May take its place.
    pub challenger: &'a Bundle,
    /// Under which strategy both are compared.
    pub strategy: &'a Strategy,
    /// Played with a catalog that has the features of both; window 0 is judged.
    pub history: &'a History,
    /// The orders of the window.
    pub orders: &'a BTreeMap<OrderKey, Order>,
    /// Only labels that were known and final then count.
    pub as_of: Timestamp,
}

/// One order with both answers.
struct Row {
    cluster: u128,
    real: BTreeSet<HeadId>,
    /// Probability per risk head, champion and challenger; NaN for one that it does not know.
    probabilities: Vec<[f64; 2]>,
    /// Major units: challenger minus champion.
    gain: f64,
    /// True when the challenger would not just release it.
    is_stopped: bool,
    group: Group,
}

/// Groups that must not be treated too differently when they are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Foreign,
    Domestic,
}

/// Judges a contest; `None` when no order's whole truth is known.
pub fn promotion_gate(contest: &Contest<'_>) -> Option<GateReport> {
    let heads = risk_heads(contest.challenger);
    let rows = rows_of(contest, &heads);
    if rows.is_empty() {
        return None;
    }
    let clusters: BTreeSet<u128> = rows.iter().map(|row| row.cluster).collect();
    let known = risk_heads(contest.champion);
    let mut checks = vec![
        heads_check(&known, &heads),
        money_check(&rows),
        precision_check(&rows, &heads, &known),
    ];
    checks.extend(heads.iter().enumerate().map(|head| calibration_check(&rows, head)));
    checks.extend(shift_checks(contest));
    checks.push(stability_check(contest));
    checks.push(fairness_check(&rows));
    let is_passed = checks.iter().all(|check| check.holds);
    Some(GateReport {
        champion: contest.champion.full_name(),
        challenger: contest.challenger.full_name(),
        hashes: [contest.champion.hash().into(), contest.challenger.hash().into()],
        as_of: contest.as_of,
        n_orders: rows.len() as u64,
        n_clusters: clusters.len() as u64,
        checks,
        is_passed,
    })
}

impl GateReport {
    /// BLAKE3 of the report as JSON: what a promotion rests on.
    pub fn hash(&self) -> Box<str> {
        // JSON cannot fail on our own types.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        blake3::hash(&bytes).to_hex().as_str().into()
    }
}

fn risk_heads(bundle: &Bundle) -> Vec<HeadId> {
    let risks = bundle.heads().iter().filter(|head| head.kind() == HeadKind::Risk);
    risks.map(|head| head.id().clone()).collect()
}

/// The orders of held-out rings of which the truth of every risk is known.
fn rows_of(contest: &Contest<'_>, heads: &[HeadId]) -> Vec<Row> {
    let Contest { champion, challenger, strategy, history, orders, as_of, .. } = *contest;
    let columns = [columns_of(champion, history), columns_of(challenger, history)];
    let (mut scratch, mut rows) = (Scratch::default(), Vec::new());
    let rings = rings_of(history, as_of);
    for (row, ring) in history.rows_of(0).into_iter().zip(rings) {
        let truths: Vec<f32> = heads.iter().map(|head| history.truth(row, head, as_of)).collect();
        let at = &history.rows[row];
        let Some(order) = orders.get(&at.order) else { continue };
        if truths.iter().any(|truth| truth.is_nan()) || !ring.is_some_and(is_held_out) {
            continue;
        }
        let real: BTreeSet<HeadId> = heads
            .iter()
            .zip(&truths)
            .filter(|(_, truth)| 0.5 <= **truth)
            .map(|(head, _)| head.clone())
            .collect();
        let values = columns.each_ref().map(|columns| {
            columns.iter().map(|column| history.features[[row, *column]]).collect::<Vec<f32>>()
        });
        let placed = (order, at.event_time);
        let of_champion = answer((champion, strategy), placed, &values[0], &mut scratch);
        let of_challenger = answer((challenger, strategy), placed, &values[1], &mut scratch);
        let (Some(first), Some(other)) = (of_champion.first, of_challenger.first) else { continue };
        // Who knows more risks prices both: a loss that the champion does not know is one, too.
        let knows_more = of_champion.risks.len() <= of_challenger.risks.len();
        let forecasts = if knows_more { &of_challenger } else { &of_champion };
        let money = earned(strategy, order, forecasts, [first, other], |head| real.contains(head));
        let probability = |head: &HeadId| {
            [&of_champion, &of_challenger].map(|it| {
                let risk = it.risks.iter().find(|risk| risk.head == *head);
                risk.map_or(f64::NAN, |risk| risk.model_probability.value())
            })
        };
        let is_foreign = order.countries.ip.as_deref().is_some_and(|country| country != "CN");
        rows.push(Row {
            cluster: ring.unwrap_or(row as u128),
            probabilities: heads.iter().map(probability).collect(),
            real,
            gain: (money[1] - money[0]) / strategy.minor_per_major(),
            is_stopped: !other.kind.is_release(),
            group: if is_foreign { Group::Foreign } else { Group::Domestic },
        });
    }
    rows
}

/// Weights of rows from weights of clusters.
fn measure_rows<const K: usize>(
    rows: &[Row],
    mut statistics: impl FnMut(&[f64]) -> [f64; K],
) -> [Measured; K] {
    let mut places: BTreeMap<u128, usize> = BTreeMap::new();
    for row in rows {
        let next = places.len();
        places.entry(row.cluster).or_insert(next);
    }
    let place: Vec<usize> = rows.iter().map(|row| places[&row.cluster]).collect();
    measure(places.len(), SEED, |weights| {
        let of_rows: Vec<f64> = place.iter().map(|at| weights[*at]).collect();
        statistics(&of_rows)
    })
}

fn money_check(rows: &[Row]) -> Check {
    let [gain] = measure_rows(rows, |weights| {
        let sum: f64 = rows.iter().zip(weights).map(|(row, weight)| weight * row.gain).sum();
        [1_000.0 * sum / weights.iter().sum::<f64>()]
    });
    check(CheckSubject::Money, gain, Bound::Above(0.0))
}

/// Risks that the champion knows and the challenger does not.
fn heads_check(known: &[HeadId], heads: &[HeadId]) -> Check {
    let n_lost = known.iter().filter(|head| !heads.contains(head)).count();
    exact(CheckSubject::LostRisks, n_lost as f64, Bound::AtMost(0.0))
}

fn precision_check(rows: &[Row], heads: &[HeadId], known: &[HeadId]) -> Check {
    let ranked: Vec<usize> = (0..heads.len())
        .filter(|at| known.contains(&heads[*at]))
        .filter(|at| {
            POSITIVES_MIN <= rows.iter().filter(|row| row.real.contains(&heads[*at])).count()
        })
        .collect();
    let subject = CheckSubject::AveragePrecision;
    let bound = Bound::Above(-PRECISION_LOSS_MAX);
    if ranked.is_empty() {
        return Check { subject, figure: Figure::NotEnoughData, bound, holds: false };
    }
    // Sorted once: a resample only changes weights.
    let orders: Vec<[Vec<usize>; 2]> = ranked
        .iter()
        .map(|head| {
            [0, 1].map(|side| {
                let mut order: Vec<usize> = (0..rows.len()).collect();
                let of = |row: usize| rows[row].probabilities[*head][side];
                order.sort_by(|a, b| of(*b).total_cmp(&of(*a)).then(a.cmp(b)));
                order
            })
        })
        .collect();
    let [difference] = measure_rows(rows, |weights| {
        let of = |(head, orders): (&usize, &[Vec<usize>; 2])| {
            let is_real = |row: usize| rows[row].real.contains(&heads[*head]);
            let [champion, challenger] =
                orders.each_ref().map(|order| average_precision(order, weights, is_real));
            challenger - champion
        };
        let sum: f64 = ranked.iter().zip(&orders).map(of).sum();
        [sum / ranked.len() as f64]
    });
    check(subject, difference, bound)
}

fn calibration_check(rows: &[Row], (at, head): (usize, &HeadId)) -> Check {
    let predicted = |row: &Row| Predicted {
        probability: row.probabilities[at][1],
        is_positive: row.real.contains(head),
    };
    let rows: Vec<Predicted> = rows.iter().map(predicted).collect();
    let error = probability_figures(&rows, SEED).debiased_ece.value;
    let bound = Bound::AtMost(CALIBRATION_ERROR_MAX);
    exact(CheckSubject::Calibration(head.clone()), error, bound)
}

/// How far the challenger's scores are from those of its training. The gate's orders are the
/// older ones, and rings come in bursts: a number that people look at, not one that decides.
fn shift_checks(contest: &Contest<'_>) -> Vec<Check> {
    let Contest { challenger, history, .. } = *contest;
    let columns = columns_of(challenger, history);
    let mut drift = Drift::new(&challenger.parts().population);
    let mut scratch = Scratch::default();
    for row in history.rows_of(0) {
        let values: Vec<f32> = columns.iter().map(|at| history.features[[row, *at]]).collect();
        let scores = challenger.score_with(challenger.engine(), &mut scratch, &values);
        drift.add(&values, scores.iter().map(|score| score.raw));
    }
    let features = challenger.manifest().features.iter().map(|spec| &*spec.id);
    let shifts = drift.shifts(features, challenger.heads().iter().map(Head::id));
    let risks = challenger.heads().iter().filter(|head| head.kind() == HeadKind::Risk);
    let check = |head: &Head| {
        let name = format!("score of {}", head.id());
        let shift = shifts.iter().find(|shift| *shift.name == *name)?;
        let bound = Bound::Shown;
        Some(exact(CheckSubject::ScoreShift(head.id().clone()), shift.psi, bound))
    };
    risks.filter_map(check).collect()
}

fn stability_check(contest: &Contest<'_>) -> Check {
    let Contest { champion, challenger, history, .. } = *contest;
    let compared = compare_bundles(challenger, champion, history, 0);
    let n = compared.len().max(1) as f64;
    let overlap = compared.iter().map(|it| it.top_overlap).sum::<f64>() / n;
    exact(CheckSubject::LeadingFeatures, overlap, Bound::Shown)
}

/// The ratio between the shares of good orders that are stopped abroad and at home.
fn fairness_check(rows: &[Row]) -> Check {
    let of = |group: Group| {
        let good = rows.iter().filter(|row| row.real.is_empty() && row.group == group);
        let (mut n, mut stopped) = (0.0_f64, 0.0_f64);
        for row in good {
            n += 1.0;
            stopped += f64::from(u8::from(row.is_stopped));
        }
        (n, stopped)
    };
    let (abroad, home) = (of(Group::Foreign), of(Group::Domestic));
    let subject = CheckSubject::FalseStops;
    let bound = Bound::AtMost(FALSE_STOP_RATIO_MAX);
    if abroad.0.min(home.0) < GROUP_ORDERS_MIN {
        // Nothing is held against a shop that hardly sells abroad.
        return Check { subject, figure: Figure::NotEnoughData, bound, holds: true };
    }
    // One more of each: no group without a stop makes the other one infinite.
    let share = |(n, stopped): (f64, f64)| (stopped + 1.0) / (n + 1.0);
    exact(subject, share(abroad) / share(home), bound)
}

fn check(subject: CheckSubject, measured: Measured, bound: Bound) -> Check {
    let holds = match bound {
        Bound::Above(least) => least < measured.low,
        Bound::AtMost(most) => measured.high <= most,
        Bound::Shown => true,
    };
    Check { subject, figure: Figure::Measured(measured), bound, holds }
}

fn exact(subject: CheckSubject, value: f64, bound: Bound) -> Check {
    let holds = match bound {
        Bound::Above(least) => least < value,
        Bound::AtMost(most) => value <= most,
        Bound::Shown => true,
    };
    Check { subject, figure: Figure::Exact(value), bound, holds }
}

//! How good the recommended actions are, where the truth about orders is known.
//!
//! Money is that of the strategy's own coefficients with the truth about the risks in
//! place of their probabilities ([`Hindsight`]), so it measures what not knowing the truth
//! costs, not whether the coefficients are right.

use std::collections::BTreeMap;

use crate::decision::attribution::{Inputs, Recalibrate as _, assess};
use crate::decision::decide::{eligible, ranked_actions};
use crate::decision::hindsight::Hindsight;
use crate::decision::rule_facts::OrderView;
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::decision::ActionKind;
use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::domain::order::{Order, OrderKey};
use crate::domain::risk::{Probability, RiskAssessment, RiskBand};
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::model::engine::Scratch;
use crate::training::metrics::bootstrap::measure;
use crate::training::metrics::probability::{Predicted, probability_figures};
use crate::workflow::action_report::{
    ActionCounts, ActionReport, ArchetypeMoney, MoneyByPolicy, Reliability, ReliabilityBin,
};
use crate::workflow::evaluate_bundle::columns_of;
use crate::workflow::play_history::History;

/// Actions that an answer recommends.
const RECOMMENDED: usize = 3;
/// Seed of the resamples.
const SEED: u64 = 20_261_127;

/// An order whose truth is known.
#[derive(Clone, Debug)]
pub struct KnownOrder {
    /// The order.
    pub order: Order,
    /// When it was placed.
    pub event_time: Timestamp,
    /// The risks that it turned out to be; empty for a good one.
    pub real: Vec<HeadId>,
    /// Kind of buyer.
    pub archetype: Box<str>,
    /// Ring, campaign or account: what is alike and resampled together.
    pub cluster: u64,
}

/// One order, judged.
#[derive(Debug)]
struct Row {
    cluster: u64,
    archetype: Box<str>,
    is_contested: bool,
    largest_risk: f64,
    first: f64,
    release: f64,
    buyer_known: f64,
    oracle: f64,
    /// By catalog entry.
    all: Vec<f64>,
    is_recommended: bool,
    is_best_offered: bool,
    p_best: f64,
    softmax: f64,
    first_name: Box<str>,
    best_name: Box<str>,
}

/// What orders of a kind of buyer turn out to be, each with its share.
type Outcomes<'a> = BTreeMap<&'a [HeadId], f64>;

/// Judges the orders of a window whose truth is known; `None` when there are none.
pub fn judge_actions(
    (bundle, strategy): (&Bundle, &Strategy),
    (history, window): (&History, usize),
    known: &BTreeMap<OrderKey, KnownOrder>,
    progress: &mut dyn FnMut(u64),
) -> Option<ActionReport> {
    let columns = columns_of(bundle, history);
    let places = strategy.rules.places(&bundle.manifest().features);
    let mut scratch = Scratch::default();
    let mut values = vec![f32::NAN; columns.len()];
    let mut rows = Vec::new();
    let outcomes = outcomes(known.values());
    for row in history.rows_of(window) {
        let Some(known) = known.get(&history.rows[row].order) else { continue };
        let Some(of_kind) = outcomes.get(&*known.archetype) else { continue };
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = history.features[[row, *column]];
        }
        rows.extend(judge(bundle, strategy, (known, of_kind), (&values, &places), &mut scratch));
        if rows.len().is_multiple_of(1_024) {
            progress(rows.len() as u64);
        }
    }
    progress(rows.len() as u64);
    report(strategy, &rows)
}

fn judge(
    bundle: &Bundle,
    strategy: &Strategy,
    (known, of_kind): (&KnownOrder, &Outcomes<'_>),
    (values, places): (&[f32], &[Option<usize>]),
    scratch: &mut Scratch,
) -> Option<Row> {
    let KnownOrder { order, event_time, real, archetype, cluster } = known;
    let scores = bundle.score_with(bundle.engine(), scratch, values);
    let inputs = Inputs { specs: &bundle.manifest().features, values };
    let risks: Vec<RiskAssessment> = scores
        .iter()
        .enumerate()
        .filter(|(_, score)| score.kind == HeadKind::Risk)
        .map(|(at, score)| {
            assess(strategy, score, inputs, |log_odds| bundle.calibrate(at, log_odds), 0)
        })
        .collect();
    let is_real = |head: &HeadId| real.contains(head);
    let offered = eligible(strategy, order, &risks);
    let view = OrderView { order, event_time: *event_time, values, places };
    let ranked = ranked_actions(strategy, view, &scores, &risks);
    let (first, of_first) = *ranked.first()?;
    let hindsight = Hindsight::new(strategy, order, &scores, &risks, &offered);
    let outcomes = hindsight.values(is_real);
    let at = offered.iter().position(|policy| std::ptr::eq(*policy, first))?;
    let best_offered = outcomes.iter().map(|(_, value)| *value).fold(f64::MIN, f64::max);
    let total = |wanted: ActionKind| outcomes.iter().find(|it| it.0 == wanted).map(|it| it.1);
    // Who knows the truth may do whatever the truth allows, whatever the bands said.
    let truth = in_truth(&risks, is_real);
    let allowed = eligible(strategy, order, &truth);
    let oracle = Hindsight::new(strategy, order, &scores, &truth, &allowed).values(is_real);
    // The first of equals, as in the ranking.
    let best = allowed.iter().zip(&oracle).min_by(|a, b| b.1.1.total_cmp(&a.1.1));
    let (best, (_, best_value)) = best?;
    let buyer_known = best_for_kind(strategy, order, (&scores, &risks), (of_kind, real))?;
    let catalog: Vec<&ActionPolicy> = strategy.actions.iter().collect();
    let all = Hindsight::new(strategy, order, &scores, &risks, &catalog).values(is_real);
    let means: Vec<f64> = ranked.iter().map(|it| it.1 / strategy.minor_per_major()).collect();
    let top = means.iter().copied().fold(f64::MIN, f64::max);
    let of_first = of_first / strategy.minor_per_major();
    Some(Row {
        cluster: *cluster,
        archetype: archetype.clone(),
        is_contested: risks.iter().any(|risk| RiskBand::Low < risk.band),
        largest_risk: risks.iter().map(|risk| risk.probability.value()).fold(0.0, f64::max),
        first: outcomes[at].1,
        release: total(ActionKind::Approve)?,
        buyer_known,
        oracle: *best_value,
        all: all.into_iter().map(|(_, value)| value).collect(),
        is_recommended: ranked.iter().take(RECOMMENDED).any(|it| std::ptr::eq(it.0, *best)),
        is_best_offered: best_offered <= outcomes[at].1,
        p_best: hindsight.chances()[at],
        softmax: (of_first - top).exp() / means.iter().map(|it| (it - top).exp()).sum::<f64>(),
        first_name: name_of(first),
        best_name: name_of(best),
    })
}

fn outcomes<'a>(
    known: impl Iterator<Item = &'a KnownOrder> + Clone,
) -> BTreeMap<&'a str, Outcomes<'a>> {
    let mut outcomes: BTreeMap<&str, Outcomes<'_>> = BTreeMap::new();
    for order in known {
        *outcomes.entry(&order.archetype).or_default().entry(&order.real).or_default() += 1.0;
    }
    for of_kind in outcomes.values_mut() {
        let n: f64 = of_kind.values().sum();
        for share in of_kind.values_mut() {
            *share /= n;
        }
    }
    outcomes
}

/// What the action earns that is best on average over what such buyers' orders turn out to be.
fn best_for_kind(
    strategy: &Strategy,
    order: &Order,
    (scores, risks): (&[HeadScore], &[RiskAssessment]),
    (of_kind, real): (&Outcomes<'_>, &[HeadId]),
) -> Option<f64> {
    let share = |head: &HeadId| -> f64 {
        of_kind.iter().filter(|(real, _)| real.contains(head)).map(|(_, share)| share).sum()
    };
    let likely = in_truth(risks, |head| 0.5 <= share(head));
    let allowed = eligible(strategy, order, &likely);
    let hindsight = Hindsight::new(strategy, order, scores, &likely, &allowed);
    let mut expected = vec![0.0; allowed.len()];
    for (real, share) in of_kind {
        for (sum, (_, value)) in expected.iter_mut().zip(hindsight.values(|it| real.contains(it))) {
            *sum += share * value;
        }
    }
    let earned = hindsight.values(|it| real.contains(it));
    let best = expected.iter().zip(earned).min_by(|a, b| b.0.total_cmp(a.0));
    best.map(|(_, (_, value))| value)
}

/// The plan, or the single action.
fn name_of(policy: &ActionPolicy) -> Box<str> {
    match policy.plan_id() {
        "" => policy.kind.as_str().into(),
        plan => plan.into(),
    }
}

/// The assessments of somebody who knows the truth.
fn in_truth(risks: &[RiskAssessment], is_real: impl Fn(&HeadId) -> bool) -> Vec<RiskAssessment> {
    let known = |risk: &RiskAssessment| {
        let (probability, band) = if is_real(&risk.head) {
            (Probability::ONE, RiskBand::High)
        } else {
            (Probability::ZERO, RiskBand::Low)
        };
        RiskAssessment { probability, band, interval: (probability, probability), ..risk.clone() }
    };
    risks.iter().map(known).collect()
}

fn report(strategy: &Strategy, rows: &[Row]) -> Option<ActionReport> {
    let (action_idx, threshold_at) = best_threshold(rows)?;
    let by_threshold = |row: &Row| {
        if threshold_at <= row.largest_risk { row.all[action_idx] } else { row.release }
    };
    let clusters = clusters(rows);
    let [first, release_all, threshold, buyer_known, oracle, best, gain, gain_of_kind] =
        measure(clusters.len(), SEED, |weights| {
            let mut n = 0.0;
            let mut sums = [0.0; 6];
            for (cluster, weight) in clusters.iter().zip(weights) {
                for row in cluster.iter().map(|at| &rows[*at]) {
                    n += weight;
                    let Row { first, release, buyer_known, oracle, is_recommended, .. } = row;
                    let is_recommended = f64::from(u8::from(*is_recommended));
                    let threshold = by_threshold(row);
                    let values =
                        [*first, *release, threshold, *buyer_known, *oracle, is_recommended];
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum += weight * value;
                    }
                }
            }
            let [first, release, threshold, buyer_known, oracle, best] = sums.map(|sum| sum / n);
            let gain = |money: f64| (money - threshold) / (oracle - threshold);
            let gains = [gain(first), gain(buyer_known)];
            let [first, release, threshold, buyer_known, oracle] =
                [first, release, threshold, buyer_known, oracle].map(|money| 1_000.0 * money);
            [first, release, threshold, buyer_known, oracle, best, gains[0], gains[1]]
        });
    let all: Vec<&Row> = rows.iter().collect();
    let contested: Vec<&Row> = rows.iter().filter(|row| row.is_contested).collect();
    let threshold_action = strategy.actions[action_idx].kind.as_str();
    Some(ActionReport {
        n_orders: rows.len() as u64,
        money: MoneyByPolicy {
            first,
            release_all,
            threshold,
            threshold_action,
            threshold_at,
            buyer_known,
            oracle,
        },
        gain_share: gain,
        buyer_known_share: gain_of_kind,
        best_recommended: best,
        all: reliability(&all),
        contested: reliability(&contested),
        archetypes: by_archetype(rows, by_threshold),
        actions: by_action(rows),
    })
}

/// What each kind of buyer's orders earn.
fn by_archetype(
    rows: &[Row],
    by_threshold: impl Fn(&Row) -> f64,
) -> BTreeMap<Box<str>, ArchetypeMoney> {
    let mut archetypes: BTreeMap<Box<str>, ArchetypeMoney> = BTreeMap::new();
    for row in rows {
        let of_kind = archetypes.entry(row.archetype.clone()).or_default();
        of_kind.n += 1;
        of_kind.first += row.first;
        of_kind.threshold += by_threshold(row);
        of_kind.buyer_known += row.buyer_known;
        of_kind.oracle += row.oracle;
        *of_kind.actions.entry(row.first_name.clone()).or_default() += 1;
    }
    for of_kind in archetypes.values_mut() {
        let ArchetypeMoney { n, first, threshold, buyer_known, oracle, .. } = of_kind;
        for sum in [first, threshold, buyer_known, oracle] {
            *sum /= *n as f64;
        }
    }
    archetypes
}

/// How often each action came first, and would have been best.
fn by_action(rows: &[Row]) -> BTreeMap<Box<str>, ActionCounts> {
    let mut actions: BTreeMap<Box<str>, ActionCounts> = BTreeMap::new();
    for row in rows {
        actions.entry(row.first_name.clone()).or_default().first += 1;
        actions.entry(row.best_name.clone()).or_default().best += 1;
    }
    actions
}

/// The action and the threshold on the largest probability that earn most together.
fn best_threshold(rows: &[Row]) -> Option<(usize, f64)> {
    let mut by_risk: Vec<&Row> = rows.iter().collect();
    by_risk.sort_by(|a, b| b.largest_risk.total_cmp(&a.largest_risk));
    let n_actions = by_risk.first()?.all.len();
    let mut best = (0.0, (0, f64::INFINITY));
    for action in 0..n_actions {
        let mut gain = 0.0;
        for (at, row) in by_risk.iter().enumerate() {
            gain += row.all[action] - row.release;
            let next = by_risk.get(at + 1).map(|next| next.largest_risk);
            let is_cut = next.is_none_or(|next| next < row.largest_risk);
            if is_cut && best.0 < gain {
                best = (gain, (action, row.largest_risk));
            }
        }
    }
    Some(best.1)
}

fn clusters(rows: &[Row]) -> Vec<Vec<usize>> {
    let mut by_cluster: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        by_cluster.entry(row.cluster).or_default().push(at);
    }
    by_cluster.into_values().collect()
}

fn reliability(rows: &[&Row]) -> Reliability {
    let error = |of: fn(&Row) -> f64| {
        let predicted = |row: &&Row| Predicted {
            probability: of(row).clamp(0.0, 1.0),
            is_positive: row.is_best_offered,
        };
        probability_figures(&rows.iter().map(predicted).collect::<Vec<_>>(), SEED).debiased_ece
    };
    Reliability {
        n: rows.len() as u64,
        p_best_ece: error(|row| row.p_best),
        softmax_ece: error(|row| row.softmax),
        bins: bins(rows),
    }
}

fn bins(rows: &[&Row]) -> Vec<ReliabilityBin> {
    const BINS: usize = 10;
    let mut sorted: Vec<&Row> = rows.to_vec();
    sorted.sort_by(|a, b| a.p_best.total_cmp(&b.p_best));
    let size = sorted.len().div_ceil(BINS).max(1);
    let mean = |part: &[&Row], of: fn(&Row) -> f64| {
        part.iter().map(|row| of(row)).sum::<f64>() / part.len() as f64
    };
    let bin = |part: &[&Row]| ReliabilityBin {
        n: part.len() as u64,
        predicted: mean(part, |row| row.p_best),
        observed: mean(part, |row| f64::from(u8::from(row.is_best_offered))),
    };
    sorted.chunks(size).map(bin).collect()
}

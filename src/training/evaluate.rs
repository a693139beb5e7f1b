//! The report on scored orders: one per head, every figure with its interval.

use serde::Serialize;

use crate::domain::head::{HeadId, HeadKind};
use crate::domain::time::Timestamp;
use crate::model::calibration::{Calibration, Z_90};
use crate::model::manifest::MetricSummary;
use crate::training::calibrate::HeldOut;
use crate::training::calibrate::bins::bin_sizes;
use crate::training::metrics::accounts::{AccountOrder, card_precision_at_k};
use crate::training::metrics::bootstrap::Measured;
use crate::training::metrics::confusion::{Alarm, alarm};
use crate::training::metrics::probability::{Predicted, probability_figures};
use crate::training::metrics::ranking::{Ranked, ranking_figures};
use crate::training::metrics::value::{Valued, value_figures};
use crate::training::slices::{
    Coverage, SliceReport, SliceRow, Slicing, coverage, mean_width, wilson,
};

/// False positive rate at which recall is reported.
pub const FPR_MAX: f64 = 0.01;
/// Accounts that people look at per day.
pub const ACCOUNTS_PER_DAY: usize = 100;
/// Seed of every interval: the same rows give the same report.
const SEED: u64 = 20_180_401;

/// One order scored by one head.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredRow {
    /// Key of the order, for the predictions file.
    pub order: Box<str>,
    /// When it was placed.
    pub time: Timestamp,
    /// Which head.
    pub head: HeadId,
    /// What the head's numbers mean.
    pub kind: HeadKind,
    /// Calibrated probability, or the value.
    pub probability: f64,
    /// Raw score.
    pub raw: f64,
    /// Interval of `probability`.
    pub interval: (f64, f64),
    /// Position of the order among those judged.
    pub order_idx: usize,
    /// 0 or 1, or the observed value; NaN when not known.
    pub label: f32,
    /// Hash of the account.
    pub account: u64,
    /// Whether the row counts.
    pub standing: Standing,
}

/// Whether a row counts in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Counted,
    /// Its account was known to be bad before the test began.
    Excluded,
}

/// How good one head was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadReport {
    /// Which head.
    pub head: HeadId,
    /// What its numbers mean.
    pub kind: HeadKind,
    /// Rows that count.
    pub n_rows: u64,
    /// Rows labeled 1 among them; 0 for value heads.
    pub n_positive: u64,
    /// Rows left out: their account was known to be bad.
    pub n_excluded: u64,
    /// Rows left out: their label is not known.
    pub n_unlabeled: u64,
    /// Figures that could be computed, by name.
    pub metrics: Vec<MetricSummary>,
    /// Who is called bad at the false positive rate [`FPR_MAX`]; `None` for value heads.
    pub alarm: Option<Alarm>,
    /// Predicted against observed, by rising score.
    pub reliability: Vec<ReliabilityBin>,
    /// Figures of every declared slice.
    pub slices: Vec<SliceReport>,
}

/// Rows with scores next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Rows.
    pub n: u64,
    /// Mean prediction.
    pub mean_predicted: f64,
    /// Share of positives, or mean value.
    pub mean_observed: f64,
    /// Lower end of its 90 % interval (Wilson 1927; normal for values).
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl HeadReport {
    /// One figure by name.
    pub fn metric(&self, name: &str) -> Option<&MetricSummary> {
        self.metrics.iter().find(|metric| &*metric.name == name)
    }
}

/// Reports on every head in `rows`, in order of first appearance.
pub fn evaluate(rows: &[ScoredRow], slicing: &Slicing) -> Vec<HeadReport> {
    let mut heads: Vec<(&HeadId, HeadKind)> = Vec::new();
    for row in rows {
        if !heads.iter().any(|(head, _)| **head == row.head) {
            heads.push((&row.head, row.kind));
        }
    }
    heads.into_iter().map(|(head, kind)| evaluate_head(rows, head, kind, slicing)).collect()
}

/// Reports on one head; rows of other heads are ignored.
pub fn evaluate_head(
    rows: &[ScoredRow],
    head: &HeadId,
    kind: HeadKind,
    slicing: &Slicing,
) -> HeadReport {
    let (mut n_excluded, mut n_unlabeled) = (0, 0);
    let mut counted: Vec<&ScoredRow> = Vec::new();
    for row in rows.iter().filter(|row| row.head == *head) {
        match row.standing {
            Standing::Excluded => n_excluded += 1,
            Standing::Counted if row.label.is_nan() => n_unlabeled += 1,
            Standing::Counted => counted.push(row),
        }
    }
    let pairs: Vec<Pair> = counted.iter().map(|row| pair(row)).collect();
    let mut metrics = figures(kind, &pairs);
    if is_probability(kind) {
        let orders: Vec<AccountOrder> = counted.iter().map(|row| account_order(row)).collect();
        let precision = card_precision_at_k(&orders, ACCOUNTS_PER_DAY, SEED);
        let name = format!("card_precision_at_{ACCOUNTS_PER_DAY}");
        metrics.extend(precision.and_then(|precision| summary(&name, precision)));
    }
    let slice_rows: Vec<SliceRow> = counted.iter().map(|row| slice_row(row)).collect();
    if !is_probability(kind) && !slice_rows.is_empty() {
        metrics.extend(interval_figures(&slice_rows));
    }
    HeadReport {
        head: head.clone(),
        kind,
        n_rows: pairs.len() as u64,
        n_positive: n_positive(kind, &pairs),
        n_excluded,
        n_unlabeled,
        metrics,
        alarm: if is_probability(kind) { alarm(&ranked(&pairs), FPR_MAX) } else { None },
        reliability: reliability(kind, &pairs),
        slices: slicing.reports(&slice_rows),
    }
}

/// The rows of a head that count.
pub(crate) fn counted_pairs(rows: &[ScoredRow], head: &HeadId) -> Vec<Pair> {
    let counted = rows.iter().filter(|row| {
        row.head == *head && row.standing == Standing::Counted && !row.label.is_nan()
    });
    counted.map(pair).collect()
}

/// The rows that were held out of a head's fit, as it shows them.
pub(crate) fn held_out_pairs(rows: &[HeldOut], calibration: &Calibration) -> Vec<Pair> {
    let pair = |row: &HeldOut| Pair {
        shown: calibration.calibrate(row.raw),
        raw: row.raw,
        target: row.target,
    };
    rows.iter().map(pair).collect()
}

/// What was shown and what happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// Calibrated probability, or the value.
    pub(crate) shown: f64,
    /// Raw score.
    pub(crate) raw: f64,
    /// 0 or 1, or the observed value.
    pub(crate) target: f64,
}

impl Pair {
    /// True for label 1.
    pub(crate) fn is_positive(&self) -> bool {
        0.5 < self.target
    }
}

fn pair(row: &ScoredRow) -> Pair {
    Pair { shown: row.probability, raw: row.raw, target: row.label.into() }
}

/// Figures that could be computed, each with its interval.
pub(crate) fn figures(kind: HeadKind, pairs: &[Pair]) -> Vec<MetricSummary> {
    let named = if is_probability(kind) { risk_figures(pairs) } else { values(pairs) };
    named.into_iter().filter_map(|(name, measured)| summary(name, measured)).collect()
}

fn risk_figures(pairs: &[Pair]) -> Vec<(&'static str, Measured)> {
    let predicted: Vec<Predicted> = pairs
        .iter()
        .map(|pair| Predicted { probability: pair.shown, is_positive: pair.is_positive() })
        .collect();
    let ranking = ranking_figures(&ranked(pairs), FPR_MAX, SEED);
    let probability = probability_figures(&predicted, SEED);
    vec![
        ("auc", ranking.auc),
        ("average_precision", ranking.average_precision),
        ("recall_at_1_percent_fpr", ranking.recall_at_fpr),
        ("log_loss", probability.log_loss),
        ("brier", probability.brier),
        ("calibration_error", probability.calibration_error),
        ("debiased_ece", probability.debiased_ece),
    ]
}

fn values(pairs: &[Pair]) -> Vec<(&'static str, Measured)> {
    let valued: Vec<Valued> =
        pairs.iter().map(|pair| Valued { predicted: pair.shown, observed: pair.target }).collect();
    let figures = value_figures(&valued, SEED);
    vec![
        ("rmse", figures.rmse),
        ("mae", figures.mae),
        ("r2", figures.r2),
        ("normalized_gini", figures.normalized_gini),
        ("top_tenth_share", figures.top_tenth_share),
        ("mean_where_predicted_negative", figures.mean_where_negative),
    ]
}

fn ranked(pairs: &[Pair]) -> Vec<Ranked> {
    let ranked = |pair: &Pair| Ranked { score: pair.raw, is_positive: 0.5 < pair.target };
    pairs.iter().map(ranked).collect()
}

/// Share of outcomes inside their interval, and its width.
pub(crate) fn interval_figures(rows: &[SliceRow]) -> [MetricSummary; 2] {
    let Coverage { share: value, low, high } = coverage(rows);
    let width = mean_width(rows);
    [
        MetricSummary { name: "interval_coverage".into(), value, low, high },
        MetricSummary { name: "interval_width".into(), value: width, low: width, high: width },
    ]
}

fn slice_row(row: &ScoredRow) -> SliceRow {
    SliceRow {
        order_idx: row.order_idx,
        shown: row.probability,
        interval: row.interval,
        target: row.label.into(),
    }
}

/// Predicted against observed in bins by rising prediction.
pub(crate) fn reliability(kind: HeadKind, pairs: &[Pair]) -> Vec<ReliabilityBin> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.shown.total_cmp(&b.shown));
    let mut start = 0;
    let bins = bin_sizes(sorted.len()).into_iter().map(|n| {
        let bin = &sorted[start..start + n];
        start += n;
        reliability_bin(kind, bin)
    });
    bins.collect()
}

fn reliability_bin(kind: HeadKind, bin: &[Pair]) -> ReliabilityBin {
    let n = bin.len() as f64;
    let mean_observed = bin.iter().map(|pair| pair.target).sum::<f64>() / n;
    let (low, high) = if is_probability(kind) {
        wilson(mean_observed, n)
    } else {
        let squared = |pair: &Pair| (pair.target - mean_observed).powi(2);
        let variance = bin.iter().map(squared).sum::<f64>() / (n - 1.0).max(1.0);
        let half = Z_90 * (variance / n).sqrt();
        (mean_observed - half, mean_observed + half)
    };
    ReliabilityBin {
        n: bin.len() as u64,
        mean_predicted: bin.iter().map(|pair| pair.shown).sum::<f64>() / n,
        mean_observed,
        low,
        high,
    }
}

fn is_probability(kind: HeadKind) -> bool {
    match kind {
        HeadKind::Risk | HeadKind::ImpactProbability => true,
        HeadKind::ImpactValue => false,
    }
}

fn n_positive(kind: HeadKind, pairs: &[Pair]) -> u64 {
    let n = pairs.iter().filter(|pair| pair.is_positive()).count() as u64;
    if is_probability(kind) { n } else { 0 }
}

fn account_order(row: &ScoredRow) -> AccountOrder {
    AccountOrder {
        day: row.time.day_number(),
        account: row.account,
        score: row.raw,
        is_positive: 0.5 < row.label,
    }
}

/// A figure for the manifest; `None` when it is not a number (no positives).
fn summary(name: &str, measured: Measured) -> Option<MetricSummary> {
    let (value, low, high) = (measured.value, measured.low, measured.high);
    let is_finite = value.is_finite() && low.is_finite() && high.is_finite();
    is_finite.then(|| MetricSummary { name: name.into(), value, low, high })
}

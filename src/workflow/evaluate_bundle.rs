//! Judges a bundle on played history, beside baselines of the same run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::domain::time::Timestamp;
use crate::feature::catalog::{Catalog, UnknownFeature};
use crate::model::bundle::{Bundle, Head};
use crate::model::engine::Scratch;
use crate::training::baseline::Learner;
use crate::training::drift::{Drift, Shift};
use crate::training::error::FitError;
use crate::training::evaluate::{HeadReport, ScoredRow, Standing, evaluate};
use crate::training::set::TrainingSet;
use crate::training::slices::{SliceSpec, Slicing};
use crate::workflow::play_history::History;

/// Largest `|base + Σ contributions − raw|` that a bundle may show.
pub const RESIDUAL_MAX: f64 = 1e-9;

/// A bundle's answers about one window of history.
#[derive(Debug)]
pub struct Judged {
    /// One per order and head, in stream order.
    pub rows: Vec<ScoredRow>,
    /// Figures per head.
    pub reports: Vec<HeadReport>,
    /// Largest `|base + Σ contributions − raw|` over all rows and heads.
    pub residual_max: f64,
    /// Orders scored.
    pub n_orders: u64,
    /// Orders unlike the training data.
    pub n_unlike: u64,
    /// Mean |contribution| over all orders; shape `[n_heads][n_features]`.
    pub importance: Vec<Vec<f64>>,
    /// How far features and scores moved since training.
    pub shifts: Vec<Shift>,
}

/// Which accounts are left out of a test because they are known to be bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownAccounts {
    /// Every order counts.
    Kept,
    /// Orders of accounts are left out that had a bad order since this instant,
    /// known by the start of the order's day.
    ExcludedSince(Timestamp),
}

/// The catalog that serves a bundle, its order-only baseline and the bundle that it is
/// compared with.
///
/// # Errors
/// [`UnknownFeature`] when a bundle uses a feature that this build, or the source that
/// the first was trained on, does not have.
pub fn evaluation_catalog(
    bundle: &Bundle,
    other: Option<&Bundle>,
) -> Result<Catalog, UnknownFeature> {
    let manifest = bundle.manifest();
    let full = Catalog::new(&manifest.schema);
    let mut ids: Vec<Arc<str>> = manifest.features.iter().map(|spec| spec.id.clone()).collect();
    let of_other = other.into_iter().flat_map(|other| &other.manifest().features);
    for spec in full.specs().iter().filter(|spec| !spec.is_graph).chain(of_other) {
        if !ids.contains(&spec.id) {
            ids.push(spec.id.clone());
        }
    }
    full.select(&ids)
}

/// Scores every order of a window and reports per head.
pub fn judge_window(
    bundle: &Bundle,
    history: &History,
    (window, known): (usize, KnownAccounts),
    slicing: &Slicing,
    progress: &mut dyn FnMut(u64),
) -> Judged {
    let columns = columns_of(bundle, history);
    let mut scratch = Scratch::default();
    let mut values = vec![f32::NAN; columns.len()];
    let mut drift = Drift::new(&bundle.parts().population);
    let mut judged = Judged {
        rows: Vec::new(),
        reports: Vec::new(),
        residual_max: 0.0,
        n_orders: 0,
        n_unlike: 0,
        importance: vec![vec![0.0; columns.len()]; bundle.heads().len()],
        shifts: Vec::new(),
    };
    for (order_idx, row) in history.rows_of(window).into_iter().enumerate() {
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = history.features[[row, *column]];
        }
        let scores = bundle.score_with(bundle.engine(), &mut scratch, &values);
        drift.add(&values, scores.iter().map(|score| score.raw));
        judged.n_unlike += u64::from(bundle.unlikeness(&values).is_unlike);
        for (sums, score) in judged.importance.iter_mut().zip(&scores) {
            for (sum, contribution) in sums.iter_mut().zip(&score.contributions) {
                *sum += contribution.abs();
            }
        }
        for score in scores {
            judged.residual_max = judged.residual_max.max(residual(&score));
            let shown = Shown {
                kind: score.kind,
                probability: score.calibrated,
                raw: score.raw,
                interval: score.interval,
            };
            judged.rows.push(scored_row(history, (row, order_idx), &score.head, &shown, known));
        }
        judged.n_orders += 1;
        if judged.n_orders.is_multiple_of(1_024) {
            progress(judged.n_orders);
        }
    }
    progress(judged.n_orders);
    for sum in judged.importance.iter_mut().flatten() {
        *sum /= judged.n_orders.max(1) as f64;
    }
    let features = bundle.manifest().features.iter().map(|spec| &*spec.id);
    judged.shifts = drift.shifts(features, bundle.heads().iter().map(Head::id));
    judged.reports = evaluate(&judged.rows, slicing);
    judged
}

/// Reports of a learner of linfa's on the bundle's features, one per probability head; `set`
/// is of the same history and is what it learns from.
///
/// # Errors
/// [`FitError`] when linfa gives up on a head.
pub fn judge_learner(
    learner: Learner,
    (bundle, history): (&Bundle, &History),
    set: &TrainingSet,
    window: usize,
    known: KnownAccounts,
) -> Result<Vec<HeadReport>, FitError> {
    let columns = columns_of(bundle, history);
    let train = TrainingSet {
        features: set.features.select(ndarray::Axis(1), &columns),
        specs: bundle.manifest().features.clone(),
        ..set.clone()
    };
    let test_rows = history.rows_of(window);
    let test = history.features.select(ndarray::Axis(0), &test_rows);
    let test = test.select(ndarray::Axis(1), &columns);
    let mut rows = Vec::new();
    for head in bundle.heads().iter().filter(|head| head.kind() != HeadKind::ImpactValue) {
        let Some(target) = train.heads.iter().find(|target| target.id == *head.id()) else {
            continue;
        };
        let predictions = learner.judge(&train, target, &test)?;
        for (order_idx, (row, probability)) in test_rows.iter().zip(predictions).enumerate() {
            let raw = (probability / (1.0 - probability)).ln();
            let (kind, interval) = (head.kind(), (probability, probability));
            let shown = Shown { kind, probability, raw, interval };
            rows.push(scored_row(history, (*row, order_idx), head.id(), &shown, known));
        }
    }
    Ok(evaluate(&rows, &Slicing::default()))
}

/// The slices of a window's orders.
///
/// # Errors
/// [`UnknownFeature`] for a slice by a feature that the history does not have.
pub fn slice_window(
    history: &History,
    window: usize,
    specs: &[SliceSpec],
) -> Result<Slicing, UnknownFeature> {
    let rows = history.rows_of(window);
    let mut slicing = Slicing::default();
    for spec in specs {
        let named = history.catalog.specs().iter().position(|known| *known.id == *spec.feature);
        let column = named.ok_or_else(|| UnknownFeature(spec.feature.clone()))?;
        let values: Vec<f32> = rows.iter().map(|row| history.features[[*row, column]]).collect();
        slicing.add(spec, &values);
    }
    Ok(slicing)
}

/// Columns of the history that a bundle reads, in its feature order.
pub(crate) fn columns_of(bundle: &Bundle, history: &History) -> Vec<usize> {
    let by_id: BTreeMap<&str, usize> =
        history.catalog.specs().iter().enumerate().map(|(at, spec)| (&*spec.id, at)).collect();
    let features = bundle.manifest().features.iter();
    // The catalog was made to hold them all; see `evaluation_catalog`.
    features.filter_map(|spec| by_id.get(&*spec.id).copied()).collect()
}

fn residual(score: &HeadScore) -> f64 {
    let sum: f64 = score.contributions.iter().sum();
    (score.base + sum - score.raw).abs()
}

/// What one head showed about one order.
struct Shown {
    kind: HeadKind,
    probability: f64,
    raw: f64,
    interval: (f64, f64),
}

fn scored_row(
    history: &History,
    (row, order_idx): (usize, usize),
    head: &HeadId,
    shown: &Shown,
    known: KnownAccounts,
) -> ScoredRow {
    let at = &history.rows[row];
    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    let account = at.account.unwrap_or_default() as u64;
    let is_known = match known {
        KnownAccounts::Kept => false,
        KnownAccounts::ExcludedSince(since) => history.is_known_bad(row, head, since),
    };
    ScoredRow {
        order: at.order.order_id.clone(),
        time: at.event_time,
        head: head.clone(),
        kind: shown.kind,
        probability: shown.probability,
        raw: shown.raw,
        interval: shown.interval,
        order_idx,
        label: history.truth(row, head, history.end),
        account,
        standing: if is_known { Standing::Excluded } else { Standing::Counted },
    }
}

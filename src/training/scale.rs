//! How far off a value head may be: a second, small ensemble per value head.
//!
//! It learns the logarithm of the absolute errors on the rows that stopped the
//! trees, which the trees did not learn from. Its exponential is the scale by
//! which conformal intervals are stretched.

use crate::domain::feature::Monotone;
use crate::model::ensemble::Ensemble;
use crate::training::boost::{Problem, boost};
use crate::training::error::FitError;
use crate::training::head::HeadFit;
use crate::training::params::ObliviousValidParams;

/// Errors below this share of the median error count as that: their logarithm has no end.
const ERROR_SHARE_MIN: f64 = 0.1;
/// Fewest rows to learn a scale from; with fewer, every order has the same.
const ROWS_MIN: usize = 200;

/// Fits the scale of a value head whose predictions for `rows` are `raw`.
///
/// `None` with too few rows, or when the predictions are never off.
pub(crate) fn fit_scale(
    fit: &HeadFit<'_>,
    trees: &ObliviousValidParams,
    rows: &[u32],
    raw: &[f64],
) -> Result<Option<Ensemble>, FitError> {
    let target = |row: u32| f64::from(fit.target.values[row as usize]);
    let errors: Vec<f64> =
        rows.iter().zip(raw).map(|(&row, raw)| (target(row) - raw).abs()).collect();
    let mut sorted = errors.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    if rows.len() < ROWS_MIN || median <= 0.0 {
        return Ok(None);
    }
    let mut targets = vec![f32::NAN; fit.target.values.len()];
    for (&row, error) in rows.iter().zip(&errors) {
        targets[row as usize] = narrow(error.max(ERROR_SHARE_MIN * median).ln());
    }
    let problem = Problem {
        columns: fit.columns,
        features: fit.features,
        monotone: &[] as &[Monotone],
        targets: &targets,
        weights: &fit.set.weights,
        fit_rows: rows,
        stop_rows: &[],
    };
    let boosted = boost(&problem, &trees.for_scale(), &mut |_| {})?;
    Ok(Some(boosted.ensemble))
}

#[expect(clippy::cast_possible_truncation, reason = "targets are f32 by the trainer's contract")]
fn narrow(value: f64) -> f32 {
    value as f32
}

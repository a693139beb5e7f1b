//! Global importance: mean absolute contribution over held-out rows.

use crate::model::attribution::AttributionTables;
use crate::model::ensemble::Ensemble;
use crate::training::columns::Columns;

/// Most rows that are explained; more are thinned evenly.
const ROWS_MAX: usize = 2_000;

/// Mean |contribution| of every column over some of `rows`.
pub(crate) fn mean_contributions(columns: &Columns, ensemble: &Ensemble, rows: &[u32]) -> Vec<f64> {
    let n_features = columns.n_features();
    let tables = AttributionTables::compile(ensemble, n_features);
    let mut sums = vec![0.0; n_features];
    let (mut ranks, mut contributions) = (Vec::new(), Vec::new());
    let stride = rows.len().div_ceil(ROWS_MAX).max(1);
    let mut n = 0.0_f64;
    for &row in rows.iter().step_by(stride) {
        columns.ranks_of(row, &mut ranks);
        tables.explain(&ranks, &mut contributions);
        for (sum, contribution) in sums.iter_mut().zip(&contributions) {
            *sum += contribution.abs();
        }
        n += 1.0;
    }
    sums.into_iter().map(|sum| sum / n.max(1.0)).collect()
}

//! Global importance: mean absolute contribution over held-out rows.

use crate::model::engine::{Engine, Scratch};
use crate::model::ensemble::Ensemble;
use crate::model::game::Game;
use crate::training::columns::Columns;

/// Most rows that are explained; more are thinned evenly.
const ROWS_MAX: usize = 2_000;

/// Mean |contribution| of every column over some of `rows`.
pub(crate) fn mean_contributions(columns: &Columns, ensemble: &Ensemble, rows: &[u32]) -> Vec<f64> {
    let engine = Engine::compile(&columns.binning, &[ensemble], Game::PathDependent);
    let mut sums = vec![0.0; columns.n_features()];
    let (mut ranks, mut scratch) = (Vec::new(), Scratch::default());
    let stride = rows.len().div_ceil(ROWS_MAX).max(1);
    let mut n = 0.0_f64;
    for &row in rows.iter().step_by(stride) {
        columns.ranks_of(row, &mut ranks);
        engine.explain_ranks(&ranks, &mut scratch);
        for (sum, &shift) in sums.iter_mut().zip(scratch.contributions(0)) {
            *sum += engine.scale(0).to_value(shift.into()).abs();
        }
        n += 1.0;
    }
    sums.into_iter().map(|sum| sum / n.max(1.0)).collect()
}

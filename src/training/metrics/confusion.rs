//! Who is called bad when one in so many good rows may be, and who is bad.
//!
//! The ratios come from linfa's confusion matrix, which counts exactly below 2^24 rows.

use linfa::metrics::ToConfusionMatrix;
use ndarray::Array1;
use serde::Serialize;

use crate::training::metrics::ranking::Ranked;

/// The lowest threshold that keeps to a false positive rate, and what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Lowest raw score that is called bad, log-odds.
    pub threshold: f64,
    /// Rows called bad.
    pub n_called: u64,
    /// Share of those that are bad.
    pub precision: f64,
    /// Share of the bad rows that are called bad.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// The alarm at the false positive rate `fpr_max`; `None` when it calls no bad row, or
/// when there are not both labels.
pub fn alarm(rows: &[Ranked], fpr_max: f64) -> Option<Alarm> {
    let threshold = threshold(rows, fpr_max)?;
    let called: Array1<bool> = rows.iter().map(|row| threshold <= row.score).collect();
    let bad: Array1<bool> = rows.iter().map(|row| row.is_positive).collect();
    let n_called = called.iter().filter(|called| **called).count() as u64;
    // Its rows are the truth: asked the way its examples do, linfa swaps precision and recall.
    let matrix = bad.confusion_matrix(&called).ok()?;
    let [precision, recall, f1] =
        [matrix.precision(), matrix.recall(), matrix.f1_score()].map(f64::from);
    let is_known = precision.is_finite() && recall.is_finite() && f1.is_finite();
    is_known.then_some(Alarm { threshold, n_called, precision, recall, f1 })
}

fn threshold(rows: &[Ranked], fpr_max: f64) -> Option<f64> {
    let n_good = rows.iter().filter(|row| !row.is_positive).count();
    if n_good == 0 || n_good == rows.len() {
        return None;
    }
    let mut falling = rows.to_vec();
    falling.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (mut n_wrong, mut lowest) = (0, None);
    // Rows with one score are called together or not at all.
    for tied in falling.chunk_by(|above, below| above.score <= below.score) {
        n_wrong += tied.iter().filter(|row| !row.is_positive).count();
        if fpr_max * (n_good as f64) < n_wrong as f64 {
            break;
        }
        lowest = tied.first().map(|row| row.score);
    }
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(f64, bool)], fpr_max: f64, expected: Option<(f64, u64, [f64; 3])>) {
        let rows: Vec<Ranked> =
            rows.iter().map(|&(score, is_positive)| Ranked { score, is_positive }).collect();
        let found = alarm(&rows, fpr_max);
        let Some((threshold, n_called, ratios)) = expected else {
            assert_eq!(found, None);
            return;
        };
        let found = found.unwrap();
        assert_eq!((found.threshold.to_bits(), found.n_called), (threshold.to_bits(), n_called));
        for (found, expected) in [found.precision, found.recall, found.f1].iter().zip(ratios) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn the_threshold_is_the_lowest_that_keeps_to_the_rate() {
        let rows = [(5.0, true), (4.0, false), (3.0, true), (2.0, true), (1.0, false)];
        check(&rows, 0.0, Some((5.0, 1, [1.0, 1.0 / 3.0, 0.5])));
        check(&rows, 0.5, Some((2.0, 4, [0.75, 1.0, 6.0 / 7.0])));
    }

    #[test]
    fn tied_rows_are_called_together() {
        check(
            &[(5.0, true), (4.0, true), (4.0, false)],
            0.5,
            Some((5.0, 1, [1.0, 0.5, 2.0 / 3.0])),
        );
    }

    #[test]
    fn without_a_bad_row_called_or_with_one_label_there_is_no_alarm() {
        check(&[(5.0, false), (4.0, true)], 0.0, None);
        check(&[(5.0, true), (4.0, true)], 0.5, None);
        check(&[(5.0, false)], 1.0, None);
        check(&[], 1.0, None);
    }
}

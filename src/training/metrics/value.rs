//! How near predicted values are, and how well they rank.

use crate::training::metrics::bootstrap::{Measured, measure};

/// Rows that a business acts on first, as a share of all.
const TOP_SHARE: f64 = 0.1;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valued {
    /// What was predicted.
    pub predicted: f64,
    /// What came.
    pub observed: f64,
}

/// How good predicted values are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueFigures {
    /// Root of the mean squared error.
    pub rmse: Measured,
    /// Mean absolute error.
    pub mae: Measured,
    /// Explained share of the variance.
    pub r2: Measured,
    /// How well predictions rank by value: 1 = like the values themselves, 0 = like chance
    /// (Frees, Meyers & Cummings, "Insurance ratemaking and a Gini index", 2014). No number
    /// when values are negative: then there is no share of the whole.
    pub normalized_gini: Measured,
    /// Share of the whole observed value in the tenth of the rows predicted highest. No number
    /// when values are negative.
    pub top_tenth_share: Measured,
    /// Mean observed value of the rows whose prediction is below 0: the sign is right when it
    /// is negative, too. No number without such rows.
    pub mean_where_negative: Measured,
}

/// Measures all figures in one pass per resample: rows are sorted once.
pub fn value_figures(rows: &[Valued], seed: u64) -> ValueFigures {
    let mut by_prediction = rows.to_vec();
    by_prediction.sort_by(|a, b| b.predicted.total_cmp(&a.predicted));
    let mut by_value: Vec<usize> = (0..rows.len()).collect();
    by_value.sort_by(|a, b| by_prediction[*b].observed.total_cmp(&by_prediction[*a].observed));
    let can_rank = rows.iter().all(|row| 0.0 <= row.observed);
    let [rmse, mae, r2, normalized_gini, top_tenth_share, mean_where_negative] =
        measure(rows.len(), seed, |weights| {
            let [rmse, mae, r2, negative] = errors(&by_prediction, weights);
            let [gini, top] =
                if can_rank { ranking(&by_prediction, &by_value, weights) } else { [f64::NAN; 2] };
            [rmse, mae, r2, gini, top, negative]
        });
    ValueFigures { rmse, mae, r2, normalized_gini, top_tenth_share, mean_where_negative }
}

fn errors(rows: &[Valued], weights: &[f64]) -> [f64; 4] {
    let (mut n, mut squared, mut absolute) = (0.0, 0.0, 0.0);
    let (mut sum, mut sum_squared) = (0.0, 0.0);
    let (mut n_negative, mut sum_negative) = (0.0, 0.0);
    for (row, weight) in rows.iter().zip(weights) {
        let error = row.observed - row.predicted;
        n += weight;
        squared += weight * error * error;
        absolute += weight * error.abs();
        sum += weight * row.observed;
        sum_squared += weight * row.observed * row.observed;
        if row.predicted < 0.0 {
            n_negative += weight;
            sum_negative += weight * row.observed;
        }
    }
    let variance = sum_squared / n - (sum / n) * (sum / n);
    let r2 = 1.0 - squared / n / variance;
    [(squared / n).sqrt(), absolute / n, r2, sum_negative / n_negative]
}

/// Normalized Gini, and what the top rows hold.
fn ranking(by_prediction: &[Valued], by_value: &[usize], weights: &[f64]) -> [f64; 2] {
    let rows = by_prediction.iter().zip(weights.iter().copied());
    let (ours, top) = area(rows.map(|(row, weight)| (row.predicted, row.observed, weight)));
    let of_values = by_value.iter().map(|at| {
        let observed = by_prediction[*at].observed;
        (observed, observed, weights[*at])
    });
    let (best, _) = area(of_values);
    [(ours - 0.5) / (best - 0.5), top]
}

/// Area under the share of the value held by the first rows, and that share at
/// [`TOP_SHARE`] of the rows. Rows of one key come together: their order says nothing.
fn area(rows: impl Iterator<Item = (f64, f64, f64)> + Clone) -> (f64, f64) {
    let (mut n, mut whole) = (0.0, 0.0);
    for (_, observed, weight) in rows.clone() {
        n += weight;
        whole += weight * observed;
    }
    let (mut share_of_rows, mut held, mut area, mut top) = (0.0, 0.0, 0.0, f64::NAN);
    let mut rows = rows.peekable();
    while let Some((key, mut value, mut width)) =
        rows.next().map(|(key, observed, weight)| (key, weight * observed, weight))
    {
        while let Some((_, observed, weight)) =
            rows.next_if(|(next, ..)| next.total_cmp(&key).is_eq())
        {
            value += weight * observed;
            width += weight;
        }
        let (step, gain) = (width / n, value / whole);
        if share_of_rows <= TOP_SHARE && TOP_SHARE < share_of_rows + step {
            top = held + gain * (TOP_SHARE - share_of_rows) / step;
        }
        area += step * (held + gain / 2.0);
        share_of_rows += step;
        held += gain;
    }
    (area, top)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(rows: &[(f64, f64)]) -> ValueFigures {
        let rows: Vec<Valued> =
            rows.iter().map(|&(predicted, observed)| Valued { predicted, observed }).collect();
        value_figures(&rows, 1)
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn errors_are_those_of_a_hand_computation() {
        let figures = figures(&[(1.0, 2.0), (2.0, 2.0), (3.0, 5.0)]);
        assert_near(figures.mae.value, 1.0);
        assert_near(figures.rmse.value, (5.0_f64 / 3.0).sqrt());
        assert_near(figures.r2.value, 1.0 - (5.0 / 3.0) / 2.0);
        assert!(figures.mean_where_negative.value.is_nan());
    }

    /// Ten rows; all the value is in one of them.
    #[test]
    fn a_ranking_is_whole_when_the_first_row_holds_all_and_none_when_rows_tie() {
        let with = |predicted: fn(usize) -> f64| {
            let observed = |at| if at == 3 { 8.0 } else { 0.0 };
            figures(&(0..10).map(|at| (predicted(at), observed(at))).collect::<Vec<_>>())
        };
        let right = with(|at| if at == 3 { 5.0 } else { at as f64 / 10.0 });
        assert_near(right.normalized_gini.value, 1.0);
        assert_near(right.top_tenth_share.value, 1.0);
        let tied = with(|_| 1.0);
        assert_near(tied.normalized_gini.value, 0.0);
        assert_near(tied.top_tenth_share.value, 0.1);
        let wrong = with(|at| if at == 3 { -1.0 } else { at as f64 });
        assert_near(wrong.normalized_gini.value, -1.0);
        assert_near(wrong.top_tenth_share.value, 0.0);
    }

    #[test]
    fn negative_values_have_no_shares_but_a_sign() {
        let figures = figures(&[(-2.0, -3.0), (-1.0, 1.0), (4.0, 4.0)]);
        assert!(figures.normalized_gini.value.is_nan() && figures.top_tenth_share.value.is_nan());
        assert_near(figures.mean_where_negative.value, -1.0);
    }
}

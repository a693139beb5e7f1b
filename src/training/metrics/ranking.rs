//! AUC, average precision and recall at a false positive rate.

use crate::training::metrics::bootstrap::{Measured, measure};

/// One scored row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Higher means more suspicious.
    pub score: f64,
    /// True when it was bad.
    pub is_positive: bool,
}

/// How well scores put positives before negatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankingFigures {
    /// Area under the ROC curve: ties count half.
    pub auc: Measured,
    /// Average precision, `Σ (R_n − R_{n−1}) P_n` over distinct scores (scikit-learn).
    pub average_precision: Measured,
    /// Largest recall at a threshold whose false positive rate is at most the given one.
    pub recall_at_fpr: Measured,
}

/// Measures all figures in one pass per resample: rows are sorted once.
pub fn ranking_figures(rows: &[Ranked], fpr_max: f64, seed: u64) -> RankingFigures {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let [auc, average_precision, recall_at_fpr] =
        measure(sorted.len(), seed, |weights| curve(&sorted, weights, fpr_max));
    RankingFigures { auc, average_precision, recall_at_fpr }
}

/// Average precision of rows given from the most suspicious one on, by their places among the
/// weights; NaN without a positive that has weight.
pub fn average_precision(order: &[usize], weights: &[f64], is_real: impl Fn(usize) -> bool) -> f64 {
    let (mut seen, mut found, mut sum) = (0.0, 0.0, 0.0);
    for row in order {
        seen += weights[*row];
        if is_real(*row) && 0.0 < weights[*row] {
            found += weights[*row];
            sum += weights[*row] * found / seen;
        }
    }
    if found > 0.0 { sum / found } else { f64::NAN }
}

/// AUC, average precision and recall of rows sorted by falling score.
pub(super) fn curve(sorted: &[Ranked], weights: &[f64], fpr_max: f64) -> [f64; 3] {
    let (n_positive, n_negative) = totals(sorted, weights);
    let (mut found, mut wrong) = (0.0, 0.0);
    let (mut auc, mut precision_sum, mut recall) = (0.0, 0.0, 0.0_f64);
    let mut start = 0;
    while start < sorted.len() {
        let score = sorted[start].score;
        let n_tied = sorted[start..].iter().take_while(|row| row.score >= score).count();
        let end = start + n_tied.max(1);
        let (positive, negative) = totals(&sorted[start..end], &weights[start..end]);
        auc += negative * (found + 0.5 * positive);
        found += positive;
        wrong += negative;
        if 0.0 < positive {
            precision_sum += positive * found / (found + wrong);
        }
        if wrong <= fpr_max * n_negative {
            recall = recall.max(found / n_positive);
        }
        start = end;
    }
    [auc / (n_positive * n_negative), precision_sum / n_positive, recall]
}

/// Weight of the positives and of the negatives.
fn totals(rows: &[Ranked], weights: &[f64]) -> (f64, f64) {
    let (mut positive, mut negative) = (0.0, 0.0);
    for (row, weight) in rows.iter().zip(weights) {
        if row.is_positive {
            positive += weight;
        } else {
            negative += weight;
        }
    }
    (positive, negative)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(f64, bool)], expected: [f64; 3]) {
        let rows: Vec<Ranked> =
            rows.iter().map(|&(score, is_positive)| Ranked { score, is_positive }).collect();
        let figures = ranking_figures(&rows, 0.5, 1);
        let ours = [figures.auc, figures.average_precision, figures.recall_at_fpr];
        for (ours, expected) in ours.iter().zip(expected) {
            assert!((ours.value - expected).abs() < 1e-12, "{} is not {expected}", ours.value);
        }
    }

    #[test]
    fn figures_equal_those_of_scikit_learn() {
        // scikit-learn's documentation example: AUC 0.75, AP 0.8333…
        check(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)], [0.75, 5.0 / 6.0, 1.0]);
        check(&[(0.9, true), (0.8, false), (0.7, true), (0.1, false)], [0.75, 5.0 / 6.0, 1.0]);
    }

    #[test]
    fn tied_scores_count_half_and_share_one_precision() {
        check(&[(0.0, true), (0.0, false), (0.0, false), (0.0, true)], [0.5, 0.5, 0.0]);
        // One tie at the top: precision 1/2, then 2/3 for the second positive.
        check(&[(0.9, true), (0.9, false), (0.5, true), (0.1, false)], [0.625, 7.0 / 12.0, 1.0]);
    }

    #[test]
    fn a_perfect_ranking_scores_one() {
        check(&[(3.0, true), (2.0, false), (1.0, false)], [1.0, 1.0, 1.0]);
    }
}

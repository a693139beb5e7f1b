//! Figures of rows that count unequally, and plain calibration errors.
//!
//! What reports show has intervals and no bias from small bins (`probability`). These are the
//! plain figures that other tools print, for comparison with theirs.

use crate::training::metrics::probability::Predicted;
use crate::training::metrics::ranking::{Ranked, curve};

/// Area under the ROC curve and average precision; weights go with rows.
pub fn auc_and_average_precision(rows: &[Ranked], weights: &[f64]) -> (f64, f64) {
    let mut sorted: Vec<(Ranked, f64)> =
        rows.iter().copied().zip(weights.iter().copied()).collect();
    sorted.sort_by(|a, b| b.0.score.total_cmp(&a.0.score));
    let (rows, weights): (Vec<Ranked>, Vec<f64>) = sorted.into_iter().unzip();
    let [auc, average_precision, _] = curve(&rows, &weights, 1.0);
    (auc, average_precision)
}

/// Mean squared error of probabilities; weights go with rows.
pub fn brier(rows: &[Predicted], weights: &[f64]) -> f64 {
    let error = |row: &Predicted| row.probability - f64::from(row.is_positive);
    let sum: f64 = rows.iter().zip(weights).map(|(row, weight)| weight * error(row).powi(2)).sum();
    sum / weights.iter().sum::<f64>()
}

/// How far apart what was predicted and what happened are, bin by bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinnedGaps {
    /// Mean over bins, by their weight: what is called the expected calibration error. Never 0
    /// by chance, and larger the more bins there are.
    pub mean: f64,
    /// The largest.
    pub largest: f64,
}

/// Over bins of equal width; weights go with rows, probabilities of 1 are in the last bin.
pub fn gaps_by_width(rows: &[Predicted], weights: &[f64], n_bins: u32) -> BinnedGaps {
    let mut bins = vec![Bin::default(); n_bins as usize];
    for (row, weight) in rows.iter().zip(weights) {
        let borders = (1..n_bins).map(|border| f64::from(border) / f64::from(n_bins));
        bins[borders.take_while(|border| *border <= row.probability).count()].add(row, *weight);
    }
    gaps(&bins)
}

/// Over bins of as many rows each, the first ones having one more where that does not come out
/// even; of equal probabilities the first row comes first.
pub fn gaps_by_mass(rows: &[Predicted], n_bins: usize) -> BinnedGaps {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let mut bins = vec![Bin::default(); n_bins];
    let mut left = sorted.iter();
    for (at, bin) in bins.iter_mut().enumerate() {
        let size = rows.len() / n_bins + usize::from(at < rows.len() % n_bins);
        for row in left.by_ref().take(size) {
            bin.add(row, 1.0);
        }
    }
    gaps(&bins)
}

#[derive(Clone, Copy, Default)]
struct Bin {
    weight: f64,
    miss: f64,
}

impl Bin {
    fn add(&mut self, row: &Predicted, weight: f64) {
        self.weight += weight;
        self.miss += weight * (row.probability - f64::from(row.is_positive));
    }
}

fn gaps(bins: &[Bin]) -> BinnedGaps {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    let mean = bins.iter().map(|bin| bin.miss.abs()).sum::<f64>() / total;
    let used = bins.iter().filter(|bin| 0.0 < bin.weight);
    BinnedGaps { mean, largest: used.map(|bin| bin.miss.abs() / bin.weight).fold(0.0, f64::max) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(f64, bool); 4] = [(0.9, true), (0.1, false), (0.8, false), (0.95, true)];

    fn predicted() -> Vec<Predicted> {
        let row = |(probability, is_positive)| Predicted { probability, is_positive };
        ROWS.into_iter().map(row).collect()
    }

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn a_row_of_weight_two_is_two_rows() {
        let ranked = |(score, is_positive)| Ranked { score, is_positive };
        let rows: Vec<Ranked> = ROWS.into_iter().map(ranked).collect();
        let twice: Vec<Ranked> = rows.iter().copied().chain([rows[2]]).collect();
        let weights = [1.0, 1.0, 2.0, 1.0];
        let (found, expected) = (
            auc_and_average_precision(&rows, &weights),
            auc_and_average_precision(&twice, &[1.0; 5]),
        );
        assert!(is_near(found.0, expected.0) && is_near(found.1, expected.1));
        let twice: Vec<Predicted> = predicted().into_iter().chain([predicted()[2]]).collect();
        assert!(is_near(brier(&predicted(), &weights), brier(&twice, &[1.0; 5])));
        let [found, expected] =
            [gaps_by_width(&predicted(), &weights, 2), gaps_by_width(&twice, &[1.0; 5], 2)];
        assert!(is_near(found.mean, expected.mean) && is_near(found.largest, expected.largest));
    }

    #[test]
    fn gaps_are_those_of_a_hand_computation() {
        // Below a half: .1. Above: (−.1 + .8 − .05) / 3.
        let found = gaps_by_width(&predicted(), &[1.0; 4], 2);
        assert!(is_near(found.mean, 0.75 / 4.0) && is_near(found.largest, 0.65 / 3.0));
        // .1 and .8 first, .9 and .95 last.
        let found = gaps_by_mass(&predicted(), 2);
        assert!(is_near(found.mean, (0.9 + 0.15) / 4.0) && is_near(found.largest, 0.45));
        // Five rows in three bins: two, two, one.
        let rows: Vec<Predicted> = predicted().into_iter().chain([predicted()[0]]).collect();
        assert!(is_near(gaps_by_mass(&rows, 3).mean, (0.9 + 0.2 + 0.05) / 5.0));
    }
}

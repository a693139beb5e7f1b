//! Log-loss, Brier score and calibration error.

use crate::model::calibration::log_odds;
use crate::training::loss::Loss;
use crate::training::metrics::bootstrap::{Measured, measure};

/// Bins of equal mass behind the calibration error.
const ECE_BINS: usize = 20;

/// One predicted probability and what happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// Calibrated probability.
    pub probability: f64,
    /// True when it happened.
    pub is_positive: bool,
}

/// How far probabilities are from what happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbabilityFigures {
    /// Mean negative log-likelihood, nats.
    pub log_loss: Measured,
    /// Mean squared error (Brier 1950).
    pub brier: Measured,
    /// Debiased root-mean-square calibration error over bins of equal mass (Kumar,
    /// Liang, Ma 2019): 0 for a calibrated model whatever the number of rows.
    pub calibration_error: Measured,
    /// Mean absolute calibration error over the same bins, less what chance alone gives:
    /// at most the root-mean-square one, and never below 0.
    pub debiased_ece: Measured,
}

/// Measures all figures; rows are sorted once.
pub fn probability_figures(rows: &[Predicted], seed: u64) -> ProbabilityFigures {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let losses: Vec<f64> = sorted.iter().map(log_loss).collect();
    // A resample scatters around the rows as the rows do around the truth: twice the noise.
    let mut noise = 1.0;
    let [log_loss, brier, calibration_error, debiased_ece] =
        measure(sorted.len(), seed, |weights| {
            let total: f64 = weights.iter().sum();
            let mean = |sum: f64| sum / total;
            let loss = losses.iter().zip(weights).map(|(loss, weight)| loss * weight).sum();
            let brier = sorted.iter().zip(weights).map(|(row, weight)| brier(row) * weight).sum();
            let [root_mean_square, mean_absolute] = calibration_errors(&sorted, weights, noise);
            noise = 2.0;
            [mean(loss), mean(brier), root_mean_square, mean_absolute]
        });
    ProbabilityFigures { log_loss, brier, calibration_error, debiased_ece }
}

fn log_loss(row: &Predicted) -> f64 {
    Loss::Logistic.value(log_odds(row.probability), f64::from(row.is_positive))
}

fn brier(row: &Predicted) -> f64 {
    let error = row.probability - f64::from(row.is_positive);
    error * error
}

/// `√max(0, Σ share · ((p̄ − ȳ)² − σ²))` and `max(0, Σ share · (|p̄ − ȳ| − σ√(2/π)))`,
/// where `σ² = noise · ȳ(1 − ȳ)/(n − 1)` and `σ√(2/π)` is the mean of |N(0, σ²)|.
fn calibration_errors(sorted: &[Predicted], weights: &[f64], noise: f64) -> [f64; 2] {
    let bin_len = sorted.len().div_ceil(ECE_BINS).max(1);
    let (mut squared, mut absolute, mut total) = (0.0, 0.0, 0.0);
    for (rows, weights) in sorted.chunks(bin_len).zip(weights.chunks(bin_len)) {
        let (mut n, mut predicted, mut observed) = (0.0, 0.0, 0.0);
        for (row, weight) in rows.iter().zip(weights) {
            n += weight;
            predicted += weight * row.probability;
            observed += weight * f64::from(row.is_positive);
        }
        total += n;
        if 1.0 < n {
            let (predicted, observed) = (predicted / n, observed / n);
            let variance = noise * observed * (1.0 - observed) / (n - 1.0);
            let error = predicted - observed;
            squared += n * (error * error - variance);
            absolute += n * (error.abs() - (variance * std::f64::consts::FRAC_2_PI).sqrt());
        }
    }
    if total <= 0.0 {
        return [f64::NAN; 2];
    }
    [(squared / total).max(0.0).sqrt(), (absolute / total).max(0.0)]
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::training::sample::generator;

    #[test]
    fn figures_equal_those_computed_by_hand() {
        let rows = [(0.9, true), (0.2, false), (0.6, false)]
            .map(|(probability, is_positive)| Predicted { probability, is_positive });
        let figures = probability_figures(&rows, 1);
        let log_loss = -(0.9_f64.ln() + 0.8_f64.ln() + 0.4_f64.ln()) / 3.0;
        assert!((figures.log_loss.value - log_loss).abs() < 1e-12);
        assert!((figures.brier.value - (0.01 + 0.04 + 0.36) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_calibrated_model_has_almost_no_calibration_error() {
        let mut rng = generator(2, 0);
        let mut simulate = |shift: f64| -> f64 {
            let mut row = || {
                let p = rng.gen_range(0.05..0.8);
                Predicted { probability: p + shift, is_positive: rng.r#gen::<f64>() < p }
            };
            let rows: Vec<Predicted> = (0..20_000).map(|_| row()).collect();
            let figures = probability_figures(&rows, 1);
            let (ece, error) = (figures.debiased_ece, figures.calibration_error);
            assert!(
                ece.value <= error.value + 1e-9 && ece.low <= ece.value && ece.value <= ece.high
            );
            error.value
        };
        assert!(simulate(0.0) < 0.01);
        assert!((simulate(0.1) - 0.1).abs() < 0.01);
    }

    #[test]
    fn a_calibrated_model_is_not_charged_for_few_rows() {
        let mut rng = generator(8, 0);
        let mut ece = || {
            let mut row = || {
                let p = rng.gen_range(0.05..0.8);
                Predicted { probability: p, is_positive: rng.r#gen::<f64>() < p }
            };
            let rows: Vec<Predicted> = (0..400).map(|_| row()).collect();
            probability_figures(&rows, 1).debiased_ece.value
        };
        // 20 bins of 20 rows: the plain error would be about 0.08.
        let mean = (0..40).map(|_| ece()).sum::<f64>() / 40.0;
        assert!(mean < 0.02, "{mean}");
    }
}

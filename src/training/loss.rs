//! Losses: what boosting descends on.

use serde::{Deserialize, Serialize};

use crate::model::calibration::{CalibrationMap, LOG_MEAN_MAX, exp_mean, log_odds, sigmoid};

/// What boosting descends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Negative log-likelihood of 0/1 labels; raw scores are log-odds.
    #[default]
    Logistic,
    /// Half the squared error; raw scores are values.
    Squared,
    /// Pinball loss (Koenker and Bassett 1978); raw scores are the quantile.
    Quantile {
        /// Share of the targets below it; above 0, below 1.
        level: f64,
    },
    /// Poisson deviance / 2 of counts; raw scores are the logarithm of the mean.
    Poisson,
    /// Tweedie deviance / 2 of amounts that are often 0; raw scores are the logarithm of
    /// the mean.
    Tweedie {
        /// Variance = mean^power; above 1, below 2.
        power: f64,
    },
}

/// First and second derivative of the loss by the raw score, times the weight.
pub type Gradient = [f32; 2];

/// Smallest second derivative: keeps saturated rows from dividing by nothing.
const HESSIAN_MIN: f64 = 1e-16;
/// Smallest mean that a logarithm is taken of.
const MEAN_MIN: f64 = 1e-6;
/// Smallest sum of p(1 − p) at which a leaf of a 0/1 loss moves: a little more than one row
/// as undecided as a coin, or 30 rows at one in a hundred. Below it a leaf is a handful of
/// rows that the trees have settled, and moving it orders noise. Peers call it the smallest
/// child weight (XGBoost: 1). Tried with .1, .2, .3, .5 and 1 on splits within training rows
/// (2026-11-26); all but 1, which was far worse, differ by no more than chance.
const LEAF_SECOND_MIN: f64 = 0.3;
/// Longest Newton step of a loss on a logarithm, before the learning rate: a mean at most
/// doubles. Rows with tiny means have hardly any curvature and would send it anywhere
/// (the bound that XGBoost sets for counts).
const LOG_STEP_MAX: f64 = 0.7;

impl Loss {
    /// The best constant raw score for these targets; `None` when no row has weight.
    pub fn start(self, targets: &[f32], weights: &[f32]) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (&target, &weight) in targets.iter().zip(weights) {
            sum += f64::from(weight) * f64::from(target);
            total += f64::from(weight);
        }
        if total <= 0.0 {
            return None;
        }
        let mean = sum / total;
        Some(match self {
            Self::Logistic => log_odds(mean.clamp(1e-6, 1.0 - 1e-6)),
            Self::Squared => mean,
            Self::Poisson | Self::Tweedie { .. } => mean.max(MEAN_MIN).ln(),
            Self::Quantile { level } => {
                let rows = targets.iter().zip(weights);
                let rows = rows.map(|(&target, &weight)| (target.into(), weight));
                let mut rows: Vec<(f64, f32)> = rows.collect();
                weighted_quantile(&mut rows, level)
            }
        })
    }

    /// Smallest sum of second derivatives at which a leaf moves.
    pub(crate) fn leaf_second_min(self) -> f64 {
        match self {
            Self::Logistic => LEAF_SECOND_MIN,
            // Their second derivatives are in units of the target: no sum is small by itself.
            Self::Squared | Self::Quantile { .. } | Self::Poisson | Self::Tweedie { .. } => 0.0,
        }
    }

    /// Longest Newton step, before the learning rate.
    pub(crate) fn step_max(self) -> f64 {
        match self {
            Self::Logistic | Self::Squared | Self::Quantile { .. } => f64::INFINITY,
            Self::Poisson | Self::Tweedie { .. } => LOG_STEP_MAX,
        }
    }

    /// From raw score to predicted value.
    pub(crate) fn value_map(self) -> CalibrationMap {
        match self {
            Self::Logistic | Self::Squared | Self::Quantile { .. } => CalibrationMap::Value,
            Self::Poisson | Self::Tweedie { .. } => CalibrationMap::LogValue,
        }
    }

    /// Loss of one row, unweighted.
    pub fn value(self, raw: f64, target: f64) -> f64 {
        match self {
            // ln(1 + e^-|raw|) + max(raw, 0) − raw · target, without overflow.
            Self::Logistic => (-raw.abs()).exp().ln_1p() + raw.max(0.0) - raw * target,
            Self::Squared => 0.5 * (raw - target) * (raw - target),
            Self::Quantile { level } => {
                let over = raw - target;
                if 0.0 < over { (1.0 - level) * over } else { -level * over }
            }
            Self::Poisson => exp_mean(raw) - target * log_mean(raw),
            Self::Tweedie { power } => {
                let (one, two) = (1.0 - power, 2.0 - power);
                let raw = log_mean(raw);
                (two * raw).exp() / two - target * (one * raw).exp() / one
            }
        }
    }

    /// Weighted derivatives of one row.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "f32 halves the traffic of histograms")]
    pub fn gradient(self, raw: f64, target: f64, weight: f64) -> Gradient {
        let (first, second) = match self {
            Self::Logistic => {
                let p = sigmoid(raw);
                (p - target, (p * (1.0 - p)).max(HESSIAN_MIN))
            }
            Self::Squared => (raw - target, 1.0),
            // The pinball loss has no curvature; 1 makes a leaf's score its mean slope.
            Self::Quantile { level } => (f64::from(u8::from(target < raw)) - level, 1.0),
            Self::Poisson => {
                let mean = exp_mean(raw);
                (mean - target, mean.max(HESSIAN_MIN))
            }
            Self::Tweedie { power } => {
                let (one, two) = (1.0 - power, 2.0 - power);
                let raw = log_mean(raw);
                let (observed, mean) = (target * (one * raw).exp(), (two * raw).exp());
                (mean - observed, (two * mean - one * observed).max(HESSIAN_MIN))
            }
        };
        [(weight * first) as f32, (weight * second) as f32]
    }
}

fn log_mean(raw: f64) -> f64 {
    raw.clamp(-LOG_MEAN_MAX, LOG_MEAN_MAX)
}

/// The smallest value that `level` of the weight does not exceed; 0 without rows.
pub(crate) fn weighted_quantile(rows: &mut [(f64, f32)], level: f64) -> f64 {
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = rows.iter().map(|&(_, weight)| f64::from(weight)).sum();
    let mut below = 0.0;
    for &(value, weight) in rows.iter() {
        below += f64::from(weight);
        if level * total <= below && 0.0 < weight {
            return value;
        }
    }
    rows.last().map_or(0.0, |&(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Loss; 6] = [
        Loss::Logistic,
        Loss::Squared,
        Loss::Quantile { level: 0.9 },
        Loss::Poisson,
        Loss::Tweedie { power: 1.3 },
        Loss::Tweedie { power: 1.9 },
    ];

    #[test]
    fn derivatives_agree_with_finite_differences() {
        let step = 1e-4;
        for loss in ALL {
            for (raw, target) in [(-3.0, 1.0), (0.1, 0.0), (0.7, 1.0), (2.0, 0.0)] {
                let at = |shift: f64| loss.value(raw + shift, target);
                let first = (at(step) - at(-step)) / (2.0 * step);
                let second = (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
                let [g, h] = loss.gradient(raw, target, 1.0).map(f64::from);
                let size = 1.0 + first.abs() + second.abs();
                assert!((g - first).abs() < 1e-6 * size, "{loss:?} at {raw}: {g}, {first}");
                // Newton's step needs a curvature; the pinball loss gets one it does not have.
                let is_flat = matches!(loss, Loss::Quantile { .. });
                assert!(is_flat || (h - second).abs() < 1e-4 * size, "{loss:?}: {h}, {second}");
            }
        }
    }

    #[test]
    fn no_other_constant_beats_the_start() {
        let targets = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0];
        let weights = [1.0, 2.0, 1.0, 0.5, 3.0, 1.0, 0.0, 1.0, 1.0, 1.0];
        for loss in ALL {
            let start = loss.start(&targets, &weights).unwrap();
            let total = |raw: f64| -> f64 {
                let rows = targets.iter().zip(weights);
                rows.map(|(&y, w)| f64::from(w) * loss.value(raw, y.into())).sum()
            };
            for shift in [-0.3, -0.01, 0.01, 0.3] {
                assert!(total(start) <= total(start + shift) + 1e-12, "{loss:?} at {start}");
            }
        }
        assert_eq!(Loss::Squared.start(&targets, &[0.0; 10]), None);
    }

    #[test]
    fn an_extreme_score_has_a_finite_loss_and_finite_derivatives() {
        for loss in ALL {
            for raw in [-1e6, 1e6] {
                assert!(loss.value(raw, 1.0).is_finite(), "{loss:?}");
                assert!(loss.gradient(raw, 1.0, 1.0).iter().all(|part| part.is_finite()));
            }
        }
    }

    #[test]
    fn a_quantile_weighs_its_rows() {
        let rows = || vec![(3.0, 1.0), (1.0, 1.0), (2.0, 8.0)];
        assert!((weighted_quantile(&mut rows(), 0.05) - 1.0).abs() < 1e-12);
        assert!((weighted_quantile(&mut rows(), 0.5) - 2.0).abs() < 1e-12);
        assert!((weighted_quantile(&mut rows(), 0.95) - 3.0).abs() < 1e-12);
        assert!(weighted_quantile(&mut Vec::new(), 0.5).abs() < 1e-12);
    }
}

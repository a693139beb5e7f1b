//! Losses: what boosting descends on.

use serde::{Deserialize, Serialize};

use crate::model::calibration::{log_odds, sigmoid};

/// What boosting descends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Negative log-likelihood of 0/1 labels; raw scores are log-odds.
    #[default]
    Logistic,
    /// Half the squared error; raw scores are values.
    Squared,
}

/// First and second derivative of the loss by the raw score, times the weight.
pub type Gradient = [f32; 2];

/// Smallest second derivative: keeps saturated rows from dividing by nothing.
const HESSIAN_MIN: f64 = 1e-16;

impl Loss {
    /// The best constant raw score for these targets.
    pub fn start(self, mean_target: f64) -> f64 {
        match self {
            Self::Logistic => log_odds(mean_target.clamp(1e-6, 1.0 - 1e-6)),
            Self::Squared => mean_target,
        }
    }

    /// Loss of one row, unweighted.
    pub fn value(self, raw: f64, target: f64) -> f64 {
        match self {
            // ln(1 + e^-|raw|) + max(raw, 0) − raw · target, without overflow.
            Self::Logistic => (-raw.abs()).exp().ln_1p() + raw.max(0.0) - raw * target,
            Self::Squared => 0.5 * (raw - target) * (raw - target),
        }
    }

    /// Weighted derivatives of one row.
    #[expect(clippy::cast_possible_truncation, reason = "f32 halves the traffic of histograms")]
    pub fn gradient(self, raw: f64, target: f64, weight: f64) -> Gradient {
        let (first, second) = match self {
            Self::Logistic => {
                let p = sigmoid(raw);
                (p - target, (p * (1.0 - p)).max(HESSIAN_MIN))
            }
            Self::Squared => (raw - target, 1.0),
        };
        [(weight * first) as f32, (weight * second) as f32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_agree_with_finite_differences() {
        let step = 1e-4;
        for loss in [Loss::Logistic, Loss::Squared] {
            for (raw, target) in [(-3.0, 1.0), (0.0, 0.0), (0.7, 1.0), (4.0, 0.0)] {
                let at = |shift: f64| loss.value(raw + shift, target);
                let first = (at(step) - at(-step)) / (2.0 * step);
                let second = (at(step) - 2.0 * at(0.0) + at(-step)) / (step * step);
                let [g, h] = loss.gradient(raw, target, 1.0).map(f64::from);
                assert!((g - first).abs() < 1e-5 && (h - second).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn an_extreme_score_has_a_finite_loss() {
        for raw in [-1e6, 1e6] {
            assert!(Loss::Logistic.value(raw, 1.0).is_finite());
        }
    }
}

//! Platt scaling: a sigmoid with two parameters.

use linfa::ParamGuard;
use linfa::composing::platt_scaling::{PlattParams, platt_newton_method};
use ndarray::ArrayView1;

use crate::model::calibration::{CalibrationMap, log_odds};
use crate::training::calibrate::HeldOut;

/// Slope of a head whose scores do not separate the held-out rows.
const SLOPE_MIN: f64 = 0.01;

/// Platt's sigmoid by linfa's Newton method.
pub(super) fn platt(rows: &[HeldOut]) -> CalibrationMap {
    let raw: Vec<f64> = rows.iter().map(|row| row.raw).collect();
    let labels: Vec<bool> = rows.iter().map(|row| 0.5 < row.target).collect();
    let fitted = PlattParams::<f64, ()>::default().check().and_then(|params| {
        platt_newton_method(ArrayView1::from(&raw), ArrayView1::from(&labels), &params)
    });
    let n = rows.len().max(1) as f64;
    let n_positive = labels.iter().filter(|label| **label).count() as f64;
    // linfa's sigmoid is 1 / (1 + e^(a·raw + b)).
    let (slope, intercept) = match fitted {
        Ok((a, b)) if SLOPE_MIN <= -a && b.is_finite() => (-a, -b),
        Ok(_) | Err(_) => {
            let mean = raw.iter().sum::<f64>() / n;
            let rate = (n_positive + 0.5) / (n + 1.0);
            (SLOPE_MIN, log_odds(rate) - SLOPE_MIN * mean)
        }
    };
    CalibrationMap::Platt { slope, intercept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calibration::sigmoid;
    use crate::training::calibrate::tests::simulate;

    #[test]
    fn platt_finds_the_sigmoid_that_made_the_labels() {
        let rows = simulate(40_000, |raw| sigmoid(0.5 * raw - 1.0));
        let CalibrationMap::Platt { slope, intercept } = platt(&rows) else {
            panic!("platt makes a sigmoid");
        };
        // Four standard errors of 40,000 rows.
        assert!((slope - 0.5).abs() < 0.03, "{slope}");
        assert!((intercept + 1.0).abs() < 0.05, "{intercept}");
    }

    #[test]
    fn scores_without_signal_keep_their_order_and_the_base_rate() {
        let rows = simulate(5_000, |raw| sigmoid(-raw));
        let CalibrationMap::Platt { slope, .. } = platt(&rows) else {
            panic!("platt makes a sigmoid");
        };
        assert!(0.0 < slope);
    }
}

//! Fitting the calibration of a head on rows that its trees did not see.

use crate::model::calibration::{Calibration, CalibrationMap, Intervals, log_odds};
use crate::model::conformal::Conformal;
use crate::model::venn_abers::VennAbers;
use crate::training::calibrate::beta::beta;
use crate::training::calibrate::bins::bins;
use crate::training::calibrate::isotonic::isotonic;
use crate::training::calibrate::platt::platt;
use crate::training::loss::Loss;

mod beta;
pub(crate) mod bins;
pub(crate) mod conformal;
pub(crate) mod isotonic;
mod platt;
pub mod weighted_isotonic;

/// Fewest rows of a bin.
const BIN_ROWS_MIN: usize = 50;
/// Another map than Platt's must save this many standard errors of log-loss.
const CLEARLY: f64 = 2.0;

/// One held-out row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Raw score.
    pub raw: f64,
    /// 0 or 1, or the observed value.
    pub target: f64,
}

/// Fits the calibration of a probability on rows in time order.
///
/// It gets Platt's sigmoid, which can be inverted. Beta or isotonic calibration replaces it
/// when, fitted on the earlier half, it clearly has the smaller log-loss on the later half.
pub fn calibrate_probability(rows: &[HeldOut]) -> Calibration {
    let labeled: Vec<(f64, bool)> = rows.iter().map(|row| (row.raw, 0.5 < row.target)).collect();
    let intervals = Intervals::VennAbers(VennAbers::fit(&labeled));
    calibration(fit_probability_map(rows), intervals, rows)
}

/// The calibration of a value, whose map follows from the loss and whose intervals come from
/// elsewhere.
pub fn calibrate_value(loss: Loss, rows: &[HeldOut], conformal: Conformal) -> Calibration {
    calibration(loss.value_map(), Intervals::Conformal(conformal), rows)
}

fn calibration(map: CalibrationMap, intervals: Intervals, rows: &[HeldOut]) -> Calibration {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.raw.total_cmp(&b.raw));
    let bins = bins(&map, &sorted);
    Calibration { map, bins, intervals }
}

fn fit_probability_map(rows: &[HeldOut]) -> CalibrationMap {
    let (earlier, later) = rows.split_at(rows.len() / 2);
    if rows.len() < 2 * BIN_ROWS_MIN {
        return platt(rows);
    }
    let losses = |map: &CalibrationMap| later.iter().map(|row| loss(map, row)).collect::<Vec<_>>();
    let by_platt = losses(&platt(earlier));
    let gain = |map: &CalibrationMap| clear_gain(&by_platt, &losses(map));
    let by_beta = beta(earlier).and_then(|map| gain(&map));
    let by_isotonic = gain(&isotonic(earlier));
    match (by_beta, by_isotonic) {
        (None, None) => platt(rows),
        (Some(beta_gain), isotonic_gain) if isotonic_gain.is_none_or(|gain| gain <= beta_gain) => {
            beta(rows).unwrap_or_else(|| platt(rows))
        }
        (_, Some(_) | None) => isotonic(rows),
    }
}

fn loss(map: &CalibrationMap, row: &HeldOut) -> f64 {
    Loss::Logistic.value(log_odds(map.apply(row.raw)), row.target)
}

/// Mean loss saved per row, when it is [`CLEARLY`] more than chance.
fn clear_gain(before: &[f64], after: &[f64]) -> Option<f64> {
    let n = before.len() as f64;
    let saved = || before.iter().zip(after).map(|(before, after)| before - after);
    let mean = saved().sum::<f64>() / n;
    let variance = saved().map(|gain| (gain - mean) * (gain - mean)).sum::<f64>() / (n - 1.0);
    (CLEARLY * (variance / n).sqrt() < mean).then_some(mean)
}

#[cfg(test)]
pub(crate) mod tests {
    use rand::Rng;

    use super::*;
    use crate::training::sample::generator;

    pub(crate) fn simulate(n: usize, truth: impl Fn(f64) -> f64) -> Vec<HeldOut> {
        let mut rng = generator(5, 0);
        let mut row = || {
            let raw = rng.gen_range(-4.0..4.0);
            HeldOut { raw, target: f64::from(rng.r#gen::<f64>() < truth(raw)) }
        };
        (0..n).map(|_| row()).collect()
    }

    #[test]
    fn isotonic_wins_where_no_sigmoid_fits() {
        let steps = simulate(20_000, |raw| if raw < 0.0 { 0.1 } else { 0.6 });
        let map = calibrate_probability(&steps).map;
        assert!(matches!(map, CalibrationMap::Isotonic { .. }));
        assert!((map.apply(-3.0) - 0.1).abs() < 0.03 && (map.apply(3.0) - 0.6).abs() < 0.03);
    }

    #[test]
    fn platt_stays_where_a_sigmoid_is_the_truth() {
        let rows = simulate(20_000, |raw| crate::model::calibration::sigmoid(0.8 * raw - 1.0));
        let calibration = calibrate_probability(&rows);
        assert!(matches!(calibration.map, CalibrationMap::Platt { .. }), "{:?}", calibration.map);
    }

    #[test]
    fn the_venn_abers_interval_holds_the_true_probability_about_always() {
        let rows = simulate(20_000, |raw| if raw < 0.0 { 0.1 } else { 0.6 });
        let calibration = calibrate_probability(&rows);
        for (raw, truth) in [(-3.0, 0.1), (-1.0, 0.1), (1.0, 0.6), (3.0, 0.6)] {
            let (low, high) = calibration.interval(raw, (raw, raw));
            assert!(low - 0.03 < truth && truth < high + 0.03, "{raw}: {low} to {high}");
        }
    }
}

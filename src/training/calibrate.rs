//! Fitting the calibration of a head on rows that its trees did not see.

use linfa::ParamGuard;
use linfa::composing::platt_scaling::{PlattParams, platt_newton_method};
use ndarray::ArrayView1;

use crate::domain::head::HeadKind;
use crate::model::calibration::{
    Calibration, CalibrationBin, CalibrationMap, Z_90, log_odds, sigmoid,
};
use crate::training::loss::Loss;

/// Fewest rows of a bin.
const BIN_ROWS_MIN: usize = 50;
/// Most bins; shares halve towards the high scores, where decisions fall.
const BINS_MAX: usize = 20;
/// Slope of a head whose scores do not separate the held-out rows.
const SLOPE_MIN: f64 = 0.01;

/// One held-out row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Raw score.
    pub raw: f64,
    /// 0 or 1, or the observed value.
    pub target: f64,
}

/// Fits the calibration of one head on rows in time order.
///
/// Probabilities get Platt's sigmoid; isotonic regression replaces it when, fitted on
/// the earlier half, it has the smaller log-loss on the later half. Values stay as they
/// are and get residual quantiles.
pub fn fit_calibration(kind: HeadKind, rows: &[HeldOut]) -> Calibration {
    let map = match kind {
        HeadKind::ImpactValue => CalibrationMap::Value,
        HeadKind::Risk | HeadKind::ImpactProbability => fit_probability_map(rows),
    };
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.raw.total_cmp(&b.raw));
    let bins = bin_sizes(sorted.len());
    let mut start = 0;
    let bins = bins.into_iter().map(|n| {
        let part = &sorted[start..start + n];
        start += n;
        summarize(&map, part)
    });
    let bins = bins.collect();
    Calibration { map, bins }
}

fn fit_probability_map(rows: &[HeldOut]) -> CalibrationMap {
    let (earlier, later) = rows.split_at(rows.len() / 2);
    let is_isotonic = log_loss(&isotonic(earlier), later) < log_loss(&platt(earlier), later);
    if is_isotonic && 2 * BIN_ROWS_MIN <= rows.len() { isotonic(rows) } else { platt(rows) }
}

fn log_loss(map: &CalibrationMap, rows: &[HeldOut]) -> f64 {
    let loss = |row: &HeldOut| Loss::Logistic.value(log_odds(map.apply(row.raw)), row.target);
    rows.iter().map(loss).sum()
}

/// Platt's sigmoid by linfa's Newton method, with the parameters' covariance.
fn platt(rows: &[HeldOut]) -> CalibrationMap {
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
    CalibrationMap::Platt { slope, intercept, covariance: covariance(&raw, slope, intercept) }
}

/// Inverse Fisher information of a logistic regression on one variable.
fn covariance(raw: &[f64], slope: f64, intercept: f64) -> [f64; 3] {
    let (mut ss, mut si, mut ii) = (0.0, 0.0, 0.0);
    for &raw in raw {
        let p = sigmoid(slope * raw + intercept);
        let weight = p * (1.0 - p);
        ss += weight * raw * raw;
        si += weight * raw;
        ii += weight;
    }
    let determinant = ss * ii - si * si;
    if determinant <= f64::EPSILON * ss * ii {
        return [0.0; 3];
    }
    [ii / determinant, -si / determinant, ss / determinant]
}

/// Pool-adjacent-violators with one knot per block, at the block's mean score.
fn isotonic(rows: &[HeldOut]) -> CalibrationMap {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.raw.total_cmp(&b.raw));
    // Blocks: sum of scores, sum of targets, rows. Equal scores start as one block.
    let mut blocks: Vec<[f64; 3]> = Vec::new();
    let mut last_raw = f64::NAN;
    for row in &sorted {
        match blocks.last_mut() {
            Some(block) if row.raw <= last_raw => {
                *block = joined(*block, [row.raw, row.target, 1.0]);
            }
            _ => {
                merge_while_unordered(&mut blocks);
                blocks.push([row.raw, row.target, 1.0]);
            }
        }
        last_raw = row.raw;
    }
    merge_while_unordered(&mut blocks);
    let n = sorted.len() as f64;
    // Half a row keeps the ends away from 0 and 1, where one surprise costs infinitely.
    let floor = 0.5 / (n + 1.0);
    let (mut raw, mut probability): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for [score, target, n] in blocks {
        let knot = score / n;
        if raw.last().is_none_or(|last| *last < knot) {
            raw.push(knot);
            probability.push((target / n).clamp(floor, 1.0 - floor));
        }
    }
    CalibrationMap::Isotonic { raw, probability }
}

fn merge_while_unordered(blocks: &mut Vec<[f64; 3]>) {
    while let [.., before, last] = blocks.as_slice() {
        if before[1] * last[2] < last[1] * before[2] {
            return;
        }
        let merged = joined(*before, *last);
        blocks.truncate(blocks.len() - 2);
        blocks.push(merged);
    }
}

fn joined(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Sizes of the bins by ascending score: tenths, then shares that halve.
fn bin_sizes(n_rows: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let mut left = n_rows;
    while 0 < left {
        let wanted = (n_rows / 10).min(left.div_ceil(2)).max(BIN_ROWS_MIN);
        let is_last = left < wanted + BIN_ROWS_MIN || sizes.len() + 1 == BINS_MAX;
        let size = if is_last { left } else { wanted };
        sizes.push(size);
        left -= size;
    }
    sizes
}

fn summarize(map: &CalibrationMap, rows: &[HeldOut]) -> CalibrationBin {
    let n = rows.len().max(1) as f64;
    let mean_predicted = rows.iter().map(|row| map.apply(row.raw)).sum::<f64>() / n;
    let mean_observed = rows.iter().map(|row| row.target).sum::<f64>() / n;
    let (shift_low, shift_high) = match map {
        CalibrationMap::Value => residual_quantiles(rows),
        CalibrationMap::Platt { .. } | CalibrationMap::Isotonic { .. } => {
            let (low, high) = wilson(mean_observed, n);
            let center = log_odds(mean_predicted);
            (log_odds(low) - center, log_odds(high) - center)
        }
    };
    CalibrationBin {
        raw_max: rows.last().map_or(0.0, |row| row.raw),
        n: rows.len() as u64,
        mean_predicted,
        mean_observed,
        shift_low,
        shift_high,
    }
}

/// The 90 % score interval of a share (Wilson 1927).
fn wilson(share: f64, n: f64) -> (f64, f64) {
    let z2 = Z_90 * Z_90;
    let center = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let spread = share * (1.0 - share) / n + z2 / (4.0 * n * n);
    let half = Z_90 * spread.sqrt() / (1.0 + z2 / n);
    (center - half, center + half)
}

/// 5 % and 95 % quantiles of observed minus predicted.
fn residual_quantiles(rows: &[HeldOut]) -> (f64, f64) {
    let mut residuals: Vec<f64> = rows.iter().map(|row| row.target - row.raw).collect();
    residuals.sort_by(f64::total_cmp);
    let n_tail = residuals.len() / 20;
    let low = residuals.get(n_tail).copied().unwrap_or(0.0);
    let high = residuals.iter().rev().nth(n_tail).copied().unwrap_or(0.0);
    (low, high)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::training::sample::generator;

    fn simulate(n: usize, truth: impl Fn(f64) -> f64) -> Vec<HeldOut> {
        let mut rng = generator(5, 0);
        let mut row = || {
            let raw = rng.gen_range(-4.0..4.0);
            HeldOut { raw, target: f64::from(rng.r#gen::<f64>() < truth(raw)) }
        };
        (0..n).map(|_| row()).collect()
    }

    #[test]
    fn platt_finds_the_sigmoid_that_made_the_labels() {
        let rows = simulate(40_000, |raw| sigmoid(0.5 * raw - 1.0));
        let CalibrationMap::Platt { slope, intercept, covariance } = platt(&rows) else {
            panic!("platt makes a sigmoid");
        };
        assert!((slope - 0.5).abs() < 4.0 * covariance[0].sqrt());
        assert!((intercept + 1.0).abs() < 4.0 * covariance[2].sqrt());
        assert!(covariance[0].sqrt() < 0.02);
    }

    #[test]
    fn isotonic_wins_where_no_sigmoid_fits() {
        let steps = simulate(20_000, |raw| if raw < 0.0 { 0.1 } else { 0.6 });
        let map = fit_calibration(HeadKind::Risk, &steps).map;
        assert!(matches!(map, CalibrationMap::Isotonic { .. }));
        assert!((map.apply(-3.0) - 0.1).abs() < 0.03 && (map.apply(3.0) - 0.6).abs() < 0.03);
    }

    #[test]
    fn isotonic_probabilities_never_fall() {
        let CalibrationMap::Isotonic { raw, probability } = isotonic(&simulate(500, |_| 0.5))
        else {
            panic!("isotonic makes knots");
        };
        assert!(raw.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(probability.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn scores_without_signal_keep_their_order_and_the_base_rate() {
        let rows = simulate(5_000, |raw| sigmoid(-raw));
        let CalibrationMap::Platt { slope, .. } = platt(&rows) else {
            panic!("platt makes a sigmoid");
        };
        assert!(0.0 < slope);
    }

    #[test]
    fn every_held_out_row_is_in_one_bin() {
        for n in [0, 1, 49, 50, 99, 500, 10_000, 1_000_000] {
            let sizes = bin_sizes(n);
            assert_eq!(sizes.iter().sum::<usize>(), n);
            assert!(sizes.len() <= BINS_MAX);
            assert!(sizes.len() <= 1 || sizes.iter().all(|size| BIN_ROWS_MIN <= *size));
        }
    }

    #[test]
    fn residual_intervals_cover_nine_of_ten_values() {
        let mut rng = generator(6, 0);
        let mut row = || HeldOut { raw: rng.gen_range(4.0..6.0), target: rng.gen_range(0.0..10.0) };
        let rows: Vec<HeldOut> = (0..20_000).map(|_| row()).collect();
        let calibration = fit_calibration(HeadKind::ImpactValue, &rows);
        let is_covered = |row: &&HeldOut| {
            let (low, high) = calibration.interval(row.raw);
            low <= row.target && row.target <= high
        };
        let share = rows.iter().filter(is_covered).count() as f64 / rows.len() as f64;
        assert!((share - 0.9).abs() < 0.01, "{share}");
    }
}

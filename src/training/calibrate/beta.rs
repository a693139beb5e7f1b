//! Beta calibration: a sigmoid with one power for each end.

use crate::model::calibration::{CalibrationMap, sigmoid, softplus};
use crate::training::calibrate::HeldOut;

/// Most Newton steps; a handful is enough.
const STEPS_MAX: u32 = 50;
/// Added to the diagonal, so that inputs that say the same can be told apart.
const RIDGE: f64 = 1e-6;
/// Progress of the loss per row below which the fit is done.
const PROGRESS_MIN: f64 = 1e-12;

/// Coefficients of `ln s`, `−ln(1 − s)` and 1.
type Weights = [f64; 3];

/// Logistic regression on the logarithms of `s = sigmoid(raw)` and `1 − s` (Kull, Silva
/// Filho, Flach 2017). A power that comes out negative is set to 0 and the rest is fitted
/// again, as the paper does, so the map never falls. `None` without a rising map.
pub(super) fn beta(rows: &[HeldOut]) -> Option<CalibrationMap> {
    let mut is_used = [true; 3];
    let mut weights = fit(rows, is_used)?;
    let negative = if weights[0] < 0.0 { Some(0) } else { (weights[1] < 0.0).then_some(1) };
    if let Some(negative) = negative {
        is_used[negative] = false;
        weights = fit(rows, is_used)?;
    }
    let [a, b, c] = weights;
    let is_rising = 0.0 <= a && 0.0 <= b && 0.0 < a + b;
    is_rising.then_some(CalibrationMap::Beta { a, b, c })
}

/// Newton's method with halved steps, on the inputs that are used.
fn fit(rows: &[HeldOut], is_used: [bool; 3]) -> Option<Weights> {
    let inputs = |row: &HeldOut| [-softplus(-row.raw), softplus(row.raw), 1.0];
    let mut weights = [0.0; 3];
    let mut loss = mean_loss(rows, weights);
    for _ in 0..STEPS_MAX {
        let (mut gradient, mut hessian) = ([0.0; 3], [[0.0; 3]; 3]);
        for row in rows {
            let x = inputs(row);
            let p = sigmoid(dot(weights, x));
            for i in (0..3).filter(|i| is_used[*i]) {
                gradient[i] += x[i] * (p - row.target);
                for j in (0..3).filter(|j| is_used[*j]) {
                    hessian[i][j] += p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        for (i, line) in hessian.iter_mut().enumerate() {
            line[i] += RIDGE * rows.len() as f64;
        }
        let step = solve(hessian, gradient)?;
        let mut share = 1.0;
        let (next, next_loss) = loop {
            let next: Weights = std::array::from_fn(|i| weights[i] - share * step[i]);
            let next_loss = mean_loss(rows, next);
            if next_loss <= loss || share < 1e-3 {
                break (next, next_loss);
            }
            share /= 2.0;
        };
        if !next_loss.is_finite() || loss - next_loss < PROGRESS_MIN {
            break;
        }
        (weights, loss) = (next, next_loss);
    }
    weights.iter().all(|weight| weight.is_finite()).then_some(weights)
}

fn mean_loss(rows: &[HeldOut], weights: Weights) -> f64 {
    let loss = |row: &HeldOut| {
        let z = dot(weights, [-softplus(-row.raw), softplus(row.raw), 1.0]);
        softplus(z) - row.target * z
    };
    rows.iter().map(loss).sum::<f64>() / rows.len().max(1) as f64
}

fn dot(a: Weights, b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Solves three equations by Cramer's rule; `None` when they say too little.
fn solve(m: [[f64; 3]; 3], y: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(m);
    if !whole.is_normal() {
        return None;
    }
    Some(std::array::from_fn(|column| {
        let mut replaced = m;
        for (line, y) in replaced.iter_mut().zip(y) {
            line[column] = y;
        }
        determinant(replaced) / whole
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::calibrate::tests::simulate;

    #[test]
    fn beta_finds_the_powers_that_made_the_labels() {
        let truth = CalibrationMap::Beta { a: 0.4, b: 1.6, c: -0.5 };
        let rows = simulate(60_000, |raw| truth.apply(raw));
        let Some(CalibrationMap::Beta { a, b, c }) = beta(&rows) else {
            panic!("the labels rise with the score");
        };
        assert!((a - 0.4).abs() < 0.08 && (b - 1.6).abs() < 0.1 && (c + 0.5).abs() < 0.15);
    }

    #[test]
    fn scores_that_mislead_get_no_falling_map() {
        let rows = simulate(5_000, |raw| sigmoid(-raw));
        if let Some(CalibrationMap::Beta { a, b, .. }) = beta(&rows) {
            assert!(0.0 <= a && 0.0 <= b);
        }
    }
}

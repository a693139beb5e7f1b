//! What a mean is at least, but for a chance of `delta`.
//!
//! The first two hold for values from 0 to a *declared* `most` (Thomas, Theocharous and
//! Ghavamzadeh, "High confidence off-policy evaluation", 2015): with the largest value seen in
//! its place, or with values below 0, they are numbers and no bounds. The third is a bound as far
//! as the mean is nearly normal.

use crate::experiment::distributions::t_tail_quantile;

/// By Hoeffding's inequality, which knows nothing but the range.
pub fn hoeffding(values: &[f64], most: f64, delta: f64) -> f64 {
    let n = values.len() as f64;
    mean(values) - most * ((1.0 / delta).ln() / (2.0 * n)).sqrt()
}

/// By the empirical inequality of Bernstein, which is near where values hardly vary (Maurer and
/// Pontil, "Empirical Bernstein bounds and sample-variance penalization", 2009).
pub fn bernstein(values: &[f64], most: f64, delta: f64) -> f64 {
    let (freedom, doubt) = (values.len() as f64 - 1.0, (2.0 / delta).ln());
    let by_range = 7.0 * most * doubt / (3.0 * freedom);
    mean(values) - by_range - (2.0 * doubt * variance(values) / freedom).sqrt()
}

/// By Student's t.
pub fn student(values: &[f64], delta: f64) -> f64 {
    mean(values) - student_distance(values, delta)
}

/// Distance of the bound by Student's t from the mean.
pub fn student_distance(values: &[f64], delta: f64) -> f64 {
    let freedom = values.len() as f64 - 1.0;
    t_tail_quantile(delta, freedom) * (variance(values) / freedom).sqrt()
}

/// Mean squared distance from the mean.
pub(super) fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / values.len() as f64
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn bounds_are_those_of_a_hand_computation() {
        // Mean 1/2, mean square distance 1/4; e^-1 makes both logarithms whole.
        let values = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        let delta = (-1.0_f64).exp();
        assert!((hoeffding(&values, 2.0, delta) - (0.5 - 2.0 * 0.25)).abs() < 1e-12);
        let doubt = 1.0 + std::f64::consts::LN_2;
        let expected = 0.5 - 7.0 * 2.0 * doubt / 21.0 - (doubt / 14.0).sqrt();
        assert!((bernstein(&values, 2.0, delta) - expected).abs() < 1e-12);
        // Student's t of 7 degrees passes 1.894 579 with a chance of 5 %.
        let expected = 0.5 - 1.894_578_605 * (0.25_f64 / 7.0).sqrt();
        assert!((student(&values, 0.05) - expected).abs() < 1e-8);
    }

    #[test]
    fn a_bound_by_range_is_hardly_ever_above_the_truth() {
        let mut dice = ChaCha8Rng::seed_from_u64(8);
        let mut n_above = [0; 3];
        for _ in 0..2_000 {
            let values: Vec<f64> = (0..200).map(|_| dice.r#gen::<f64>()).collect();
            let bounds = [
                hoeffding(&values, 1.0, 0.05),
                bernstein(&values, 1.0, 0.05),
                student(&values, 0.05),
            ];
            for (n, bound) in n_above.iter_mut().zip(bounds) {
                *n += i32::from(0.5 < bound);
            }
        }
        // The third one promises 5 %, no more and no less.
        assert!(n_above[0] <= 100 && n_above[1] <= 100, "{n_above:?}");
        assert!((60..140).contains(&n_above[2]), "{n_above:?}");
    }
}

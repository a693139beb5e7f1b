//! How far to trust weights: λ of an estimator, chosen from the log itself.
//!
//! A small λ keeps weights small: less noise, more bias. Both ways to choose weigh one against
//! the other without knowing the truth.

use crate::experiment::logged::LoggedChoices;
use crate::experiment::lower_bounds::{mean, student_distance, variance};
use crate::experiment::off_policy::Estimator;

/// How to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tuning {
    /// The narrowest estimate that agrees with all wider ones (SLOPE: Su, Srinath and
    /// Krishnamurthy, "Adaptive estimator selection for off-policy evaluation", 2020; the wider
    /// constant is of Tucker and Lee, "Improved estimator selection for off-policy evaluation",
    /// 2021).
    Slope,
    /// The least variance plus square of the largest likely bias (Su and others, "Doubly robust
    /// off-policy evaluation with shrinkage", 2020, section 5).
    SquaredError,
}

/// The best of some λ of a family, such as `Estimator::Switch`; of equally good ones the largest.
/// Bounds hold but for a chance of `delta`. `None` without λ.
pub fn best_lambda(
    family: fn(f64) -> Estimator,
    lambdas: &[f64],
    tuning: Tuning,
    log: &LoggedChoices,
    delta: f64,
) -> Option<f64> {
    let mut falling = lambdas.to_vec();
    falling.sort_by(|a, b| b.total_cmp(a));
    match tuning {
        Tuning::Slope => by_slope(family, &falling, log, delta),
        Tuning::SquaredError => {
            let error = |lambda: f64| {
                let estimator = family(lambda);
                let bias = bias_at_most(estimator, log, delta);
                variance(&estimator.rounds(log)) / log.rewards.len() as f64 + bias * bias
            };
            let errors = falling.into_iter().map(|lambda| (lambda, error(lambda)));
            errors.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(lambda, _)| lambda)
        }
    }
}

fn by_slope(
    family: fn(f64) -> Estimator,
    falling: &[f64],
    log: &LoggedChoices,
    delta: f64,
) -> Option<f64> {
    let wider = 6.0_f64.sqrt() - 1.0;
    let estimate = |lambda: &f64| {
        let rounds = family(*lambda).rounds(log);
        (*lambda, mean(&rounds), student_distance(&rounds, delta))
    };
    let mut estimates: Vec<(f64, f64, f64)> = falling.iter().map(estimate).collect();
    // From the widest on; reversed after a stable sort, so that of equals the largest λ is last.
    estimates.sort_by(|a, b| a.2.total_cmp(&b.2));
    estimates.reverse();
    let agree = |at: &usize| {
        let (_, value, half) = estimates[*at];
        let before = &estimates[..*at];
        before.iter().all(|(_, other, width)| (other - value).abs() <= half + wider * width)
    };
    (0..estimates.len()).take_while(agree).last().map(|at| estimates[at].0)
}

/// How far an estimate is off since its weights are not those of the policies, as the log itself
/// has it.
pub fn bias(estimator: Estimator, log: &LoggedChoices) -> f64 {
    let weights = log.weights().into_iter().zip(estimator.kept_weights(log));
    let lost = weights.zip(estimator.weighed(log));
    let lost: Vec<f64> = lost.map(|((w, kept), weighed)| (w - kept) * weighed).collect();
    mean(&lost).abs()
}

/// What the same is at most, but for a chance of `delta`; by Bernstein's inequality, for rewards
/// within [−1, 1].
pub fn bias_at_most(estimator: Estimator, log: &LoggedChoices, delta: f64) -> f64 {
    let weights = log.weights();
    let (n, doubt) = (weights.len() as f64, (2.0 / delta).ln());
    let squares = weights.iter().map(|w| w * w).sum::<f64>() / n;
    let max_weight = weights.iter().copied().fold(0.0, f64::max);
    bias(estimator, log) + (2.0 * squares * doubt / n).sqrt() + 2.0 * max_weight * doubt / (3.0 * n)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// Every fifth row took the action that the target always takes: weight 5, or 0.
    fn log(model: f64) -> LoggedChoices {
        let n: usize = 400;
        LoggedChoices {
            rewards: (0..n).map(|row| if row % 3 == 0 { 1.0 } else { 0.5 }).collect(),
            actions: (0..n).map(|row| usize::from(row % 5 == 0)).collect(),
            propensities: (0..n).map(|row| if row % 5 == 0 { 0.2 } else { 0.8 }).collect(),
            target: Array2::from_shape_fn((n, 2), |(_, at)| at as f64),
            predicted: Array2::from_elem((n, 2), model),
            rings: (0..n as u64).collect(),
        }
    }

    #[test]
    fn clipping_that_costs_much_is_not_chosen() {
        for tuning in [Tuning::Slope, Tuning::SquaredError] {
            let found = best_lambda(Estimator::Ips, &[0.1, 5.0], tuning, &log(0.0), 0.1);
            assert_eq!(found, Some(5.0), "{tuning:?}");
            assert_eq!(best_lambda(Estimator::Ips, &[], tuning, &log(0.0), 0.1), None);
        }
    }

    #[test]
    fn a_model_that_is_right_makes_small_weights_the_best() {
        let found = best_lambda(Estimator::Switch, &[5.0, 0.1], Tuning::Slope, &log(0.66), 0.1);
        assert_eq!(found, Some(0.1));
    }

    #[test]
    fn of_equal_ones_the_largest_is_chosen() {
        for tuning in [Tuning::Slope, Tuning::SquaredError] {
            let found = best_lambda(Estimator::Ips, &[7.0, 9.0, 8.0], tuning, &log(0.0), 0.1);
            assert_eq!(found, Some(9.0), "{tuning:?}");
        }
    }

    #[test]
    fn the_bias_is_that_of_a_hand_computation() {
        // 80 rows of weight 5, 27 of them with reward 1 and 53 with ½: of each 3 are lost.
        let lost = 3.0 * (27.0 + 53.0 / 2.0) / 400.0;
        assert!((bias(Estimator::Ips(2.0), &log(0.0)) - lost).abs() < 1e-12);
        // Mean square weight 5; 2 / δ = e.
        let delta = 2.0 / std::f64::consts::E;
        let expected = lost + (10.0_f64 / 400.0).sqrt() + 10.0 / 1_200.0;
        assert!((bias_at_most(Estimator::Ips(2.0), &log(0.0), delta) - expected).abs() < 1e-12);
        assert!(bias(Estimator::Ips(5.0), &log(0.0)).abs() < 1e-12);
    }
}

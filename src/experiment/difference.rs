//! The absolute difference of two arms, at one look.

use crate::experiment::distributions::{t_tail, t_tail_quantile};
use crate::experiment::moments::Moments;
use crate::experiment::refusal::{Answer, Refusal};

/// What is measured of an arm's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Mean of the values.
    Mean,
    /// Share of units with value 1.
    Proportion,
    /// Sum of the values over the sum of the second ones, by the delta method: money per order
    /// where rings are drawn.
    Ratio,
    /// Mean of the values less what the second ones, known before, foretell of them (CUPED;
    /// Deng and others, "Improving the sensitivity of online controlled experiments", 2013).
    Adjusted,
    /// [`Metric::Adjusted`] where both values are 0 or 1.
    AdjustedProportion,
}

/// Units of one arm and the variance of a single one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) n: f64,
    pub(super) variance: f64,
}

/// Treatment minus control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The estimate.
    pub effect: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom (Welch and Satterthwaite).
    pub dof: f64,
    /// Units of both arms.
    pub n: f64,
}

impl Difference {
    /// Of two arms under one metric.
    ///
    /// # Errors
    /// [`Refusal::TooFewUnits`] below two units in an arm, [`Refusal::NoSpread`] when neither arm
    /// or one of them has any: an interval would be of no width.
    pub fn new(metric: Metric, control: &Moments, treatment: &Moments) -> Answer<Self> {
        let slope = slope(metric, control, treatment)?;
        let mean = |arm: &Moments| metric.mean(arm) - slope * arm.mean_beside;
        let spread =
            |arm: &Moments| Spread { n: arm.n, variance: metric.variance(arm, (1.0, slope)) };
        Self::of_spreads(mean(treatment) - mean(control), spread(control), spread(treatment))
    }

    /// Of an effect and what it is made of.
    pub(super) fn of_spreads(effect: f64, control: Spread, treatment: Spread) -> Answer<Self> {
        if control.n < 2.0 || treatment.n < 2.0 {
            return Err(vec![Refusal::TooFewUnits]);
        }
        // A spread of 0 in one arm says that nothing came there yet, not that nothing can.
        if control.variance.min(treatment.variance) <= 0.0 {
            return Err(vec![Refusal::NoSpread]);
        }
        let [a, b] = [control, treatment].map(|arm| arm.variance / arm.n);
        let dof = (a + b) * (a + b) / (a * a / (control.n - 1.0) + b * b / (treatment.n - 1.0));
        Ok(Self { effect, standard_error: (a + b).sqrt(), dof, n: control.n + treatment.n })
    }

    /// Two-sided p against no effect; valid once.
    pub fn p(&self) -> f64 {
        2.0 * t_tail((self.effect / self.standard_error).abs(), self.dof)
    }

    /// Interval at level `1 − alpha`; valid once.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        let half = t_tail_quantile(alpha / 2.0, self.dof) * self.standard_error;
        (self.effect - half, self.effect + half)
    }
}

/// By how much the values rise with the second ones, in both arms together: what is taken off
/// under [`Metric::Adjusted`], 0 under metrics that take nothing off.
///
/// # Errors
/// [`Refusal::TooFewUnits`] below two units in an arm, [`Refusal::NoSpread`] when the second
/// values have none.
pub fn slope(metric: Metric, control: &Moments, treatment: &Moments) -> Answer<f64> {
    if control.n < 2.0 || treatment.n < 2.0 {
        return Err(vec![Refusal::TooFewUnits]);
    }
    match metric {
        Metric::Mean | Metric::Proportion | Metric::Ratio => Ok(0.0),
        Metric::Adjusted | Metric::AdjustedProportion => {
            let both = control.joined(treatment);
            if both.variance_beside() <= 0.0 {
                return Err(vec![Refusal::NoSpread]);
            }
            Ok(both.covariance() / both.variance_beside())
        }
    }
}

impl Metric {
    /// Mean of an arm and the variance of that mean, without the adjustment of
    /// [`Metric::Adjusted`].
    pub fn mean_and_variance(self, arm: &Moments) -> (f64, f64) {
        (self.mean(arm), self.variance(arm, (1.0, 0.0)) / arm.n)
    }

    /// Of an arm, before anything is taken off.
    fn mean(self, arm: &Moments) -> f64 {
        match self {
            Self::Mean | Self::Proportion | Self::Adjusted | Self::AdjustedProportion => arm.mean,
            Self::Ratio => arm.mean / arm.mean_beside,
        }
    }

    /// Of `weight` times a unit, less `slope` times what was known before.
    pub(super) fn variance(self, arm: &Moments, (weight, slope): (f64, f64)) -> f64 {
        match self {
            Self::Mean => weight * weight * arm.variance(),
            Self::Proportion => weight * weight * arm.mean * (1.0 - arm.mean),
            Self::Ratio => {
                let ratio = arm.mean / arm.mean_beside;
                let variance = arm.variance_less(1.0, ratio);
                weight * weight * variance / (arm.mean_beside * arm.mean_beside)
            }
            Self::Adjusted => arm.variance_less(weight, slope),
            Self::AdjustedProportion => arm.variance_less(weight, slope) * of_proportion(arm),
        }
    }

    /// Covariance of a unit and of the same one less `slope` times what was known before.
    pub(super) fn covariance(self, arm: &Moments, slope: f64) -> f64 {
        let covariance = arm.variance() - slope * arm.covariance();
        match self {
            Self::Mean | Self::Proportion | Self::Ratio => self.variance(arm, (1.0, slope)),
            Self::Adjusted => covariance,
            Self::AdjustedProportion => covariance * of_proportion(arm),
        }
    }
}

/// Variances of values that are 0 or 1 have n below the sum of squares, not n − 1.
fn of_proportion(arm: &Moments) -> f64 {
    (arm.n - 1.0) / arm.n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(n: f64, x: f64) -> Moments {
        Moments::of_sums(n, x, x, 0.0, 0.0, 0.0)
    }

    #[test]
    fn no_events_in_an_arm_is_a_refusal_not_a_number() {
        let refused =
            Difference::new(Metric::Proportion, &shares(1_000.0, 0.0), &shares(1_000.0, 20.0));
        assert_eq!(refused, Err(vec![Refusal::NoSpread]));
        let few = Difference::new(Metric::Mean, &shares(1.0, 0.0), &shares(9.0, 2.0));
        assert_eq!(few, Err(vec![Refusal::TooFewUnits]));
    }

    /// gbstats (MIT) on 800 and 830 gamma values.
    #[test]
    fn a_difference_of_means_is_that_of_welch() {
        let of = |n, x, squares| Moments::of_sums(n, x, squares, 0.0, 0.0, 0.0);
        let control = of(800.0, 30_027.340_635_297_438, 1_756_958.561_885_534);
        let treatment = of(830.0, 35_763.540_496_112_11, 2_345_424.447_068_300_6);
        let difference = Difference::new(Metric::Mean, &control, &treatment).unwrap();
        let (low, high) = difference.interval(0.05);
        let pairs = [
            (difference.effect, 5.554_427_213_242_185),
            (difference.standard_error, 1.467_842_913_493_018_4),
            (difference.dof, 1_620.764_148_711_551_1),
            (low, 2.675_357_945_488_882_3),
            (high, 8.433_496_480_995_489),
            (difference.p(), 0.000_159_895_643_385_699_06),
        ];
        for (found, expected) in pairs {
            assert!((found / expected - 1.0).abs() < 1e-8, "{found} is not {expected}");
        }
    }

    #[test]
    fn what_was_known_before_is_taken_off() {
        let arm = |more: f64| {
            let mut arm = Moments::default();
            for at in 0..50 {
                let before = f64::from(at % 10);
                arm.add(2.0 * before + more + f64::from(at % 3), before);
            }
            arm
        };
        let (control, treatment) = (arm(0.0), arm(1.0));
        let slope = slope(Metric::Adjusted, &control, &treatment).unwrap();
        assert!((slope - 2.0).abs() < 0.05, "{slope}");
        let plain = Difference::new(Metric::Mean, &control, &treatment).unwrap();
        let adjusted = Difference::new(Metric::Adjusted, &control, &treatment).unwrap();
        assert!((adjusted.effect - 1.0).abs() < 1e-9);
        assert!(5.0 * adjusted.standard_error < plain.standard_error, "{adjusted:?}");
        let of_shares = Difference::new(Metric::AdjustedProportion, &control, &treatment).unwrap();
        let ratio = of_shares.standard_error / adjusted.standard_error;
        assert!((ratio * ratio - 49.0 / 50.0).abs() < 1e-12, "{ratio}");
    }
}

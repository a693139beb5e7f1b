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
}

/// Estimate of one arm.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Arm {
    n: f64,
    mean: f64,
    /// Of a single unit.
    variance: f64,
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
        if control.n < 2.0 || treatment.n < 2.0 {
            return Err(vec![Refusal::TooFewUnits]);
        }
        let slope = match metric {
            Metric::Adjusted => {
                let both = control.joined(treatment);
                if both.n < 3.0 || both.variance_beside() <= 0.0 {
                    return Err(vec![Refusal::NoSpread]);
                }
                both.covariance() / both.variance_beside()
            }
            Metric::Mean | Metric::Proportion | Metric::Ratio => 0.0,
        };
        let [control, treatment] = [control, treatment].map(|arm| Arm::new(metric, arm, slope));
        // A spread of 0 in one arm says that nothing came there yet, not that nothing can.
        if control.variance.min(treatment.variance) <= 0.0 {
            return Err(vec![Refusal::NoSpread]);
        }
        let [a, b] = [control, treatment].map(|arm| arm.variance / arm.n);
        let dof = (a + b) * (a + b) / (a * a / (control.n - 1.0) + b * b / (treatment.n - 1.0));
        Ok(Self {
            effect: treatment.mean - control.mean,
            standard_error: (a + b).sqrt(),
            dof,
            n: control.n + treatment.n,
        })
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

impl Metric {
    /// Mean of an arm and the variance of that mean, without the adjustment of
    /// [`Metric::Adjusted`].
    pub fn mean_and_variance(self, arm: &Moments) -> (f64, f64) {
        let Arm { n, mean, variance } = Arm::new(self, arm, 0.0);
        (mean, variance / n)
    }
}

impl Arm {
    fn new(metric: Metric, arm: &Moments, slope: f64) -> Self {
        let (mean, variance) = match metric {
            Metric::Mean => (arm.mean, arm.variance()),
            Metric::Proportion => (arm.mean, arm.mean * (1.0 - arm.mean)),
            Metric::Ratio => {
                let ratio = arm.mean / arm.mean_beside;
                let variance = arm.variance() - 2.0 * ratio * arm.covariance()
                    + ratio * ratio * arm.variance_beside();
                (ratio, variance / (arm.mean_beside * arm.mean_beside))
            }
            Metric::Adjusted => (
                arm.mean - slope * arm.mean_beside,
                arm.variance() - 2.0 * slope * arm.covariance()
                    + slope * slope * arm.variance_beside(),
            ),
        };
        Self { n: arm.n, mean, variance }
    }
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
}

//! What is believed of an effect: a chance and what a wrong choice costs.
//!
//! For people to read. Nothing is decided on it: a chance of 95 % that is looked at every day
//! comes by far more often than in one experiment of twenty.

use std::f64::consts::PI;

use crate::experiment::difference::Difference;
use crate::experiment::distributions::{normal_tail, normal_tail_quantile};

/// What was thought of the effect before: normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Its mean.
    pub mean: f64,
    /// Its variance; above 0.
    pub variance: f64,
}

impl Prior {
    /// What was thought of an effect relative to a baseline, as one of the effect itself.
    #[must_use]
    pub fn of_absolute(self, baseline: f64) -> Self {
        Self { mean: self.mean * baseline.abs(), variance: self.variance * baseline * baseline }
    }
}

/// What is believed of an effect: normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// What is lost, on average, by a choice that may be the worse one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    /// By staying with the control.
    pub of_control: f64,
    /// By taking the treatment.
    pub of_treatment: f64,
}

impl Belief {
    /// Where nothing was thought before.
    pub fn new(found: &Difference) -> Self {
        Self { mean: found.effect, deviation: found.standard_error }
    }

    /// Where something was: both weigh as much as they are sure.
    pub fn after(prior: Prior, found: &Difference) -> Self {
        let (before, now) = (1.0 / prior.variance, found.standard_error.powi(-2));
        let variance = 1.0 / (before + now);
        let mean = variance * (before * prior.mean + now * found.effect);
        Self { mean, deviation: variance.sqrt() }
    }

    /// Chance that the effect is above 0.
    pub fn chance_to_win(&self) -> f64 {
        normal_tail(-self.mean / self.deviation)
    }

    /// What either choice may lose.
    pub fn risk(&self) -> Risk {
        let z = self.mean / self.deviation;
        let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
        Risk {
            of_control: self.mean * normal_tail(-z) + self.deviation * density,
            of_treatment: self.deviation * density - self.mean * normal_tail(z),
        }
    }

    /// Holds the effect with the chance `1 − alpha`, and as much of the rest on either side.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        let half = normal_tail_quantile(alpha / 2.0) * self.deviation;
        (self.mean - half, self.mean + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: Difference =
        Difference { effect: 2.0, standard_error: 1.0, dof: 900.0, n: 1_000.0 };

    /// gbstats (MIT) on 800 and 830 gamma values.
    #[test]
    fn figures_are_those_of_growthbook() {
        let found = Difference {
            effect: 5.554_427_213_242_185,
            standard_error: 1.467_842_913_493_018_4,
            ..FOUND
        };
        let belief = Belief::new(&found);
        let risk = belief.risk();
        let pairs = [
            (belief.chance_to_win(), 0.999_922_859_253_887_9),
            (risk.of_control, 5.554_453_948_977_32),
            (risk.of_treatment, 2.673_573_513_557_545e-5),
            (belief.interval(0.05).0, 2.677_507_967_833_526_5),
        ];
        for (found, expected) in pairs {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_sure_prior_pulls_half_way_and_risks_differ_by_the_mean() {
        let prior = Prior { mean: -0.1, variance: 0.01 }.of_absolute(-10.0);
        assert_eq!(prior, Prior { mean: -1.0, variance: 1.0 });
        let belief = Belief::after(prior, &FOUND);
        assert!((belief.mean - 0.5).abs() < 1e-12);
        assert!((belief.deviation - 0.5_f64.sqrt()).abs() < 1e-12);
        let risk = belief.risk();
        assert!((risk.of_control - risk.of_treatment - belief.mean).abs() < 1e-12);
        let vague = Belief::after(Prior { mean: -1.0, variance: 1e12 }, &FOUND);
        assert!((vague.mean - Belief::new(&FOUND).mean).abs() < 1e-9);
    }
}

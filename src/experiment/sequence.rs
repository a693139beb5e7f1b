//! Intervals that hold at every look.
//!
//! [`Mixture`] is for differences of many units, where sums are nearly normal; [`bounded`] is
//! for values that cannot leave an interval, from the first one on.

use crate::experiment::betting::{Bet, bets_on};
use crate::experiment::difference::Difference;
use crate::experiment::narrowest::{Convention, rho};

/// A normal mixture (Robbins, "Statistical methods related to the law of the iterated
/// logarithm", 1970; Waudby-Smith and others, "Time-uniform central limit theory", 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixture {
    alpha: f64,
    rho: f64,
}

impl Mixture {
    /// At level `1 − alpha`, narrowest near so many units by the convention of gbstats.
    pub fn new(alpha: f64, n_narrowest: f64) -> Self {
        Self { alpha, rho: rho(Convention::GrowthBook, alpha, n_narrowest) }
    }

    /// How fast the interval narrows: above 0, less for more units.
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// Half the width for a mean of `n` values of this variance.
    pub fn half_width(&self, variance: f64, n: f64) -> f64 {
        let grown = n * self.rho * self.rho + 1.0;
        let bound = 2.0 * grown * (grown.sqrt() / self.alpha).ln();
        (variance * bound).sqrt() / (n * self.rho)
    }

    /// Interval of a difference that holds at every look.
    pub fn interval(&self, difference: &Difference) -> (f64, f64) {
        let variance = difference.standard_error * difference.standard_error * difference.n;
        let half = self.half_width(variance, difference.n);
        (difference.effect - half, difference.effect + half)
    }

    /// p against no effect that holds at every look.
    pub fn p(&self, difference: &Difference) -> f64 {
        let grown = difference.n * self.rho * self.rho + 1.0;
        let z = difference.effect / difference.standard_error;
        let exponent = -self.rho * self.rho * z * z * difference.n / (2.0 * grown);
        (grown.sqrt() * exponent.exp()).min(1.0)
    }
}

/// A bound on one side that holds at every look, for a guard that cares for harm alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneSided {
    alpha: f64,
    rho: f64,
}

impl OneSided {
    /// At level `1 − alpha`, nearest to the estimate near so many units.
    pub fn new(alpha: f64, n_narrowest: f64) -> Self {
        Self { alpha, rho: Mixture::new(2.0 * alpha, n_narrowest).rho }
    }

    /// The same bound at another level, as sharp near as many units.
    #[must_use]
    pub fn at_level(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// How fast the bound nears: above 0, less for more units.
    pub fn rho(&self) -> f64 {
        self.rho
    }

    /// Distance of the bound from a mean of `n` values of this variance (Howard and others,
    /// "Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021, proposition 6).
    pub fn distance(&self, variance: f64, n: f64) -> f64 {
        let grown = n * self.rho * self.rho + 1.0;
        let bound = 2.0 * grown * (grown.sqrt() / (2.0 * self.alpha)).ln_1p();
        (variance * bound).sqrt() / (n * self.rho)
    }
}

/// Empirical Bernstein interval of a mean of values in [0, 1] that holds at every look
/// (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024,
/// section 3.2); bets are at most a half. `None` without values.
pub fn bounded(values: &[f64], alpha: f64) -> Option<(f64, f64)> {
    const BET_MAX: f64 = 0.5;
    let (mut bets, mut bet_on, mut spent) = (0.0, 0.0, 0.0);
    for (value, Bet { stake, foretold }) in values.iter().zip(bets_on(values, alpha)) {
        let bet = stake.min(BET_MAX);
        let surprise = 4.0 * (value - foretold) * (value - foretold);
        bets += bet;
        bet_on += bet * value;
        spent += surprise * (-(-bet).ln_1p() - bet) / 4.0;
    }
    let (center, half) = (bet_on / bets, ((2.0 / alpha).ln() + spent) / bets);
    (!values.is_empty()).then(|| ((center - half).max(0.0), (center + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_growthbook() {
        // gbstats (MIT): alpha .05, narrowest near 500.
        let mixture = Mixture::new(0.05, 500.0);
        for (variance, n, expected) in [
            (1.0, 100.0, 0.336_388_772_578_278_1),
            (1.0, 5_000.0, 0.045_844_888_376_911_39),
            (7.3, 200_000.0, 0.022_652_972_475_874_98),
        ] {
            let found = mixture.half_width(variance, n);
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    /// gbstats (MIT): alpha .05, narrowest near 500.
    #[test]
    fn a_bound_on_one_side_is_that_of_growthbook_and_nearer_than_an_interval() {
        let bound = OneSided::new(0.05, 500.0);
        let found = bound.distance(1.0, 100.0);
        assert!((found / 0.315_242_245_467_443_9 - 1.0).abs() < 1e-9, "{found}");
        assert!(found < Mixture::new(0.05, 500.0).half_width(1.0, 100.0));
    }

    #[test]
    fn p_crosses_alpha_where_the_interval_leaves_zero() {
        let mixture = Mixture::new(0.05, 1_000.0);
        let base = Difference { effect: 0.0, standard_error: 1.0, dof: 900.0, n: 1_000.0 };
        let half = mixture.interval(&base).1;
        let at = |effect| mixture.p(&Difference { effect, ..base });
        assert!((at(half) - 0.05).abs() < 1e-9 && 0.05 < at(0.99 * half));
        assert!((at(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_bounded_mean_stays_inside_and_narrows() {
        let values: Vec<f64> = (0..400).map(|n| f64::from(n % 5) / 5.0).collect();
        let width = |n: usize| {
            let (low, high) = bounded(&values[..n], 0.05).unwrap();
            assert!((0.0..=0.4).contains(&low) && (0.4..=1.0).contains(&high));
            high - low
        };
        assert!(width(400) < width(100) && width(100) < width(10));
        assert_eq!(bounded(&[], 0.05), None);
    }
}

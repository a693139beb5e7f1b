//! What a running experiment can see by now, and how much longer it takes.

use crate::experiment::difference::Difference;
use crate::experiment::distributions::{normal_tail, normal_tail_quantile};
use crate::experiment::power::rising_root;
use crate::experiment::sequence::Mixture;

/// How often the experiment is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Looks {
    /// Once, at its end.
    Once,
    /// At any time, with an interval that is narrowest near so many units.
    Always {
        /// Units of both arms.
        n_narrowest: f64,
    },
}

/// An experiment with what it found so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Underway {
    /// Squared standard error of the effect.
    variance: f64,
    /// Units of both arms.
    n: f64,
    /// Level of the two-sided test.
    alpha: f64,
    looks: Looks,
}

/// Beyond so many times its units no experiment goes on.
const GROWTH_MAX: f64 = 134_217_728.0;

impl Underway {
    /// Of an effect, absolute or relative, tested at this level.
    pub fn new(found: &Difference, alpha: f64, looks: Looks) -> Self {
        let variance = found.standard_error * found.standard_error;
        Self { variance, n: found.n, alpha, looks }
    }

    /// Chance to see an effect after `growth` times as many units have come on top.
    pub fn power(&self, effect: f64, growth: f64) -> f64 {
        let error = (self.variance / (1.0 + growth)).sqrt();
        let bound = match self.looks {
            Looks::Once => normal_tail_quantile(self.alpha / 2.0),
            Looks::Always { n_narrowest } => {
                let mixture = Mixture::new(self.alpha, n_narrowest);
                let of_one = self.variance * self.n;
                mixture.half_width(of_one, self.n * (1.0 + growth)) / error
            }
        };
        let errors = effect.abs() / error;
        normal_tail(bound - errors) + normal_tail(bound + errors)
    }

    /// By how many times its units the experiment has to grow to see an effect with this chance:
    /// 0 if it can by now, `None` if it never will.
    pub fn growth_needed(&self, effect: f64, power: f64) -> Option<f64> {
        if power <= self.power(effect, 0.0) {
            return Some(0.0);
        }
        let is_reached = power <= self.power(effect, GROWTH_MAX);
        is_reached.then(|| rising_root(power, |growth| self.power(effect, growth)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// gbstats (MIT) on 800 and 830 gamma values.
    const FOUND: Difference = Difference {
        effect: 5.554_427_213_242_185,
        standard_error: 1.467_842_913_493_018_4,
        dof: 1_620.764_148_711_551_1,
        n: 1_630.0,
    };

    #[test]
    fn power_is_that_of_growthbook_and_is_less_where_looks_are_free() {
        let once = Underway::new(&FOUND, 0.05, Looks::Once);
        let always = Underway::new(&FOUND, 0.05, Looks::Always { n_narrowest: 5_000.0 });
        let pairs = [
            (once.power(2.0, 0.0), 0.275_559_442_265_511_7),
            (once.power(2.0, 1.0), 0.486_873_582_203_991_46),
            (always.power(2.0, 0.0), 0.034_987_958_368_247_12),
            (always.power(4.0, 1.0), 0.788_355_021_350_933_2),
        ];
        for (found, expected) in pairs {
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    #[test]
    fn the_growth_needed_is_where_the_power_is_reached() {
        let always = Underway::new(&FOUND, 0.05, Looks::Always { n_narrowest: 5_000.0 });
        let growth = always.growth_needed(4.0, 0.8).unwrap();
        assert!((always.power(4.0, growth) - 0.8).abs() < 1e-9, "{growth}");
        assert_eq!(always.growth_needed(40.0, 0.8), Some(0.0));
        assert_eq!(always.growth_needed(0.0, 0.8), None);
    }
}

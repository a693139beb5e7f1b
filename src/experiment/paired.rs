//! Pairs of answers: does one of two ways say yes more often?

use crate::experiment::distributions::{chi_square_tail, ln_binomial};

/// Pairs whose answers differ; equal ones say nothing (`McNemar`, "Note on the sampling error of
/// the difference between correlated proportions", 1947).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discordant {
    /// Only the first way says yes.
    pub first_only: u64,
    /// Only the second way says yes.
    pub second_only: u64,
}

impl Discordant {
    /// Two-sided p of both being as likely, by the binomial distribution.
    pub fn exact_p(self) -> f64 {
        let n = self.first_only + self.second_only;
        let fewer = self.first_only.min(self.second_only);
        let whole = n as f64 * std::f64::consts::LN_2;
        let tail: f64 = (0..=fewer).map(|k| (ln_binomial(n, k) - whole).exp()).sum();
        (2.0 * tail).min(1.0)
    }

    /// The same by chi-square, a step's width taken off (Edwards, "Note on the correction for
    /// continuity", 1948); NaN without a pair.
    pub fn chi_square_p(self) -> f64 {
        let n = (self.first_only + self.second_only) as f64;
        let apart = (self.first_only.abs_diff(self.second_only) as f64 - 1.0).max(0.0);
        if n > 0.0 { chi_square_tail(apart * apart / n, 1.0) } else { f64::NAN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_is_that_of_a_hand_computation() {
        // (1 + 5 + 10) / 32, twice.
        let pairs = Discordant { first_only: 2, second_only: 3 };
        assert!((pairs.exact_p() - 1.0).abs() < 1e-12);
        let pairs = Discordant { first_only: 5, second_only: 0 };
        assert!((pairs.exact_p() - 2.0 / 32.0).abs() < 1e-12);
        // statsmodels 0.15.0.
        let pairs = Discordant { first_only: 4, second_only: 12 };
        assert!((pairs.chi_square_p() - 0.080_118_313_723_627_34).abs() < 1e-9);
        let none = Discordant { first_only: 0, second_only: 0 };
        assert!((none.exact_p() - 1.0).abs() < 1e-12 && none.chi_square_p().is_nan());
    }
}

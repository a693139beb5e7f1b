//! Shares of two groups, where normal approximations of a single one fail.

use crate::experiment::distributions::{ln_binomial, normal_tail_quantile};

/// A count out of a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// Out of how many; above 0.
    pub of: u64,
}

impl Count {
    /// The share.
    pub fn share(self) -> f64 {
        self.count as f64 / self.of as f64
    }

    /// Interval at level `1 − alpha` (Wilson, "Probable inference", 1927).
    pub fn interval(self, alpha: f64) -> (f64, f64) {
        let z = normal_tail_quantile(alpha / 2.0);
        let (n, share) = (self.of as f64, self.share());
        let center = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let spread = (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        let half = z * spread / (1.0 + z * z / n);
        ((center - half).max(0.0), (center + half).min(1.0))
    }
}

/// Interval of the treatment's share less the control's (Newcombe, "Interval estimation for the
/// difference between independent proportions", 1998, method 10); none of them may be empty.
pub fn difference_interval(control: Count, treatment: Count, alpha: f64) -> (f64, f64) {
    let (low_c, high_c) = control.interval(alpha);
    let (low_t, high_t) = treatment.interval(alpha);
    let (c, t) = (control.share(), treatment.share());
    (t - c - (t - low_t).hypot(high_c - c), t - c + (high_t - t).hypot(c - low_c))
}

/// Two-sided p of equal shares: the chance of all tables with the same sums that are as unlikely
/// as this one or more (Fisher's exact test).
pub fn exact_p(control: Count, treatment: Count) -> f64 {
    /// Tables whose chances differ by rounding alone count as equally likely.
    const ROUNDING: f64 = 1e-7;
    let events = control.count + treatment.count;
    let whole = ln_binomial(control.of + treatment.of, events);
    let ln_chance = |in_control: u64| {
        ln_binomial(control.of, in_control) + ln_binomial(treatment.of, events - in_control) - whole
    };
    let seen = ln_chance(control.count) + ROUNDING;
    let tables = events.saturating_sub(treatment.of)..=events.min(control.of);
    let chances = tables.map(ln_chance).filter(|ln_chance| *ln_chance <= seen);
    chances.map(f64::exp).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Count = Count { count: 0, of: 1_000 };
    const TWENTY: Count = Count { count: 20, of: 1_000 };

    /// scipy 1.17.1 and statsmodels 0.15.0.
    #[test]
    fn figures_are_those_of_scipy_and_statsmodels() {
        assert!((exact_p(NONE, TWENTY) / 1.732_866_917_218_251_7e-6 - 1.0).abs() < 1e-9);
        let table = [Count { count: 6, of: 40 }, Count { count: 11, of: 38 }];
        assert!((exact_p(table[0], table[1]) - 0.174_138_877_039_777_43).abs() < 1e-9);
        let (low, high) = difference_interval(NONE, TWENTY, 0.05);
        assert!((low - 0.012_007_954_834_701_386).abs() < 1e-12, "{low}");
        assert!((high - 0.030_690_005_229_717_81).abs() < 1e-12, "{high}");
    }

    #[test]
    fn tables_without_events_or_with_equal_shares_have_p_1() {
        assert!((exact_p(NONE, NONE) - 1.0).abs() < 1e-12);
        assert!((exact_p(TWENTY, TWENTY) - 1.0).abs() < 1e-9);
    }
}

//! The power of a t test, whose spread is estimated, too.

use crate::experiment::distributions::{normal_tail, t_tail_quantile};
use crate::experiment::power::Design;

impl Design {
    /// Chance that a t test sees a difference of so many standard deviations of a unit: less than
    /// [`Design::power`] when units are few.
    ///
    /// The tail of a noncentral t is the mean of a normal tail over the spread that a sample
    /// shows. That spread is `s = e^y`, and `ln s` has the density `e^(ν(y − s²/2))` up to a
    /// constant: smooth, and 0 at both ends, so that equal steps integrate it to rounding.
    pub fn t_power(&self, effect: f64) -> f64 {
        const N_STEPS: u32 = 2_000;
        let freedom = self.n_control * (1.0 + self.ratio) - 2.0;
        let errors = effect.abs() * (self.n_control / (1.0 + 1.0 / self.ratio)).sqrt();
        let bound = t_tail_quantile(self.alpha / 2.0, freedom);
        // Ten standard deviations of ln s, and the long tail to the left when units are few.
        let high = 10.0 / (2.0 * freedom).sqrt();
        let low = -high - 45.0 / freedom;
        let (mut sum, mut total) = (0.0, 0.0);
        for step in 0..=N_STEPS {
            let y = low + (high - low) * f64::from(step) / f64::from(N_STEPS);
            let spread = y.exp();
            let density = (freedom * (y - spread * spread / 2.0 + 0.5)).exp();
            total += density;
            sum += density
                * (normal_tail(bound * spread - errors) + normal_tail(bound * spread + errors));
        }
        sum / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_that_of_statsmodels_and_nears_the_normal_one() {
        let of = |n_control| Design { n_control, ratio: 1.0, alpha: 0.05 };
        // statsmodels 0.15.0, `TTestIndPower`.
        let found = of(20.0).t_power(0.5);
        assert!((found - 0.337_939_028_925_041_1).abs() < 1e-10, "{found}");
        assert!((of(20.0).t_power(0.0) - 0.05).abs() < 1e-10);
        let (t, normal) = (of(1e5).t_power(0.01), of(1e5).power(0.01));
        assert!(t < normal && normal < t + 1e-4, "{t} {normal}");
    }
}

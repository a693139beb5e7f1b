//! What an experiment of a given size could see.

use crate::experiment::distributions::{BISECTIONS, normal_tail, normal_tail_quantile};

/// Two arms: units of the control, and treated units for each of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Units of the control.
    pub n_control: f64,
    /// Units of the treatment over those of the control; above 0.
    pub ratio: f64,
    /// Level of the two-sided test.
    pub alpha: f64,
}

impl Design {
    /// Chance to see a difference of so many standard deviations of a unit.
    pub fn power(&self, effect: f64) -> f64 {
        let errors = effect.abs() * (self.n_control / (1.0 + 1.0 / self.ratio)).sqrt();
        let bound = normal_tail_quantile(self.alpha / 2.0);
        normal_tail(bound - errors) + normal_tail(bound + errors)
    }

    /// The least difference that is seen with this chance, in standard deviations of a unit.
    pub fn least_effect(&self, power: f64) -> f64 {
        rising_root(power, |effect| self.power(effect))
    }
}

/// Units of the control that see a difference with this chance.
pub fn n_control(effect: f64, ratio: f64, alpha: f64, power: f64) -> f64 {
    rising_root(power, |n_control| Design { n_control, ratio, alpha }.power(effect))
}

/// Where a function that rises from 0 on passes a value below its limit.
pub(super) fn rising_root(wanted: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while function(high) < wanted && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if function(middle) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// statsmodels 0.15.0, `NormalIndPower`.
    #[test]
    fn figures_are_those_of_statsmodels() {
        let found = n_control(0.02, 9.0, 0.05, 0.8);
        assert!((found / 21_802.390_303_688_942 - 1.0).abs() < 1e-9, "{found}");
        let design = Design { n_control: 500.0, ratio: 1.0, alpha: 0.05 };
        let found = design.least_effect(0.8);
        // Theirs is solved to a millionth.
        assert!((found / 0.177_187_694_891_083_27 - 1.0).abs() < 1e-6, "{found}");
        assert!((design.power(0.0) - 0.05).abs() < 1e-9);
    }
}

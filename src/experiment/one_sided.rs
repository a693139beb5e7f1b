//! Effects that are looked for on one side only.

use crate::experiment::difference::Difference;
use crate::experiment::distributions::{t_tail, t_tail_quantile};
use crate::experiment::sequence::OneSided;

/// The side on which an effect is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The treatment is above the control.
    Above,
    /// The treatment is below the control.
    Below,
}

impl Side {
    /// An effect as seen from this side: above 0 where it speaks for it.
    fn seen(self, effect: f64) -> f64 {
        match self {
            Self::Above => effect,
            Self::Below => -effect,
        }
    }

    /// Where the effect ends towards zero at a distance from its estimate; there is no end on
    /// the other side.
    fn bound(self, effect: f64, distance: f64) -> f64 {
        match self {
            Self::Above => effect - distance,
            Self::Below => effect + distance,
        }
    }
}

impl Difference {
    /// p against no effect on this side; valid once.
    pub fn p_of_side(&self, side: Side) -> f64 {
        t_tail(side.seen(self.effect) / self.standard_error, self.dof)
    }

    /// The bound of an effect on this side at level `1 − alpha`; valid once.
    pub fn bound(&self, side: Side, alpha: f64) -> f64 {
        side.bound(self.effect, t_tail_quantile(alpha, self.dof) * self.standard_error)
    }
}

impl OneSided {
    /// The bound of an effect on this side that holds at every look.
    pub fn bound(&self, side: Side, difference: &Difference) -> f64 {
        side.bound(difference.effect, self.distance(variance(difference), difference.n))
    }

    /// p against no effect on this side that holds at every look: the level at which the bound
    /// would be at zero, with the sharpness kept that was chosen for this one.
    pub fn p(&self, side: Side, difference: &Difference) -> f64 {
        let seen = side.seen(difference.effect);
        let rho = self.rho();
        let grown = difference.n * rho * rho + 1.0;
        let square = seen * difference.n * rho;
        let exponent = square * square / (2.0 * grown * variance(difference));
        let level = grown.sqrt() / (2.0 * exponent.exp_m1());
        if seen <= 0.0 { 1.0 } else { level.min(1.0) }
    }
}

/// Of a single unit, as if the effect were the mean of all.
fn variance(difference: &Difference) -> f64 {
    difference.standard_error * difference.standard_error * difference.n
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

    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn bounds_and_p_are_those_of_growthbook() {
        assert_near(FOUND.bound(Side::Above, 0.05), 3.138_659_679_751_185);
        assert_near(FOUND.bound(Side::Below, 0.05), 7.970_194_746_733_185);
        assert_near(FOUND.p_of_side(Side::Above), 7.994_782_169_284_953e-5);
        assert_near(FOUND.p_of_side(Side::Below), 0.999_920_052_178_307_2);
        let always = OneSided::new(0.05, 5_000.0);
        assert_near(always.bound(Side::Above, &FOUND), 1.233_817_590_123_646_1);
        assert_near(always.bound(Side::Below, &FOUND), 9.875_036_836_360_724);
    }

    #[test]
    fn p_is_the_level_at_which_the_bound_is_at_zero() {
        let always = OneSided::new(0.05, 5_000.0);
        let effect = always.distance(variance(&FOUND), FOUND.n);
        let at_bound = Difference { effect, ..FOUND };
        assert_near(always.p(Side::Above, &at_bound), 0.05);
        let p = always.p(Side::Above, &FOUND);
        assert!(always.at_level(p).bound(Side::Above, &FOUND).abs() < 1e-9, "{p}");
        let turned = Difference { effect: -effect, ..FOUND };
        assert_near(always.p(Side::Below, &turned), 0.05);
        assert_near(always.p(Side::Below, &at_bound), 1.0);
    }
}

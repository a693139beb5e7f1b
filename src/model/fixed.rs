//! Fixed point: raw scores as whole steps, so that every sum of them is exact.
//!
//! Floating-point sums depend on their order; sums of whole numbers do not. So
//! scores and contributions are the same on any batch, thread or instruction set,
//! and contributions add up to the score to the last bit.

use serde::{Deserialize, Serialize};

/// Most steps that the largest |bias| plus the largest |leaf| of every tree may have.
///
/// Below `2^30`, so that the difference of any two scores still fits an `i32`; the
/// margin is for rounding: half a step per leaf.
pub const STEPS_MAX: i32 = (1 << 30) - (1 << 16);

/// Finest step: `2^-40`.
const SHIFT_MAX: i32 = 40;
/// Coarsest step: `2^140`, above what `f32` leaves can add up to.
const SHIFT_MIN: i32 = -140;

/// The step of an ensemble: a power of two, so that whole steps are exact in `f64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Scale {
    shift: i32,
}

/// A step that is too fine or too coarse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shift of {0} is not within {SHIFT_MIN} and {SHIFT_MAX}")]
pub struct ScaleError(i32);

impl Scale {
    /// The finest step at which `size` is at most [`STEPS_MAX`] steps.
    pub fn fitting(size: f64) -> Self {
        let fits = |shift: &i32| size * power_of_two(*shift) <= f64::from(STEPS_MAX);
        let shift = (SHIFT_MIN..=SHIFT_MAX).rev().find(fits).unwrap_or(SHIFT_MIN);
        Self { shift }
    }

    /// Size of one step in the unit of the score: `2^-shift`.
    pub fn step(self) -> f64 {
        power_of_two(-self.shift)
    }

    /// The nearest number of steps, exact for a value made by [`Scale::to_value`].
    #[expect(clippy::cast_possible_truncation, reason = "saturates at the ends of i32")]
    pub fn to_steps(self, value: f64) -> i32 {
        (value * power_of_two(self.shift)).round() as i32
    }

    /// The value of some steps; exact below `2^53` steps.
    pub fn to_value(self, steps: i64) -> f64 {
        steps as f64 * self.step()
    }

    /// The nearest value that is a whole number of steps.
    pub fn round(self, value: f64) -> f64 {
        self.to_value(self.to_steps(value).into())
    }
}

/// `2^exponent`, by its bits: exact on every platform.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::from((1_023 + exponent).unsigned_abs()) << 52)
}

impl TryFrom<i32> for Scale {
    type Error = ScaleError;
    fn try_from(shift: i32) -> Result<Self, ScaleError> {
        if (SHIFT_MIN..=SHIFT_MAX).contains(&shift) {
            Ok(Self { shift })
        } else {
            Err(ScaleError(shift))
        }
    }
}

impl From<Scale> for i32 {
    fn from(scale: Scale) -> Self {
        scale.shift
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_finest_step_that_cannot_overflow_is_chosen() {
        for (size, shift) in [(1.0, 29), (1.01, 29), (8.0, 26), (0.9e-3, 40), (3e9, -2), (0.0, 40)]
        {
            assert_eq!(i32::from(Scale::fitting(size)), shift, "{size}");
        }
        let huge = Scale::fitting(f64::from(f32::MAX) * 900.0);
        assert!(huge.to_steps(f64::from(f32::MAX) * 900.0) <= STEPS_MAX);
    }

    #[test]
    fn a_step_outside_its_range_is_refused() {
        assert_eq!(Scale::try_from(SHIFT_MAX + 1), Err(ScaleError(SHIFT_MAX + 1)));
        assert!(Scale::try_from(SHIFT_MIN).is_ok());
    }

    proptest! {
        #[test]
        fn whole_steps_survive_the_way_through_f64(steps: i32, shift in SHIFT_MIN..=SHIFT_MAX) {
            let scale = Scale { shift };
            prop_assert_eq!(scale.to_steps(scale.to_value(steps.into())), steps);
        }

        #[test]
        fn rounding_moves_a_value_by_half_a_step_at_most(value in -50.0..50.0) {
            let scale = Scale::fitting(60.0);
            prop_assert!((scale.round(value) - value).abs() <= scale.step() / 2.0);
        }
    }
}

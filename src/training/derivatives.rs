//! Both derivatives of a row in one whole number: sums are exact in any order.
//!
//! Histograms add up derivatives row by row. As whole numbers, packed into one
//! word, that is one addition per row and feature, a sibling is an exact
//! subtraction, and no thread and no order of rows can change a sum.

use crate::training::loss::Gradient;

/// Largest sum of either half: halves never carry into each other.
const SUM_MAX: f64 = 2_147_483_647.0;

/// First derivative in the upper half, second in the lower; adding adds both.
///
/// Invariant: the lower half is not negative and its sum stays below 2³¹.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packed(i64);

/// What one unit of either half stands for, inverted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scales {
    first: f64,
    second: f64,
}

/// Sums that scales follow from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Magnitude {
    /// Sum of the absolute first derivatives.
    pub(crate) first: f64,
    /// Sum of the second derivatives.
    pub(crate) second: f64,
}

impl Packed {
    /// Both halves, in units of the scales.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves are 32 bits each")]
    pub(crate) fn halves(self) -> (f64, f64) {
        (f64::from((self.0 >> 32) as i32), f64::from(self.0 as i32))
    }

    /// Adds another one.
    #[inline]
    pub(crate) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// What is left without a part.
    #[inline]
    pub(crate) fn minus(self, part: Self) -> Self {
        Self(self.0.wrapping_sub(part.0))
    }
}

impl std::iter::Sum for Packed {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        let mut total = Self::default();
        items.for_each(|item| total.add(item));
        total
    }
}

impl Magnitude {
    /// Takes one row into account.
    #[inline]
    pub(crate) fn add(&mut self, [first, second]: Gradient) {
        self.first += f64::from(first.abs());
        self.second += f64::from(second);
    }

    /// Takes the rows of another part into account.
    pub(crate) fn join(&mut self, other: Self) {
        self.first += other.first;
        self.second += other.second;
    }
}

impl Scales {
    /// The finest scales at which no sum over any of `n_rows` rows leaves its half.
    pub(crate) fn new(total: Magnitude, n_rows: usize) -> Self {
        // Rounding adds at most half a unit per row.
        let room = (SUM_MAX - n_rows as f64).max(1.0);
        let scale = |total: f64| if 0.0 < total { room / total } else { 0.0 };
        Self { first: scale(total.first), second: scale(total.second) }
    }

    /// The derivatives of a row in whole units, rounded to the nearest.
    #[inline]
    pub(crate) fn pack(self, [first, second]: Gradient) -> Packed {
        let first = round(f64::from(first) * self.first);
        let second = round(f64::from(second) * self.second);
        Packed((i64::from(first) << 32).wrapping_add(i64::from(second)))
    }

    /// An L2 penalty in units of the second derivative.
    pub(crate) fn penalty(self, l2: f64) -> f64 {
        l2 * self.second
    }

    /// A score (first derivative squared / second) in the unit of the loss.
    pub(crate) fn score(self, units: f64) -> f64 {
        if 0.0 < self.first { units * self.second / (self.first * self.first) } else { 0.0 }
    }
}

/// To the nearest whole number; ties go to even.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "scaled to fit")]
fn round(value: f64) -> i32 {
    // Adding and taking away 1.5 · 2^52 leaves no fraction: faster than `round`.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    ((value + SHIFT) - SHIFT) as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_of_halves_are_exact_in_any_order_and_close_to_the_real_sums(
            rows in prop::collection::vec((-3.0_f32..3.0, 0.0_f32..0.25), 1..300),
        ) {
            let mut total = Magnitude::default();
            let gradients: Vec<Gradient> = rows.iter().map(|&(g, h)| [g, h]).collect();
            for &gradient in &gradients {
                total.add(gradient);
            }
            let scales = Scales::new(total, rows.len());
            let packed = || gradients.iter().map(|&gradient| scales.pack(gradient));
            let (forth, back): (Packed, Packed) = (packed().sum(), packed().rev().sum());
            prop_assert_eq!(forth, back);
            let (first, second) = forth.halves();
            let sums = rows.iter().fold([0.0, 0.0], |[a, b], &(g, h)| {
                [a + f64::from(g), b + f64::from(h)]
            });
            let n = rows.len() as f64;
            prop_assert!((first - sums[0] * scales.first).abs() <= 0.5 * n + 1.0);
            prop_assert!((second - sums[1] * scales.second).abs() <= 0.5 * n + 1.0);
            prop_assert_eq!(forth.minus(forth), Packed::default());
        }
    }

    #[test]
    fn one_row_with_all_the_weight_fits_beside_many_without() {
        let mut total = Magnitude::default();
        let rows = std::iter::once([-1e30_f32, 1e30]).chain((0..1_000).map(|_| [1.0, 0.0]));
        rows.clone().for_each(|row| total.add(row));
        let scales = Scales::new(total, 1_001);
        let (first, second) = rows.map(|row| scales.pack(row)).sum::<Packed>().halves();
        assert!(first < -2.1e9 && 2.1e9 < second);
    }
}

//! Are two samples of one distribution, whatever it is?

/// The largest gap between two empirical distributions, and its p (Kolmogorov 1933, Smirnov
/// 1939).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LargestGap {
    /// The gap, in [0, 1].
    pub gap: f64,
    /// Exact chance of one as large when both samples are of one continuous distribution.
    pub p: f64,
}

impl LargestGap {
    /// Of two samples; `None` when one is empty or holds what is not a number. The time that it
    /// takes grows with the product of their lengths.
    pub fn new(a: &[f64], b: &[f64]) -> Option<Self> {
        let is_usable = |it: &[f64]| !it.is_empty() && it.iter().all(|value| !value.is_nan());
        if !is_usable(a) || !is_usable(b) {
            return None;
        }
        let steps = steps(a, b);
        let gap = steps as f64 / (a.len() as f64 * b.len() as f64);
        Some(Self { gap, p: chance_of_gap(a.len() as u64, b.len() as u64, steps) })
    }
}

/// The gap times both lengths, a whole number.
fn steps(a: &[f64], b: &[f64]) -> u64 {
    let sorted = |it: &[f64]| {
        let mut it = it.to_vec();
        it.sort_by(f64::total_cmp);
        it
    };
    let (a, b) = (sorted(a), sorted(b));
    let below = |it: &[f64], value: f64| it.partition_point(|other| *other <= value) as u64;
    let gap = |value: &f64| {
        let of_a = below(&a, *value) * b.len() as u64;
        of_a.abs_diff(below(&b, *value) * a.len() as u64)
    };
    a.iter().chain(&b).map(gap).max().unwrap_or(0)
}

/// The chance that samples of `n` and `m` come in an order that has a gap of so many steps. An
/// order is a path through a grid, all paths being equally likely; `inside[j]` is the share of
/// those to `(i, j)` that never had such a gap (Hodges, "The significance probability of the
/// Smirnov two-sample test", 1958).
fn chance_of_gap(n: u64, m: u64, steps: u64) -> f64 {
    let is_inside = |i: u64, j: u64| (i * m).abs_diff(j * n) < steps;
    let mut inside: Vec<f64> = (0..=m).map(|j| f64::from(u8::from(is_inside(0, j)))).collect();
    for j in 1..inside.len() {
        inside[j] = inside[j].min(inside[j - 1]);
    }
    for i in 1..=n {
        let mut before = 0.0;
        for (share, j) in inside.iter_mut().zip(0..) {
            // The last of `i + j` is of the first sample with this chance.
            let of_first = i as f64 / (i + j) as f64;
            let paths = of_first * *share + (1.0 - of_first) * before;
            *share = if is_inside(i, j) { paths } else { 0.0 };
            before = *share;
        }
    }
    1.0 - inside.last().copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gap_and_p_are_those_of_a_hand_computation() {
        // Of the 6 orders of two and two, 2 have all of one sample first.
        let found = LargestGap::new(&[1.0, 2.0], &[4.0, 3.0]).unwrap();
        assert!((found.gap - 1.0).abs() < 1e-12 && (found.p - 2.0 / 6.0).abs() < 1e-12);
        // Every order has a gap of one half.
        let found = LargestGap::new(&[1.0, 3.0], &[2.0, 4.0]).unwrap();
        assert!((found.gap - 0.5).abs() < 1e-12 && (found.p - 1.0).abs() < 1e-12);
        // Of the 4 orders of one and three, 2 have the one at an end.
        let found = LargestGap::new(&[9.0], &[1.0, 2.0, 3.0]).unwrap();
        assert!((found.p - 0.5).abs() < 1e-12, "{found:?}");
        assert_eq!(LargestGap::new(&[], &[1.0]), None);
    }
}

//! Sums over orders with an interval that accounts, not orders, are drawn for.
//!
//! Orders of one account are alike, so each account falls into one of 256 groups as a
//! whole, by its hash, and the spread of the groups tells how sure a sum is: the method
//! of random groups (Wolter, "Introduction to Variance Estimation", 2nd edition, 2007,
//! chapter 2), for a fixed number of orders:
//!
//! ```text
//! var(T) = G/(G−1) Σ (T_g − n_g·T/N)²
//! ```

/// Into how many groups the accounts fall.
pub const GROUPS: usize = 256;
/// Fewest groups with an order; with fewer there is no interval.
const GROUPS_MIN: usize = 20;

/// A sum over orders, by groups of accounts.
#[derive(Clone, Debug)]
pub struct GroupedSum {
    n: [u64; GROUPS],
    sums: [f64; GROUPS],
}

impl Default for GroupedSum {
    fn default() -> Self {
        Self { n: [0; GROUPS], sums: [0.0; GROUPS] }
    }
}

impl GroupedSum {
    /// Adds an order of an account in a group.
    pub fn add(&mut self, group: u8, value: f64) {
        self.n[usize::from(group)] += 1;
        self.sums[usize::from(group)] += value;
    }

    /// Orders.
    pub fn n(&self) -> u64 {
        self.n.iter().sum()
    }

    /// The sum.
    pub fn total(&self) -> f64 {
        self.sums.iter().sum::<f64>() + 0.0
    }

    /// 95 % interval of the sum over as many other orders; `None` with too few groups.
    pub fn interval(&self) -> Option<(f64, f64)> {
        let n_groups = self.n.iter().filter(|n| 0 < **n).count();
        if n_groups < GROUPS_MIN {
            return None;
        }
        let (total, groups) = (self.total(), n_groups as f64);
        let mean = total / self.n() as f64;
        let residual = |(n, sum): (&u64, &f64)| (sum - mean * *n as f64).powi(2);
        let squares: f64 = self.n.iter().zip(&self.sums).map(residual).sum();
        let half = t_95(groups - 1.0) * (groups / (groups - 1.0) * squares).sqrt();
        Some((total - half, total + half))
    }
}

/// Quantile 0.975 of Student's distribution: two terms of its expansion around the normal
/// one (Abramowitz and Stegun 26.7.5), right to 0.01 from 19 degrees of freedom on.
fn t_95(degrees: f64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    Z + (Z.powi(3) + Z) / (4.0 * degrees)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A thousand accounts of one to nine orders that are all alike.
    fn drawn(dice: &mut ChaCha8Rng) -> GroupedSum {
        let mut sum = GroupedSum::default();
        for _ in 0..1_000 {
            let (group, value) = (dice.r#gen(), dice.gen_range(-1.0..1.0));
            for _ in 0..dice.gen_range(1..10) {
                sum.add(group, value);
            }
        }
        sum
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_truth() {
        let mut dice = ChaCha8Rng::seed_from_u64(11);
        let n = 400;
        let holds = |sum: GroupedSum| {
            let (low, high) = sum.interval().unwrap();
            // The truth is 0 per order.
            low <= 0.0 && 0.0 <= high
        };
        let n_held = (0..n).filter(|_| holds(drawn(&mut dice))).count();
        assert!((368..=396).contains(&n_held), "{n_held} of {n} intervals hold the truth");
    }

    #[test]
    fn a_few_accounts_have_no_interval() {
        let mut sum = GroupedSum::default();
        for group in 0..19 {
            sum.add(group, 1.0);
        }
        assert_eq!(sum.interval(), None);
        sum.add(19, 1.0);
        assert!(sum.interval().is_some() && sum.n() == 20);
        assert!((t_95(19.0) - 2.093).abs() < 0.01);
    }
}

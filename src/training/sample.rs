//! Seeded samples of rows and features.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::scramble::{SEED_STEP, scramble};

/// A generator for one purpose and one tree: adding a draw elsewhere moves nothing.
pub(crate) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// A sample of the rows of one tree: each row is in it with the same probability.
///
/// Whether a row is in follows from its number alone, so a pass over the rows can be
/// cut anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSample {
    seed: u64,
    /// A row is in when its hash is below.
    bound: u64,
}

impl RowSample {
    /// A sample of about `share` of the rows; all of them when `share` is 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of u64::MAX is a u64"
    )]
    pub(crate) fn new(share: f64, rng: &mut ChaCha8Rng) -> Self {
        let bound = if 1.0 <= share { u64::MAX } else { (share * u64::MAX as f64) as u64 };
        Self { seed: rng.r#gen(), bound }
    }

    /// True when the row is in the sample.
    #[inline]
    pub(crate) fn has(self, row: u32) -> bool {
        scramble(self.seed.wrapping_add(u64::from(row).wrapping_mul(SEED_STEP))) <= self.bound
    }
}

/// Keeps each of `rows` with probability `share`, in order.
pub(crate) fn bernoulli(rows: &[u32], share: f64, rng: &mut ChaCha8Rng) -> Vec<u32> {
    if 1.0 <= share {
        return rows.to_vec();
    }
    let kept: Vec<u32> = rows.iter().copied().filter(|_| rng.r#gen::<f64>() < share).collect();
    if kept.is_empty() { rows.to_vec() } else { kept }
}

/// `share` of the `items` without replacement, at least one, in their order.
pub(crate) fn subset(items: &[u16], share: f64, rng: &mut ChaCha8Rng) -> Vec<u16> {
    let n_kept = share_of(items.len(), share).max(1);
    let mut kept = Vec::with_capacity(n_kept);
    let mut n_left = items.len();
    for &item in items {
        let n_wanted = n_kept - kept.len().min(n_kept);
        if rng.gen_range(0..n_left) < n_wanted {
            kept.push(item);
        }
        n_left -= 1;
    }
    kept
}

/// `⌈n · share⌉`, at most `n`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "n · share is between 0 and n"
)]
pub(crate) fn share_of(n: usize, share: f64) -> usize {
    ((n as f64 * share.clamp(0.0, 1.0)).ceil() as usize).min(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_has_the_asked_size_and_keeps_order() {
        let items: Vec<u16> = (0..40).collect();
        for seed in 0..20 {
            let kept = subset(&items, 0.3, &mut generator(seed, 0));
            assert_eq!(kept.len(), 12);
            assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert_eq!(subset(&items, 1.0, &mut generator(1, 0)), items);
    }

    #[test]
    fn a_row_sample_has_about_its_share_and_another_one_next_time() {
        let mut rng = generator(3, 0);
        let of = |sample: RowSample| (0..100_000).filter(|&row| sample.has(row)).count();
        assert_eq!(of(RowSample::new(1.0, &mut rng)), 100_000);
        let (one, other) = (RowSample::new(0.3, &mut rng), RowSample::new(0.3, &mut rng));
        assert!(of(one).abs_diff(30_000) < 800, "{}", of(one));
        let both = (0..100_000).filter(|&row| one.has(row) && other.has(row)).count();
        assert!(both.abs_diff(9_000) < 500, "{both}");
    }

    #[test]
    fn the_same_seed_draws_the_same_rows() {
        let rows: Vec<u32> = (0..1000).collect();
        let draw = |stream| bernoulli(&rows, 0.5, &mut generator(7, stream));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}

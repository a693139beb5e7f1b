//! Bootstrap percentile intervals by Poisson weights.

use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::training::sample::generator;

/// Resamples per interval.
pub const DRAWS: usize = 200;

/// A figure with its 90 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// On all rows as they are.
    pub value: f64,
    /// 5 % quantile over the resamples.
    pub low: f64,
    /// 95 % quantile over the resamples.
    pub high: f64,
}

/// Measures `statistics` of the weights of `n` units, with percentile intervals (Efron
/// 1979). Every unit gets an independent Poisson(1) weight per resample, which equals
/// resampling with replacement for large `n` (Hanley and `MacGibbon` 2006).
pub fn measure<const K: usize>(
    n: usize,
    seed: u64,
    mut statistics: impl FnMut(&[f64]) -> [f64; K],
) -> [Measured; K] {
    let mut weights = vec![1.0; n];
    let values = statistics(&weights);
    let mut draws: [Vec<f64>; K] = std::array::from_fn(|_| Vec::with_capacity(DRAWS));
    let mut rng = generator(seed, 0);
    for _ in 0..DRAWS {
        for weight in &mut weights {
            *weight = poisson(rng.next_u32());
        }
        for (draws, value) in draws.iter_mut().zip(statistics(&weights)) {
            if value.is_finite() {
                draws.push(value);
            }
        }
    }
    std::array::from_fn(|k| {
        let mut draws = std::mem::take(&mut draws[k]);
        draws.sort_by(f64::total_cmp);
        let n_tail = draws.len() / 20;
        let low = draws.get(n_tail).copied().unwrap_or(values[k]);
        let high = draws.iter().rev().nth(n_tail).copied().unwrap_or(values[k]);
        Measured { value: values[k], low, high }
    })
}

/// Poisson(1) by inversion of a uniform 32-bit number.
fn poisson(uniform: u32) -> f64 {
    // ⌊2^32 · P(X ≤ k)⌋ for k = 0, 1, …
    const BELOW: [u32; 8] = [
        1_580_030_168,
        3_160_060_337,
        3_950_075_421,
        4_213_413_783,
        4_279_248_373,
        4_292_415_291,
        4_294_609_777,
        4_294_923_275,
    ];
    BELOW.iter().take_while(|bound| **bound <= uniform).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_weights_have_mean_and_variance_one() {
        let mut rng = generator(1, 0);
        let draws: Vec<f64> = (0..200_000).map(|_| poisson(rng.next_u32())).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        assert!((mean - 1.0).abs() < 0.01 && (variance - 1.0).abs() < 0.02);
    }

    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 2)).collect();
        let [mean] = measure(values.len(), 3, |weights| {
            let total: f64 = weights.iter().sum();
            [weights.iter().zip(&values).map(|(w, v)| w * v).sum::<f64>() / total]
        });
        let half = 1.645 * 0.5 / 100.0;
        assert!((mean.value - 0.5).abs() < 1e-12);
        assert!((mean.high - mean.low - 2.0 * half).abs() < 0.4 * half, "{mean:?}");
    }
}

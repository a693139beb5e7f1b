//! Random draws that give the same bits on every machine.
//!
//! `ChaCha8` supplies the bits. Exponential, logarithm and normal quantile are
//! computed here from `+ − × ÷ √` alone, because the system's math library may
//! round differently from one machine to the next.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::domain::time::Span;

/// A seeded source of draws.
#[derive(Clone, Debug)]
pub struct Dice {
    rng: ChaCha8Rng,
}

impl Dice {
    /// Draws of one purpose (`stream`) under one seed; streams are independent.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng }
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        let product = u64::from(self.rng.next_u32()) * u64::from(n);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Uniform in `0..n` as a position.
    pub fn index(&mut self, n: usize) -> usize {
        self.below(u32::try_from(n).unwrap_or(u32::MAX)) as usize
    }

    /// Uniform in [low, high).
    pub fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// One of the choices, each equally likely.
    pub fn pick<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        choices[self.index(N)]
    }

    /// A position drawn in proportion to its weight.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (idx, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return idx;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// A number below the count of weights, drawn in proportion to its weight.
    pub fn number(&mut self, weights: &[f64]) -> u32 {
        u32::try_from(self.weighted(weights)).unwrap_or(0)
    }

    /// A span between two, uniform.
    pub fn span(&mut self, low: Span, high: Span) -> Span {
        Span(whole(self.real(low.0 as f64, high.0 as f64)))
    }

    /// A log-normal draw with this median; `sigma` is of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let quantile = normal_quantile(self.real(1e-9, 1.0 - 1e-9));
        median * exp(sigma * quantile)
    }

    /// An exponential waiting time with this mean.
    pub fn waiting(&mut self, mean: Span) -> Span {
        let share = self.real(1e-9, 1.0);
        Span(whole(-ln(share) * mean.0 as f64))
    }

    /// A rank in `0..n`; rank r is drawn in proportion to 1 / (r + 1): Zipf's law.
    pub fn zipf(&mut self, n: u32) -> u32 {
        let rank = exp(self.unit() * ln(f64::from(n) + 1.0)) - 1.0;
        u32::try_from(whole(rank)).unwrap_or(0).min(n.saturating_sub(1))
    }

    /// `mean` rounded up or down at random, so that it holds on average.
    pub fn count(&mut self, mean: f64) -> u32 {
        let floor = whole(mean);
        let extra = i64::from(self.chance(mean - floor as f64));
        u32::try_from(floor + extra).unwrap_or(0)
    }
}

/// The number without its fraction.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
pub fn whole(value: f64) -> i64 {
    value as i64
}

/// e to the power of `x`; relative error below 1e-14 for |x| ≤ 700.
pub fn exp(x: f64) -> f64 {
    let halvings = (x / std::f64::consts::LN_2).round().clamp(-1_000.0, 1_000.0);
    let rest = x - halvings * std::f64::consts::LN_2;
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..=16 {
        term *= rest / f64::from(n);
        sum += term;
    }
    let exponent = (1_023 + whole(halvings)).cast_unsigned();
    sum * f64::from_bits(exponent << 52)
}

/// Natural logarithm of a positive normal number.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52).cast_signed() - 1_023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1_023 << 52));
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut term = ratio;
    let mut sum = 0.0;
    for n in 0..18 {
        sum += term / f64::from(2 * n + 1);
        term *= square;
    }
    2.0 * sum + exponent as f64 * std::f64::consts::LN_2
}

/// The standard normal quantile of a share in (0, 1); relative error below 1.2e-9.
///
/// Source: P. J. Acklam, "An algorithm for computing the inverse normal
/// cumulative distribution function", 2003.
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
        1.0,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        0.007_784_695_709_041_462,
        0.322_467_129_070_039_8,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let polynomial = |coefficients: &[f64], x: f64| {
        coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
    };
    if p < 0.024_25 {
        let q = (-2.0 * ln(p)).sqrt();
        return polynomial(&C, q) / polynomial(&D, q);
    }
    if p > 1.0 - 0.024_25 {
        return -normal_quantile(1.0 - p);
    }
    let q = p - 0.5;
    polynomial(&A, q * q) * q / polynomial(&B, q * q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_exponential_and_logarithm_agree_with_the_system_library() {
        for x in [-20.0_f64, -1.0, -1e-6, 0.0, 0.3, 1.0, 5.5, 20.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-13, "exp({x})");
        }
        for x in [1e-9_f64, 0.3, 1.0, 1.999, 7.0, 1e12] {
            assert!((ln(x) - x.ln()).abs() < 1e-12, "ln({x})");
        }
    }

    #[test]
    fn normal_quantiles_are_the_tabled_ones() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.01, -2.326_347_874)] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn a_log_normal_has_its_median_in_the_middle() {
        let mut dice = Dice::new(1, 1);
        let below = (0..20_000).filter(|_| dice.log_normal(25.0, 0.7) < 25.0).count();
        assert!((9_700..10_300).contains(&below), "{below}");
    }

    #[test]
    fn no_draw_leaves_its_range() {
        let mut dice = Dice::new(2, 1);
        assert_eq!(dice.below(0), 0);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&dice.between(3, 5)));
            assert!(dice.zipf(10) < 10);
            assert!(dice.weighted(&[0.0, 1.0, 0.0]) == 1);
        }
    }
}

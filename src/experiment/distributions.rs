//! Distribution functions, by statrs where it is exact.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF as _, Normal, StudentsT};
use statrs::function::factorial::ln_factorial;
use statrs::function::gamma::ln_gamma;

/// Steps of a bisection: an `f64` has 64 bits to decide about, more near 0.
pub const BISECTIONS: u32 = 200;

/// Logarithm of the beta function, for positive arguments.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// Logarithm of the multivariate beta function, for positive arguments.
pub fn ln_multivariate_beta(alphas: &[f64]) -> f64 {
    alphas.iter().map(|alpha| ln_gamma(*alpha)).sum::<f64>() - ln_gamma(alphas.iter().sum())
}

/// Logarithm of the number of ways to take `k` of `n`, `k ≤ n`.
pub fn ln_binomial(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Logarithm of the chance that a beta variable exceeds a value; −∞ where that is too small to
/// tell from 0.
pub fn ln_beta_tail(value: f64, a: f64, b: f64) -> f64 {
    Beta::new(a, b).map_or(f64::NAN, |it| it.sf(value)).ln()
}

/// Chance that a chi-square variable exceeds a value.
pub fn chi_square_tail(value: f64, dof: f64) -> f64 {
    ChiSquared::new(dof).map_or(f64::NAN, |it| it.sf(value))
}

/// Chance that a standard normal variable exceeds a value.
pub fn normal_tail(value: f64) -> f64 {
    Normal::new(0.0, 1.0).map_or(f64::NAN, |it| it.sf(value))
}

/// Value that a standard normal variable exceeds with this chance, in (0, 1).
pub fn normal_tail_quantile(chance: f64) -> f64 {
    falling_root(chance, normal_tail)
}

/// Chance that Student's t exceeds a value.
pub fn t_tail(value: f64, dof: f64) -> f64 {
    StudentsT::new(0.0, 1.0, dof).map_or(f64::NAN, |it| it.sf(value))
}

/// Value that Student's t exceeds with this chance, in (0, 1). Its tail is inverted here, since
/// the inverse of statrs 0.19 is off by 7e-6 at 100,000 degrees of freedom.
pub fn t_tail_quantile(chance: f64, dof: f64) -> f64 {
    falling_root(chance, |value| t_tail(value, dof))
}

/// Value that a beta variable stays below with this chance, in (0, 1).
pub fn beta_quantile(chance: f64, a: f64, b: f64) -> f64 {
    let Ok(beta) = Beta::new(a, b) else { return f64::NAN };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if beta.cdf(middle) < chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Where a falling function of all real numbers passes a value.
fn falling_root(wanted: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-1.0, 1.0);
    while tail(low) < wanted && f64::MIN / 2.0 < low {
        low *= 2.0;
    }
    while wanted < tail(high) && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        if tail(middle) < wanted {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        assert_near(normal_tail_quantile(0.025), 1.959_963_984_540_054);
        assert_near(t_tail_quantile(0.025, 10.0), 2.228_138_851_964_939);
        // Where the inverse of statrs is off: nearly normal, by the expansion of Cornish and
        // Fisher z + (z³ + z) / 4ν.
        let z: f64 = 1.959_963_984_540_054;
        assert_near(t_tail_quantile(0.025, 1e6), z + (z.powi(3) + z) / 4e6);
        assert_near(t_tail_quantile(0.975, 10.0), -2.228_138_851_964_939);
    }

    /// scipy 1.17.1; the first one is tiny, and still exact.
    #[test]
    fn beta_quantiles_are_those_of_scipy() {
        assert_near(beta_quantile(0.025, 0.5, 50.5), 9.771_663_301_804_052e-6);
        assert_near(beta_quantile(0.975, 14.0, 38.0), 0.396_334_216_944_074_67);
        assert!(beta_quantile(0.5, 0.0, 1.0).is_nan());
    }

    #[test]
    fn beta_of_two_is_the_multivariate_one() {
        assert_near(ln_beta(2.5, 4.0), ln_multivariate_beta(&[2.5, 4.0]));
        assert_near(ln_beta(1.0, 4.0), -(4.0_f64.ln()));
        assert_near(chi_square_tail(3.841_458_820_694_124, 1.0), 0.05);
    }
}

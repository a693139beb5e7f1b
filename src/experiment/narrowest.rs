//! Where a normal mixture is narrowest: three conventions in use.

/// Who says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// gbstats: `ρ²n = −2 ln α + ln(1 − 2 ln α)`. The one of our intervals.
    GrowthBook,
    /// `TensorZero`: `ρ²n = −2 ln α + ln(−2 ln α) + 1`.
    TensorZero,
    /// Where it really is: `ρ²n − ln(1 + ρ²n) = −2 ln α`, solved by Lambert's W (Waudby-Smith
    /// and others, "Time-uniform central limit theory", 2021). The first one is a step to it.
    Exact,
}

/// ρ of a mixture at level `1 − alpha` that is narrowest near `n` units.
pub fn rho(convention: Convention, alpha: f64, n: f64) -> f64 {
    /// Each step divides the error by `1 + ρ²n`, 4 or more for any α that is used.
    const STEPS: u32 = 100;
    let twice = -2.0 * alpha.ln();
    let squared = match convention {
        Convention::GrowthBook => twice + twice.ln_1p(),
        Convention::TensorZero => twice + twice.ln() + 1.0,
        Convention::Exact => (0..STEPS).fold(twice, |solution, _| twice + solution.ln_1p()),
    };
    (squared / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_one_solves_its_equation_and_the_others_are_near_it() {
        let exact = rho(Convention::Exact, 0.05, 100.0);
        let grown = 100.0 * exact * exact;
        assert!((grown - grown.ln_1p() + 2.0 * 0.05_f64.ln()).abs() < 1e-12);
        for convention in [Convention::GrowthBook, Convention::TensorZero] {
            assert!((rho(convention, 0.05, 100.0) / exact - 1.0).abs() < 0.05, "{convention:?}");
        }
    }
}

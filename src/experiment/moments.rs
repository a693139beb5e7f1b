//! Mean, spread and their common sum of a metric, one unit at a time.

/// Moments of one arm's units: values, and a second value beside each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Units.
    pub n: f64,
    /// Mean of the values.
    pub mean: f64,
    /// Mean of the second values.
    pub mean_beside: f64,
    /// Σ (value − mean)².
    spread: f64,
    /// Σ (beside − mean)².
    spread_beside: f64,
    /// Σ (value − mean)(beside − mean).
    common: f64,
}

impl Moments {
    /// Adds a unit (Welford, "Note on a method for calculating corrected sums of squares and
    /// products", 1962): sums of squares of money would lose their last digits.
    pub fn add(&mut self, value: f64, beside: f64) {
        self.n += 1.0;
        let (from, from_beside) = (value - self.mean, beside - self.mean_beside);
        self.mean += from / self.n;
        self.mean_beside += from_beside / self.n;
        self.spread += from * (value - self.mean);
        self.spread_beside += from_beside * (beside - self.mean_beside);
        self.common += from * (beside - self.mean_beside);
    }

    /// From sums as a warehouse has them: number, Σx, Σx², Σy, Σy², Σxy.
    pub fn of_sums(n: f64, x: f64, x_squared: f64, y: f64, y_squared: f64, product: f64) -> Self {
        Self {
            n,
            mean: x / n,
            mean_beside: y / n,
            spread: x_squared - x * x / n,
            spread_beside: y_squared - y * y / n,
            common: product - x * y / n,
        }
    }

    /// Both groups together.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let n = self.n + other.n;
        let (a, b) = (self.n / n, other.n / n);
        let (apart, apart_beside) = (other.mean - self.mean, other.mean_beside - self.mean_beside);
        let between = self.n * b;
        Self {
            n,
            mean: a * self.mean + b * other.mean,
            mean_beside: a * self.mean_beside + b * other.mean_beside,
            spread: self.spread + other.spread + between * apart * apart,
            spread_beside: self.spread_beside
                + other.spread_beside
                + between * apart_beside * apart_beside,
            common: self.common + other.common + between * apart * apart_beside,
        }
    }

    /// Variance of the values, n − 1 below; NaN below two units.
    pub fn variance(&self) -> f64 {
        self.spread / (self.n - 1.0)
    }

    /// Variance of the second values.
    pub fn variance_beside(&self) -> f64 {
        self.spread_beside / (self.n - 1.0)
    }

    /// Covariance of both.
    pub fn covariance(&self) -> f64 {
        self.common / (self.n - 1.0)
    }

    /// Variance of `weight` times the values less `slope` times the second ones.
    pub fn variance_less(&self, weight: f64, slope: f64) -> f64 {
        weight * weight * self.variance() - 2.0 * weight * slope * self.covariance()
            + slope * slope * self.variance_beside()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(rows: &[(f64, f64)]) -> Moments {
        let mut moments = Moments::default();
        for (value, beside) in rows {
            moments.add(*value, *beside);
        }
        moments
    }

    proptest! {
        #[test]
        fn one_by_one_joined_and_by_sums_give_the_same(
            rows in proptest::collection::vec((-50.0..50.0_f64, -50.0..50.0_f64), 4..40),
            cut in 2..3_usize,
        ) {
            let whole = of(&rows);
            let joined = of(&rows[..cut]).joined(&of(&rows[cut..]));
            let sum = |of: fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>();
            let by_sums = Moments::of_sums(
                rows.len() as f64,
                sum(|it| it.0),
                sum(|it| it.0 * it.0),
                sum(|it| it.1),
                sum(|it| it.1 * it.1),
                sum(|it| it.0 * it.1),
            );
            for other in [joined, by_sums] {
                let pairs = [
                    (whole.mean, other.mean),
                    (whole.variance(), other.variance()),
                    (whole.variance_beside(), other.variance_beside()),
                    (whole.covariance(), other.covariance()),
                ];
                for (a, b) in pairs {
                    prop_assert!((a - b).abs() < 1e-8, "{a} {b}");
                }
            }
        }
    }
}

//! A count out of a total, and how sure it is.

use std::fmt;

use serde::Serialize;

/// Quantile of the standard normal distribution: two-sided 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// A count out of a total with its 95 % interval (Wilson 1927).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// `count / of`; 0 of nothing.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    /// `count` out of `of`.
    pub fn new(count: u64, of: u64) -> Self {
        if of == 0 {
            return Self { count, of, share: 0.0, low: 0.0, high: 1.0 };
        }
        let (n, share) = (of as f64, count as f64 / of as f64);
        let squared = Z_95 * Z_95;
        let center = (share + squared / (2.0 * n)) / (1.0 + squared / n);
        let spread = (share * (1.0 - share) / n + squared / (4.0 * n * n)).sqrt();
        let half = Z_95 * spread / (1.0 + squared / n);
        Self { count, of, share, low: (center - half).max(0.0), high: (center + half).min(1.0) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [share, low, high] = [self.share, self.low, self.high].map(|part| 100.0 * part);
        f.pad(&format!("{share:>5.1} [{low:>5.1}, {high:>5.1}]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_interval_of_wilson() {
        // R: prop.test(8, 10, correct = FALSE)
        let share = Share::new(8, 10);
        assert!((share.low - 0.490_162_5).abs() < 1e-6 && (share.high - 0.943_317_8).abs() < 1e-6);
        assert_eq!((Share::new(0, 0).low, Share::new(0, 0).high), (0.0, 1.0));
        assert!(Share::new(0, 5).low.abs() < 1e-12);
    }
}

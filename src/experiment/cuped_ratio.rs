//! Ratios less what the same ratios before foretell of them.
//!
//! Money per order where rings are drawn, adjusted by the money per order that a ring had before
//! it was first exposed: two sums now and two before, and errors of all four together by the
//! delta method.

use crate::experiment::difference::{Difference, Spread};
use crate::experiment::refusal::{Answer, Refusal};
use crate::experiment::relative_delta::size_of;

/// Of a unit: numerator and denominator now, numerator and denominator before.
pub type Sums = [f64; 4];

/// Moments of the sums of one arm's units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RatioMoments {
    n: f64,
    means: Sums,
    /// Σ (one − its mean)(other − its mean).
    common: [Sums; 4],
}

impl RatioMoments {
    /// Adds a unit.
    pub fn add(&mut self, sums: &Sums) {
        self.n += 1.0;
        let from: Vec<f64> = sums.iter().zip(self.means).map(|(sum, mean)| sum - mean).collect();
        for (mean, from) in self.means.iter_mut().zip(&from) {
            *mean += from / self.n;
        }
        for (row, from) in self.common.iter_mut().zip(from) {
            for ((common, sum), mean) in row.iter_mut().zip(sums).zip(self.means) {
                *common += from * (sum - mean);
            }
        }
    }

    /// From what a warehouse has: number, Σ of each, and Σ of the products of each two.
    pub fn of_sums(n: f64, sums: &Sums, products: &[Sums; 4]) -> Self {
        let means = sums.map(|sum| sum / n);
        let common = std::array::from_fn(|row| {
            std::array::from_fn(|at| products[row][at] - sums[row] * sums[at] / n)
        });
        Self { n, means, common }
    }

    /// Ratio now.
    pub fn ratio(&self) -> f64 {
        self.means[0] / self.means[1]
    }

    /// Ratio before.
    pub fn ratio_before(&self) -> f64 {
        self.means[2] / self.means[3]
    }

    /// Variance of `weight` times the ratio now less `slope` times the one before, of one unit.
    fn variance_less(&self, weight: f64, slope: f64) -> f64 {
        let rise = |ratio, of: f64, by: f64| [of / by, -of * ratio / by];
        let [a, b] = rise(self.ratio(), weight, self.means[1]);
        let [c, d] = rise(self.ratio_before(), -slope, self.means[3]);
        self.along(&[a, b, c, d], &[a, b, c, d])
    }

    /// Covariance of the ratio now and the one before, and the variance of that.
    fn with_before(&self) -> (f64, f64) {
        let now = [1.0 / self.means[1], -self.ratio() / self.means[1], 0.0, 0.0];
        let before = [0.0, 0.0, 1.0 / self.means[3], -self.ratio_before() / self.means[3]];
        (self.along(&now, &before), self.along(&before, &before))
    }

    /// Covariance of two sums of the four.
    fn along(&self, one: &Sums, other: &Sums) -> f64 {
        let row = |row: &Sums| row.iter().zip(other).map(|(common, by)| common * by).sum::<f64>();
        let whole: f64 = self.common.iter().zip(one).map(|(common, by)| by * row(common)).sum();
        whole / (self.n - 1.0)
    }
}

/// By how much the ratio rises with the one before, in both arms.
///
/// # Errors
/// [`Refusal::TooFewUnits`] below two units in an arm, [`Refusal::BaselineNearZero`] where a
/// denominator is 0, [`Refusal::NoSpread`] where the ratios before have none.
pub fn slope(control: &RatioMoments, treatment: &RatioMoments) -> Answer<f64> {
    let arms = [control, treatment];
    if arms.iter().any(|arm| arm.n < 2.0) {
        return Err(vec![Refusal::TooFewUnits]);
    }
    if arms.iter().any(|arm| arm.means[1] * arm.means[3] == 0.0) {
        return Err(vec![Refusal::BaselineNearZero]);
    }
    let [(common, spread), (common_too, spread_too)] = arms.map(RatioMoments::with_before);
    if spread + spread_too <= 0.0 {
        return Err(vec![Refusal::NoSpread]);
    }
    Ok((common + common_too) / (spread + spread_too))
}

/// Treatment minus control, adjusted.
///
/// # Errors
/// As [`slope`] and [`Difference::new`].
pub fn difference(control: &RatioMoments, treatment: &RatioMoments) -> Answer<Difference> {
    let slope = slope(control, treatment)?;
    let value = |arm: &RatioMoments| arm.ratio() - slope * arm.ratio_before();
    let spread = |arm: &RatioMoments| Spread { n: arm.n, variance: arm.variance_less(1.0, slope) };
    Difference::of_spreads(value(treatment) - value(control), spread(control), spread(treatment))
}

/// The same over the size of the control's ratio as it is; see
/// [`relative_delta`](crate::experiment::relative_delta) for what it is good for.
///
/// # Errors
/// As [`difference`], and [`Refusal::BaselineNearZero`].
pub fn relative(control: &RatioMoments, treatment: &RatioMoments) -> Answer<Difference> {
    let absolute = difference(control, treatment)?;
    let slope = slope(control, treatment)?;
    let baseline = control.ratio();
    let size = size_of(baseline, control.variance_less(1.0, 0.0) / control.n)?;
    let multiple = 1.0 + absolute.effect / baseline;
    let variance = treatment.variance_less(1.0, slope) / treatment.n
        + control.variance_less(multiple, slope) / control.n;
    Ok(Difference {
        effect: absolute.effect / size,
        standard_error: variance.sqrt() / size,
        ..absolute
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::difference::Metric;
    use crate::experiment::moments::Moments;

    /// Rings of several orders whose money now is mostly that of before.
    fn rows(n: u32, more: f64) -> Vec<Sums> {
        let row = |at: u32| {
            let orders = f64::from(1 + at % 3);
            let before = f64::from(at * 7 % 11) * orders;
            [before + more * orders + f64::from(at % 4), orders, before, orders]
        };
        (0..n).map(row).collect()
    }

    fn of(rows: &[Sums]) -> RatioMoments {
        let mut moments = RatioMoments::default();
        for row in rows {
            moments.add(row);
        }
        moments
    }

    #[test]
    fn one_by_one_and_by_sums_give_the_same() {
        let rows = rows(40, 1.0);
        let sum = |of: &dyn Fn(&Sums) -> f64| rows.iter().map(of).sum::<f64>();
        let sums = std::array::from_fn(|at| sum(&|row| row[at]));
        let products =
            std::array::from_fn(|a| std::array::from_fn(|b| sum(&|row| row[a] * row[b])));
        let (found, expected) = (RatioMoments::of_sums(40.0, &sums, &products), of(&rows));
        for (found, expected) in found.common.iter().flatten().zip(expected.common.iter().flatten())
        {
            assert!((found - expected).abs() < 1e-8, "{found} is not {expected}");
        }
    }

    #[test]
    fn what_was_known_before_takes_doubt_away_and_an_effect_stays() {
        let (control, treatment) = (rows(300, 1.0), rows(310, 2.0));
        let adjusted = difference(&of(&control), &of(&treatment)).unwrap();
        let plain = [control, treatment].map(|rows| {
            let mut moments = Moments::default();
            for row in rows {
                moments.add(row[0], row[1]);
            }
            moments
        });
        let plain = Difference::new(Metric::Ratio, &plain[0], &plain[1]).unwrap();
        assert!(3.0 * adjusted.standard_error < plain.standard_error, "{adjusted:?} {plain:?}");
        assert!((adjusted.effect - 1.0).abs() < 0.05, "{adjusted:?}");
    }

    #[test]
    fn no_orders_and_no_money_before_are_refused() {
        let arm = of(&rows(10, 1.0));
        let none = of(&[[1.0, 0.0, 1.0, 1.0], [2.0, 0.0, 3.0, 1.0]]);
        assert_eq!(difference(&arm, &none), Err(vec![Refusal::BaselineNearZero]));
        let flat = of(&[[1.0, 1.0, 2.0, 1.0], [2.0, 1.0, 2.0, 1.0]]);
        assert_eq!(slope(&flat, &flat), Err(vec![Refusal::NoSpread]));
        assert_eq!(slope(&arm, &of(&[[1.0; 4]])), Err(vec![Refusal::TooFewUnits]));
    }
}

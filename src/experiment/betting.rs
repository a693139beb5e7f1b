//! Bets against a mean: the narrowest intervals that hold at every look.
//!
//! Whoever bets on values in [0, 1] against a wrong mean grows rich; against the true one nobody
//! does. The means that cost us no fortune make the interval.

use crate::experiment::distributions::BISECTIONS;

/// A bet on a value, before it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bet {
    /// How much is bet; above 0.
    pub(super) stake: f64,
    /// The value that is expected.
    pub(super) foretold: f64,
}

/// Bets on values in [0, 1], each by those before it (Waudby-Smith and Ramdas, "Estimating means
/// of bounded random variables by betting", 2024, equation 26).
pub(super) fn bets_on(values: &[f64], alpha: f64) -> impl Iterator<Item = Bet> {
    let doubt = (2.0 / alpha).ln();
    let (mut mean, mut variance) = (0.5, 0.25);
    let (mut sum, mut squares) = (0.5, 0.25);
    values.iter().zip(1_u32..).map(move |(value, t)| {
        let t = f64::from(t);
        let bet = Bet { stake: (2.0 * doubt / (variance * t * t.ln_1p())).sqrt(), foretold: mean };
        sum += value;
        mean = sum / (t + 1.0);
        squares += (value - mean) * (value - mean);
        variance = squares / (t + 1.0);
        bet
    })
}

/// Interval of a mean of values in [0, 1] that holds at every look: half the money is bet on a
/// higher mean, half on a lower one, at most half of what either could lose (the same, section
/// 4). `None` without values.
pub fn interval(values: &[f64], alpha: f64) -> Option<(f64, f64)> {
    let bets: Vec<(f64, f64)> =
        values.iter().copied().zip(bets_on(values, alpha).map(|bet| bet.stake)).collect();
    let is_refuted = |mean: f64| (1.0 / alpha).ln() <= ln_fortune(&bets, mean);
    let inside = values.iter().sum::<f64>() / values.len() as f64;
    let end = |edge: f64| {
        let (mut outside, mut inside) = (edge, inside);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(outside, inside);
            if is_refuted(middle) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        inside
    };
    (!values.is_empty()).then(|| (end(0.0), end(1.0)))
}

/// Logarithm of what the better of both halves has become, betting against a mean in (0, 1).
fn ln_fortune(bets: &[(f64, f64)], mean: f64) -> f64 {
    const RISKED_MAX: f64 = 0.5;
    let (mut up, mut down) = (0.0, 0.0);
    for (value, stake) in bets {
        up += (stake.min(RISKED_MAX / mean) * (value - mean)).ln_1p();
        down += (-stake.min(RISKED_MAX / (1.0 - mean)) * (value - mean)).ln_1p();
    }
    f64::max(up, down) - 2.0_f64.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sequence::bounded;

    #[test]
    fn the_interval_narrows_around_the_mean_and_is_narrower_than_that_of_bernstein() {
        let values: Vec<f64> = (0..400).map(|n| f64::from(n % 5) / 5.0).collect();
        let width = |(low, high): (f64, f64)| {
            assert!((0.0..=0.4).contains(&low) && (0.4..=1.0).contains(&high), "{low} {high}");
            high - low
        };
        let of = |n: usize| width(interval(&values[..n], 0.05).unwrap());
        assert!(of(400) < of(100) && of(100) < of(10));
        assert!(of(400) < width(bounded(&values, 0.05).unwrap()));
        assert_eq!(interval(&[], 0.05), None);
    }

    /// No outcome of the bets takes more than was there.
    #[test]
    fn a_fortune_against_the_true_mean_is_fair() {
        let mut mean = 0.0;
        for outcome in 0_u32..256 {
            let values: Vec<f64> = (0..8).map(|at| f64::from(outcome >> at & 1)).collect();
            let bets: Vec<(f64, f64)> =
                values.iter().copied().zip(bets_on(&values, 0.05).map(|it| it.stake)).collect();
            mean += ln_fortune(&bets, 0.5).exp() / 256.0;
        }
        assert!(0.5 < mean && mean <= 1.0, "{mean}");
    }
}

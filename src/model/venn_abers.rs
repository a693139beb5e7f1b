//! Venn-Abers: two calibrated probabilities, one of which is right.
//!
//! Inductive Venn-Abers prediction (Vovk, Petej, Fedorova 2015): isotonic
//! regression is fitted on the held-out rows with the new order added once as a
//! negative and once as a positive. The two fits give `p0` and `p1`; one of them
//! is perfectly calibrated whatever the scores are worth, as long as new orders
//! come from where the held-out ones came from. Both are step functions of the
//! score, so all fits are made in advance and a look-up is a binary search.

use serde::{Deserialize, Serialize};

use crate::model::calibration::{log_odds, sigmoid};

/// Steps are rounded outwards to multiples of one over this, log-odds: the interval
/// grows by at most 1.6 % of an odds ratio on either side and the table stays short.
const STEPS_PER_LOG_ODDS: f64 = 64.0;

/// Both probabilities of every score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VennAbers {
    /// `p0`: the value of the last step at or below a score; 0 below the first.
    lower: Steps,
    /// `p1`: the value of the first step at or above a score; 1 above the last.
    upper: Steps,
}

/// A rising step function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    /// Ascending raw scores.
    raw: Vec<f32>,
    /// Ascending probabilities, as many.
    probability: Vec<f64>,
}

/// Held-out rows of one score.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tie {
    raw: f64,
    n: f64,
    n_positive: f64,
}

type Point = [f64; 2];

impl VennAbers {
    /// Fits the tables on held-out rows: raw score, and whether it was positive.
    pub fn fit(rows: &[(f64, bool)]) -> Self {
        let ties = ties(rows);
        let uppers = values_if_positive(&ties);
        // A negative is a positive seen in the mirror: scores and labels turned round.
        let mirror = |tie: &Tie| Tie { raw: -tie.raw, n_positive: tie.n - tie.n_positive, ..*tie };
        let mirrored: Vec<Tie> = ties.iter().rev().map(mirror).collect();
        let mut lowers = values_if_positive(&mirrored);
        lowers.reverse();
        let (mut lower, mut upper) = (Steps::default(), Steps::default());
        for (tie, value) in ties.iter().zip(lowers) {
            let probability = rounded_down(1.0 - value);
            if lower.probability.last().is_none_or(|last| *last < probability) {
                lower.push(not_below(tie.raw), probability);
            }
        }
        for (tie, value) in ties.iter().zip(uppers) {
            let probability = rounded_up(value);
            if upper.probability.last().is_some_and(|last| probability <= *last) {
                upper.pop();
            }
            upper.push(not_above(tie.raw), probability);
        }
        Self { lower, upper }
    }

    /// `[p0, p1]` of a raw score.
    pub fn interval(&self, raw: f64) -> (f64, f64) {
        let below = self.lower.raw.partition_point(|&step| f64::from(step) <= raw);
        let low = below.checked_sub(1).and_then(|last| self.lower.probability.get(last));
        let above = self.upper.raw.partition_point(|&step| f64::from(step) < raw);
        let high = self.upper.probability.get(above);
        (low.copied().unwrap_or(0.0), high.copied().unwrap_or(1.0))
    }

    /// Steps stored, of both tables.
    pub fn n_steps(&self) -> usize {
        self.lower.raw.len() + self.upper.raw.len()
    }
}

impl Steps {
    fn push(&mut self, raw: f32, probability: f64) {
        self.raw.push(raw);
        self.probability.push(probability);
    }

    fn pop(&mut self) {
        self.raw.pop();
        self.probability.pop();
    }
}

fn ties(rows: &[(f64, bool)]) -> Vec<Tie> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ties: Vec<Tie> = Vec::new();
    for (raw, is_positive) in sorted {
        let n_positive = f64::from(u8::from(is_positive));
        match ties.last_mut() {
            Some(tie) if raw <= tie.raw => {
                tie.n += 1.0;
                tie.n_positive += n_positive;
            }
            _ => ties.push(Tie { raw, n: 1.0, n_positive }),
        }
    }
    ties
}

/// For every position among the ties, the isotonic fit at a positive added there.
///
/// Algorithms 1 to 3 of Vovk, Petej, Fedorova (2015): the added row is a segment of
/// slope 1 in the cumulative diagram; it moves right past one tie after the other,
/// and the corners of the greatest convex minorant are kept on a stack. Linear time.
fn values_if_positive(ties: &[Tie]) -> Vec<f64> {
    // The added row, then the origin, then one point per tie.
    let mut points: Vec<Point> = vec![[-1.0, -1.0], [0.0, 0.0]];
    let (mut n, mut n_positive) = (0.0, 0.0);
    for tie in ties {
        n += tie.n;
        n_positive += tie.n_positive;
        points.push([n, n_positive]);
    }
    let mut corners: Vec<Point> = points[..2].to_vec();
    for &point in &points[2..] {
        while let [.., before, last] = corners.as_slice()
            && !turns_left(*before, *last, point)
        {
            corners.pop();
        }
        corners.push(point);
    }
    corners.reverse();
    let mut values = Vec::with_capacity(ties.len());
    for at in 2..points.len() {
        let [.., second, first] = corners.as_slice() else { break };
        let (first, second) = (*first, *second);
        values.push((second[1] - first[1]) / (second[0] - first[0]));
        let (before, this, after) = (points[at - 2], points[at - 1], points[at]);
        let moved = [before[0] + after[0] - this[0], before[1] + after[1] - this[1]];
        points[at - 1] = moved;
        if 0.0 <= side(first, second, moved) {
            continue;
        }
        corners.pop();
        while let [.., second, first] = corners.as_slice()
            && !turns_left(moved, *first, *second)
        {
            corners.pop();
        }
        corners.push(moved);
    }
    values
}

/// Positive when `point` is left of (above) the line from `a` to `b`.
fn side(a: Point, b: Point, point: Point) -> f64 {
    (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
}

fn turns_left(a: Point, b: Point, c: Point) -> bool {
    0.0 < side(a, b, c)
}

fn rounded_down(probability: f64) -> f64 {
    if probability <= 0.0 {
        return 0.0;
    }
    sigmoid((log_odds(probability) * STEPS_PER_LOG_ODDS).floor() / STEPS_PER_LOG_ODDS)
        .min(probability)
}

fn rounded_up(probability: f64) -> f64 {
    if 1.0 <= probability {
        return 1.0;
    }
    sigmoid((log_odds(probability) * STEPS_PER_LOG_ODDS).ceil() / STEPS_PER_LOG_ODDS)
        .max(probability)
}

/// The nearest `f32` at or above.
fn not_below(raw: f64) -> f32 {
    let near = narrow(raw);
    if f64::from(near) < raw { near.next_up() } else { near }
}

/// The nearest `f32` at or below.
fn not_above(raw: f64) -> f32 {
    let near = narrow(raw);
    if raw < f64::from(near) { near.next_down() } else { near }
}

#[expect(clippy::cast_possible_truncation, reason = "callers correct the rounding")]
fn narrow(raw: f64) -> f32 {
    raw as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Isotonic regression by the min-max formula, at the position of `raw`.
    fn isotonic_at(rows: &[(f64, bool)], raw: f64) -> f64 {
        let mean = |low: f64, high: f64| {
            let inside: Vec<f64> = rows
                .iter()
                .filter(|row| low <= row.0 && row.0 <= high)
                .map(|row| f64::from(u8::from(row.1)))
                .collect();
            inside.iter().sum::<f64>() / inside.len() as f64
        };
        let lows = rows.iter().map(|row| row.0).filter(|low| *low <= raw);
        lows.map(|low| {
            let highs = rows.iter().map(|row| row.0).filter(|high| raw <= *high);
            highs.map(|high| mean(low, high)).fold(f64::INFINITY, f64::min)
        })
        .fold(f64::NEG_INFINITY, f64::max)
    }

    proptest! {
        #[test]
        fn both_ends_equal_a_fit_with_the_row_added(
            rows in prop::collection::vec((-4_i8..4, any::<bool>()), 1..14),
            at in -9_i8..9,
        ) {
            let rows: Vec<(f64, bool)> =
                rows.into_iter().map(|(raw, label)| (f64::from(raw), label)).collect();
            let raw = f64::from(at) / 2.0;
            let (low, high) = VennAbers::fit(&rows).interval(raw);
            for (ours, label) in [(low, false), (high, true)] {
                let mut with = rows.clone();
                with.push((raw, label));
                let exact = isotonic_at(&with, raw);
                prop_assert!((log_odds(ours) - log_odds(exact)).abs() < 1.1 / 64.0, "{ours} {exact}");
                let excess = if label { exact - ours } else { ours - exact };
                prop_assert!(excess <= 1e-12, "{} beyond", excess);
            }
            prop_assert!(low < high);
        }
    }

    #[test]
    fn many_rows_take_few_steps_and_give_a_narrow_interval() {
        let rows: Vec<(f64, bool)> = (0_u32..40_000)
            .map(|i| (f64::from(i) / 1e4, i.wrapping_mul(0x9E37_79B9) >> 30 == 0))
            .collect();
        let table = VennAbers::fit(&rows);
        assert!(table.n_steps() < 400, "{}", table.n_steps());
        let (low, high) = table.interval(2.0);
        assert!(0.2 < low && high < 0.3 && high - low < 0.02, "{low} {high}");
    }

    #[test]
    fn without_held_out_rows_nothing_is_known() {
        assert_eq!(VennAbers::fit(&[]).interval(0.3), (0.0, 1.0));
    }
}

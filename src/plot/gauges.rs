//! Small pictures within a line or a table: money, a few bars.

use crate::plot::axis::Axis;
use crate::plot::svg::{Anchor, At, Caption, Reading, Svg, View};
use crate::plot::words::width;

const MONEY: (f64, f64) = (260.0, 46.0);
/// Free at both ends of the money's scale.
const MONEY_MARGIN: f64 = 8.0;
/// Letters are 11 pixels high; the mean is bold, and wider.
const MONEY_FONT: f64 = 12.5;
const SPARK: (f64, f64) = (120.0, 28.0);

/// A value as it is drawn, and as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure<'a> {
    /// Where it lies.
    pub value: f64,
    /// How it is written.
    pub text: &'a str,
}

/// An amount of money that is not known for certain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoneyInterval<'a> {
    /// One in ten lies below.
    pub p10: Figure<'a>,
    /// On average.
    pub mean: Figure<'a>,
    /// One in ten lies above.
    pub p90: Figure<'a>,
}

/// A bar from p10 to p90 with a tick at the mean; what lies below zero is a loss. Intervals that
/// are drawn on the same scale, `(lowest, highest)`, can be compared; the scale holds zero.
pub fn money_interval(caption: Caption<'_>, money: MoneyInterval<'_>, scale: (f64, f64)) -> String {
    let view = View::sized(MONEY.0, MONEY.1);
    let mut svg = Svg::inline(caption, "money", Reading::Whole, view);
    let axis = Axis::linear("", scale.0.min(0.0), scale.1.max(0.0));
    let x = |value: f64| MONEY_MARGIN + axis.share(value) * (MONEY.0 - 2.0 * MONEY_MARGIN);
    let (upper, lower) = (17.0, 29.0);
    let middle = 0.5 * (upper + lower);
    svg.line("grid", At { x: x(axis.min), y: middle }, At { x: x(axis.max), y: middle });
    for (class, low, high) in [
        ("loss", money.p10.value.min(0.0), money.p90.value.min(0.0)),
        ("gain", money.p10.value.max(0.0), money.p90.value.max(0.0)),
    ] {
        if low < high {
            svg.rect(class, At { x: x(low), y: upper }, At { x: x(high), y: lower });
        }
    }
    svg.line("zero", At { x: x(0.0), y: upper - 4.0 }, At { x: x(0.0), y: lower + 4.0 });
    let mean = x(money.mean.value);
    svg.line("mean", At { x: mean, y: upper - 3.0 }, At { x: mean, y: lower + 3.0 });
    // The mean is written above its tick, as far as the picture reaches.
    let half = 0.5 * width(money.mean.text, MONEY_FONT);
    let above = mean.clamp(half, (MONEY.0 - half).max(half));
    svg.text(At { x: above, y: 10.0 }, Anchor::Middle, "strong", money.mean.text);
    svg.text(At { x: 0.0, y: MONEY.1 - 3.0 }, Anchor::Start, "muted", money.p10.text);
    svg.text(At { x: MONEY.0, y: MONEY.1 - 3.0 }, Anchor::End, "muted", money.p90.text);
    svg.finish()
}

/// Bars from zero, up and down, as wide as there is room; the last one is the newest.
pub fn sparkline(caption: Caption<'_>, values: &[f64]) -> String {
    let view = View::sized(SPARK.0, SPARK.1);
    let mut svg = Svg::inline(caption, "sparkline", Reading::Whole, view);
    let low = values.iter().copied().fold(0.0, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    let axis = Axis::linear("", low, high);
    let y = |value: f64| 1.0 + (1.0 - axis.share(value)) * (SPARK.1 - 2.0);
    let pace = SPARK.0 / values.len().max(1) as f64;
    for (at, value) in values.iter().enumerate() {
        let newest = if at + 1 == values.len() { " newest" } else { "" };
        let below = if *value < 0.0 { " below" } else { "" };
        let left = at as f64 * pace;
        let corner = At { x: left + 0.1 * pace, y: y(0.0) };
        let other = At { x: left + 0.9 * pace, y: y(*value) };
        svg.rect(&format!("beam{below}{newest}"), corner, other);
    }
    svg.line("axis", At { x: 0.0, y: y(0.0) }, At { x: SPARK.0, y: y(0.0) });
    svg.finish()
}

#[cfg(test)]
#[path = "gauges_tests.rs"]
mod tests;

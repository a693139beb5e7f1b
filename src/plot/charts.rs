//! The pictures of cards and reports.

use crate::plot::axis::Axis;
use crate::plot::frame::Frame;
use crate::plot::svg::{Anchor, At, Caption};

/// Most bars of a bar chart.
const BARS_MAX: usize = 15;
/// Points of a curve that are kept; more cannot be told apart.
const CURVE_POINTS_MAX: usize = 400;
/// Letters of a name beside a bar; the rest is cut.
const NAME_CHARS_MAX: usize = 40;
/// Predictions further apart than this quotient are drawn on logarithmic axes.
const QUOTIENT_LOGARITHMIC: f64 = 30.0;
/// Room for the names of bars.
const NAMES_WIDTH: f64 = 300.0;

/// Orders with predictions next to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityPoint {
    /// Mean prediction.
    pub predicted: f64,
    /// Share of positives, or mean value.
    pub observed: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// Words of a reliability picture.
#[derive(Clone, Copy, Debug)]
pub struct ReliabilityLabels<'a> {
    /// Below the horizontal axis.
    pub x: &'a str,
    /// Beside the vertical axis.
    pub y: &'a str,
    /// What the diagonal means.
    pub note: &'a str,
}

/// Predicted against observed; on the diagonal, predictions are right on average.
/// Predictions that are all above 0 and far apart get logarithmic axes, where an
/// observed 0 lies on the edge.
pub fn reliability(title: &str, unit: &str, points: &[ReliabilityPoint]) -> String {
    let (x, y) = (format!("mean prediction ({unit})"), format!("observed, 90 % interval ({unit})"));
    let labels = ReliabilityLabels { x: &x, y: &y, note: "dashed: right on average" };
    let (x, y) = reliability_axes(labels, points);
    let ends = (x.min, x.max);
    with_points(Frame::new(title, x, y), labels, ends, points)
}

/// The same inside a page, see [`crate::plot::svg::Svg::inline`].
pub fn inline_reliability(
    caption: Caption<'_>,
    labels: ReliabilityLabels<'_>,
    points: &[ReliabilityPoint],
) -> String {
    let (x, y) = reliability_axes(labels, points);
    let ends = (x.min, x.max);
    with_points(Frame::inside(caption, x, y), labels, ends, points)
}

fn reliability_axes(labels: ReliabilityLabels<'_>, points: &[ReliabilityPoint]) -> (Axis, Axis) {
    let lowest = |value: fn(&ReliabilityPoint) -> f64| {
        points.iter().map(value).fold(f64::INFINITY, f64::min)
    };
    let max = points.iter().map(|point| point.predicted.max(point.high)).fold(0.0, f64::max);
    let min_predicted = lowest(|point| point.predicted);
    let axis = |label: &str| {
        if 0.0 < min_predicted && min_predicted < max / QUOTIENT_LOGARITHMIC {
            return Axis::logarithmic(label, min_predicted, max);
        }
        let min = min_predicted.min(lowest(|point| point.low)).min(0.0);
        Axis::linear(label, min, max)
    };
    (axis(labels.x), axis(labels.y))
}

fn with_points(
    mut frame: Frame,
    labels: ReliabilityLabels<'_>,
    ends: (f64, f64),
    points: &[ReliabilityPoint],
) -> String {
    frame.svg.line("ideal", frame.at(ends.0, ends.0), frame.at(ends.1, ends.1));
    frame.note(labels.note);
    for point in points {
        let (low, high) =
            (frame.at(point.predicted, point.low), frame.at(point.predicted, point.high));
        frame.svg.line("one whisker", low, high);
        frame.svg.dot("one", frame.at(point.predicted, point.observed));
    }
    frame.svg.finish()
}

/// Precision at each recall, beside the share of positives that chance would give.
pub fn precision_recall(title: &str, curve: &[(f64, f64)], base_rate: f64) -> String {
    let x = Axis::linear("recall (share of bad orders found)", 0.0, 1.0);
    let y = Axis::linear("precision (share of found orders that are bad)", 0.0, 1.0);
    let mut frame = Frame::new(title, x, y);
    frame.svg.line("ideal", frame.at(0.0, base_rate), frame.at(1.0, base_rate));
    frame.note("dashed: found by chance");
    let stride = curve.len().div_ceil(CURVE_POINTS_MAX).max(1);
    let last = curve.len().saturating_sub(1);
    let kept = curve.iter().enumerate().filter(|(at, _)| at % stride == 0 || *at == last);
    let places: Vec<At> =
        kept.map(|(_, (recall, precision))| frame.at(*recall, *precision)).collect();
    frame.svg.path("one curve", &places);
    frame.svg.finish()
}

/// Named bars, longest first as given; at most fifteen.
pub fn bars(title: &str, label: &str, bars: &[(String, f64)]) -> String {
    let shown = &bars[..bars.len().min(BARS_MAX)];
    let max = shown.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let n = shown.len().max(1) as f64;
    let (x, y) = (Axis::linear(label, 0.0, max), Axis::linear("", 0.0, n));
    let mut frame = Frame::bare(title, x, y, NAMES_WIDTH);
    for (at, (name, value)) in shown.iter().enumerate() {
        let middle = n - at as f64 - 0.5;
        frame.svg.rect("one bar", frame.at(0.0, middle - 0.35), frame.at(*value, middle + 0.35));
        let place = frame.at(0.0, middle);
        let place = At { x: place.x - 8.0, y: place.y + 4.0 };
        frame.svg.text(place, Anchor::End, "", &cut(name));
    }
    frame.svg.finish()
}

/// One group of a distribution: its name and the share of its orders per bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Name in the legend.
    pub name: String,
    /// Share of the group's orders per bin.
    pub shares: Vec<f64>,
}

/// Up to two distributions over the same bins between `min` and `max`.
pub fn distributions(
    title: &str,
    label: &str,
    (min, max): (f64, f64),
    groups: &[Distribution],
) -> String {
    let highest = groups.iter().flat_map(|group| &group.shares).copied().fold(0.0, f64::max);
    let x = Axis::linear(label, min, max);
    let y = Axis::linear("share of the group's orders per bin", 0.0, highest);
    let mut frame = Frame::new(title, x, y);
    let classes = ["one area", "two area"];
    for (class, group) in classes.iter().zip(groups) {
        let width = (max - min) / group.shares.len().max(1) as f64;
        let mut places = vec![frame.at(min, 0.0)];
        for (at, &share) in group.shares.iter().enumerate() {
            let left = min + at as f64 * width;
            places.extend([frame.at(left, share), frame.at(left + width, share)]);
        }
        places.push(frame.at(max, 0.0));
        frame.svg.path(class, &places);
    }
    let names = groups.iter().map(|group| &*group.name);
    frame.legend(&classes.into_iter().zip(names).collect::<Vec<_>>());
    frame.svg.finish()
}

fn cut(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_whole_and_names_both_axes() {
        let point = ReliabilityPoint { predicted: 0.1, observed: 0.12, low: 0.1, high: 0.15 };
        let group = |name: &str| Distribution { name: name.into(), shares: vec![0.25, 0.75] };
        let curve: Vec<(f64, f64)> = (0..5_000).map(|i| (f64::from(i) / 5e3, 0.5)).collect();
        for (picture, labels) in [
            (reliability("t", "probability", &[point]), ["mean prediction", "observed, 90 %"]),
            (precision_recall("t", &curve, 0.1), ["recall (", "precision ("]),
            (bars("t", "log-odds", &[("x".repeat(99), 1.0)]), ["log-odds", "xxx…"]),
            (
                distributions("t", "log-odds", (-1.0, 1.0), &[group("good"), group("bad")]),
                ["log-odds", "share of"],
            ),
        ] {
            assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
            assert!(labels.iter().all(|label| picture.contains(label)), "{picture}");
            assert!(!picture.contains("NaN") && picture.len() < 20_000);
        }
    }

    #[test]
    fn nothing_to_show_is_an_empty_chart() {
        for picture in
            [reliability("t", "u", &[]), precision_recall("t", &[], 0.0), bars("t", "u", &[])]
        {
            assert!(picture.ends_with("</svg>\n") && !picture.contains("NaN"));
        }
    }
}

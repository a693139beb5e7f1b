//! Pictures of what is looked at again and again: an effect, counts that grow.

use crate::plot::axis::Axis;
use crate::plot::frame::{Frame, HEIGHT, WIDTH};
use crate::plot::svg::{At, Caption, Svg};

/// An estimate with its interval at a place of the horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectPoint {
    /// Where.
    pub x: f64,
    /// The estimate.
    pub estimate: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// What a picture and its axes are called.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// The picture.
    pub title: &'a str,
    /// What is on the horizontal axis.
    pub x: &'a str,
    /// What is on the vertical axis.
    pub y: &'a str,
    /// A remark at the right of the title.
    pub note: &'a str,
}

/// An effect and its intervals, look by look; nothing lies on the dashed line. An interval that
/// is far wider than the last one ends at the edge.
pub fn effect(labels: Labels<'_>, x_max: f64, points: &[EffectPoint]) -> String {
    drawn_effect(labels, x_max, points, |x, y| Frame::new(labels.title, x, y))
}

/// The same inside a page: its element id, and what is to be seen, in words.
pub fn effect_inside(
    (id, desc): (&str, &str),
    labels: Labels<'_>,
    x_max: f64,
    points: &[EffectPoint],
) -> String {
    let caption = Caption { id, title: labels.title, desc };
    drawn_effect(labels, x_max, points, |x, y| Frame::inside(caption, x, y))
}

fn drawn_effect(
    labels: Labels<'_>,
    x_max: f64,
    points: &[EffectPoint],
    frame: impl FnOnce(Axis, Axis) -> Frame,
) -> String {
    let (low, high) = range(points);
    let x = Axis::linear(labels.x, 0.0, x_max);
    let mut frame = frame(x, Axis::linear(labels.y, low, high));
    frame.note(labels.note);
    let upper = points.iter().map(|point| frame.at(point.x, point.high));
    let lower = points.iter().rev().map(|point| frame.at(point.x, point.low));
    let band: Vec<At> = upper.chain(lower).collect();
    let middle: Vec<At> = points.iter().map(|it| frame.at(it.x, it.estimate)).collect();
    frame.svg.path("one area", &band);
    let zero = (frame.at(0.0, 0.0), frame.at(x_max, 0.0));
    frame.svg.line("ideal", zero.0, zero.1);
    frame.svg.path("one curve", &middle);
    if let Some(last) = middle.last() {
        frame.svg.dot("one", *last);
    }
    frame.svg.finish()
}

/// Counts of two groups that grow, look by look: `(x, first, second)`.
pub fn counts(
    labels: Labels<'_>,
    x_max: f64,
    names: [&str; 2],
    points: &[(f64, f64, f64)],
) -> String {
    drawn_counts(labels, x_max, (names, points), |x, y| Frame::new(labels.title, x, y))
}

/// The same inside a page: its element id, and what is to be seen, in words.
pub fn counts_inside(
    (id, desc): (&str, &str),
    labels: Labels<'_>,
    x_max: f64,
    names: [&str; 2],
    points: &[(f64, f64, f64)],
) -> String {
    let caption = Caption { id, title: labels.title, desc };
    drawn_counts(labels, x_max, (names, points), |x, y| Frame::inside(caption, x, y))
}

fn drawn_counts(
    labels: Labels<'_>,
    x_max: f64,
    (names, points): ([&str; 2], &[(f64, f64, f64)]),
    frame: impl FnOnce(Axis, Axis) -> Frame,
) -> String {
    let highest = points.iter().map(|point| point.1.max(point.2)).fold(1.0, f64::max);
    let x = Axis::linear(labels.x, 0.0, x_max);
    let mut frame = frame(x, Axis::linear(labels.y, 0.0, highest));
    let first: Vec<At> = points.iter().map(|point| frame.at(point.0, point.1)).collect();
    let second: Vec<At> = points.iter().map(|point| frame.at(point.0, point.2)).collect();
    frame.svg.path("two curve", &first);
    frame.svg.path("one curve", &second);
    frame.legend(&[("two", names[0]), ("one", names[1])]);
    frame.svg.finish()
}

/// Pictures below each other, as one.
pub fn stacked(title: &str, pictures: &[String]) -> String {
    let mut svg = Svg::new(title, WIDTH, HEIGHT * pictures.len().max(1) as f64);
    for (at, picture) in pictures.iter().enumerate() {
        svg.inlay(picture, HEIGHT * at as f64);
    }
    svg.finish()
}

/// From the lowest to the highest end, as far as four widths of the last interval reach; the
/// first looks know next to nothing, and would hide all that comes later.
fn range(points: &[EffectPoint]) -> (f64, f64) {
    const WIDTHS: f64 = 4.0;
    let Some(last) = points.last() else { return (-1.0, 1.0) };
    let room = WIDTHS * (last.high - last.low);
    let lowest = points.iter().map(|point| point.low).fold(0.0, f64::min);
    let highest = points.iter().map(|point| point.high).fold(0.0, f64::max);
    (lowest.max(last.low.min(0.0) - room), highest.min(last.high.max(0.0) + room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::well_formed::faults;

    const LABELS: Labels<'_> = Labels { title: "t", x: "days", y: "money", note: "dashed: none" };

    fn points() -> Vec<EffectPoint> {
        let point = |n: u32| {
            let x = f64::from(n);
            EffectPoint { x, estimate: 5.0, low: 5.0 - 100.0 / x, high: 5.0 + 100.0 / x }
        };
        (1..=40).map(point).collect()
    }

    #[test]
    fn an_effect_keeps_to_the_scale_of_its_last_interval() {
        let (low, high) = range(&points());
        assert!((low + 20.0).abs() < 1e-9 && (high - 27.5).abs() < 1e-9, "{low} {high}");
        let picture = effect(LABELS, 40.0, &points());
        assert!(picture.contains("dashed: none") && !picture.contains("NaN"), "{picture}");
        assert_eq!(picture.matches("<polyline").count(), 2, "a band and a curve");
    }

    #[test]
    fn nothing_to_show_is_an_empty_chart() {
        for picture in [effect(LABELS, 0.0, &[]), counts(LABELS, 0.0, ["a", "b"], &[])] {
            assert!(picture.ends_with("</svg>\n") && !picture.contains("NaN"), "{picture}");
        }
    }

    #[test]
    fn a_picture_inside_a_page_is_the_same_without_a_style_of_its_own() {
        let inside = effect_inside(("e", "what is seen"), LABELS, 40.0, &points());
        let grown = [(1.0, 1.0, 2.0), (2.0, 4.0, 3.0)];
        let counted = counts_inside(("c", "so many"), LABELS, 2.0, ["对照组", "a"], &grown);
        for picture in [&inside, &counted] {
            assert_eq!(faults(picture), Vec::<String>::new(), "{picture}");
            assert!(!picture.contains("style") && picture.contains("class=\"plot chart\""));
        }
        let line = |text: &str| {
            text.lines().find(|it| it.starts_with("<polyline class=\"one curve")).map(str::to_owned)
        };
        assert!(line(&inside).is_some());
        assert_eq!(line(&inside), line(&effect(LABELS, 40.0, &points())));
    }

    #[test]
    fn pictures_below_each_other_are_whole() {
        let grown = counts(LABELS, 2.0, ["control", "arm"], &[(1.0, 1.0, 2.0), (2.0, 4.0, 3.0)]);
        let sheet = stacked("all", &[effect(LABELS, 40.0, &points()), grown]);
        assert_eq!(sheet.matches("<svg ").count(), sheet.matches("</svg>").count());
        assert!(sheet.contains("height=\"800\"") && sheet.contains("translate(0 400)"), "{sheet}");
    }
}

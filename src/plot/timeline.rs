//! What happened when: a score's history as steps, and events in lanes below.

use crate::plot::svg::{Anchor, At, Caption, Reading, Svg, View};
use crate::plot::time_axis::TimeAxis;
use crate::plot::words::{fitted, width};

const WIDTH: f64 = 860.0;
/// Left and right end of the axis; names of lanes stand before it.
const PLOT: (f64, f64) = (132.0, 836.0);
const FONT: f64 = 12.0;
/// Height of the score's history, and the room above it.
const SCORE: f64 = 120.0;
const TOP: f64 = 14.0;
/// Height of the times between history and lanes.
const TIMES: f64 = 44.0;
/// Height of a line of marks, and the room around a lane.
const LINE: f64 = 20.0;
const LANE_GAP: f64 = 8.0;
/// A lane has at most so many lines with labels; where none has room, the label is a tooltip.
const LINES_MAX: usize = 5;
const MARK: f64 = 5.0;
const LABEL_MAX: f64 = 170.0;

/// A score at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct ScorePoint {
    /// When, seconds since 1970.
    pub time_s: i64,
    /// Between 0 and 1; it holds until the next point.
    pub probability: f64,
    /// All that is to be said about it.
    pub title: String,
    /// More classes.
    pub class: String,
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// When, seconds since 1970.
    pub time_s: i64,
    /// Written beside its mark, where there is room.
    pub label: String,
    /// All that is to be said about it.
    pub title: String,
    /// More classes.
    pub class: String,
}

/// Events of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// What they have in common.
    pub label: String,
    /// The events, in any order.
    pub happenings: Vec<Happening>,
}

/// What a timeline shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Name of the score's axis.
    pub score_label: String,
    /// The score's history, in any order.
    pub scores: Vec<ScorePoint>,
    /// Events below it.
    pub lanes: Vec<Lane>,
}

/// A mark with the room that its label has.
#[derive(Clone, Debug, PartialEq)]
struct Spot<'a> {
    happening: &'a Happening,
    x: f64,
    line: usize,
    label: Option<(Anchor, String)>,
}

/// Scores above, times in the middle, lanes below.
pub fn timeline(caption: Caption<'_>, picture: &Timeline) -> String {
    let axis = axis(picture);
    let lanes: Vec<Vec<Spot<'_>>> =
        picture.lanes.iter().map(|lane| spots(&axis, &lane.happenings)).collect();
    let n_lines = |spots: &Vec<Spot<'_>>| spots.iter().map(|spot| spot.line + 1).max().unwrap_or(1);
    let heights: Vec<f64> =
        lanes.iter().map(|spots| LINE * n_lines(spots) as f64 + LANE_GAP).collect();
    let lanes_top = TOP + SCORE + TIMES;
    let height = lanes_top + heights.iter().sum::<f64>() + 4.0;
    let view = View::sized(WIDTH, height);
    let mut svg = Svg::inline(caption, "timeline", Reading::Whole, view);
    draw_scales(&mut svg, &axis, &picture.score_label, height);
    draw_history(&mut svg, &axis, &picture.scores);
    let mut top = lanes_top;
    for ((lane, spots), height) in picture.lanes.iter().zip(&lanes).zip(heights) {
        svg.line("rule", At { x: 0.0, y: top }, At { x: WIDTH, y: top });
        let name = fitted(&lane.label, PLOT.0 - 24.0, FONT);
        let at = At { x: 4.0, y: top + 0.5 * (LANE_GAP + LINE) + 4.0 };
        svg.text(at, Anchor::Start, "lane", &name);
        for spot in spots {
            draw_spot(&mut svg, top, spot);
        }
        top += height;
    }
    svg.finish()
}

fn axis(picture: &Timeline) -> TimeAxis {
    let of_lanes = picture.lanes.iter().flat_map(|lane| &lane.happenings).map(|it| it.time_s);
    let times = picture.scores.iter().map(|it| it.time_s).chain(of_lanes);
    let first = times.clone().min().unwrap_or(0);
    let last = times.max().unwrap_or(0);
    TimeAxis::new(first, last, PLOT.1 - PLOT.0)
}

fn x(axis: &TimeAxis, time_s: i64) -> f64 {
    PLOT.0 + axis.share(time_s) * (PLOT.1 - PLOT.0)
}

fn y(probability: f64) -> f64 {
    TOP + (1.0 - probability.clamp(0.0, 1.0)) * SCORE
}

fn draw_scales(svg: &mut Svg, axis: &TimeAxis, score_label: &str, height: f64) {
    for (value, text) in [(0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1")] {
        svg.line("grid", At { x: PLOT.0, y: y(value) }, At { x: PLOT.1, y: y(value) });
        svg.text(At { x: PLOT.0 - 10.0, y: y(value) + 4.0 }, Anchor::End, "tick", text);
    }
    let name = fitted(score_label, PLOT.0 - 52.0, FONT);
    svg.text(At { x: 4.0, y: y(0.5) + 4.0 }, Anchor::Start, "lane", &name);
    let bottom = TOP + SCORE;
    for tick in axis.ticks() {
        let x = PLOT.0 + tick.share * (PLOT.1 - PLOT.0);
        svg.line("grid", At { x, y: TOP }, At { x, y: bottom + 5.0 });
        svg.line("grid", At { x, y: bottom + TIMES }, At { x, y: height });
        svg.text(At { x, y: bottom + 19.0 }, Anchor::Middle, "tick", &tick.text);
        if let Some(below) = &tick.below {
            svg.text(At { x, y: bottom + 35.0 }, Anchor::Middle, "tick muted", below);
        }
    }
    svg.line("axis", At { x: PLOT.0, y: bottom }, At { x: PLOT.1, y: bottom });
}

/// A score holds until the next one: steps, never slopes.
fn draw_history(svg: &mut Svg, axis: &TimeAxis, scores: &[ScorePoint]) {
    let mut sorted: Vec<&ScorePoint> = scores.iter().collect();
    sorted.sort_by_key(|point| point.time_s);
    let mut places: Vec<At> = Vec::new();
    for point in &sorted {
        let at = At { x: x(axis, point.time_s), y: y(point.probability) };
        places.extend(places.last().map(|before| At { x: at.x, ..*before }));
        places.push(at);
    }
    places.extend(places.last().map(|last| At { x: PLOT.1, ..*last }));
    if !places.is_empty() {
        svg.path("steps", &places);
    }
    for point in sorted {
        svg.open("g", &[("class", format!("point {}", point.class).trim_end())]);
        svg.worded("title", &[], &point.title);
        let (x, y) = (x(axis, point.time_s), y(point.probability));
        let place = |value: f64| format!("{value:.1}");
        svg.empty("circle", &[("cx", &place(x)), ("cy", &place(y)), ("r", "4")]);
        svg.close("g");
    }
}

/// Finds a line for each mark: the first whose last label ends before it.
fn spots<'a>(axis: &TimeAxis, happenings: &'a [Happening]) -> Vec<Spot<'a>> {
    let mut sorted: Vec<&Happening> = happenings.iter().collect();
    sorted.sort_by(|a, b| a.time_s.cmp(&b.time_s).then_with(|| a.label.cmp(&b.label)));
    let mut ends = [f64::NEG_INFINITY; LINES_MAX];
    let mut spots = Vec::new();
    for happening in sorted {
        let x = x(axis, happening.time_s);
        let text = fitted(&happening.label, LABEL_MAX, FONT);
        let room = 2.0 * MARK + width(&text, FONT);
        // At the right edge a label stands before its mark.
        let is_after = x + room <= WIDTH;
        let (anchor, from, to) = if is_after {
            (Anchor::Start, x - MARK, x + room)
        } else {
            (Anchor::End, x - room, x + MARK)
        };
        let free = |from: f64| ends.iter().position(|end| *end + 6.0 <= from);
        let (line, to, label) = match (free(from), free(x - MARK)) {
            (Some(line), _) => (line, to, Some((anchor, text))),
            (None, Some(line)) => (line, x + MARK, None),
            // One more line takes the marks that stand on top of each other.
            (None, None) => (LINES_MAX, x + MARK, None),
        };
        if let Some(end) = ends.get_mut(line) {
            *end = to;
        }
        spots.push(Spot { happening, x, line, label });
    }
    spots
}

fn draw_spot(svg: &mut Svg, top: f64, spot: &Spot<'_>) {
    let y = top + 0.5 * (LANE_GAP + LINE) + LINE * spot.line as f64;
    let class = format!("mark {}", spot.happening.class);
    svg.open("g", &[("class", class.trim_end())]);
    svg.worded("title", &[], &spot.happening.title);
    let place = |value: f64| format!("{value:.1}");
    let (x, radius) = (place(spot.x), place(MARK));
    svg.empty("circle", &[("cx", &x), ("cy", &place(y)), ("r", &radius)]);
    if let Some((anchor, text)) = &spot.label {
        let away = MARK + 4.0;
        let x = if *anchor == Anchor::Start { spot.x + away } else { spot.x - away };
        svg.text(At { x, y: y + 4.0 }, *anchor, "label", text);
    }
    svg.close("g");
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;

//! How a score came about: from the base, group by group, to the end.

use crate::plot::axis::Axis;
use crate::plot::svg::{Anchor, At, Caption, Reading, Svg, View};
use crate::plot::words::fitted;

const WIDTH: f64 = 1100.0;
const ROW: f64 = 24.0;
const BAR: f64 = 14.0;
/// Height of the axis below the rows.
const AXIS: f64 = 44.0;
/// Where labels begin, and how wide they may be.
const LABEL: (f64, f64) = (24.0, 372.0);
/// Where values of features begin, and how wide they may be.
const VALUE: (f64, f64) = (404.0, 112.0);
/// Left and right end of the axis.
const PLOT: (f64, f64) = (528.0, 1024.0);
/// Where shifts end.
const SHIFT: f64 = WIDTH - 8.0;
const FONT: f64 = 12.0;

/// One step of the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Name of the feature; with the picture's id before it, the id of the bar.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// The value that it had.
    pub value: String,
    /// How far it moves the score.
    pub shift: f64,
    /// More classes.
    pub class: String,
    /// Where a click leads.
    pub href: Option<String>,
}

/// Steps about one theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it is about.
    pub title: String,
    /// Sum of all its shifts, of those that are not shown, too.
    pub total: f64,
    /// Its steps.
    pub bars: Vec<Bar>,
}

/// A named value: where the score starts, or where it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// What it is called.
    pub label: String,
    /// The value.
    pub value: f64,
}

/// What a waterfall shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Waterfall {
    /// Where the score starts.
    pub base: End,
    /// The steps, in any order.
    pub groups: Vec<Group>,
    /// Where the score ends.
    pub end: End,
    /// Unit of the axis.
    pub axis_label: String,
    /// Name of the row of all steps that are not shown.
    pub rest_label: String,
    /// Most bars that are shown, the largest of all groups.
    pub n_bars_max: usize,
    /// Decimals of shifts.
    pub n_decimals: usize,
}

/// A line of the picture; steps begin where the one before ended.
#[derive(Clone, Debug, PartialEq)]
enum Row<'a> {
    Base,
    Title(&'a Group),
    Step { bar: &'a Bar, from: f64 },
    Rest { from: f64, to: f64 },
    End,
}

/// Groups with the largest total first, in each the largest shifts first, then one row for
/// what is not shown, so that the steps always add up.
pub fn waterfall(caption: Caption<'_>, picture: &Waterfall) -> String {
    let rows = rows(picture);
    let bars = picture.groups.iter().flat_map(|group| &group.bars);
    let has_links = bars.clone().any(|bar| bar.href.is_some());
    let reading = if has_links { Reading::Parts } else { Reading::Whole };
    let height = ROW * rows.len() as f64 + AXIS;
    let mut sheet = Sheet {
        svg: Svg::inline(caption, "waterfall", reading, View::sized(WIDTH, height)),
        axis: axis(picture, &rows),
        id: caption.id,
        n_decimals: picture.n_decimals,
    };
    sheet.scale(height, picture);
    sheet.running_sum(&rows);
    for (at, row) in rows.iter().enumerate() {
        let top = ROW * at as f64;
        match row {
            Row::Base => sheet.end(top, "base", &picture.base),
            Row::Title(group) => sheet.title(top, group),
            Row::Step { bar, from } => sheet.step(top, bar, *from),
            Row::Rest { from, to } => sheet.rest(top, &picture.rest_label, (*from, *to)),
            Row::End => sheet.end(top, "score", &picture.end),
        }
    }
    sheet.svg.finish()
}

fn rows(picture: &Waterfall) -> Vec<Row<'_>> {
    let mut all: Vec<&Bar> = picture.groups.iter().flat_map(|group| &group.bars).collect();
    all.sort_by(|a, b| larger_first(a.shift, b.shift).then_with(|| a.id.cmp(&b.id)));
    let shown = &all[..all.len().min(picture.n_bars_max)];
    let mut groups: Vec<&Group> = picture.groups.iter().collect();
    groups.sort_by(|a, b| larger_first(a.total, b.total).then_with(|| a.title.cmp(&b.title)));
    let mut rows = vec![Row::Base];
    let mut sum = picture.base.value;
    for group in groups {
        let own = |bar: &&&Bar| group.bars.iter().any(|it| std::ptr::eq(it, **bar));
        let mut own = shown.iter().filter(own).peekable();
        if own.peek().is_some() {
            rows.push(Row::Title(group));
        }
        for bar in own {
            rows.push(Row::Step { bar, from: sum });
            sum += bar.shift;
        }
    }
    let is_rounding = (picture.end.value - sum).abs() < 0.5 * unit(picture.n_decimals);
    if shown.len() < all.len() || !is_rounding {
        rows.push(Row::Rest { from: sum, to: picture.end.value });
    }
    rows.push(Row::End);
    rows
}

fn larger_first(a: f64, b: f64) -> std::cmp::Ordering {
    b.abs().total_cmp(&a.abs())
}

/// The smallest shift that can be told from none.
fn unit(n_decimals: usize) -> f64 {
    10_f64.powi(-i32::try_from(n_decimals).unwrap_or(i32::MAX))
}

/// As far as the running sum goes, with some room at both ends.
fn axis(picture: &Waterfall, rows: &[Row<'_>]) -> Axis {
    let sums = rows.iter().map(|row| match row {
        Row::Step { bar, from } => from + bar.shift,
        Row::Base | Row::Title(_) => picture.base.value,
        Row::Rest { .. } | Row::End => picture.end.value,
    });
    let low = sums.clone().fold(f64::INFINITY, f64::min);
    let high = sums.fold(f64::NEG_INFINITY, f64::max);
    let room = 0.04 * (high - low);
    Axis::linear(&picture.axis_label, low - room, high + room)
}

/// The picture in the making.
struct Sheet<'a> {
    svg: Svg,
    axis: Axis,
    id: &'a str,
    n_decimals: usize,
}

impl Sheet<'_> {
    fn x(&self, value: f64) -> f64 {
        PLOT.0 + self.axis.share(value) * (PLOT.1 - PLOT.0)
    }

    fn scale(&mut self, height: f64, picture: &Waterfall) {
        let bottom = height - AXIS;
        for (value, text) in self.axis.ticks() {
            let x = self.x(value);
            self.svg.line("grid", At { x, y: ROW }, At { x, y: bottom });
            self.svg.text(
                At { x, y: bottom + 16.0 },
                Anchor::Middle,
                "tick",
                &text.replace('-', "−"),
            );
        }
        self.svg.line("axis", At { x: PLOT.0, y: bottom }, At { x: PLOT.1, y: bottom });
        let below = At { x: 0.5 * (PLOT.0 + PLOT.1), y: height - 8.0 };
        let label = self.axis.label.clone();
        self.svg.text(below, Anchor::Middle, "muted", &label);
        let x = self.x(picture.base.value);
        self.svg.line("ideal", At { x, y: 0.5 * ROW }, At { x, y: bottom });
    }

    /// Joins the end of each step with the start of the next.
    fn running_sum(&mut self, rows: &[Row<'_>]) {
        let (mut value, mut top) = (None, 0.0);
        for (at, row) in rows.iter().enumerate() {
            let (from, to) = match row {
                Row::Step { bar, from } => (*from, from + bar.shift),
                Row::Rest { from, to } => (*from, *to),
                Row::End => (value.unwrap_or(0.0), 0.0),
                Row::Base | Row::Title(_) => continue,
            };
            let (x, y) = (self.x(from), ROW * at as f64 + 0.5 * (ROW - BAR));
            if value.is_some() {
                self.svg.line("run", At { x, y: top }, At { x, y });
            }
            (value, top) = (Some(to), y + BAR);
        }
    }

    fn end(&mut self, top: f64, class: &str, end: &End) {
        let middle = At { x: self.x(end.value), y: top + 0.5 * ROW };
        self.svg.open("g", &[("class", &format!("end {class}"))]);
        let label = fitted(&end.label, VALUE.0 + VALUE.1 - 8.0, FONT);
        self.svg.text(At { x: 8.0, y: middle.y + 4.0 }, Anchor::Start, "strong", &label);
        let value = self.plain(end.value);
        self.svg.text(At { x: SHIFT, y: middle.y + 4.0 }, Anchor::End, "strong number", &value);
        let (upper, lower) = (At { y: top + 4.0, ..middle }, At { y: top + ROW - 4.0, ..middle });
        self.svg.line("mark", upper, lower);
        self.svg.dot("mark", middle);
        self.svg.close("g");
    }

    fn title(&mut self, top: f64, group: &Group) {
        let y = top + 0.5 * ROW + 5.0;
        self.svg.line("rule", At { x: 0.0, y: top }, At { x: WIDTH, y: top });
        let title = fitted(&group.title, VALUE.0 + VALUE.1 - 8.0, FONT);
        self.svg.text(At { x: 8.0, y }, Anchor::Start, "strong", &title);
        let total = self.signed(group.total);
        self.svg.text(At { x: SHIFT, y }, Anchor::End, "strong number", &total);
    }

    fn step(&mut self, top: f64, bar: &Bar, from: f64) {
        if let Some(href) = &bar.href {
            self.svg.open("a", &[("href", href)]);
        }
        let class = format!("bar {} {}", direction(bar.shift), bar.class);
        let id = format!("{}-{}", self.id, bar.id);
        let attributes = [("id", &*id), ("class", class.trim_end()), ("data-feature", &bar.id)];
        self.svg.open("g", &attributes);
        let shift = self.signed(bar.shift);
        self.svg.worded("title", &[], &format!("{} · {} · {shift}", bar.label, bar.value));
        // What is pointed at or has the focus is the whole row.
        self.svg.rect("row", At { x: 0.0, y: top }, At { x: WIDTH, y: top + ROW });
        let y = top + 0.5 * ROW + 4.0;
        let (label, value) = (fitted(&bar.label, LABEL.1, FONT), fitted(&bar.value, VALUE.1, FONT));
        self.svg.text(At { x: LABEL.0, y }, Anchor::Start, "label", &label);
        self.svg.text(At { x: VALUE.0, y }, Anchor::Start, "muted", &value);
        self.beam(top, (from, from + bar.shift));
        self.svg.text(At { x: SHIFT, y }, Anchor::End, "number", &shift);
        self.svg.close("g");
        if bar.href.is_some() {
            self.svg.close("a");
        }
    }

    fn rest(&mut self, top: f64, label: &str, (from, to): (f64, f64)) {
        let y = top + 0.5 * ROW + 4.0;
        self.svg.line("rule", At { x: 0.0, y: top }, At { x: WIDTH, y: top });
        self.svg.open("g", &[("class", &format!("bar rest {}", direction(to - from)))]);
        let label = fitted(label, VALUE.0 + VALUE.1 - LABEL.0, FONT);
        self.svg.text(At { x: LABEL.0, y }, Anchor::Start, "muted", &label);
        self.beam(top, (from, to));
        let shift = self.signed(to - from);
        self.svg.text(At { x: SHIFT, y }, Anchor::End, "number", &shift);
        self.svg.close("g");
    }

    /// From value to value; a shift too small to be seen is a hairline.
    fn beam(&mut self, top: f64, (from, to): (f64, f64)) {
        let (left, right) = (self.x(from.min(to)), self.x(from.max(to)));
        let upper = top + 0.5 * (ROW - BAR);
        let corner = At { x: right.max(left + 1.0), y: upper + BAR };
        self.svg.rect("beam", At { x: left, y: upper }, corner);
    }

    fn plain(&self, value: f64) -> String {
        // Rounded first, or a tiny negative value would be written as −0.
        let value = (value / unit(self.n_decimals)).round() * unit(self.n_decimals) + 0.0;
        format!("{value:.*}", self.n_decimals).replace('-', "−")
    }

    fn signed(&self, value: f64) -> String {
        let text = self.plain(value);
        if 0.5 * unit(self.n_decimals) <= value { format!("+{text}") } else { text }
    }
}

fn direction(shift: f64) -> &'static str {
    if shift < 0.0 { "lowers" } else { "raises" }
}

#[cfg(test)]
#[path = "waterfall_tests.rs"]
mod tests;

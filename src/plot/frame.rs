//! What every chart has: title, two axes with labels and ticks, a grid.

use crate::plot::axis::Axis;
use crate::plot::svg::{Anchor, At, Caption, Reading, Svg, View};
use crate::plot::words::width;

/// Width of every chart.
pub const WIDTH: f64 = 640.0;
/// Height of every chart.
pub const HEIGHT: f64 = 400.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 52.0;
/// Left margin of charts whose vertical axis shows numbers.
pub const LEFT: f64 = 68.0;
/// Height of letters inside pages.
const LETTER: f64 = 12.0;

/// A chart with its axes drawn.
#[derive(Debug)]
pub struct Frame {
    /// The picture; charts draw on it.
    pub svg: Svg,
    x: Axis,
    y: Axis,
    left: f64,
    sheet: Sheet,
}

/// Where a chart stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sheet {
    /// Alone, in a file.
    File,
    /// Inside a page.
    Page,
}

/// An entry of the legend: class of the mark, then text.
pub type LegendEntry<'a> = (&'a str, &'a str);

impl Frame {
    /// Draws title, axes and grid.
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self::bare(title, x, y, LEFT).ruled()
    }

    /// The same inside a page, which paints it.
    pub fn inside(caption: Caption<'_>, x: Axis, y: Axis) -> Self {
        let view = View::sized(WIDTH, HEIGHT);
        let svg = Svg::inline(caption, "chart", Reading::Whole, view);
        Self { svg, x, y, left: LEFT, sheet: Sheet::Page }.titled(caption.title).ruled()
    }

    /// With the vertical axis's ticks and label.
    fn ruled(self) -> Self {
        let mut frame = self;
        for (value, text) in frame.y.ticks() {
            let at = frame.at(frame.x.min, value);
            frame.svg.line("grid", at, frame.at(frame.x.max, value));
            let beside = At { x: at.x - 8.0, y: at.y + 4.0 };
            frame.svg.text(beside, Anchor::End, "", &text);
        }
        let label = frame.y.label.clone();
        frame.svg.text_upwards(At { x: 18.0, y: TOP + 0.5 * (HEIGHT - TOP - BOTTOM) }, &label);
        frame
    }

    /// Draws title and horizontal axis; the vertical one is up to the chart, which gets a
    /// margin of its own at the left.
    pub fn bare(title: &str, x: Axis, y: Axis, left: f64) -> Self {
        let svg = Svg::new(title, WIDTH, HEIGHT);
        Self { svg, x, y, left, sheet: Sheet::File }.titled(title)
    }

    /// With title and horizontal axis.
    fn titled(self, title: &str) -> Self {
        let mut frame = self;
        frame.svg.text(At { x: 16.0, y: 24.0 }, Anchor::Start, "title", title);
        for (value, text) in frame.x.ticks() {
            let at = frame.at(value, frame.y.min);
            frame.svg.line("grid", at, frame.at(value, frame.y.max));
            frame.svg.text(At { x: at.x, y: at.y + 18.0 }, Anchor::Middle, "", &text);
        }
        let origin = frame.at(frame.x.min, frame.y.min);
        frame.svg.line("axis", origin, frame.at(frame.x.max, frame.y.min));
        frame.svg.line("axis", origin, frame.at(frame.x.min, frame.y.max));
        let below = At { x: frame.left + 0.5 * (WIDTH - frame.left - RIGHT), y: HEIGHT - 12.0 };
        let label = frame.x.label.clone();
        frame.svg.text(below, Anchor::Middle, "", &label);
        frame
    }

    /// Where a pair of values lies.
    pub fn at(&self, x: f64, y: f64) -> At {
        At {
            x: self.left + self.x.share(x) * (WIDTH - self.left - RIGHT),
            y: HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM),
        }
    }

    /// A remark at the right of the title.
    pub fn note(&mut self, text: &str) {
        self.svg.text(At { x: WIDTH - RIGHT, y: 24.0 }, Anchor::End, "", text);
    }

    /// Names the marks, at the right of the title.
    pub fn legend(&mut self, entries: &[LegendEntry<'_>]) {
        let mut right = WIDTH - RIGHT;
        for (class, text) in entries.iter().rev() {
            self.svg.text(At { x: right, y: 24.0 }, Anchor::End, "", text);
            right -= 8.0
                + match self.sheet {
                    // A letter of this font is about seven pixels wide.
                    Sheet::File => 7.0 * text.chars().count() as f64,
                    Sheet::Page => width(text, LETTER),
                };
            let corner = At { x: right - 10.0, y: 14.0 };
            self.svg.rect(class, corner, At { x: right, y: 24.0 });
            right -= 26.0;
        }
    }
}

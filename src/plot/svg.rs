//! SVG elements as text, with one style for all pictures.

use std::fmt::Write;

/// Colors follow the reader's choice of a light or a dark page.
const STYLE: &str = "\
text{font:12px sans-serif;fill:#24292f}.title{font-size:14px;font-weight:600}\
.page{fill:#fff}.grid{stroke:#d0d7de;stroke-width:1}.axis{stroke:#57606a;stroke-width:1}\
.ideal{stroke:#57606a;stroke-width:1;stroke-dasharray:4 4}\
.one{fill:#0969da;stroke:#0969da}.two{fill:#cf5a00;stroke:#cf5a00}\
.curve{fill:none;stroke-width:2}.area{fill-opacity:.3;stroke-width:1.5}.whisker{stroke-width:1.5}.bar{stroke:none}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}\
.grid{stroke:#30363d}.axis{stroke:#8b949e}.ideal{stroke:#8b949e}\
.one{fill:#58a6ff;stroke:#58a6ff}.two{fill:#f0883e;stroke:#f0883e}}";

/// A place on the page, pixels from the top left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The first letter.
    Start,
    /// The middle.
    Middle,
    /// The last letter.
    End,
}

/// What a picture inside a page is called.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    /// Element id, unique in the page; ids within the picture begin with it.
    pub id: &'a str,
    /// The name, read first.
    pub title: &'a str,
    /// What is to be seen, in words.
    pub desc: &'a str,
}

/// How a screen reader goes through a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As one image; what it holds is not read.
    Whole,
    /// Element by element: an image may not hold links, they would be out of reach.
    Parts,
}

/// The part of the plane that a picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// The top left corner.
    pub corner: At,
    /// To the right.
    pub width: f64,
    /// Down.
    pub height: f64,
}

impl View {
    /// From the origin.
    pub fn sized(width: f64, height: f64) -> Self {
        Self { corner: At { x: 0.0, y: 0.0 }, width, height }
    }
}

/// Names and values of attributes; one with an empty value is left out.
pub type Attributes<'a> = &'a [(&'a str, &'a str)];

/// A picture that is being written.
#[derive(Debug)]
pub struct Svg {
    text: String,
}

impl Svg {
    /// An empty page with a title for screen readers.
    pub fn new(title: &str, width: f64, height: f64) -> Self {
        let mut svg = Self { text: String::new() };
        svg.push(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n<title>{}</title>\n\
             <style>{STYLE}</style>\n\
             <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>",
            escaped(title)
        ));
        svg
    }

    /// A picture inside a page: it scales, and the page's own style sheet paints it, since a
    /// strict content security policy allows no other.
    pub fn inline(caption: Caption<'_>, class: &str, reading: Reading, view: View) -> Self {
        let Caption { id, title, desc } = caption;
        let role = match reading {
            Reading::Whole => "img",
            Reading::Parts => "group",
        };
        let named = format!("{id}-title {id}-desc");
        let At { x, y } = view.corner;
        let shown = format!("{x:.1} {y:.1} {:.1} {:.1}", view.width, view.height);
        // Places are computed for letters of this size, whatever the page's are.
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("id", id),
            ("class", &format!("plot {class}")),
            ("role", role),
            ("aria-labelledby", &named),
            ("viewBox", &shown),
            ("font-size", "12"),
        ];
        let mut svg = Self::bare(&attributes);
        svg.worded("title", &[("id", &format!("{id}-title"))], title);
        svg.worded("desc", &[("id", &format!("{id}-desc"))], desc);
        svg
    }

    /// A picture with these attributes and nothing else.
    pub fn bare(attributes: Attributes<'_>) -> Self {
        let mut svg = Self { text: String::new() };
        svg.open("svg", attributes);
        svg
    }

    /// Opens an element; [`Svg::close`] ends it.
    pub fn open(&mut self, element: &str, attributes: Attributes<'_>) {
        self.push(&format!("<{element}{}>", written(attributes)));
    }

    /// Ends an element.
    pub fn close(&mut self, element: &str) {
        self.push(&format!("</{element}>"));
    }

    /// An element that holds nothing.
    pub fn empty(&mut self, element: &str, attributes: Attributes<'_>) {
        self.push(&format!("<{element}{}/>", written(attributes)));
    }

    /// An element that holds words.
    pub fn worded(&mut self, element: &str, attributes: Attributes<'_>, words: &str) {
        self.push(&format!("<{element}{}>{}</{element}>", written(attributes), escaped(words)));
    }

    /// A text.
    pub fn text(&mut self, at: At, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(&format!(
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            at.x,
            at.y,
            escaped(text)
        ));
    }

    /// A text that reads upwards.
    pub fn text_upwards(&mut self, at: At, text: &str) {
        self.push(&format!(
            "<text transform=\"translate({:.1} {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            at.x,
            at.y,
            escaped(text)
        ));
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, from: At, to: At) {
        self.push(&format!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.x, from.y, to.x, to.y
        ));
    }

    /// A line through many places; filled when its class says so.
    pub fn path(&mut self, class: &str, places: &[At]) {
        let mut points = String::new();
        for at in places {
            // Writing to a String cannot fail.
            let _: Result<(), std::fmt::Error> = write!(points, "{:.1},{:.1} ", at.x, at.y);
        }
        self.push(&format!("<polyline class=\"{class}\" points=\"{}\"/>", points.trim_end()));
    }

    /// A rectangle between two corners.
    pub fn rect(&mut self, class: &str, corner: At, other: At) {
        let (x, y) = (corner.x.min(other.x), corner.y.min(other.y));
        let (width, height) = ((corner.x - other.x).abs(), (corner.y - other.y).abs());
        self.push(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// A dot.
    pub fn dot(&mut self, class: &str, at: At) {
        self.push(&format!(
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
            at.x, at.y
        ));
    }

    /// Another finished picture, so many pixels further down.
    pub fn inlay(&mut self, picture: &str, down: f64) {
        self.push(&format!("<g transform=\"translate(0 {down})\">\n{picture}</g>"));
    }

    /// The finished picture.
    pub fn finish(mut self) -> String {
        self.push("</svg>");
        self.text
    }

    fn push(&mut self, element: &str) {
        self.text.push_str(element);
        self.text.push('\n');
    }
}

fn written(attributes: Attributes<'_>) -> String {
    let given = attributes.iter().filter(|(_, value)| !value.is_empty());
    let mut text = String::new();
    for (name, value) in given {
        // Writing to a String cannot fail.
        let _: Result<(), std::fmt::Error> = write!(text, " {name}=\"{}\"", escaped(value));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::well_formed::faults;

    #[test]
    fn text_cannot_break_out_of_the_picture() {
        let mut svg = Svg::new("a < b", 10.0, 10.0);
        svg.text(At { x: 1.0, y: 2.0 }, Anchor::Start, "", "</text><script>\"&");
        let text = svg.finish();
        assert!(text.contains("<title>a &lt; b</title>"));
        assert!(text.contains("&lt;/text&gt;&lt;script&gt;&quot;&amp;"));
        assert_eq!(text.matches("<script>").count(), 0);
    }

    #[test]
    fn a_picture_inside_a_page_brings_no_style_and_no_size() {
        let caption = Caption { id: "a", title: "\"<", desc: "&" };
        let view = View::sized(10.0, 20.0);
        let mut svg = Svg::inline(caption, "x", Reading::Whole, view);
        svg.empty("rect", &[("class", ""), ("data-a", "\"><script>")]);
        let text = svg.finish();
        assert_eq!(faults(&text), Vec::<String>::new(), "{text}");
        assert!(text.contains("<title id=\"a-title\">&quot;&lt;</title>"), "{text}");
        assert!(text.contains("<rect data-a=\"&quot;&gt;&lt;script&gt;\"/>"), "{text}");
        assert!(!text.contains("style") && !text.contains(" width="), "{text}");
    }
}

//! Who met whom: a neighborhood as nodes on rings about the seeds.
//!
//! Nodes differ by shape and mark, not by color alone. The page's script may move nodes, so
//! each is drawn about its own origin; without a script it is a link.

use std::collections::BTreeMap;

use crate::plot::radial::{Layout, Link, Member, radial};
use crate::plot::shape::Shape;
use crate::plot::svg::{At, Caption, Reading, Svg, View};
use crate::plot::words::fitted;

/// Distance of a node's corners from its middle.
const SIZE: f64 = 14.0;
/// Labels are so high; some are bold, and wider.
const LABEL_FONT: f64 = 11.5;
/// From a node's middle down to the foot of its label.
const LABEL_DOWN: f64 = SIZE + 15.0;
/// Widest label; most have less room.
const LABEL_MAX: f64 = 124.0;
/// Room around the outermost nodes, for marks and labels.
const MARGIN: (f64, f64) = (0.5 * LABEL_MAX, 40.0);
/// The picture is at least so wide and high, or few nodes would be drawn huge.
const SIDES_MIN: (f64, f64) = (720.0, 320.0);
const EDGE_WIDTH_MAX: f64 = 7.0;

/// How what is known about a node's orders ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Good,
    /// Badly.
    Bad,
    /// Nothing is known.
    Unknown,
}

/// What is special about a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// So many share it that sharing it says little.
    Hub,
    /// It is the order's own.
    Own,
    /// It is on the path of a reason.
    Path,
    /// More links lead from it than are drawn.
    More,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Which; unique in the picture.
    pub id: String,
    /// Class of its kind: small letters and dashes.
    pub kind: String,
    /// Outline of its kind.
    pub shape: Shape,
    /// Links to the nearest seed.
    pub hop: u32,
    /// Written below it, cut to fit.
    pub label: String,
    /// All that is to be said about it, for the pointer and for screen readers.
    pub title: String,
    /// Where a click leads.
    pub href: String,
    /// How its orders ended.
    pub state: State,
    /// What else is special.
    pub marks: Vec<Mark>,
}

/// A link between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Id of one end.
    pub from: String,
    /// Id of the other end.
    pub to: String,
    /// Orders that link the two.
    pub n_orders: u64,
    /// When the first of them was, seconds since 1970.
    pub first_seen_s: i64,
    /// All that is to be said about it.
    pub title: String,
    /// Whether it is on the path of a reason.
    pub marks: Vec<Mark>,
}

/// The picture of a neighborhood; links to nodes that are not there are left out.
pub fn network(caption: Caption<'_>, nodes: &[Node], edges: &[Edge]) -> String {
    let layout = layout(nodes, edges);
    let mut svg = Svg::inline(caption, "network", Reading::Parts, view(&layout));
    for ring in layout.rings.iter().filter(|ring| 0.0 < **ring) {
        svg.empty("circle", &[("class", "ring"), ("r", &format!("{ring:.1}"))]);
    }
    let (on_path, beside): (Vec<&Edge>, Vec<&Edge>) =
        edges.iter().partition(|edge| edge.marks.contains(&Mark::Path));
    for edge in beside.into_iter().chain(on_path) {
        draw_edge(&mut svg, &layout, edge);
    }
    for node in in_reading_order(&layout, nodes) {
        if let Some(place) = layout.places.get(&node.id) {
            let label = fitted(&node.label, label_room(&layout, place.at), LABEL_FONT);
            draw_node(&mut svg, place.at, node, &label);
        }
    }
    svg.finish()
}

/// A node's outline by itself, for legends and tables.
pub fn emblem(kind: &str, shape: Shape) -> String {
    let class = format!("plot emblem kind-{kind}");
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("class", &*class),
        ("viewBox", "-16 -16 32 32"),
        ("aria-hidden", "true"),
    ];
    let mut svg = Svg::bare(&attributes);
    shape.draw(&mut svg, "shape", SIZE);
    svg.finish()
}

fn layout(nodes: &[Node], edges: &[Edge]) -> Layout {
    let members: Vec<Member<'_>> =
        nodes.iter().map(|it| Member { hop: it.hop, group: &it.kind, id: &it.id }).collect();
    let links: Vec<Link<'_>> =
        edges.iter().map(|it| Link { from: &it.from, to: &it.to, weight: it.n_orders }).collect();
    radial(&members, &links)
}

/// All nodes with their labels, in the middle.
fn view(layout: &Layout) -> View {
    let mut ends = (At { x: 0.0, y: 0.0 }, At { x: 0.0, y: 0.0 });
    for At { x, y } in layout.places.values().map(|place| place.at) {
        ends.0 = At { x: ends.0.x.min(x), y: ends.0.y.min(y) };
        ends.1 = At { x: ends.1.x.max(x), y: ends.1.y.max(y) };
    }
    let width = (ends.1.x - ends.0.x + 2.0 * MARGIN.0).max(SIDES_MIN.0);
    let height = (ends.1.y - ends.0.y + 2.0 * MARGIN.1).max(SIDES_MIN.1);
    let middle = (0.5 * (ends.0.x + ends.1.x), 0.5 * (ends.0.y + ends.1.y));
    let corner = At { x: middle.0 - 0.5 * width, y: middle.1 - 0.5 * height };
    View { corner, width, height }
}

/// Ring by ring, then clockwise: the order in which the tab key goes. Nodes do not overlap, so
/// it hides nothing that it is also the order of drawing.
fn in_reading_order<'a>(layout: &Layout, nodes: &'a [Node]) -> Vec<&'a Node> {
    let by_id: BTreeMap<&str, &Node> = nodes.iter().map(|node| (&*node.id, node)).collect();
    let mut places: Vec<_> = layout.places.iter().collect();
    places.sort_by(|(_, a), (_, b)| a.ring.cmp(&b.ring).then(a.angle.total_cmp(&b.angle)));
    places.into_iter().filter_map(|(id, _)| by_id.get(&**id).copied()).collect()
}

/// Widest label below a node that meets neither another label nor another node.
fn label_room(layout: &Layout, at: At) -> f64 {
    let room = |other: At| {
        let (across, down) = ((other.x - at.x).abs(), other.y - at.y);
        let is_same = across == 0.0 && down == 0.0;
        // Labels beside each other share the way between their nodes; a node that stands where
        // the label is keeps it at a distance.
        let beside = if down.abs() < 15.0 && !is_same { across - 6.0 } else { LABEL_MAX };
        let is_node = LABEL_DOWN - LABEL_FONT - SIZE < down && down < LABEL_DOWN + SIZE + 6.0;
        let above = if is_node && !is_same { 2.0 * (across - SIZE - 3.0) } else { LABEL_MAX };
        beside.min(above)
    };
    layout.places.values().map(|place| room(place.at)).fold(LABEL_MAX, f64::min)
}

fn draw_edge(svg: &mut Svg, layout: &Layout, edge: &Edge) {
    let ends = (layout.places.get(&edge.from), layout.places.get(&edge.to));
    let (Some(from), Some(to)) = ends else { return };
    let class = format!("edge{}", classes(&edge.marks));
    let place = |value: f64| format!("{value:.1}");
    let attributes = [
        ("class", &*class),
        ("data-from", &edge.from),
        ("data-to", &edge.to),
        ("data-first-seen", &edge.first_seen_s.to_string()),
        ("x1", &place(from.at.x)),
        ("y1", &place(from.at.y)),
        ("x2", &place(to.at.x)),
        ("y2", &place(to.at.y)),
        ("stroke-width", &place(edge_width(edge.n_orders))),
    ];
    svg.open("line", &attributes);
    svg.worded("title", &[], &edge.title);
    svg.close("line");
}

/// Twice the orders, so much wider: counts reach from one to thousands.
fn edge_width(n_orders: u64) -> f64 {
    (1.2 + 0.9 * (n_orders.max(1) as f64).log2()).min(EDGE_WIDTH_MAX)
}

fn draw_node(svg: &mut Svg, at: At, node: &Node, label: &str) {
    let state = match node.state {
        State::Good => " good",
        State::Bad => " bad",
        State::Unknown => " unknown",
    };
    let class = format!("node kind-{}{state}{}", node.kind, classes(&node.marks));
    let attributes = [
        ("class", &*class),
        ("data-node", &node.id),
        ("href", &node.href),
        ("tabindex", "0"),
        ("transform", &format!("translate({:.1} {:.1})", at.x, at.y)),
    ];
    svg.open("a", &attributes);
    svg.worded("title", &[], &spoken(node));
    if node.marks.contains(&Mark::Own) {
        svg.empty("circle", &[("class", "halo"), ("r", &format!("{:.1}", SIZE + 7.0))]);
    }
    if node.marks.contains(&Mark::Hub) {
        svg.empty("circle", &[("class", "hub-mark"), ("r", &format!("{:.1}", SIZE + 4.0))]);
    }
    node.shape.draw(svg, "shape", SIZE);
    state_mark(svg, node.state);
    if node.marks.contains(&Mark::More) {
        let middle = At { x: 0.8 * SIZE, y: 0.8 * SIZE };
        badge(svg, "more-mark", middle, &[&[(-3.5, 0.0), (3.5, 0.0)], &[(0.0, -3.5), (0.0, 3.5)]]);
    }
    // Words that are cut are not what the node is called.
    let is_hidden = if label == node.label { "" } else { "true" };
    let attributes = [
        ("class", "label"),
        ("y", &*format!("{LABEL_DOWN:.1}")),
        ("text-anchor", "middle"),
        ("aria-hidden", is_hidden),
    ];
    svg.worded("text", &attributes, label);
    svg.close("a");
}

/// What is read aloud holds what is seen, so that who says the label to a program is understood.
fn spoken(node: &Node) -> String {
    if node.title.contains(&node.label) {
        return node.title.clone();
    }
    format!("{}: {}", node.label, node.title)
}

/// A tick or a cross in a corner; what is not known has none.
fn state_mark(svg: &mut Svg, state: State) {
    let middle = At { x: 0.8 * SIZE, y: -0.8 * SIZE };
    match state {
        State::Good => {
            badge(svg, "state-mark", middle, &[&[(-3.5, 0.2), (-1.0, 3.0), (3.5, -2.8)]]);
        }
        State::Bad => {
            let strokes: [Stroke<'_>; 2] =
                [&[(-3.0, -3.0), (3.0, 3.0)], &[(-3.0, 3.0), (3.0, -3.0)]];
            badge(svg, "state-mark", middle, &strokes);
        }
        State::Unknown => {}
    }
}

/// Places that a pen goes through, from the middle of its badge.
type Stroke<'a> = &'a [(f64, f64)];

fn badge(svg: &mut Svg, class: &str, middle: At, strokes: &[Stroke<'_>]) {
    let place = |value: f64| format!("{value:.1}");
    svg.open("g", &[("class", class)]);
    svg.empty("circle", &[("cx", &place(middle.x)), ("cy", &place(middle.y)), ("r", "6.5")]);
    for stroke in strokes {
        let places: Vec<At> =
            stroke.iter().map(|(x, y)| At { x: middle.x + x, y: middle.y + y }).collect();
        svg.path("", &places);
    }
    svg.close("g");
}

fn classes(marks: &[Mark]) -> String {
    let class = |mark: &Mark| match mark {
        Mark::Hub => " hub",
        Mark::Own => " own",
        Mark::Path => " path",
        Mark::More => " more",
    };
    marks.iter().map(class).collect()
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;

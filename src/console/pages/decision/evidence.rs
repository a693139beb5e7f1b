//! Layer 3: who met whom, and what of it the sentences rest on.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::console::form::encoded;
use crate::console::format::{minute, percent, shift};
use crate::console::pages::decision::contributions::is_spoken_of;
use crate::console::pages::decision::layers::{Medium, Sight, Told};
use crate::console::pages::decision::number::Number;
use crate::console::pages::graph::ask::name;
use crate::console::pages::graph::view::shape;
use crate::domain::entity::EntityKind;
use crate::domain::evidence::{DeltaIfRemoved, EvidenceEdge, EvidenceNode};
use crate::domain::time::Span;
use crate::plot::network::{Edge, Mark, Node, State, emblem, network};
use crate::plot::svg::Caption;

/// Links beside the picture: those that move the risk most.
const LINKS_BESIDE: usize = 5;

/// The evidence of a decision.
#[derive(Clone, Debug)]
pub struct EvidenceView {
    /// The picture; empty without any link.
    pub svg: String,
    /// Kinds in the picture, with their outlines.
    pub legend: Vec<(String, String)>,
    /// Links that move the leading risk most.
    pub beside: Vec<LinkRow>,
    /// Every link, those on the path of a reason first.
    pub links: Vec<LinkRow>,
    /// Every node.
    pub nodes: Vec<NodeRow>,
    /// True when there is more than is shown.
    pub is_truncated: bool,
    /// First and last instant of the slider, seconds since 1970.
    pub from_s: i64,
    /// See above.
    pub until_s: i64,
    /// The last instant, for people.
    pub as_of: String,
}

/// A link.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// One end.
    pub from: String,
    /// The other end.
    pub to: String,
    /// Orders that link them.
    pub n_orders: Number,
    /// First of them.
    pub first_seen: String,
    /// Last of them.
    pub last_seen: String,
    /// True when a sentence rests on it.
    pub is_on_path: bool,
    /// What it is evidence for.
    pub features: String,
    /// Events that told the orders, newest first.
    pub events: Vec<String>,
    /// The leading risk without it; `None` when it was not weighed, or is hidden.
    pub without: Option<Without>,
}

/// The leading risk without a link.
#[derive(Clone, Debug)]
pub struct Without {
    /// Its probability.
    pub probability: Number,
    /// How far the score moves.
    pub log_odds: Number,
}

/// A node.
#[derive(Clone, Debug)]
pub struct NodeRow {
    /// Its kind.
    pub kind: String,
    /// Its pseudonym.
    pub label: String,
    /// Where to see what is around it.
    pub around: String,
    /// Orders on it.
    pub n_orders: Number,
    /// Of these, known to be bad.
    pub n_bad: Number,
    /// True when many share it.
    pub is_hub: bool,
    /// True when the order names it.
    pub is_of_order: bool,
}

impl EvidenceView {
    /// The evidence of a decision.
    pub fn new(told: &Told<'_>) -> Self {
        let drawing = Drawing::new(told);
        let evidence = &told.decision().evidence;
        let as_of = told.decision().times.received_time;
        let first = evidence.edges.iter().map(|edge| edge.first_seen).min().unwrap_or(as_of);
        let mut ranked: Vec<usize> = (0..evidence.edges.len()).collect();
        let moved =
            |at: &usize| evidence.edges[*at].delta_if_removed.map_or(0.0, |it| it.log_odds.abs());
        let is_open = told.sight == Sight::Open;
        if is_open {
            ranked.sort_by(|a, b| moved(b).total_cmp(&moved(a)));
        }
        let beside: Vec<LinkRow> =
            ranked.iter().take(LINKS_BESIDE).filter_map(|at| drawing.link(*at)).collect();
        ranked.sort_by_key(|at| !drawing.is_on_path(&evidence.edges[*at]));
        Self {
            svg: if evidence.nodes.is_empty() { String::new() } else { drawing.svg() },
            legend: drawing.legend(),
            beside,
            links: ranked.iter().filter_map(|at| drawing.link(*at)).collect(),
            nodes: (0..evidence.nodes.len()).map(|at| drawing.node_row(at)).collect(),
            is_truncated: evidence.is_truncated,
            from_s: first.0.div_euclid(Span::SECOND.0),
            until_s: as_of.0.div_euclid(Span::SECOND.0),
            as_of: minute(as_of),
        }
    }
}

/// What picture and tables are made of.
struct Drawing<'a> {
    told: &'a Told<'a>,
    /// Links of each node to the order.
    hops: BTreeMap<u32, u32>,
    /// Nodes at the ends of links that a sentence rests on.
    on_path: BTreeSet<u32>,
}

impl<'a> Drawing<'a> {
    fn new(told: &'a Told<'a>) -> Self {
        let mut drawing = Self { told, hops: hops(told), on_path: BTreeSet::new() };
        let edges = &told.decision().evidence.edges;
        let shown = edges.iter().filter(|edge| drawing.is_on_path(edge));
        drawing.on_path = shown.flat_map(|edge| [edge.from, edge.to]).collect();
        drawing
    }

    /// True when a sentence rests on a link, and sentences may be seen.
    fn is_on_path(&self, edge: &EvidenceEdge) -> bool {
        let decision = self.told.decision();
        let is_spoken = edge.features.iter().any(|feature| is_spoken_of(decision, feature));
        self.told.sight == Sight::Open && is_spoken
    }

    fn svg(&self) -> String {
        let words = self.told.words;
        let evidence = &self.told.decision().evidence;
        let nodes: Vec<Node> =
            (0_u32..).zip(&evidence.nodes).map(|(at, node)| self.node(at, node)).collect();
        let edges: Vec<Edge> = evidence.edges.iter().map(|edge| self.edge(edge)).collect();
        let title = words.t("why-evidence");
        let desc = words.t2("graph-picture-desc", "nodes", nodes.len(), "links", edges.len());
        network(Caption { id: "evidence-svg", title: &title, desc: &desc }, &nodes, &edges)
    }

    fn node(&self, at: u32, node: &EvidenceNode) -> Node {
        let words = self.told.words;
        let (kind, label) = (node.entity.kind, node.entity.label());
        let counts = words.t2("graph-counts", "orders", node.n_orders, "bad", node.n_bad);
        let marks = [
            (node.is_hub, Mark::Hub),
            (node.is_of_order, Mark::Own),
            (self.on_path.contains(&at), Mark::Path),
        ];
        let which = label.split_once(['#', ':']).map_or(&*label, |(_, rest)| rest);
        Node {
            id: format!("e{at}"),
            kind: class(kind),
            shape: shape(kind),
            hop: self.hops.get(&at).copied().unwrap_or(2),
            // The outline shows the kind.
            label: which.to_owned(),
            title: format!("{} {label}: {counts}", words.kind(kind)),
            href: self.around(node),
            state: if 0 < node.n_bad { State::Bad } else { State::Unknown },
            marks: marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark).collect(),
        }
    }

    fn edge(&self, edge: &EvidenceEdge) -> Edge {
        let times = format!("{} – {}", minute(edge.first_seen), minute(edge.last_seen));
        let mut title = self.told.words.t2("graph-link", "orders", edge.n_orders, "times", times);
        if let (Sight::Open, Some(delta)) = (self.told.sight, edge.delta_if_removed) {
            let (p, by) = (percent(delta.probability.value()), shift(delta.log_odds));
            title = format!("{title}; {}", self.told.words.t2("why-without", "p", p, "shift", by));
        }
        Edge {
            from: format!("e{}", edge.from),
            to: format!("e{}", edge.to),
            n_orders: edge.n_orders,
            first_seen_s: edge.first_seen.0.div_euclid(Span::SECOND.0),
            title,
            marks: if self.is_on_path(edge) { vec![Mark::Path] } else { Vec::new() },
        }
    }

    /// Where to see what is around a node; paper leads nowhere.
    fn around(&self, node: &EvidenceNode) -> String {
        match self.told.medium {
            Medium::Page => format!("/graph?focus={}", encoded(&name(&node.entity))),
            Medium::Paper => String::new(),
        }
    }

    fn legend(&self) -> Vec<(String, String)> {
        let nodes = &self.told.decision().evidence.nodes;
        let kinds: BTreeSet<EntityKind> = nodes.iter().map(|node| node.entity.kind).collect();
        let entry =
            |kind: EntityKind| (emblem(&class(kind), shape(kind)), self.told.words.kind(kind));
        kinds.into_iter().map(entry).collect()
    }

    fn link(&self, at: usize) -> Option<LinkRow> {
        let evidence = &self.told.decision().evidence;
        let edge = &evidence.edges[at];
        let label = |node: u32| evidence.nodes.get(node as usize).map(|it| it.entity.label());
        let names: Vec<String> = edge.features.iter().map(|it| self.told.feature(it)).collect();
        let path = |field: &str| format!("decision.evidence.edges.{at}.{field}");
        let without = |delta: DeltaIfRemoved| Without {
            probability: Number::percent(
                path("delta_if_removed.probability"),
                delta.probability.value(),
            ),
            log_odds: Number::shift(path("delta_if_removed.log_odds"), delta.log_odds),
        };
        Some(LinkRow {
            from: label(edge.from)?,
            to: label(edge.to)?,
            n_orders: Number::count(path("n_orders"), edge.n_orders),
            first_seen: minute(edge.first_seen),
            last_seen: minute(edge.last_seen),
            is_on_path: self.is_on_path(edge),
            features: names.join(" · "),
            events: edge.event_ids.iter().map(ToString::to_string).collect(),
            without: match self.told.sight {
                Sight::Open => edge.delta_if_removed.map(without),
                Sight::Blind => None,
            },
        })
    }

    fn node_row(&self, at: usize) -> NodeRow {
        let node = &self.told.decision().evidence.nodes[at];
        let path = |field: &str| format!("decision.evidence.nodes.{at}.{field}");
        NodeRow {
            kind: self.told.words.kind(node.entity.kind),
            label: node.entity.label(),
            around: self.around(node),
            n_orders: Number::count(path("n_orders"), node.n_orders),
            n_bad: Number::count(path("n_bad"), node.n_bad),
            is_hub: node.is_hub,
            is_of_order: node.is_of_order,
        }
    }
}

fn class(kind: EntityKind) -> String {
    kind.as_str().replace('_', "-")
}

/// How many links each node is away from what the order names.
fn hops(told: &Told<'_>) -> BTreeMap<u32, u32> {
    let evidence = &told.decision().evidence;
    let own = (0_u32..).zip(&evidence.nodes).filter(|(_, node)| node.is_of_order);
    let mut hops: BTreeMap<u32, u32> = own.map(|(at, _)| (at, 0)).collect();
    let mut waiting: VecDeque<u32> = hops.keys().copied().collect();
    while let Some(at) = waiting.pop_front() {
        let next = hops.get(&at).map_or(0, |hop| hop + 1);
        for edge in &evidence.edges {
            let other = match (edge.from == at, edge.to == at) {
                (true, _) => edge.to,
                (false, true) => edge.from,
                (false, false) => continue,
            };
            if let Entry::Vacant(place) = hops.entry(other) {
                place.insert(next);
                waiting.push_back(other);
            }
        }
    }
    hops
}

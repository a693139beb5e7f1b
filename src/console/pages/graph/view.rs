//! A neighborhood as a picture and as a table that says the same.

use std::collections::BTreeSet;

use crate::console::format::{minute, percent};
use crate::console::pages::graph::ask::{Asked, entity};
use crate::console::words::Words;
use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::identity::Identity;
use crate::domain::neighborhood::{Neighborhood, NeighborhoodEdge, NeighborhoodNode};
use crate::domain::record::ScoredOrder;
use crate::domain::time::{Span, Timestamp};
use crate::plot::network::{Edge, Mark, Node, State, emblem, network};
use crate::plot::shape::Shape;
use crate::plot::svg::Caption;
use crate::workflow::service::NeighborhoodAnswer;

/// What a page shows of the graph.
#[derive(Clone, Debug)]
pub struct GraphView {
    /// The picture.
    pub svg: String,
    /// A row per node, as the picture shows them.
    pub rows: Vec<Row>,
    /// Kinds in the picture, with their outlines.
    pub legend: Vec<(String, String)>,
    /// Other accounts of the same consumers.
    pub identities: Vec<IdentityRow>,
    /// The instant that is shown.
    pub as_of: String,
    /// Journal position that the graph had folded.
    pub position: u64,
    /// True when there is more within the asked range.
    pub is_truncated: bool,
    /// What is shown alone; empty when everything is.
    pub isolated: String,
    /// Where to see everything again.
    pub whole: String,
    /// First and last instant of the slider, seconds since 1970.
    pub from_s: i64,
    /// See above.
    pub until_s: i64,
    /// The order that the view is about, if it is about one.
    pub order_id: String,
}

/// A node in the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its kind.
    pub kind: String,
    /// Its pseudonym.
    pub label: String,
    /// Links from the start.
    pub hops: u32,
    /// Orders on it.
    pub n_orders: u64,
    /// Orders on it that were known to be bad.
    pub n_bad: u64,
    /// Nodes of the view that it is linked to.
    pub n_links: usize,
    /// First and last order.
    pub first_seen: String,
    /// See above.
    pub last_seen: String,
    /// True when many share it.
    pub is_hub: bool,
    /// Where to see what is around it.
    pub around: String,
    /// Where to see it alone with what it touches.
    pub isolated: String,
    /// Its kind in addresses.
    pub kind_name: &'static str,
}

/// Another account of the same consumer.
#[derive(Clone, Debug)]
pub struct IdentityRow {
    /// The account that was asked about.
    pub account: String,
    /// The other one.
    pub other: String,
    /// How sure that is.
    pub confidence: String,
    /// What both have used.
    pub evidence: String,
}

impl GraphView {
    /// The view of an answer.
    pub fn new(
        words: Words,
        asked: &Asked,
        answer: &NeighborhoodAnswer,
        decision: Option<&ScoredOrder>,
    ) -> Self {
        let all = &answer.view;
        let alone = entity("isolate", &asked.isolate).ok();
        let alone_at = alone.as_ref().and_then(|it| all.nodes.iter().position(|n| n.entity == *it));
        let shown = shown_with(all, alone_at);
        let times = all.edges.iter().map(|edge| edge.first_seen);
        let from = times.min().unwrap_or(all.as_of);
        let own: Vec<&EntityRef> =
            decision.map_or_else(Vec::new, |it| it.request.order.nodes().collect());
        let drawing = Drawing { words, asked, all, shown: &shown, own: &own };
        let rows = drawing.rows();
        Self {
            svg: drawing.svg(),
            legend: drawing.legend(),
            rows,
            identities: all.identities.iter().map(identity_row).collect(),
            as_of: minute(all.as_of),
            position: answer.position,
            is_truncated: all.is_truncated,
            isolated: alone_at.map(|at| all.nodes[at].entity.label()).unwrap_or_default(),
            whole: asked.whole(),
            from_s: seconds(from),
            until_s: seconds(all.as_of),
            order_id: decision
                .map(|it| it.request.order.key.order_id.to_string())
                .unwrap_or_default(),
        }
    }
}

/// Positions of the nodes that are shown: all, or one and what it touches.
fn shown_with(view: &Neighborhood, alone: Option<usize>) -> BTreeSet<usize> {
    let Some(alone) = alone else { return (0..view.nodes.len()).collect() };
    let ends = |edge: &NeighborhoodEdge| [edge.from as usize, edge.to as usize];
    let touching = view.edges.iter().map(ends).filter(|ends| ends.contains(&alone));
    touching.flatten().chain([alone]).collect()
}

/// What picture and table are made of.
struct Drawing<'a> {
    words: Words,
    asked: &'a Asked,
    all: &'a Neighborhood,
    shown: &'a BTreeSet<usize>,
    own: &'a [&'a EntityRef],
}

impl Drawing<'_> {
    fn svg(&self) -> String {
        let nodes: Vec<Node> = self.shown.iter().map(|at| self.node(*at)).collect();
        let edges: Vec<Edge> = self.edges().map(|edge| self.edge(edge)).collect();
        let title = self.words.t("graph-picture");
        let desc = self.words.t2("graph-picture-desc", "nodes", nodes.len(), "links", edges.len());
        network(Caption { id: "graph-svg", title: &title, desc: &desc }, &nodes, &edges)
    }

    fn edges(&self) -> impl Iterator<Item = &NeighborhoodEdge> {
        let is_shown = |at: u32| self.shown.contains(&(at as usize));
        self.all.edges.iter().filter(move |edge| is_shown(edge.from) && is_shown(edge.to))
    }

    fn node(&self, at: usize) -> Node {
        let node = &self.all.nodes[at];
        let kind = node.entity.kind;
        let counts = self.words.t2("graph-counts", "orders", node.n_orders, "bad", node.n_bad);
        let mut marks = Vec::new();
        if node.is_hub {
            marks.push(Mark::Hub);
        }
        if self.own.contains(&&node.entity) {
            marks.push(Mark::Own);
        }
        if node.is_truncated {
            marks.push(Mark::More);
        }
        Node {
            id: format!("n{at}"),
            kind: kind.as_str().replace('_', "-"),
            shape: shape(kind),
            hop: node.n_hops,
            label: self.short_label(node),
            title: format!("{} {}: {counts}", self.words.kind(kind), node.entity.label()),
            href: self.asked.around(&node.entity),
            state: state(node),
            marks,
        }
    }

    /// The kind is shown by shape, so the label is the pseudonym alone.
    fn short_label(&self, node: &NeighborhoodNode) -> String {
        let label = node.entity.label();
        let kind = self.words.kind(node.entity.kind);
        label.split_once(['#', ':']).map_or(label.clone(), |(_, rest)| format!("{kind} {rest}"))
    }

    fn edge(&self, edge: &NeighborhoodEdge) -> Edge {
        let times = format!("{} – {}", minute(edge.first_seen), minute(edge.last_seen));
        Edge {
            from: format!("n{}", edge.from),
            to: format!("n{}", edge.to),
            n_orders: edge.n_orders,
            first_seen_s: seconds(edge.first_seen),
            title: self.words.t2("graph-link", "orders", edge.n_orders, "times", times),
            marks: Vec::new(),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), minute);
        let links = |at: usize| {
            self.edges().filter(|edge| edge.from as usize == at || edge.to as usize == at).count()
        };
        let row = |at: &usize| {
            let node = &self.all.nodes[*at];
            Row {
                kind: self.words.kind(node.entity.kind),
                label: node.entity.label(),
                hops: node.n_hops,
                n_orders: node.n_orders,
                n_bad: node.n_bad,
                n_links: links(*at),
                first_seen: time(node.first_seen),
                last_seen: time(node.last_seen),
                is_hub: node.is_hub,
                around: self.asked.around(&node.entity),
                isolated: self.asked.isolated(&node.entity),
                kind_name: node.entity.kind.as_str(),
            }
        };
        self.shown.iter().map(row).collect()
    }

    fn legend(&self) -> Vec<(String, String)> {
        let kinds: BTreeSet<EntityKind> =
            self.shown.iter().map(|at| self.all.nodes[*at].entity.kind).collect();
        let entry = |kind: EntityKind| {
            (emblem(&kind.as_str().replace('_', "-"), shape(kind)), self.words.kind(kind))
        };
        kinds.into_iter().map(entry).collect()
    }
}

fn identity_row(identity: &Identity) -> IdentityRow {
    let carriers = identity.evidence.iter().flat_map(|it| &it.carriers).map(EntityRef::label);
    IdentityRow {
        account: identity.account.label(),
        other: identity.other.label(),
        confidence: percent(identity.confidence),
        evidence: carriers.collect::<Vec<_>>().join(", "),
    }
}

/// Known bad orders make a node bad; without any, its orders are not known to be good either.
fn state(node: &NeighborhoodNode) -> State {
    if 0 < node.n_bad { State::Bad } else { State::Unknown }
}

/// The outline of a kind.
pub fn shape(kind: EntityKind) -> Shape {
    match kind {
        EntityKind::Account => Shape::Circle,
        EntityKind::Device => Shape::Square,
        EntityKind::Ip => Shape::Diamond,
        EntityKind::Address => Shape::Pentagon,
        EntityKind::Phone => Shape::Triangle,
        EntityKind::Email => Shape::Funnel,
        EntityKind::PaymentInstrument => Shape::Card,
        EntityKind::Sku => Shape::Hexagon,
        EntityKind::Merchant => Shape::Octagon,
        EntityKind::Region => Shape::Plus,
        EntityKind::Channel => Shape::Star,
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(Span::SECOND.0)
}

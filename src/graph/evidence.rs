//! Evidence: the smallest part of the graph that shows why features are high.
//!
//! Around the order's entities a small petgraph graph is grown; the witness is
//! the union of the shortest paths from them to the counterparts that count.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::astar;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::EdgeRef;

use crate::domain::entity::EntityKind;
use crate::domain::evidence::{EVIDENCE_NODES_MAX, Evidence, EvidenceEdge, EvidenceNode};
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::graph::history::Window;
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx, RING_KINDS};

/// Most counterparts shown for one feature.
const COUNTERPARTS_MAX: usize = 6;
/// Counterparts looked at before the known-bad ones are put first.
const CANDIDATES_MAX: usize = 48;

/// A feature that evidence is wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceWant {
    /// Feature id.
    pub feature: Box<str>,
    /// Kind of the order's entity whose past the feature reads.
    pub entity: EntityKind,
    /// Kind of the counterparts, if the feature is about any.
    pub counterpart: Option<EntityKind>,
}

/// What links two nodes, gathered over all features that need the link.
#[derive(Debug)]
struct Link {
    n_orders: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    features: BTreeSet<Box<str>>,
}

/// The neighborhood that paths are looked for in.
struct Neighborhood<'a> {
    graph: &'a KnowledgeGraph,
    as_of: Timestamp,
    around: UnGraph<NodeIdx, Link>,
    places: BTreeMap<NodeIdx, NodeIndex>,
    witness: BTreeSet<NodeIndex>,
    is_truncated: bool,
}

impl KnowledgeGraph {
    /// The witness of the wanted features, in their order: the order's entities first,
    /// then counterparts (known-bad ones first, then the most recent), deterministic.
    pub fn evidence(&self, order: &Order, as_of: Timestamp, wants: &[EvidenceWant]) -> Evidence {
        let mut around = Neighborhood {
            graph: self,
            as_of,
            around: UnGraph::default(),
            places: BTreeMap::new(),
            witness: BTreeSet::new(),
            is_truncated: false,
        };
        let own: Vec<NodeIdx> = order.nodes().filter_map(|entity| self.find(entity)).collect();
        for want in wants {
            for &node in own.iter().filter(|&&node| self.is_kind(node, want.entity)) {
                around.show(node, want);
            }
        }
        around.into_evidence(&own)
    }

    fn is_kind(&self, node: NodeIdx, kind: EntityKind) -> bool {
        self.entity(node).is_some_and(|entity| entity.kind == kind)
    }
}

impl Neighborhood<'_> {
    fn show(&mut self, node: NodeIdx, want: &EvidenceWant) {
        let place = self.place(node);
        self.witness.insert(place);
        let Some(kind) = want.counterpart else { return };
        if kind == want.entity {
            self.show_ring(node, want);
            return;
        }
        for counterpart in self.chosen(node, kind) {
            self.connect(node, counterpart, kind);
            self.add_path(node, counterpart, &want.feature);
        }
    }

    /// Counterparts to show: known-bad first, then most recently met.
    fn chosen(&mut self, node: NodeIdx, kind: EntityKind) -> Vec<NodeIdx> {
        let Some(past) = self.graph.history(node, self.as_of) else { return Vec::new() };
        let mut recent = past.recent(kind, Window::Ever, CANDIDATES_MAX);
        recent.sort_by_key(|&counterpart| {
            let past = self.graph.history(counterpart, self.as_of);
            std::cmp::Reverse(past.is_some_and(|past| 0 < past.n_bad()))
        });
        self.is_truncated |= COUNTERPARTS_MAX < recent.len();
        recent.truncate(COUNTERPARTS_MAX);
        recent
    }

    /// Members of the account's ring, each by the shortest way through shared entities.
    fn show_ring(&mut self, account: NodeIdx, want: &EvidenceWant) {
        let Some(past) = self.graph.history(account, self.as_of) else { return };
        let members = past.ring();
        let mut targets: Vec<NodeIdx> =
            members.iter().copied().filter(|&member| member != account).collect();
        targets.sort_by_key(|&member| {
            let past = self.graph.history(member, self.as_of);
            let n_bad = past.map_or(0, |past| past.n_bad());
            (std::cmp::Reverse(n_bad), member)
        });
        for &member in members.iter().take(CANDIDATES_MAX) {
            let Some(past) = self.graph.history(member, self.as_of) else { continue };
            for kind in RING_KINDS {
                for shared in past.recent(kind, Window::Ever, COUNTERPARTS_MAX) {
                    self.connect(member, shared, kind);
                }
            }
        }
        self.is_truncated |= COUNTERPARTS_MAX < targets.len();
        for &member in targets.iter().take(COUNTERPARTS_MAX) {
            self.add_path(account, member, &want.feature);
        }
    }

    fn add_path(&mut self, from: NodeIdx, to: NodeIdx, feature: &str) {
        let (from, to) = (self.place(from), self.place(to));
        let path = astar(&self.around, from, |at| at == to, |_| 1_u32, |_| 0);
        let Some((_, path)) = path else { return };
        for step in path.windows(2) {
            if let Some(edge) = self.around.find_edge(step[0], step[1]) {
                self.around[edge].features.insert(feature.into());
            }
        }
        self.witness.extend(path);
    }

    fn place(&mut self, node: NodeIdx) -> NodeIndex {
        let around = &mut self.around;
        *self.places.entry(node).or_insert_with(|| around.add_node(node))
    }

    fn connect(&mut self, node: NodeIdx, other: NodeIdx, kind: EntityKind) {
        let (from, to) = (self.place(node), self.place(other));
        if self.around.find_edge(from, to).is_some() {
            return;
        }
        let Some(past) = self.graph.history(node, self.as_of) else { return };
        let Some(pair) = past.pair(other, kind) else { return };
        let link = Link {
            n_orders: pair.n_orders,
            first_seen: past.first_met(other, kind).unwrap_or(pair.last_seen),
            last_seen: pair.last_seen,
            features: BTreeSet::new(),
        };
        self.around.add_edge(from, to, link);
    }

    fn into_evidence(mut self, own: &[NodeIdx]) -> Evidence {
        let shown = own.iter().filter_map(|node| self.places.get(node));
        let mut kept: Vec<NodeIndex> = Vec::new();
        for &place in shown.chain(&self.witness) {
            if self.witness.contains(&place) && !kept.contains(&place) {
                kept.push(place);
            }
        }
        self.is_truncated |= EVIDENCE_NODES_MAX < kept.len();
        kept.truncate(EVIDENCE_NODES_MAX);
        let nodes = kept.iter().filter_map(|&place| self.node(self.around[place], own)).collect();
        let position = |place: NodeIndex| {
            kept.iter().position(|&kept| kept == place).and_then(|at| u32::try_from(at).ok())
        };
        let mut edges = Vec::new();
        for edge in self.around.edge_references() {
            let link = edge.weight();
            if let (Some(from), Some(to)) = (position(edge.source()), position(edge.target()))
                && !link.features.is_empty()
            {
                edges.push(EvidenceEdge {
                    from,
                    to,
                    n_orders: link.n_orders,
                    first_seen: link.first_seen,
                    last_seen: link.last_seen,
                    features: link.features.iter().cloned().collect(),
                });
            }
        }
        edges.sort_by_key(|edge| (edge.from, edge.to));
        Evidence { nodes, edges, is_truncated: self.is_truncated }
    }

    fn node(&self, node: NodeIdx, own: &[NodeIdx]) -> Option<EvidenceNode> {
        let past = self.graph.history(node, self.as_of)?;
        Some(EvidenceNode {
            entity: self.graph.entity(node)?.clone(),
            n_orders: past.totals(Window::Ever).n_orders,
            n_bad: past.n_bad(),
            is_hub: past.is_hub(),
            is_of_order: own.contains(&node),
        })
    }
}

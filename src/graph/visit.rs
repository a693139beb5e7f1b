//! The graph as of an instant, as algorithms of petgraph walk it.
//!
//! A search of petgraph asks for neighbors when it comes to a node, so it reads what a
//! history reads, within the same limits, and only of the nodes that it comes to.

use indexmap::IndexSet;
use petgraph::visit::{
    GraphBase, GraphRef, IntoNeighbors, IntoNodeIdentifiers, NodeCompactIndexable, NodeCount,
    NodeIndexable, VisitMap, Visitable,
};
use rustc_hash::FxBuildHasher;

use crate::domain::entity::EntityKind;
use crate::domain::time::Timestamp;
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx, RING_KINDS};
use crate::graph::settings::RECENT_WALK_MAX;
use crate::graph::sharing::Sharing;

/// Entities and what links them, as far back from an instant as the graph remembers.
///
/// Every entity of the graph is a node; one that was first seen later has no neighbors.
#[derive(Clone, Copy, Debug)]
pub struct AsOf<'a> {
    graph: &'a KnowledgeGraph,
    as_of: Timestamp,
    links: Links,
}

/// Nodes that a search has come to: few of many.
#[derive(Clone, Debug, Default)]
pub struct Visited(IndexSet<NodeIdx, FxBuildHasher>);

/// Which neighbors a node has.
#[derive(Clone, Copy, Debug)]
enum Links {
    /// Whom it met.
    Meetings,
    /// What joins accounts into rings.
    Joining,
}

impl KnowledgeGraph {
    /// Entities and whom they met: in their newest [`RECENT_WALK_MAX`] meetings of each kind,
    /// by kind, the most recently met first. Regions and channels are met by everybody and
    /// lead nowhere.
    pub fn meetings(&self, as_of: Timestamp) -> AsOf<'_> {
        AsOf { graph: self, as_of, links: Links::Meetings }
    }

    /// Accounts and the things that join them into rings, the most recently met first: an
    /// account leads to what its newest [`RECENT_WALK_MAX`] orders name and others have named
    /// as well, a thing to its accounts unless a crowd shares it.
    pub fn joining(&self, as_of: Timestamp) -> AsOf<'_> {
        AsOf { graph: self, as_of, links: Links::Joining }
    }
}

impl AsOf<'_> {
    fn joined(self, past: &History<'_>) -> Vec<NodeIdx> {
        if past.kind == EntityKind::Account {
            return self.shared_things(past);
        }
        if !RING_KINDS.contains(&past.kind) {
            return Vec::new();
        }
        past.few_accounts(self.graph.settings.ring_link_accounts_max.into())
    }

    /// A thing comes as often as it was named; searches come to it once.
    fn shared_things(self, account: &History<'_>) -> Vec<NodeIdx> {
        let mut things = Vec::new();
        for (no, _) in account.orders(Window::Ever).take(RECENT_WALK_MAX) {
            let row = self.graph.arena.row(no);
            let named = RING_KINDS.into_iter().filter_map(|kind| row.node_of(kind));
            things.extend(named.filter(|&thing| self.is_shared(thing)).map(NodeIdx));
        }
        things
    }

    fn is_shared(self, thing: u32) -> bool {
        let node = self.graph.nodes.get_index(thing as usize);
        node.is_some_and(|(_, node)| node.sharing == Sharing::Several)
    }
}

fn met(past: &History<'_>) -> Vec<NodeIdx> {
    let others = EntityKind::ALL.into_iter().filter(|&kind| kind != past.kind);
    others.flat_map(|kind| past.recent(kind, Window::Ever, usize::MAX)).collect()
}

impl GraphBase for AsOf<'_> {
    type EdgeId = (NodeIdx, NodeIdx);
    type NodeId = NodeIdx;
}

impl GraphRef for AsOf<'_> {}

impl IntoNeighbors for AsOf<'_> {
    type Neighbors = std::vec::IntoIter<NodeIdx>;

    fn neighbors(self, node: NodeIdx) -> Self::Neighbors {
        let past = self.graph.history(node, self.as_of);
        let neighbors = past.map(|past| match self.links {
            Links::Meetings => met(&past),
            Links::Joining => self.joined(&past),
        });
        neighbors.unwrap_or_default().into_iter()
    }
}

impl Visitable for AsOf<'_> {
    type Map = Visited;

    fn visit_map(&self) -> Self::Map {
        Visited::default()
    }

    fn reset_map(&self, map: &mut Self::Map) {
        map.0.clear();
    }
}

impl VisitMap<NodeIdx> for Visited {
    fn visit(&mut self, node: NodeIdx) -> bool {
        self.0.insert(node)
    }

    fn is_visited(&self, node: &NodeIdx) -> bool {
        self.0.contains(node)
    }

    fn unvisit(&mut self, node: NodeIdx) -> bool {
        self.0.swap_remove(&node)
    }
}

impl NodeCount for AsOf<'_> {
    fn node_count(&self) -> usize {
        self.graph.nodes.len()
    }
}

impl NodeIndexable for AsOf<'_> {
    fn node_bound(&self) -> usize {
        self.node_count()
    }

    fn to_index(&self, node: NodeIdx) -> usize {
        node.0 as usize
    }

    fn from_index(&self, index: usize) -> NodeIdx {
        NodeIdx(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

/// Nodes are never taken out.
impl NodeCompactIndexable for AsOf<'_> {}

impl IntoNodeIdentifiers for AsOf<'_> {
    type NodeIdentifiers = std::iter::Map<std::ops::Range<u32>, fn(u32) -> NodeIdx>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        let n_nodes = u32::try_from(self.node_count()).unwrap_or(u32::MAX);
        (0..n_nodes).map(NodeIdx as fn(u32) -> NodeIdx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use petgraph::algo::tarjan_scc;
    use petgraph::visit::Bfs;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entity::EntityRef;
    use crate::domain::event::Event;
    use crate::domain::neighborhood::NeighborhoodQuery;
    use crate::graph::laws::{ACCOUNT, DEVICE, IP, at, order, placed};
    use crate::graph::settings::GraphSettings;

    const REGION: EntityKind = EntityKind::Region;
    const ADDRESS: EntityKind = EntityKind::Address;
    /// The last kind makes small rings, so that most things join few.
    const KINDS: [(EntityKind, u32); 5] =
        [(ACCOUNT, 15), (DEVICE, 9), (ADDRESS, 20), (IP, 4), (REGION, 2)];

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let picks = KINDS.map(|(_, n)| prop::option::weighted(0.8, 0..n));
        prop::collection::vec((0_i64..40, picks), 1..40).prop_map(|told| {
            let told = told.into_iter().enumerate();
            let event = |(id, (hour, picks)): (usize, (i64, [Option<u32>; 5]))| {
                let named = KINDS.iter().zip(picks);
                let named: Vec<_> =
                    named.filter_map(|(&(kind, _), n)| n.map(|n| (kind, n))).collect();
                placed(hour, order(id, &named))
            };
            told.map(event).collect()
        })
    }

    fn folded(events: &[Event], ring_link_accounts_max: u32) -> KnowledgeGraph {
        let settings = GraphSettings { ring_link_accounts_max, ..GraphSettings::default() };
        let mut graph = KnowledgeGraph::new(settings);
        for event in events {
            graph.apply(event);
        }
        graph
    }

    fn unbounded(seed: &EntityRef) -> NeighborhoodQuery {
        NeighborhoodQuery {
            seeds: vec![seed.clone()],
            n_hops: 1_000,
            kinds: Vec::new(),
            since: None,
            as_of: None,
            n_nodes_max: 1_000,
            fan_out_max: 1_000,
        }
    }

    proptest! {
        #[test]
        fn a_search_through_meetings_reaches_what_an_unbounded_view_shows_in_its_order_of_hops(
            events in events(), hour in 0_i64..40,
        ) {
            let graph = folded(&events, 40);
            let meetings = graph.meetings(at(hour));
            for seed in meetings.node_identifiers() {
                let view = graph.neighborhood(&unbounded(graph.entity(seed).unwrap()), at(hour));
                prop_assert!(!view.is_truncated);
                let hops: BTreeMap<NodeIdx, u32> = view
                    .nodes
                    .iter()
                    .map(|shown| (graph.find(&shown.entity).unwrap(), shown.n_hops))
                    .collect();
                let mut search = Bfs::new(meetings, seed);
                let mut found = Vec::new();
                while let Some(node) = search.next(meetings) {
                    found.push((hops.get(&node).copied(), node));
                }
                prop_assert!(found.is_sorted_by_key(|&(n_hops, _)| n_hops));
                let found: BTreeMap<NodeIdx, Option<u32>> =
                    found.into_iter().map(|(n_hops, node)| (node, n_hops)).collect();
                let shown = hops.into_iter().map(|(node, n_hops)| (node, Some(n_hops)));
                prop_assert_eq!(found, shown.collect::<BTreeMap<_, _>>());
            }
        }

        #[test]
        fn strongly_connected_components_of_what_joins_are_the_rings(
            events in events(), hour in 0_i64..40,
        ) {
            let graph = folded(&events, 4);
            let joining = graph.joining(at(hour));
            let components = tarjan_scc(joining);
            prop_assert_eq!(components.iter().map(Vec::len).sum::<usize>(), joining.node_count());
            for component in components {
                let is_account = |&node: &NodeIdx| graph.entity(node).unwrap().kind == ACCOUNT;
                let accounts: BTreeSet<NodeIdx> =
                    component.into_iter().filter(is_account).collect();
                for &account in &accounts {
                    let ring = graph.history(account, at(hour)).unwrap().ring();
                    let ring: BTreeSet<NodeIdx> = ring.into_iter().collect();
                    let is_alone = accounts.len() < 2;
                    prop_assert_eq!(ring, if is_alone { BTreeSet::new() } else { accounts.clone() });
                }
            }
        }
    }
}

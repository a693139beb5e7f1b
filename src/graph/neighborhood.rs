//! The neighborhood of entities: breadth first, newest links first, bounded.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::neighborhood::{
    LOST_STEPS_MAX, Neighborhood, NeighborhoodEdge, NeighborhoodNode, NeighborhoodQuery,
};
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{KnowledgeGraph, has_meetings};

/// Most links of one view that are looked at; the sequencer waits for them.
const LINKS_READ_MAX: usize = 5_000;

/// A view in the making.
struct View<'a> {
    graph: &'a KnowledgeGraph,
    query: &'a NeighborhoodQuery,
    as_of: Timestamp,
    nodes: Vec<NeighborhoodNode>,
    places: BTreeMap<EntityRef, u32>,
    edges: BTreeMap<(u32, u32), NeighborhoodEdge>,
    n_read: usize,
    is_truncated: bool,
}

/// A link of a node, and where it leads.
struct Link<'a> {
    other: &'a EntityRef,
    n_orders: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

impl KnowledgeGraph {
    /// The part of the graph around the query's seeds; `now` is shown when it names no instant.
    ///
    /// The same graph and query give the same view. Links between two nodes of the last hop
    /// are not looked for.
    pub fn neighborhood(&self, query: &NeighborhoodQuery, now: Timestamp) -> Neighborhood {
        let mut view = View {
            graph: self,
            query,
            as_of: query.as_of.unwrap_or(now),
            nodes: Vec::new(),
            places: BTreeMap::new(),
            edges: BTreeMap::new(),
            n_read: 0,
            is_truncated: false,
        };
        for seed in &query.seeds {
            view.reach(seed, 0);
        }
        let mut n_expanded = 0;
        while n_expanded < view.nodes.len() && view.nodes[n_expanded].n_hops < query.n_hops {
            view.expand(n_expanded);
            n_expanded += 1;
        }
        let accounts = query.seeds.iter().filter(|seed| seed.kind == EntityKind::Account);
        Neighborhood {
            identities: accounts.flat_map(|seed| self.identities(seed, view.as_of)).collect(),
            nodes: view.nodes,
            edges: view.edges.into_values().collect(),
            is_truncated: view.is_truncated,
            as_of: view.as_of,
        }
    }
}

impl<'a> View<'a> {
    /// The place of an entity, which is given one while there is room.
    fn reach(&mut self, entity: &EntityRef, n_hops: u32) -> Option<u32> {
        if let Some(&place) = self.places.get(entity) {
            return Some(place);
        }
        let place = u32::try_from(self.nodes.len()).ok();
        let place = place.filter(|&place| place < self.query.n_nodes_max)?;
        let past = self.graph.history_of(entity, self.as_of);
        self.nodes.push(NeighborhoodNode {
            entity: entity.clone(),
            n_hops,
            n_orders: past.totals(Window::Ever).n_orders,
            n_bad: past.n_bad(),
            is_hub: past.is_hub(),
            lost_steps: past.lost_steps(Window::Ever).take(LOST_STEPS_MAX).collect(),
            first_seen: past.first_seen(),
            last_seen: past.last_seen(),
            is_truncated: false,
        });
        self.places.insert(entity.clone(), place);
        Some(place)
    }

    /// Follows the links of a node.
    fn expand(&mut self, at: usize) {
        let (entity, n_hops) = (self.nodes[at].entity.clone(), self.nodes[at].n_hops);
        // Whom regions and channels met is not remembered: everybody.
        if !has_meetings(entity.kind) {
            return;
        }
        let past = self.graph.history_of(&entity, self.as_of);
        let mut links = Vec::new();
        let mut is_cut = false;
        for kind in EntityKind::ALL {
            let is_asked = self.query.kinds.is_empty() || self.query.kinds.contains(&kind);
            if is_asked && kind != entity.kind {
                is_cut |= self.read_links(&past, kind, &mut links);
            }
        }
        links.sort_by(|a, b| (Reverse(a.last_seen), a.other).cmp(&(Reverse(b.last_seen), b.other)));
        is_cut |= self.fan_out() < links.len();
        links.truncate(self.fan_out());
        let from = u32::try_from(at).unwrap_or(u32::MAX);
        for link in links {
            match self.reach(link.other, n_hops + 1) {
                Some(to) => self.join(from, to, &link),
                None => is_cut = true,
            }
        }
        self.nodes[at].is_truncated = is_cut;
        self.is_truncated |= is_cut;
    }

    /// Appends the newest links to a kind that lie in the range; true when some are left out.
    fn read_links(
        &mut self,
        past: &History<'a>,
        kind: EntityKind,
        links: &mut Vec<Link<'a>>,
    ) -> bool {
        let n_max = self.fan_out().min(LINKS_READ_MAX - self.n_read);
        let others = past.recent(kind, Window::Ever, n_max);
        self.n_read += others.len();
        let is_all = others.len() as u64 == past.n_distinct(kind, Window::Ever);
        let before = self.query.since.map(|since| past.at(since - Span(1)));
        for other in others {
            let (Some(pair), Some(entity)) = (past.pair(other, kind), self.graph.entity(other))
            else {
                continue;
            };
            // The newest come first: all that follow are older.
            if self.query.since.is_some_and(|since| pair.last_seen < since) {
                return false;
            }
            let earlier = before.as_ref().and_then(|before| before.pair(other, kind));
            let n_earlier = earlier.map_or(0, |pair| pair.n_orders);
            links.push(Link {
                other: entity,
                n_orders: pair.n_orders.saturating_sub(n_earlier),
                first_seen: past.first_met(other, kind).unwrap_or(pair.last_seen),
                last_seen: pair.last_seen,
            });
        }
        !is_all
    }

    fn join(&mut self, one: u32, other: u32, link: &Link<'_>) {
        let (from, to) = (one.min(other), one.max(other));
        self.edges.entry((from, to)).or_insert(NeighborhoodEdge {
            from,
            to,
            n_orders: link.n_orders,
            first_seen: link.first_seen,
            last_seen: link.last_seen,
        });
    }

    fn fan_out(&self) -> usize {
        self.query.fan_out_max as usize
    }
}

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

/// Most links of one view that are looked at.
const LINKS_READ_MAX: usize = 5_000;
/// After so many the graph is given back: whoever owns it has other work, too.
const LINKS_OF_WALK: usize = 150;

/// A view in the making, between two walks through the graph.
#[derive(Clone, Debug)]
pub struct Looking {
    query: NeighborhoodQuery,
    as_of: Timestamp,
    nodes: Vec<NeighborhoodNode>,
    places: BTreeMap<EntityRef, u32>,
    edges: BTreeMap<(u32, u32), NeighborhoodEdge>,
    n_read: usize,
    /// Nodes whose links were followed.
    n_expanded: usize,
    is_truncated: bool,
}

/// A walk that continues a view.
struct View<'a> {
    graph: &'a KnowledgeGraph,
    seen: &'a mut Looking,
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
        let mut looking = Box::new(Looking::new(query.clone(), now));
        loop {
            match self.look_on(looking) {
                Ok(view) => return view,
                Err(more) => looking = more,
            }
        }
    }

    /// Walks on a little and gives the view, or what is seen so far when there is more to walk.
    ///
    /// The graph may learn in between; since all is read as of one instant, only what it
    /// learns late, about the time before, can be in one part of the view and not in another.
    ///
    /// # Errors
    /// What to look on from.
    pub fn look_on(&self, mut looking: Box<Looking>) -> Result<Neighborhood, Box<Looking>> {
        let mut view = View { graph: self, seen: &mut looking };
        if !view.walk() {
            return Err(looking);
        }
        let Looking { query, as_of, nodes, edges, is_truncated, .. } = *looking;
        let accounts = query.seeds.iter().filter(|seed| seed.kind == EntityKind::Account);
        Ok(Neighborhood {
            identities: accounts.flat_map(|seed| self.identities(seed, as_of)).collect(),
            nodes,
            edges: edges.into_values().collect(),
            is_truncated,
            as_of,
        })
    }
}

impl Looking {
    /// Where to start, to be named as they are known.
    pub fn seeds_mut(&mut self) -> &mut [EntityRef] {
        &mut self.query.seeds
    }

    /// A view of which nothing is seen yet; `now` is shown when the query names no instant.
    pub fn new(query: NeighborhoodQuery, now: Timestamp) -> Self {
        Self {
            as_of: query.as_of.unwrap_or(now),
            query,
            nodes: Vec::new(),
            places: BTreeMap::new(),
            edges: BTreeMap::new(),
            n_read: 0,
            n_expanded: 0,
            is_truncated: false,
        }
    }
}

impl<'a> View<'a> {
    /// Follows links; true when there are no more to follow.
    fn walk(&mut self) -> bool {
        if self.seen.nodes.is_empty() {
            for seed in self.seen.query.seeds.clone() {
                self.reach(&seed, 0);
            }
        }
        let n_before = self.seen.n_read;
        loop {
            let at = self.seen.n_expanded;
            let next = self.seen.nodes.get(at);
            if next.is_none_or(|next| self.seen.query.n_hops <= next.n_hops) {
                return true;
            }
            if LINKS_OF_WALK <= self.seen.n_read - n_before {
                return false;
            }
            self.expand(at);
            self.seen.n_expanded += 1;
        }
    }

    /// The place of an entity, which is given one while there is room.
    fn reach(&mut self, entity: &EntityRef, n_hops: u32) -> Option<u32> {
        if let Some(&place) = self.seen.places.get(entity) {
            return Some(place);
        }
        let place = u32::try_from(self.seen.nodes.len()).ok();
        let place = place.filter(|&place| place < self.seen.query.n_nodes_max)?;
        let past = self.graph.history_of(entity, self.seen.as_of);
        self.seen.nodes.push(NeighborhoodNode {
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
        self.seen.places.insert(entity.clone(), place);
        Some(place)
    }

    /// Follows the links of a node.
    fn expand(&mut self, at: usize) {
        let (entity, n_hops) = (self.seen.nodes[at].entity.clone(), self.seen.nodes[at].n_hops);
        // Whom regions and channels met is not remembered: everybody.
        if !has_meetings(entity.kind) {
            return;
        }
        let past = self.graph.history_of(&entity, self.seen.as_of);
        let mut links = Vec::new();
        let mut is_cut = false;
        for kind in EntityKind::ALL {
            let is_asked =
                self.seen.query.kinds.is_empty() || self.seen.query.kinds.contains(&kind);
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
        self.seen.nodes[at].is_truncated = is_cut;
        self.seen.is_truncated |= is_cut;
    }

    /// Appends the newest links to a kind that lie in the range; true when some are left out.
    fn read_links(
        &mut self,
        past: &History<'a>,
        kind: EntityKind,
        links: &mut Vec<Link<'a>>,
    ) -> bool {
        let n_max = self.fan_out().min(LINKS_READ_MAX - self.seen.n_read);
        let others = past.recent(kind, Window::Ever, n_max);
        self.seen.n_read += others.len();
        let is_all = others.len() as u64 == past.n_distinct(kind, Window::Ever);
        let before = self.seen.query.since.map(|since| past.at(since - Span(1)));
        for other in others {
            let (Some(pair), Some(entity)) = (past.pair(other, kind), self.graph.entity(other))
            else {
                continue;
            };
            // The newest come first: all that follow are older.
            if self.seen.query.since.is_some_and(|since| pair.last_seen < since) {
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
        self.seen.edges.entry((from, to)).or_insert(NeighborhoodEdge {
            from,
            to,
            n_orders: link.n_orders,
            first_seen: link.first_seen,
            last_seen: link.last_seen,
        });
    }

    fn fan_out(&self) -> usize {
        self.seen.query.fan_out_max as usize
    }
}

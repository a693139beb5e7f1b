//! Reading what two entities have in common; nothing changes here.

use crate::domain::entity::EntityKind;
use crate::domain::time::Timestamp;
use crate::graph::arena::{Member, OrderNo, column};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::NodeIdx;
use crate::graph::settings::{HUB_WALK_MAX, PAIR_WALK_MAX};

/// How often two entities met and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairSeen {
    /// Orders that link them.
    pub n_orders: u64,
    /// The last of them.
    pub last_seen: Timestamp,
}

impl History<'_> {
    /// How often this entity met another one.
    pub fn pair(&self, other: NodeIdx, kind: EntityKind) -> Option<PairSeen> {
        let other = self.counterpart(other, kind)?;
        if other.node != self.member().node
            && self.node.postings.hub().is_some()
            && self.graph.postings(other.node).is_some_and(|theirs| theirs.hub().is_some())
        {
            return self.hub_pair(other);
        }
        self.looked_through(other)
    }

    /// When two entities first met, as far as the retention and a bounded walk reach back.
    pub fn first_met(&self, other: NodeIdx, kind: EntityKind) -> Option<Timestamp> {
        let met = self.orders_with(self.counterpart(other, kind)?, self.graph.horizon());
        met.take(1 + PAIR_WALK_MAX).last().map(|(_, time)| time)
    }

    /// Events that told the orders with another entity, newest first; at most `n_max`.
    pub fn events_with(&self, other: NodeIdx, kind: EntityKind, n_max: usize) -> Vec<Box<str>> {
        let Some(other) = self.counterpart(other, kind) else { return Vec::new() };
        let met = self.orders_with(other, self.graph.horizon()).take(n_max);
        met.map(|(no, _)| self.graph.arena.event_id(no).into()).collect()
    }

    /// Orders of a window that hold a SKU; counts at most [`PAIR_WALK_MAX`].
    pub fn n_orders_with(&self, sku: NodeIdx, window: Window) -> u64 {
        let Some(sku) = self.counterpart(sku, EntityKind::Sku) else { return 0 };
        let met = self.orders_with(sku, self.since(window));
        met.take(PAIR_WALK_MAX).count() as u64
    }

    /// Orders of both entities from `since` to the instant of reading, newest first: found
    /// among the orders of the one that has fewer.
    pub(super) fn orders_with(
        &self,
        other: Member,
        since: Timestamp,
    ) -> impl Iterator<Item = (OrderNo, Timestamp)> + '_ {
        let arena = &self.graph.arena;
        let (own, theirs) = (&self.node.postings, self.graph.postings(other.node));
        let (walked, sought) = match theirs {
            Some(theirs) if theirs.len() < own.len() => (theirs, self.member()),
            Some(_) | None => (own, other),
        };
        let orders = walked.newest_first(arena, self.as_of);
        let orders = orders.take_while(move |&(_, time)| since <= time).take(HUB_WALK_MAX);
        orders.filter(move |&(no, _)| arena.touches(no, sought))
    }

    fn looked_through(&self, other: Member) -> Option<PairSeen> {
        let mut met = self.orders_with(other, self.graph.horizon());
        let (_, last_seen) = met.next()?;
        Some(PairSeen { n_orders: 1 + met.count() as u64, last_seen })
    }

    /// What two hubs have in common; looked through for an instant before they last
    /// met, and while orders beyond the horizon are still counted.
    fn hub_pair(&self, other: Member) -> Option<PairSeen> {
        let arena = &self.graph.arena;
        let pair = self.graph.pairs.get(self.member().node, other.node);
        let pair = pair.filter(|pair| arena.holds(pair.last))?;
        let last_seen = arena.row(pair.last).time;
        if self.as_of < last_seen || self.graph.has_expired_orders() {
            return self.looked_through(other);
        }
        let n_orders = u64::from(pair.n_orders);
        (self.graph.horizon() <= last_seen).then_some(PairSeen { n_orders, last_seen })
    }

    /// Another node as this entity meets it, if it does.
    fn counterpart(&self, other: NodeIdx, kind: EntityKind) -> Option<Member> {
        let other = Member { node: other.0, column: column(kind) };
        self.member().meets(other).then_some(other)
    }
}

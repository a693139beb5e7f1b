//! The graph as it would be without a link.
//!
//! What if the link's orders had not named one of its ends? The end leaves these orders, the graph is read, and the end comes back. While it is
//! gone, every read equals that of a graph which was told the same events without the
//! end's name in these orders; what the events say of an account besides, such as when it
//! was opened, stays. Laws of `crate::feature` hold both to it, over every feature.

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::evidence::WEIGHED_ORDERS_MAX;
use crate::domain::time::Timestamp;
use crate::graph::arena::{Member, NOBODY, OrderNo, column};
use crate::graph::hub::TraitsOfDay;
use crate::graph::hub_log::{HubLog, HubOrder, Lasts};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx, RING_KINDS, has_steps};

/// Which way a node goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Out,
    Back,
}

/// True when the second of two linked entities leaves the orders of the link, and not the
/// first: a shared thing leaves rather than the account that used it, and never a SKU, whose
/// pieces the order keeps.
pub(super) fn other_leaves(asked: EntityKind, other: EntityKind) -> bool {
    let is_thing = other == EntityKind::Ip || RING_KINDS.contains(&other);
    asked == EntityKind::Sku || asked == EntityKind::Account && is_thing
}

impl KnowledgeGraph {
    /// What is read when the orders of two entities, up to an instant, do not name the first.
    ///
    /// `None` when they have none in common, when they have more than
    /// [`WEIGHED_ORDERS_MAX`] or more than a bounded walk finds, or when the first is a SKU.
    /// Afterwards the graph is as before.
    pub fn without_link<T>(
        &mut self,
        (leaving, other): (&EntityRef, &EntityRef),
        as_of: Timestamp,
        read: impl FnOnce(&Self) -> T,
    ) -> Option<T> {
        let (leaving_kind, column) = (leaving.kind, Some(column(leaving.kind)?));
        let leaving = Member { node: self.find(leaving)?.0, column };
        let past = self.history(self.find(other)?, as_of)?;
        let orders = past.orders_with(leaving, self.horizon());
        let orders: Vec<OrderNo> = orders.take(1 + WEIGHED_ORDERS_MAX).map(|(no, _)| no).collect();
        let n_orders = past.pair(NodeIdx(leaving.node), leaving_kind)?.n_orders;
        if WEIGHED_ORDERS_MAX < orders.len() || n_orders != orders.len() as u64 {
            return None;
        }
        let traits = self.forget_traits(&orders);
        for &no in &orders {
            self.detach(no, leaving);
        }
        let seen = read(self);
        for &no in orders.iter().rev() {
            self.attach(no, leaving);
        }
        for (hub, traits) in traits {
            if let Some(log) = self.nodes[hub as usize].postings.hub_mut() {
                log.remember_traits(traits);
            }
        }
        Some(seen)
    }

    /// Forgets what is worked out of orders that change, and gives it for later.
    pub(super) fn forget_traits(&mut self, orders: &[OrderNo]) -> Vec<(u32, Option<TraitsOfDay>)> {
        let mut known = Vec::new();
        for &no in orders {
            for member in self.arena.members(no) {
                if let Some(log) = self.nodes[member.node as usize].postings.hub_mut()
                    && log.traits().is_some()
                {
                    known.push((member.node, log.traits()));
                    log.remember_traits(None);
                }
            }
        }
        known
    }

    /// Takes a node out of an order, which goes on without it.
    pub(super) fn detach(&mut self, no: OrderNo, leaving: Member) {
        let Some(column) = leaving.column else { return };
        let members: Vec<Member> = self.arena.members(no).collect();
        let was_hub = self.log(leaving.node).is_some();
        self.nodes[leaving.node as usize].postings.remove(&self.arena, no);
        self.arena.name(no, column, NOBODY);
        if was_hub {
            for hub in self.hubs(&members, leaving) {
                self.pairs.remove(leaving.node, hub.node);
                let pair = self.pairs.get(leaving.node, hub.node);
                if pair.is_some_and(|pair| pair.last == no)
                    && let Some(newest) = self.newest_of_both(leaving, hub)
                {
                    self.pairs.renew((leaving.node, hub.node), newest);
                }
            }
        }
        // Earlier meetings are the last ones again, for both sides.
        let met = members.iter().copied().filter(|&other| leaving.meets(other));
        for other in met {
            self.remark(leaving, other, no);
        }
        for hub in self.hubs(&members, leaving) {
            if let Some(log) = self.nodes[hub.node as usize].postings.hub_mut() {
                log.unmark(&self.arena, no, leaving.column);
            }
            if hub.meets(leaving) {
                self.remark(hub, leaving, no);
            }
        }
        self.tell_node(no, leaving, Way::Out);
    }

    /// Puts a node into an order that names nobody of its kind.
    pub(super) fn attach(&mut self, no: OrderNo, leaving: Member) {
        let Some(column) = leaving.column else { return };
        let mut members: Vec<Member> = self.arena.members(no).collect();
        members.push(leaving);
        let hubs = self.hubs(&members, leaving);
        // Looks at lists and pairs that do not hold the order yet; they follow below.
        for &hub in hubs.iter().filter(|hub| hub.meets(leaving)) {
            let latest = self.latest_together(hub, leaving);
            if latest.is_some_and(|latest| self.arena.cmp(no, latest).is_lt()) {
                continue;
            }
            if let Some(log) = self.nodes[hub.node as usize].postings.hub_mut() {
                if let Some(latest) = latest {
                    log.unmark(&self.arena, latest, leaving.column);
                }
                log.mark(&self.arena, no, leaving.column);
            }
        }
        let is_hub = self.log(leaving.node).is_some();
        let lasts = if is_hub { self.newly_last(leaving, &members, no) } else { Lasts::default() };
        self.arena.name(no, column, leaving.node);
        if is_hub {
            for hub in &hubs {
                self.pairs.add((leaving.node, hub.node), &self.arena, no);
            }
            let (time, size) = (self.arena.row(no).time, self.arena.size(no, leaving));
            if let Some(log) = self.nodes[leaving.node as usize].postings.hub_mut() {
                log.insert(&self.arena, HubOrder { time, no, size, lasts });
            }
        } else if self.nodes[leaving.node as usize].postings.list(&self.arena, no) {
            // A hub that had left all its orders comes back as one.
            self.make_hub(leaving);
        }
        self.tell_node(no, leaving, Way::Back);
    }

    /// Marks the newest order of a hub and another node as their last meeting, if it is older
    /// than one that no longer counts.
    fn remark(&mut self, hub: Member, other: Member, gone: OrderNo) {
        if self.log(hub.node).is_none() {
            return;
        }
        let latest = self.latest_together(hub, other);
        if let Some(latest) = latest.filter(|&latest| self.arena.cmp(latest, gone).is_lt())
            && let Some(log) = self.nodes[hub.node as usize].postings.hub_mut()
        {
            log.mark(&self.arena, latest, other.column);
        }
    }

    /// What became of an order is no longer, or again, part of a node's past.
    fn tell_node(&mut self, no: OrderNo, member: Member, way: Way) {
        let Some(told) = self.orders.told(self.arena.digest(no)) else { return };
        let idx = member.node as usize;
        let Some((entity, node)) = self.nodes.get_index_mut(idx) else { return };
        for it in member.column.into_iter().flat_map(|column| told.truths.of(column)) {
            match way {
                Way::Out => node.unmark(it.head, it.known_at, it.verdict),
                Way::Back => node.mark(it.head, it.known_at, it.verdict),
            }
        }
        if has_steps(entity.kind) && !told.steps.is_empty() {
            match way {
                Way::Out => told.steps.take_from(node.facts_mut()),
                Way::Back => told.steps.add_to(node.facts_mut()),
            }
        }
    }

    /// The newest order of two hubs, looked through.
    fn newest_of_both(&self, one: Member, other: Member) -> Option<OrderNo> {
        let len = |hub: Member| self.log(hub.node).map_or(0, HubLog::len);
        let (few, many) = if len(one) < len(other) { (one, other) } else { (other, one) };
        let orders =
            self.nodes[few.node as usize].postings.newest_first(&self.arena, Timestamp(i64::MAX));
        let mut both = orders.filter(|&(no, _)| self.arena.touches(no, many));
        both.next().map(|(no, _)| no)
    }

    /// Those of an order's other nodes that are hubs.
    fn hubs(&self, members: &[Member], but: Member) -> Vec<Member> {
        let others = members.iter().copied().filter(|member| member.node != but.node);
        others.filter(|member| self.log(member.node).is_some()).collect()
    }

    fn log(&self, node: u32) -> Option<&HubLog> {
        self.nodes[node as usize].postings.hub()
    }
}

//! An order joins the orders of its nodes, and leaves them when it is too old.
//!
//! Lists only take its number. Hubs also keep which order is the last one with each
//! counterpart: found through the counterpart's own short list, or for two hubs
//! through the pairs of hubs.

use crate::domain::time::Timestamp;
use crate::graph::arena::{COLUMNS, Member, OrderNo};
use crate::graph::hub_log::{HubLog, HubOrder, Lasts};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::postings::Postings;
use crate::graph::totals::Totals;

impl KnowledgeGraph {
    /// Adds an order of the arena to every node it touches.
    pub(super) fn join(&mut self, no: OrderNo) {
        let members: Vec<Member> = self.arena.members(no).collect();
        let (hubs, others): (Vec<Member>, Vec<Member>) =
            members.iter().partition(|member| self.is_hub_log(member.node));
        let time = self.arena.row(no).time;
        // Looks at lists and pairs that do not hold the order yet; they follow below.
        for &hub in &hubs {
            let lasts = self.newly_last(hub, &members, no);
            let order = HubOrder { time, no, size: self.arena.size(no, hub), lasts };
            if let Some(log) = self.nodes[hub.node as usize].postings.hub_mut() {
                log.insert(&self.arena, order);
            }
        }
        for (at, one) in hubs.iter().enumerate() {
            for other in &hubs[at + 1..] {
                self.pairs.add((one.node, other.node), &self.arena, no);
            }
        }
        for &member in &others {
            if self.nodes[member.node as usize].postings.list(&self.arena, no) {
                self.make_hub(member);
            }
        }
        for &hub in &hubs {
            self.remember_traits(hub.node, time);
        }
    }

    /// Takes an order out of its nodes and forgets it.
    pub(super) fn leave(&mut self, no: OrderNo, horizon: Timestamp) {
        let members: Vec<Member> = self.arena.members(no).collect();
        for (at, one) in members.iter().enumerate() {
            for other in &members[at + 1..] {
                if self.is_hub_log(one.node) && self.is_hub_log(other.node) {
                    self.pairs.remove(one.node, other.node);
                }
            }
        }
        let time = self.arena.row(no).time;
        for &member in &members {
            let size = self.arena.size(no, member);
            let node = &mut self.nodes[member.node as usize];
            node.postings.remove(&self.arena, no);
            node.remember_dropped(time, Totals::of(size));
            node.expire_labels(horizon);
        }
        self.orders.forget(self.arena.digest(no));
        self.arena.forget(no);
    }

    /// The newest order that two nodes have in common.
    pub(super) fn latest_together(&self, hub: Member, other: Member) -> Option<OrderNo> {
        let postings = &self.nodes[other.node as usize].postings;
        if hub.node == other.node {
            return postings.newest();
        }
        if postings.hub().is_none() {
            let mut listed = postings.listed().iter().rev().copied();
            return listed.find(|&no| self.arena.touches(no, hub));
        }
        match self.nodes[hub.node as usize].postings.hub() {
            Some(_) => {
                let pair = self.pairs.get(hub.node, other.node)?;
                Some(pair.last).filter(|&last| self.arena.holds(last))
            }
            None => self.latest_together(other, hub),
        }
    }

    /// Counterparts whose last meeting with the hub the order is; their earlier last ones
    /// are not the last any more.
    pub(super) fn newly_last(&mut self, hub: Member, members: &[Member], no: OrderNo) -> Lasts {
        let mut lasts = Lasts::default();
        for &other in members.iter().filter(|&&other| hub.meets(other)) {
            let latest = self.latest_together(hub, other);
            if latest.is_some_and(|latest| self.arena.cmp(no, latest).is_lt()) {
                continue;
            }
            lasts.mark(other.column);
            let log = self.nodes[hub.node as usize].postings.hub_mut();
            if let (Some(latest), Some(log)) = (latest, log) {
                log.unmark(&self.arena, latest, other.column);
            }
        }
        lasts
    }

    /// Turns a list that became too long into the log of a hub.
    pub(super) fn make_hub(&mut self, hub: Member) {
        let listed = self.nodes[hub.node as usize].postings.listed().to_vec();
        let mut seen: [Vec<u32>; COLUMNS + 1] = Default::default();
        let mut orders = Vec::with_capacity(listed.len());
        for &no in listed.iter().rev() {
            let mut lasts = Lasts::default();
            for other in self.arena.members(no).filter(|&other| hub.meets(other)) {
                let seen = &mut seen[other.column.unwrap_or(COLUMNS)];
                if !seen.contains(&other.node) {
                    seen.push(other.node);
                    lasts.mark(other.column);
                }
            }
            let time = self.arena.row(no).time;
            orders.push(HubOrder { time, no, size: self.arena.size(no, hub), lasts });
        }
        orders.reverse();
        self.nodes[hub.node as usize].postings = Postings::Hub(Box::new(HubLog::new(&orders)));
        for no in listed {
            for other in self.arena.members(no).filter(|other| other.node != hub.node) {
                if self.is_hub_log(other.node) {
                    self.pairs.add((hub.node, other.node), &self.arena, no);
                }
            }
        }
    }

    fn is_hub_log(&self, node: u32) -> bool {
        self.nodes[node as usize].postings.hub().is_some()
    }
}

//! A node is forgotten: its orders go on without it.

use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::time::Timestamp;
use crate::graph::arena::{Member, OrderNo, column};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::node::Node;

impl KnowledgeGraph {
    /// True when an entity is a node.
    pub fn knows(&self, entity: &EntityRef) -> bool {
        self.nodes.contains_key(entity)
    }

    /// How many entities came before this one; `None` when it is no node.
    pub fn place_of(&self, entity: &EntityRef) -> Option<u64> {
        self.nodes.get_index_of(entity).map(|at| at as u64)
    }

    /// Personal identifiers that are known, and all entities; looks at each.
    pub fn n_known(&self) -> (u64, u64) {
        let is_known = |entity: &&EntityRef| matches!(entity.key, EntityKey::Hashed(_));
        (self.nodes.keys().filter(is_known).count() as u64, self.nodes.len() as u64)
    }

    /// Forgets an entity that is not sold: its orders no longer name it, and it is as if it was
    /// never seen. An empty node named `instead` keeps its place, since others are counted
    /// from the first one.
    pub fn erase(&mut self, entity: &EntityRef, instead: &EntityRef) {
        let (Some(at), Some(column)) = (self.nodes.get_index_of(entity), column(entity.kind))
        else {
            return;
        };
        let Ok(node) = u32::try_from(at) else { return };
        let leaving = Member { node, column: Some(column) };
        let orders = self.orders_of(node);
        drop(self.forget_traits(&orders));
        for no in orders {
            self.detach(no, leaving);
        }
        self.nodes[at] = Node::default();
        // Only a name that is taken is refused, and this one has a number of its own.
        drop(self.nodes.replace_index(at, instead.clone()));
    }

    /// The orders of a node, the oldest first: so the last meeting with another hub is looked
    /// for once while it leaves them.
    pub(super) fn orders_of(&self, node: u32) -> Vec<OrderNo> {
        let postings = &self.nodes[node as usize].postings;
        let listed = postings.newest_first(&self.arena, Timestamp(i64::MAX));
        let mut orders: Vec<OrderNo> = listed.map(|(no, _)| no).collect();
        orders.reverse();
        orders
    }
}

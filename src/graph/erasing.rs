//! A node is forgotten: its orders go on without it.

use crate::domain::entity::EntityRef;
use crate::domain::time::Timestamp;
use crate::graph::arena::{Member, OrderNo, column};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::node::Node;

impl KnowledgeGraph {
    /// True when an entity is a node.
    pub fn knows(&self, entity: &EntityRef) -> bool {
        self.nodes.contains_key(entity)
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
        let listed = self.nodes[at].postings.newest_first(&self.arena, Timestamp(i64::MAX));
        let mut orders: Vec<OrderNo> = listed.map(|(no, _)| no).collect();
        // The oldest first: so the last meeting with another hub is looked for once.
        orders.reverse();
        drop(self.forget_traits(&orders));
        for no in orders {
            self.detach(no, leaving);
        }
        self.nodes[at] = Node::default();
        // Only a name that is taken is refused, and this one has a number of its own.
        drop(self.nodes.replace_index(at, instead.clone()));
    }
}

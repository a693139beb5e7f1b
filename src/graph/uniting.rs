//! Two nodes turn out to be one: the orders of the one move to the other.

use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::graph::arena::{Member, OrderNo, column};
use crate::graph::knowledge::{KnowledgeGraph, RING_KINDS};
use crate::graph::node::Node;
use crate::graph::sharing::Sharing;

impl KnowledgeGraph {
    /// Lets an entity that is not sold be known as another one of its kind; nothing changes when
    /// it is no node.
    ///
    /// Reads are afterwards those of a graph that was told the other name all along. An empty
    /// node keeps the place.
    pub fn unite(&mut self, entity: &EntityRef, known_as: &EntityRef) {
        let (Some(at), Some(column)) = (self.nodes.get_index_of(entity), column(entity.kind))
        else {
            return;
        };
        let Ok(from) = u32::try_from(at) else { return };
        let to = self.node_for(known_as);
        if from == to {
            return;
        }
        // Verdicts on orders that are to be dropped may have gone before them.
        let horizon = self.horizon();
        for no in self.orders_of(from) {
            if self.arena.row(no).time < horizon {
                self.drop_order(no, horizon);
            }
        }
        let orders = self.orders_of(from);
        drop(self.forget_traits(&orders));
        let member = |node| Member { node, column: Some(column) };
        for &no in &orders {
            self.detach(no, member(from));
            self.attach(no, member(to));
            self.share_as(no, (from, to));
        }
        // Those of the node itself among them.
        drop(self.forget_traits(&orders));
        let rest = std::mem::take(&mut self.nodes[at]);
        self.nodes[to as usize].absorb(rest);
        self.orders.rename_early(entity, known_as);
        // Only a name that is taken is refused, and there is one such name for each place.
        let key = EntityKey::Plain(format!("moved-{at}").into());
        drop(self.nodes.replace_index(at, EntityRef { kind: entity.kind, key }));
    }

    /// Notes whom the account of an order that moved shares things with.
    fn share_as(&mut self, no: OrderNo, (from, to): (u32, u32)) {
        let row = *self.arena.row(no);
        if row.node_of(EntityKind::Account) == Some(to) {
            for thing in RING_KINDS.into_iter().filter_map(|kind| row.node_of(kind)) {
                let sharing = &mut self.nodes[thing as usize].sharing;
                if *sharing == Sharing::One(from) {
                    *sharing = Sharing::One(to);
                }
            }
        }
        self.note_sharing(&row);
    }
}

impl Node {
    /// Takes over what is left of a node without orders.
    fn absorb(&mut self, rest: Self) {
        let Self { postings: _, labels, facts, dropped, sharing } = rest;
        for (head, log) in labels.iter().filter(|(_, log)| !log.is_new()) {
            self.label_log_mut(*head).absorb(log);
        }
        if let Some(facts) = facts {
            self.facts_mut().absorb(*facts);
        }
        if let Some(dropped) = dropped {
            self.remember_dropped(dropped.first_seen, dropped.totals);
        }
        if sharing == Sharing::Several {
            self.sharing = sharing;
        }
    }
}

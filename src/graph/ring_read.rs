//! Reading the ring of an account: who is linked to it, and what they did.

use crate::domain::time::{Span, Timestamp};
use crate::graph::history::History;
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::label_log::KnownLabels;
use crate::graph::node::Node;
use crate::graph::settings::RING_ACCOUNTS_MAX;

/// What the accounts of a ring add up to; an account alone is a ring of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingTotals {
    /// Accounts, at most [`RING_ACCOUNTS_MAX`].
    pub n_accounts: u64,
    /// Orders of the last day.
    pub n_orders_day: u64,
    /// Verdicts so far by head slot.
    pub labels: Vec<KnownLabels>,
}

impl History<'_> {
    /// Accounts of the same ring, this one too; at most [`RING_ACCOUNTS_MAX`], by node.
    /// Empty when the account is linked to no other.
    pub fn ring(&self) -> Vec<NodeIdx> {
        let Some(member) = self.node.ring else { return Vec::new() };
        let nodes = self.graph.rings.ring(member, self.as_of, RING_ACCOUNTS_MAX);
        nodes.into_iter().map(NodeIdx).collect()
    }

    /// What the ring adds up to, in one walk.
    pub fn ring_totals(&self) -> RingTotals {
        let mut totals = RingTotals {
            labels: vec![KnownLabels::default(); self.graph.heads.len()],
            ..RingTotals::default()
        };
        let ring = self.ring();
        if ring.is_empty() {
            totals.add(self.graph, self.node, self.as_of);
        }
        for account in ring {
            if let Some((_, node)) = self.graph.nodes.get_index(account.0 as usize) {
                totals.add(self.graph, node, self.as_of);
            }
        }
        totals
    }
}

impl RingTotals {
    fn add(&mut self, graph: &KnowledgeGraph, node: &Node, as_of: Timestamp) {
        self.n_accounts += 1;
        self.n_orders_day += node.postings.n_between(&graph.arena, as_of - Span::DAY, as_of);
        for (head, log) in &node.labels {
            let known = log.ever(log.end(as_of));
            let sum = &mut self.labels[usize::from(*head)];
            sum.n_bad += known.n_bad;
            sum.n_known += known.n_known;
        }
    }
}

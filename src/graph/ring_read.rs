//! Rings: accounts joined by things that people do not share with strangers.
//!
//! Nothing of a ring is stored. It is walked breadth first when it is read, by petgraph's
//! search from an account to what its orders name, and on to the other accounts of these
//! things. A ring is therefore exact as of any instant, shrinks when orders are forgotten,
//! and depends on what was told, not on what was told first. A union-find, the usual
//! answer, only grows: it cannot take back a link that expired or one through a thing
//! that a crowd turns out to share, and its limit of size refuses whom it meets last.
//! Most accounts never shared anything; a hint spares them the walk.
//! petgraph's components over a plain graph are what laws compare a ring with.

use petgraph::visit::Bfs;

use crate::domain::entity::EntityKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::label_log::KnownLabels;
use crate::graph::node::Node;
use crate::graph::settings::{RECENT_WALK_MAX, RING_ACCOUNTS_MAX, RING_CARRIERS_MAX};
use crate::graph::sharing::Sharing;

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
    /// Accounts of the same ring, this one first, then the nearest, most recently met first.
    /// Empty when the account is linked to no other.
    ///
    /// At most [`RING_ACCOUNTS_MAX`], found by looking at [`RING_CARRIERS_MAX`] shared things, and
    /// at the newest [`RECENT_WALK_MAX`] orders of each thing and account. What more accounts
    /// share than the settings allow as of the instant of reading links none of them.
    pub fn ring(&self) -> Vec<NodeIdx> {
        if self.kind != EntityKind::Account || self.node.sharing != Sharing::Several {
            return Vec::new();
        }
        let (graph, joining) = (self.graph, self.graph.joining(self.as_of));
        let is_account = |&node: &NodeIdx| {
            graph.entity(node).is_some_and(|entity| entity.kind == EntityKind::Account)
        };
        let mut search = Bfs::new(joining, NodeIdx(self.member().node));
        let mut accounts = Vec::new();
        let (mut n_found, mut n_carriers) = (1, 0);
        while n_found < RING_ACCOUNTS_MAX && n_carriers < RING_CARRIERS_MAX {
            let n_waiting = search.stack.len();
            let Some(node) = search.next(joining) else { break };
            let n_new = search.stack.len() + 1 - n_waiting;
            if is_account(&node) {
                accounts.push(node);
                // Its things go before the accounts that wait: they may lead to enough of them.
                search.stack.rotate_right(n_new);
            } else {
                n_found += n_new;
                n_carriers += 1;
            }
        }
        accounts.extend(search.stack.into_iter().filter(is_account));
        accounts.truncate(RING_ACCOUNTS_MAX);
        if accounts.len() < 2 { Vec::new() } else { accounts }
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

    /// Accounts among the newest [`RECENT_WALK_MAX`] orders here, the most recent first, each
    /// once; none when there are more than `n_max` in all.
    pub(super) fn few_accounts(&self, n_max: u64) -> Vec<NodeIdx> {
        let kind = EntityKind::Account;
        // Lists are short enough to count while looking.
        if self.node.postings.hub().is_some() && n_max < self.n_distinct(kind, Window::Ever) {
            return Vec::new();
        }
        let found = self.recent(kind, Window::Ever, RECENT_WALK_MAX);
        if n_max < found.len() as u64 { Vec::new() } else { found }
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

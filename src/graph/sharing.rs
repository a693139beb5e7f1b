//! What ever joined two accounts: most things never did, which spares walks.
//!
//! A hint, not a fact: it stays when the orders that it comes from are forgotten, and
//! then a walk finds nothing. Without the hint there is nothing to find.

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::graph::arena::OrderRow;
use crate::graph::knowledge::{KnowledgeGraph, RING_KINDS};

/// Accounts that ever met at a thing which can join them; what an account itself shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sharing {
    /// No account; the account shared nothing.
    #[default]
    Nobody,
    /// One account, by its node. Numbers of nodes are never given twice.
    One(u32),
    /// Several; the account shared something.
    Several,
}

impl KnowledgeGraph {
    /// Notes whom an order's account shares things with.
    pub(super) fn note_sharing(&mut self, row: &OrderRow) {
        let Some(account) = row.node_of(EntityKind::Account) else { return };
        for carrier in RING_KINDS.into_iter().filter_map(|kind| row.node_of(kind)) {
            let before = self.nodes[carrier as usize].sharing;
            let joined = match before {
                Sharing::Nobody => {
                    self.nodes[carrier as usize].sharing = Sharing::One(account);
                    continue;
                }
                Sharing::One(other) if other == account => continue,
                Sharing::One(other) => other,
                // All others were noted before.
                Sharing::Several => account,
            };
            for node in [carrier, account, joined] {
                self.nodes[node as usize].sharing = Sharing::Several;
            }
        }
    }
}

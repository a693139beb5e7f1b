//! How often two hubs met, and when last: too many orders to look through.

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::graph::arena::{OrderArena, OrderNo};

/// Orders that two hubs have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HubPair {
    /// The newest of them.
    pub(super) last: OrderNo,
    /// How many there are.
    pub(super) n_orders: u32,
}

/// Pairs of hubs by their nodes, the smaller one first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct HubPairs {
    pairs: IndexMap<(u32, u32), HubPair, FxBuildHasher>,
}

impl HubPairs {
    /// What two hubs have in common.
    pub(super) fn get(&self, one: u32, other: u32) -> Option<HubPair> {
        self.pairs.get(&key(one, other)).copied()
    }

    /// Counts an order of both.
    pub(super) fn add(&mut self, (one, other): (u32, u32), arena: &OrderArena, no: OrderNo) {
        let pair = self.pairs.entry(key(one, other)).or_insert(HubPair { last: no, n_orders: 0 });
        pair.n_orders += 1;
        if !arena.holds(pair.last) || arena.cmp(pair.last, no).is_lt() {
            pair.last = no;
        }
    }

    /// The newest order of both is another one now.
    pub(super) fn renew(&mut self, (one, other): (u32, u32), last: OrderNo) {
        if let Some(pair) = self.pairs.get_mut(&key(one, other)) {
            pair.last = last;
        }
    }

    /// An order is not one of both any more.
    pub(super) fn remove(&mut self, one: u32, other: u32) {
        if let Entry::Occupied(mut pair) = self.pairs.entry(key(one, other)) {
            pair.get_mut().n_orders -= 1;
            if pair.get().n_orders == 0 {
                pair.swap_remove();
            }
        }
    }
}

fn key(one: u32, other: u32) -> (u32, u32) {
    (one.min(other), one.max(other))
}

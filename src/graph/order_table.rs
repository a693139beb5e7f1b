//! Which nodes and categories an order touched, so that later facts find them.

use std::ops::Range;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityRef;
use crate::domain::order::OrderKey;
use crate::domain::time::Timestamp;
use crate::graph::label_log::Truth;

/// Digest of channel and order id; revisions of an order share it.
pub(super) type OrderDigest = u128;

/// What a later fact says about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum OrderFact {
    /// A step in its life.
    Step(OrderStepKind),
    /// A verdict of one head.
    Truth {
        /// Slot of the head.
        head: u8,
        /// What it says.
        verdict: Truth,
        /// Entities it is about; empty means all.
        concerns: Vec<EntityRef>,
    },
}

/// Steps in the life of an order that histories count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OrderStepKind {
    /// Paid.
    Paid,
    /// Called off.
    Cancelled,
    /// Arrived.
    Delivered,
    /// Came back, wholly or in part.
    Returned,
    /// Money went back.
    Refunded,
    /// The payer's bank took the money back.
    ChargedBack,
}

impl OrderStepKind {
    /// How many kinds of steps there are.
    pub(super) const COUNT: usize = 6;
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct OrderRow {
    time: Timestamp,
    first: u32,
    n_nodes: u16,
    n_categories: u16,
}

/// Where an order left its traces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Traces<'a> {
    /// The nodes it touched.
    pub(super) nodes: &'a [u32],
    /// The places of its categories' values.
    pub(super) categories: &'a [u32],
}

impl OrderRow {
    fn range(self) -> Range<usize> {
        let first = self.first as usize;
        first..first + usize::from(self.n_nodes) + usize::from(self.n_categories)
    }
}

/// Orders of the retained past, and facts that came before their order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderTable {
    rows: IndexMap<OrderDigest, OrderRow, FxBuildHasher>,
    /// Per order its nodes, then the places of its categories.
    traces: Vec<u32>,
    early: IndexMap<OrderDigest, Vec<(Timestamp, OrderFact)>, FxBuildHasher>,
    n_early: u32,
}

impl OrderTable {
    /// Digest of the order's natural key.
    pub(super) fn digest(key: &OrderKey) -> OrderDigest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(key.channel.as_bytes());
        hasher.update(&[0]);
        hasher.update(key.order_id.as_bytes());
        let mut bytes = [0_u8; 16];
        hasher.finalize_xof().fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// True when the order was already placed.
    pub(super) fn contains(&self, order: OrderDigest) -> bool {
        self.rows.contains_key(&order)
    }

    /// How many orders are kept.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds an order and hands out the facts that came before it.
    pub(super) fn insert(
        &mut self,
        order: OrderDigest,
        time: Timestamp,
        traces: Traces<'_>,
    ) -> Vec<(Timestamp, OrderFact)> {
        let first = u32::try_from(self.traces.len()).unwrap_or(u32::MAX);
        let count = |traces: &[u32]| u16::try_from(traces.len()).unwrap_or(u16::MAX);
        let (n_nodes, n_categories) = (count(traces.nodes), count(traces.categories));
        self.traces.extend_from_slice(traces.nodes);
        self.traces.extend_from_slice(traces.categories);
        self.rows.insert(order, OrderRow { time, first, n_nodes, n_categories });
        let early = self.early.swap_remove(&order).unwrap_or_default();
        self.n_early -= u32::try_from(early.len()).unwrap_or(u32::MAX);
        early
    }

    /// When the order was placed and where it left its traces.
    pub(super) fn get(&self, order: OrderDigest) -> Option<(Timestamp, Traces<'_>)> {
        let row = self.rows.get(&order)?;
        let (nodes, categories) = self.traces[row.range()].split_at(usize::from(row.n_nodes));
        Some((row.time, Traces { nodes, categories }))
    }

    /// Keeps a fact until its order is told; false when there is no room.
    pub(super) fn keep_early(
        &mut self,
        order: OrderDigest,
        time: Timestamp,
        fact: OrderFact,
        n_max: u32,
    ) -> bool {
        let has_room = self.n_early < n_max;
        if has_room {
            self.early.entry(order).or_default().push((time, fact));
            self.n_early += 1;
        }
        has_room
    }

    /// Forgets orders and early facts older than `horizon`.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        let mut traces = Vec::new();
        self.rows.retain(|_, row| {
            let is_kept = horizon <= row.time;
            if is_kept {
                let range = row.range();
                row.first = u32::try_from(traces.len()).unwrap_or(u32::MAX);
                traces.extend_from_slice(&self.traces[range]);
            }
            is_kept
        });
        self.traces = traces;
        self.early.retain(|_, facts| {
            facts.retain(|&(time, _)| horizon <= time);
            !facts.is_empty()
        });
        let n_early: usize = self.early.values().map(Vec::len).sum();
        self.n_early = u32::try_from(n_early).unwrap_or(u32::MAX);
    }
}

//! What will happen later, in the order in which it will.
//!
//! Entries are small: texts and pseudonyms are made when they are told, so that
//! weeks of pending labels of millions of orders fit into memory.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::domain::event::CancelReason;
use crate::domain::feedback::{OutcomeKind, OutcomeSource};
use crate::domain::time::Timestamp;
use crate::simulator::scene::Plan;

/// Number of an order; the two lowest bits are its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderNumber(pub u64);

/// A step in the life of an order, or a label.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Paid this much.
    Paid(i64),
    /// Called off.
    Cancelled(CancelReason),
    /// Stock set aside.
    Reserved,
    /// Goods left.
    Shipped,
    /// Goods arrived.
    Delivered,
    /// Goods of this value came back.
    Returned(i64),
    /// Paid back this much.
    Refunded(i64),
    /// Charged back this much.
    ChargedBack(i64),
    /// What the world did.
    Outcome(OutcomeKind, OutcomeSource),
    /// Labels of yes-or-no heads; bits by position in `SimulatedHead::ALL`.
    Labels {
        /// Which heads.
        heads: u16,
        /// Which of them are true.
        values: u16,
        /// When the order was placed.
        placed_at: Timestamp,
    },
    /// Label of the buyer's later margin.
    Repurchase {
        /// The buyer; `None` never comes back.
        consumer: Option<u32>,
        /// Margin up to and with the order.
        margin_before: i64,
        /// When the order was placed.
        placed_at: Timestamp,
    },
    /// Label of the market price of a SKU in a region.
    PriceIndex {
        /// The SKU.
        sku: u32,
        /// The region.
        region: u8,
        /// When the order was placed.
        placed_at: Timestamp,
    },
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub enum Pending {
    /// Planned by an author.
    Plan(Plan),
    /// A step of an order.
    Step(OrderNumber, Step),
    /// Limited SKUs go on sale.
    Release([u32; 2]),
    /// Market prices are told.
    MarketTick,
}

/// Pending things by time; equal times keep the order of planning.
#[derive(Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<Entry>>,
    n_planned: u64,
}

#[derive(Debug)]
struct Entry {
    at: Timestamp,
    turn: u64,
    what: Pending,
}

impl Agenda {
    /// Plans something.
    pub fn add(&mut self, at: Timestamp, what: Pending) {
        self.n_planned += 1;
        self.heap.push(Reverse(Entry { at, turn: self.n_planned, what }));
    }

    /// The next thing before an instant.
    pub fn next_before(&mut self, end: Timestamp) -> Option<(Timestamp, Pending)> {
        self.heap.peek().filter(|Reverse(entry)| entry.at < end)?;
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.what))
    }

    /// How many things are pending.
    pub fn n_pending(&self) -> usize {
        self.heap.len()
    }
}

impl Entry {
    fn rank(&self) -> (Timestamp, u64) {
        (self.at, self.turn)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Entry {}

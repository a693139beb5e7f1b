//! What one order turned out to be, head by head.
//!
//! Kept so that an entity can be taken out of the order with the verdicts on it.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::graph::label_log::Truth;

/// Entities of an order that a verdict concerns: a bit for each column of its row. SKUs have
/// none, since no order ever loses one.
pub(super) type Columns = u16;

/// One verdict on an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct OrderTruth {
    /// When it became known; never before the order.
    pub(super) known_at: Timestamp,
    /// Slot of the head.
    pub(super) head: u8,
    /// What it says.
    pub(super) verdict: Truth,
    /// Whom it concerns.
    pub(super) columns: Columns,
}

/// Every verdict on an order, sorted, so that the order of telling does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderTruths(Vec<OrderTruth>);

impl OrderTruths {
    /// Takes a verdict in.
    pub(super) fn tell(&mut self, verdict: OrderTruth) {
        let at = self.0.partition_point(|known| *known <= verdict);
        // Most orders have as many verdicts as the first telling of them brings.
        self.0.reserve_exact(1);
        self.0.insert(at, verdict);
    }

    /// Those that concern the entity of a column.
    pub(super) fn of(&self, column: usize) -> impl Iterator<Item = &OrderTruth> {
        self.0.iter().filter(move |verdict| verdict.columns >> column & 1 == 1)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &OrderTruth> {
        self.0.iter()
    }
}

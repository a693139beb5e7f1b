//! What was sold of one SKU in one region, piece by piece, and to whom.

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::domain::time::Timestamp;
use crate::graph::arena::{Line, NOBODY, OrderArena, OrderNo};
use crate::graph::knowledge::KnowledgeGraph;

/// Sales by time, those of one instant by the order's digest; exact for any window, like
/// the orders of a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SalesLog {
    times: Vec<Timestamp>,
    /// Pieces up to and including the sale at the same position; wraps.
    totals: Vec<u32>,
    orders: Vec<OrderNo>,
    /// Pieces of the sales that retention dropped.
    n_dropped: u32,
}

impl SalesLog {
    /// Adds a sale of an order in the arena; one told late raises the totals after it.
    pub(super) fn insert(&mut self, arena: &OrderArena, no: OrderNo, n_units: u32) {
        let time = arena.row(no).time;
        let mut position = self.end(time);
        while 0 < position && self.times[position - 1] == time {
            let before = self.orders[position - 1];
            if !arena.holds(before) || arena.cmp(before, no).is_lt() {
                break;
            }
            position -= 1;
        }
        self.times.insert(position, time);
        self.orders.insert(position, no);
        self.totals.insert(position, self.before(position));
        for total in &mut self.totals[position..] {
            *total = total.wrapping_add(n_units);
        }
    }

    /// Forgets sales older than `horizon`.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        let n = self.times.partition_point(|&time| time < horizon);
        self.n_dropped = self.before(n);
        self.times.drain(..n);
        self.totals.drain(..n);
        self.orders.drain(..n);
    }

    /// Pieces sold in `(after, until]`; none when that ends before it begins.
    pub(super) fn n_units(&self, after: Timestamp, until: Timestamp) -> u64 {
        let (from, to) = (self.before(self.end(after)), self.before(self.end(until.max(after))));
        u64::from(to.wrapping_sub(from))
    }

    /// Orders and pieces of the sales in `(after, until]`, newest first.
    pub(super) fn newest(
        &self,
        after: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (OrderNo, u32)> {
        let positions = self.end(after)..self.end(until);
        positions.rev().map(|position| {
            let n_units = self.totals[position].wrapping_sub(self.before(position));
            (self.orders[position], n_units)
        })
    }

    fn end(&self, time: Timestamp) -> usize {
        self.times.partition_point(|&at| at <= time)
    }

    fn before(&self, position: usize) -> u32 {
        position.checked_sub(1).map_or(self.n_dropped, |last| self.totals[last])
    }
}

impl KnowledgeGraph {
    /// Folds the sale of a SKU in an order of the arena.
    pub(super) fn sell(&mut self, line: &Line, no: OrderNo) {
        let region = self.arena.row(no).node_of(EntityKind::Region).unwrap_or(NOBODY);
        let log = self.market.entry((line.sku, region)).or_default();
        log.sales.insert(&self.arena, no, line.size.n_units());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::arena::{COLUMNS, OrderRow, Parts};
    use crate::graph::totals::OrderSize;

    /// A sale of the order with the next number: when, how many pieces, its digest.
    fn sell(log: &mut SalesLog, arena: &mut OrderArena, (time, n_units, digest): (i64, u32, u128)) {
        let size = OrderSize::new(None, n_units);
        let row = OrderRow { time: Timestamp(time), size, who: [NOBODY; COLUMNS] };
        let no = arena.push(row, Parts { digest, lines: &[], categories: &[], event_id: "" });
        log.insert(arena, no, n_units);
    }

    proptest! {
        #[test]
        fn sales_equal_a_scan_in_any_order_of_arrival_and_after_some_are_forgotten(
            sales in prop::collection::vec((0_i64..20, 1_u32..9), 1..60),
            until in 0_i64..25, span in -5_i64..25, horizon in 0_i64..10,
        ) {
            let (mut log, mut arena) = (SalesLog::default(), OrderArena::default());
            let mut told = Vec::new();
            for (id, &(time, n_units)) in sales.iter().enumerate() {
                // Digests go up and down while numbers go up.
                let digest = (id as u128 * 7) % 61;
                told.push((time, digest, n_units));
                sell(&mut log, &mut arena, (time, n_units, digest));
            }
            log.expire(Timestamp(horizon));
            told.retain(|&(time, ..)| horizon <= time && until - span < time && time <= until);
            told.sort_unstable_by(|one, other| other.cmp(one));
            let (after, until) = (Timestamp(until - span), Timestamp(until));
            let n_units: u64 = told.iter().map(|&(_, _, n_units)| u64::from(n_units)).sum();
            prop_assert_eq!(log.n_units(after, until), n_units);
            let newest: Vec<(u128, u32)> = log
                .newest(after, until)
                .map(|(no, n_units)| (arena.digest(no), n_units))
                .collect();
            let expected: Vec<(u128, u32)> =
                told.iter().map(|&(_, digest, n_units)| (digest, n_units)).collect();
            prop_assert_eq!(newest, expected);
        }
    }
}

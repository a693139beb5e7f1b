//! What was sold of one SKU in one region, piece by piece, and to whom.

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::arena::{Line, NOBODY, OrderRow, column};
use crate::graph::knowledge::KnowledgeGraph;

/// Sales by time; exact for any window, like the orders of a node.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct SalesLog {
    times: Vec<Timestamp>,
    /// Pieces up to and including the sale at the same position; wraps.
    totals: Vec<u32>,
    /// Accounts, or [`NOBODY`].
    buyers: Vec<u32>,
    /// Pieces of the sales that retention dropped.
    n_dropped: u32,
}

impl SalesLog {
    /// Adds a sale; one told late raises the totals after it.
    pub(super) fn insert(&mut self, time: Timestamp, n_units: u32, buyer: u32) {
        let position = self.end(time);
        self.times.insert(position, time);
        self.buyers.insert(position, buyer);
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
        self.buyers.drain(..n);
    }

    /// Pieces sold in `(as_of - span, as_of]`.
    pub(super) fn n_units(&self, as_of: Timestamp, span: Span) -> u64 {
        let (from, to) = (self.before(self.end(as_of - span)), self.before(self.end(as_of)));
        u64::from(to.wrapping_sub(from))
    }

    /// Buyers and pieces of the newest `n_max` sales in `(as_of - span, as_of]`, newest first.
    pub(super) fn newest(
        &self,
        as_of: Timestamp,
        span: Span,
        n_max: usize,
    ) -> impl Iterator<Item = (u32, u32)> {
        let positions = self.end(as_of - span)..self.end(as_of);
        positions.rev().take(n_max).map(|position| {
            let n_units = self.totals[position].wrapping_sub(self.before(position));
            (self.buyers[position], n_units)
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
    /// Folds the sale of a SKU in an order.
    pub(super) fn sell(&mut self, line: &Line, row: &OrderRow) {
        let [region, buyer] = [EntityKind::Region, EntityKind::Account]
            .map(|kind| column(kind).map_or(NOBODY, |column| row.who[column]));
        let log = self.market.entry((line.sku, region)).or_default();
        log.sales.insert(row.time, line.size.n_units(), buyer);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sales_equal_a_scan_in_any_order_of_arrival_and_after_some_are_forgotten(
            sales in prop::collection::vec((0_i64..60, 1_u32..9, 0_u32..5), 1..60),
            as_of in 0_i64..70, span in 0_i64..70, horizon in 0_i64..30,
        ) {
            let mut log = SalesLog::default();
            for &(time, n_units, buyer) in &sales {
                log.insert(Timestamp(time), n_units, buyer);
            }
            log.expire(Timestamp(horizon));
            let in_window =
                |&&(time, ..): &&(i64, u32, u32)| horizon <= time && as_of - span < time && time <= as_of;
            let expected: Vec<_> = sales.iter().filter(in_window).collect();
            let n_units: u64 = expected.iter().map(|&&(_, n_units, _)| u64::from(n_units)).sum();
            prop_assert_eq!(log.n_units(Timestamp(as_of), Span(span)), n_units);
            let mut newest: Vec<_> = log.newest(Timestamp(as_of), Span(span), 99).collect();
            newest.sort_unstable();
            let mut expected: Vec<_> =
                expected.iter().map(|&&(_, n_units, buyer)| (buyer, n_units)).collect();
            expected.sort_unstable();
            prop_assert_eq!(newest, expected);
        }
    }
}

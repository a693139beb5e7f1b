//! The orders of an entity that has many: counted in blocks, no longer scanned.
//!
//! Every order carries whether it is the last meeting with each of its counterparts.
//! Such marks from an instant on count the counterparts met since, exactly. A late
//! order touches one block and a few running sums.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::graph::arena::{COLUMNS, OrderArena, OrderNo};
use crate::graph::hub::TraitsOfDay;
use crate::graph::running_sums::{RunningSums, Sums};
use crate::graph::totals::{OrderSize, Totals};

/// Most orders of one block.
const BLOCK_ORDERS_MAX: usize = 32;

/// Counterparts whose last meeting with the hub is one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lasts {
    /// A bit per column.
    columns: u16,
    n_skus: u8,
}

/// One order of the hub.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct HubOrder {
    /// When it was placed.
    pub(super) time: Timestamp,
    /// Its number.
    pub(super) no: OrderNo,
    /// What it adds.
    pub(super) size: OrderSize,
    /// Whom the hub has not met since.
    pub(super) lasts: Lasts,
}

/// Orders of one hub, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct HubLog {
    blocks: Vec<Vec<HubOrder>>,
    /// No order of a block is older than this, nor any of the blocks before it younger.
    starts: Vec<Timestamp>,
    sums: RunningSums,
    n_orders: usize,
    n_empty_blocks: usize,
    /// What makes it a hub, once an order of that day was placed; not known any more when
    /// an order that they rest on comes or goes.
    traits: Option<TraitsOfDay>,
}

impl Lasts {
    /// Marks the counterpart of a column; `None` is one of the SKUs.
    pub(super) fn mark(&mut self, column: Option<usize>) {
        match column {
            Some(column) => self.columns |= 1 << column,
            None => self.n_skus = self.n_skus.saturating_add(1),
        }
    }

    /// Takes a mark back; false when there was none.
    fn clear(&mut self, column: Option<usize>) -> bool {
        let is_marked = match column {
            Some(column) => self.columns & (1 << column) != 0,
            None => self.n_skus != 0,
        };
        match column {
            Some(column) => self.columns &= !(1 << column),
            None => self.n_skus = self.n_skus.saturating_sub(1),
        }
        is_marked
    }
}

impl HubOrder {
    fn add_to(&self, sums: &mut Sums) {
        sums.totals = sums.totals.plus(Totals::of(self.size));
        for column in 0..COLUMNS {
            sums.n_last[column] += u32::from(self.lasts.columns >> column & 1);
        }
        sums.n_last_skus += u32::from(self.lasts.n_skus);
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.add_to(&mut sums);
        sums
    }
}

impl HubLog {
    /// A hub of some orders, oldest first.
    pub(super) fn new(orders: &[HubOrder]) -> Self {
        let blocks: Vec<_> = orders.chunks(BLOCK_ORDERS_MAX).map(<[HubOrder]>::to_vec).collect();
        let starts = orders.chunks(BLOCK_ORDERS_MAX).map(|block| block[0].time).collect();
        let sums = RunningSums::new(blocks.iter().map(sum));
        Self { blocks, starts, sums, n_orders: orders.len(), ..Self::default() }
    }

    /// How many orders it has.
    pub(super) fn len(&self) -> usize {
        self.n_orders
    }

    /// The oldest order.
    pub(super) fn oldest(&self) -> Option<&HubOrder> {
        self.blocks.iter().flatten().next()
    }

    /// The newest order.
    pub(super) fn newest(&self) -> Option<&HubOrder> {
        self.blocks.iter().rev().find_map(|block| block.last())
    }

    /// What makes it a hub on the newest day that is known of.
    pub(super) fn traits(&self) -> Option<TraitsOfDay> {
        self.traits
    }

    /// Keeps what makes it a hub on a day; `None` forgets it.
    pub(super) fn remember_traits(&mut self, traits: Option<TraitsOfDay>) {
        self.traits = traits;
    }

    /// Adds an order that is in the arena.
    pub(super) fn insert(&mut self, arena: &OrderArena, order: HubOrder) {
        self.n_orders += 1;
        self.traits = self.traits.filter(|traits| !traits.rest_on(order.time));
        let (block, at) = self.position(arena, order.no);
        let is_last = block + 1 == self.blocks.len() && at == self.blocks[block].len();
        if self.blocks.is_empty() || is_last && BLOCK_ORDERS_MAX <= at {
            self.blocks.push(vec![order]);
            self.starts.push(order.time);
            self.sums.push(order.sums());
            return;
        }
        self.starts[block] = self.starts[block].min(order.time);
        let was_empty = self.blocks[block].is_empty();
        self.blocks[block].insert(at, order);
        self.n_empty_blocks -= usize::from(was_empty);
        let added = order.sums();
        self.sums.change(block, |sum| *sum = sum.plus(&added));
        if BLOCK_ORDERS_MAX < self.blocks[block].len() {
            self.split(block);
        }
    }

    /// Removes an order that is still in the arena.
    pub(super) fn remove(&mut self, arena: &OrderArena, no: OrderNo) {
        let Some((block, at)) = self.find(arena, no) else { return };
        let removed = self.blocks[block].remove(at);
        self.n_orders -= 1;
        self.traits = self.traits.filter(|traits| !traits.rest_on(removed.time));
        let removed = removed.sums();
        self.sums.change(block, |sum| *sum = sum.minus(&removed));
        if self.blocks[block].is_empty() {
            self.blocks[block] = Vec::new();
            self.n_empty_blocks += 1;
            if self.blocks.len() < 2 * self.n_empty_blocks {
                self.drop_empty_blocks();
            }
        }
    }

    /// An order is the last one with its counterpart of a column again.
    pub(super) fn mark(&mut self, arena: &OrderArena, no: OrderNo, column: Option<usize>) {
        let Some((block, at)) = self.find(arena, no) else { return };
        self.blocks[block][at].lasts.mark(column);
        self.sums.change(block, |sum| {
            let n = column.map_or(&mut sum.n_last_skus, |column| &mut sum.n_last[column]);
            *n = n.wrapping_add(1);
        });
    }

    /// An order is no longer the last one with its counterpart of a column.
    pub(super) fn unmark(&mut self, arena: &OrderArena, no: OrderNo, column: Option<usize>) {
        let Some((block, at)) = self.find(arena, no) else { return };
        if !self.blocks[block][at].lasts.clear(column) {
            return;
        }
        self.sums.change(block, |sum| {
            let n = column.map_or(&mut sum.n_last_skus, |column| &mut sum.n_last[column]);
            *n = n.wrapping_sub(1);
        });
    }

    /// What the orders at or before `time` add up to.
    pub(super) fn until(&self, time: Timestamp) -> Sums {
        let n_blocks = self.n_blocks_until(time);
        let Some(block) = n_blocks.checked_sub(1) else { return Sums::default() };
        let orders = &self.blocks[block];
        if n_blocks == self.blocks.len() {
            let newer = orders.iter().rev().take_while(|order| time < order.time);
            return self.sums.all().minus(&sum(newer));
        }
        let end = end(orders, time);
        if orders.len() < 2 * end {
            self.sums.before(n_blocks).minus(&sum(&orders[end..]))
        } else {
            self.sums.before(block).plus(&sum(&orders[..end]))
        }
    }

    /// How many orders happened at or before `time`.
    pub(super) fn n_until(&self, time: Timestamp) -> u64 {
        let Some(block) = self.n_blocks_until(time).checked_sub(1) else { return 0 };
        self.sums.n_orders_before(block) + end(&self.blocks[block], time) as u64
    }

    /// Whole blocks before `time`, and the orders of the next one that are not after it.
    pub(super) fn split_at(&self, time: Timestamp) -> (&[Vec<HubOrder>], &[HubOrder]) {
        match self.n_blocks_until(time).checked_sub(1) {
            Some(block) => {
                let orders = &self.blocks[block];
                (&self.blocks[..block], &orders[..end(orders, time)])
            }
            None => (&[], &[]),
        }
    }

    /// How many blocks start at or before `time`.
    fn n_blocks_until(&self, time: Timestamp) -> usize {
        match self.starts.first() {
            Some(&first) if first <= time => count_until(&self.starts, time),
            Some(_) | None => 0,
        }
    }

    fn find(&self, arena: &OrderArena, no: OrderNo) -> Option<(usize, usize)> {
        let (block, at) = self.position(arena, no);
        let found = self.blocks.get(block)?.get(at)?;
        (found.no == no).then_some((block, at))
    }

    /// Block and place in it where an order is or belongs.
    fn position(&self, arena: &OrderArena, no: OrderNo) -> (usize, usize) {
        let time = arena.row(no).time;
        let is_before = |order: &HubOrder| {
            order.time < time || order.time == time && arena.cmp(order.no, no).is_lt()
        };
        let mut block = count_until(&self.starts, time).saturating_sub(1);
        // Blocks that begin at the same instant: the order may belong before the last of them.
        while 0 < block && self.starts[block] == time {
            if self.blocks[block].first().is_some_and(|first| first.no == no || is_before(first)) {
                break;
            }
            block -= 1;
        }
        let Some(orders) = self.blocks.get(block) else { return (0, 0) };
        match orders.last() {
            Some(last) if is_before(last) => (block, orders.len()),
            _ => (block, orders.partition_point(is_before)),
        }
    }

    fn split(&mut self, block: usize) {
        let half = self.blocks[block].split_off(BLOCK_ORDERS_MAX / 2);
        self.starts.insert(block + 1, half[0].time);
        self.blocks.insert(block + 1, half);
        // Orders come a little out of order all the time, so it is mostly one of the last.
        self.sums.truncate(block);
        for orders in &self.blocks[block..] {
            self.sums.push(sum(orders));
        }
    }

    fn drop_empty_blocks(&mut self) {
        let blocks = &self.blocks;
        let mut position = 0..;
        self.starts.retain(|_| position.next().is_some_and(|at| !blocks[at].is_empty()));
        self.blocks.retain(|block| !block.is_empty());
        self.n_empty_blocks = 0;
        self.sums = RunningSums::new(self.blocks.iter().map(sum));
    }
}

fn sum<'a>(orders: impl IntoIterator<Item = &'a HubOrder>) -> Sums {
    let mut sums = Sums::default();
    orders.into_iter().for_each(|order| order.add_to(&mut sums));
    sums
}

/// How many of the orders happened at or before `time`.
fn end(orders: &[HubOrder], time: Timestamp) -> usize {
    match orders.last() {
        Some(last) if time < last.time => orders.partition_point(|order| order.time <= time),
        _ => orders.len(),
    }
}

/// How many times are at or before `time`. Windows are short and histories long, so it
/// looks among the newest first.
pub(super) fn count_until(times: &[Timestamp], time: Timestamp) -> usize {
    let end = times.len();
    let mut step = 4;
    while step < end && time < times[end - step] {
        step *= 4;
    }
    let low = end.saturating_sub(step);
    low + times[low..].partition_point(|&at| at <= time)
}

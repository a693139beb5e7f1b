//! Sums over the blocks of a hub, kept so that any prefix is a few additions.
//!
//! A binary indexed tree (Fenwick, Software: Practice and Experience 24(3), 1994).

use serde::{Deserialize, Serialize};

use crate::graph::arena::COLUMNS;
use crate::graph::totals::Totals;

/// What some orders of a hub add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    /// Orders, money and goods.
    pub(super) totals: Totals,
    /// Counterparts by column whose last meeting with the hub is one of the orders.
    pub(super) n_last: [u32; COLUMNS],
    /// The same for SKUs.
    pub(super) n_last_skus: u32,
}

/// Sums of blocks by position.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct RunningSums {
    /// At `i` the sum of the blocks `i & (i + 1) ..= i`.
    tree: Vec<Sums>,
    /// The sum of all blocks.
    all: Sums,
}

impl Sums {
    /// Both together.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.totals = self.totals.plus(other.totals);
        for (n, added) in self.n_last.iter_mut().zip(other.n_last) {
            *n = n.wrapping_add(added);
        }
        self.n_last_skus = self.n_last_skus.wrapping_add(other.n_last_skus);
        self
    }

    /// What is left without the other.
    pub(super) fn minus(mut self, other: &Self) -> Self {
        self.totals = self.totals.minus(other.totals);
        for (n, taken) in self.n_last.iter_mut().zip(other.n_last) {
            *n = n.wrapping_sub(taken);
        }
        self.n_last_skus = self.n_last_skus.wrapping_sub(other.n_last_skus);
        self
    }
}

impl RunningSums {
    /// The sums of blocks.
    pub(super) fn new(blocks: impl Iterator<Item = Sums>) -> Self {
        let mut sums = Self::default();
        blocks.for_each(|block| sums.push(block));
        sums
    }

    /// The sum of all blocks.
    pub(super) fn all(&self) -> &Sums {
        &self.all
    }

    /// Orders of the blocks before a position.
    pub(super) fn n_orders_before(&self, position: usize) -> u64 {
        let (mut n_orders, mut end) = (0, position);
        while 0 < end {
            n_orders += u64::from(self.tree[end - 1].totals.n_orders());
            end &= end - 1;
        }
        n_orders
    }

    /// Adds a block at the end.
    pub(super) fn push(&mut self, block: Sums) {
        let position = self.tree.len();
        let first = position & (position + 1);
        let (mut sum, mut end) = (block, position);
        while first < end {
            sum = sum.plus(&self.tree[end - 1]);
            end &= end - 1;
        }
        self.tree.push(sum);
        self.all = self.all.plus(&block);
    }

    /// Forgets all blocks from a position on.
    pub(super) fn truncate(&mut self, n: usize) {
        self.all = self.before(n);
        self.tree.truncate(n);
    }

    /// Changes one block by what `change` does to a sum it is part of.
    pub(super) fn change(&mut self, position: usize, change: impl Fn(&mut Sums)) {
        change(&mut self.all);
        let mut at = position;
        while at < self.tree.len() {
            change(&mut self.tree[at]);
            at |= at + 1;
        }
    }

    /// The sum of the first `n` blocks.
    pub(super) fn before(&self, n: usize) -> Sums {
        let (mut sum, mut end) = (Sums::default(), n);
        while 0 < end {
            sum = sum.plus(&self.tree[end - 1]);
            end &= end - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::totals::OrderSize;

    #[test]
    fn what_is_cut_off_and_added_again_leaves_the_same_sums() {
        let block = |n: u32| Sums {
            totals: Totals::of(OrderSize::new(None, n)),
            n_last: [n; COLUMNS],
            n_last_skus: n * n,
        };
        let whole = RunningSums::new((0..70).map(block));
        for n in 0..=70 {
            let mut again = RunningSums::new((0..70).map(block));
            again.truncate(n);
            assert_eq!(again.all(), &whole.before(n), "{n}");
            (0..70).skip(n).for_each(|at| again.push(block(at)));
            assert_eq!((&again.tree, &again.all), (&whole.tree, &whole.all), "{n}");
        }
    }
}

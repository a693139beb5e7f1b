//! What the orders of one entity add up to in every window at once.
//!
//! A short list is scanned one time, newest first. A hub subtracts running sums.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use crate::domain::entity::EntityKind;
use crate::domain::time::Timestamp;
use crate::graph::arena::{COLUMNS, Member, NOBODY, OrderNo};
use crate::graph::history::{History, Window};
use crate::graph::hub_log::HubLog;
use crate::graph::knowledge::NodeIdx;
use crate::graph::running_sums::Sums;
use crate::graph::totals::Totals;

/// Sums of the kept orders at or before the instant of reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Windows {
    /// Of all of them.
    pub(super) all: Totals,
    /// Of each window, by position in [`Window::ALL`].
    pub(super) inside: [Sums; Window::ALL.len()],
}

/// Counterparts found so far in a scan, by column.
struct Seen {
    /// Room for one counterpart of each order in every column.
    columns: Vec<u32>,
    n: [usize; COLUMNS],
    n_max: usize,
    skus: Vec<u32>,
}

impl History<'_> {
    /// Reads every window.
    pub(super) fn read_windows(&self) -> Windows {
        match self.node.postings.hub() {
            Some(hub) => self.subtract(hub),
            None => self.scan(),
        }
    }

    fn subtract(&self, hub: &HubLog) -> Windows {
        let all = hub.until(self.as_of);
        let inside = Window::ALL.map(|window| {
            let before = Timestamp(self.since(window).0.saturating_sub(1));
            all.minus(&hub.until(before))
        });
        Windows { all: all.totals, inside }
    }

    fn scan(&self) -> Windows {
        let since = Window::ALL.map(|window| self.since(window));
        let (mut windows, mut n_done) = (Windows::default(), 0);
        let (mut sum, mut seen) = (Sums::default(), Seen::of_orders(self.node.postings.len()));
        let member = self.member();
        for (no, time) in self.node.postings.newest_first(&self.graph.arena, self.as_of) {
            while n_done < since.len() && time < since[n_done] {
                windows.inside[n_done] = sum;
                n_done += 1;
            }
            sum.totals = sum.totals.plus(Totals::of(self.graph.arena.size(no, member)));
            self.count_new(no, &mut seen, &mut sum);
        }
        windows.inside[n_done..].fill(sum);
        windows.all = sum.totals;
        windows
    }

    /// Counts the counterparts of an order that no newer one has.
    fn count_new(&self, no: OrderNo, seen: &mut Seen, sum: &mut Sums) {
        let arena = &self.graph.arena;
        let member = self.member();
        if !member.meets(Member { node: NOBODY, column: Some(0) }) {
            return;
        }
        for (column, &who) in arena.row(no).who.iter().enumerate() {
            if who != NOBODY && seen.add(column, who) {
                sum.n_last[column] += 1;
            }
        }
        if member.column.is_none() {
            return;
        }
        for line in arena.lines(no) {
            if !seen.skus.contains(&line.sku) {
                seen.skus.push(line.sku);
                sum.n_last_skus += 1;
            }
        }
    }

    /// Different counterparts of one kind in a short list: less work than those of all kinds
    /// in every window.
    pub(super) fn n_distinct_listed(&self, kind: EntityKind, window: Window) -> u64 {
        let mut met: Vec<NodeIdx> = self.met(kind, window, usize::MAX).collect();
        met.sort_unstable();
        met.dedup();
        met.len() as u64
    }

    /// Different counterparts of a column in a window of a hub that has newer orders.
    ///
    /// Counts those last met since the window began, less those met only after it; or looks
    /// through the window where that is less work.
    pub(super) fn n_distinct_of_hub(
        &self,
        hub: &HubLog,
        column: Option<usize>,
        window: Window,
    ) -> u64 {
        let newest = Timestamp(i64::MAX);
        let since = self.since(window);
        let before = hub.until(Timestamp(since.0.saturating_sub(1)));
        let marked = hub.until(newest).minus(&before);
        let n_after = hub.len() as u64 - hub.n_until(self.as_of);
        let n_inside = self.windows().inside[window as usize].totals.n_orders();
        let orders = self.node.postings.newest_first(&self.graph.arena, newest);
        if u64::from(n_inside) <= n_after {
            let inside = orders.skip_while(|order| self.as_of < order.1);
            let inside = inside.take_while(|order| since <= order.1);
            return self.counterparts(inside.map(|order| order.0), column).len() as u64;
        }
        let after = orders.take_while(|order| self.as_of < order.1).map(|order| order.0);
        let later = self.counterparts(after, column);
        let is_missing =
            |&&node: &&u32| self.orders_with(Member { node, column }, since).next().is_none();
        let n_marked = column.map_or(marked.n_last_skus, |column| marked.n_last[column]);
        u64::from(n_marked) - later.iter().filter(is_missing).count() as u64
    }

    fn counterparts(
        &self,
        orders: impl Iterator<Item = OrderNo>,
        column: Option<usize>,
    ) -> IndexSet<u32, FxBuildHasher> {
        let mut found = IndexSet::default();
        for no in orders {
            match column {
                Some(column) => {
                    found.insert(self.graph.arena.row(no).who[column]);
                }
                None => found.extend(self.graph.arena.lines(no).iter().map(|line| line.sku)),
            }
        }
        found.swap_remove(&NOBODY);
        found
    }
}

impl Seen {
    fn of_orders(n_max: usize) -> Self {
        let columns = vec![NOBODY; n_max * COLUMNS];
        Self { columns, n: [0; COLUMNS], n_max, skus: Vec::new() }
    }

    fn add(&mut self, column: usize, who: u32) -> bool {
        let (first, n) = (column * self.n_max, self.n[column]);
        let is_new = !self.columns[first..first + n].contains(&who);
        if is_new {
            self.columns[first + n] = who;
            self.n[column] += 1;
        }
        is_new
    }
}

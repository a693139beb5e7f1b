//! An order enters the graph: its nodes meet, its accounts get linked.

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

use crate::domain::entity::EntityKind;
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::graph::arena::{COLUMNS, Line, Member, NOBODY, OrderNo, OrderRow, Parts, column};
use crate::graph::knowledge::{KnowledgeGraph, RING_KINDS};
use crate::graph::order_table::OrderTable;
use crate::graph::postings::Postings;
use crate::graph::settings::SKUS_PER_ORDER_MAX;
use crate::graph::totals::OrderSize;

impl KnowledgeGraph {
    /// Folds an order, once; revisions of a known order change nothing.
    pub(super) fn place(&mut self, order: &Order, time: Timestamp) {
        let digest = OrderTable::digest(&order.key);
        if self.orders.contains(digest) {
            self.counts.n_repeated += 1;
            return;
        }
        self.counts.n_orders += 1;
        let n_units = order.items.iter().fold(0_u32, |n, item| n.saturating_add(item.quantity));
        let size = OrderSize::new(order.amount, n_units);
        let row = OrderRow { time, size, who: self.row_of(order) };
        let lines = self.lines_of(order, size);
        let of_category = |(category, value)| self.categories.place(category, value, time);
        let categories: Vec<u32> = order.categories().filter_map(of_category).collect();
        let parts = Parts { digest, lines: &lines, categories: &categories };
        let no = self.arena.push(row, parts);
        self.count_accounts(&row);
        self.join(no);
        self.link_rings(no);
        for line in &lines {
            self.sell(line, &row);
        }
        if let (Some(created), Some(account)) =
            (order.account_created_at, order.entity(EntityKind::Account))
            && let Some(node) = self.nodes.get_mut(account)
        {
            node.facts_mut().set_created(time, created);
        }
        for (known_at, fact) in self.orders.insert(digest, no) {
            self.tell(digest, known_at, &fact);
        }
    }

    /// Nodes of the order's entities by column; the first of a kind counts.
    fn row_of(&mut self, order: &Order) -> [u32; COLUMNS] {
        let mut who = [NOBODY; COLUMNS];
        for entity in &order.entities {
            if let Some(column) = column(entity.kind)
                && who[column] == NOBODY
            {
                who[column] = self.node_for(entity);
            }
        }
        who
    }

    /// Different SKUs of the order with what was bought of each.
    fn lines_of(&mut self, order: &Order, whole: OrderSize) -> Vec<Line> {
        let mut bought: IndexMap<u32, (Option<Money>, u32), FxBuildHasher> = IndexMap::default();
        for item in &order.items {
            if SKUS_PER_ORDER_MAX <= bought.len() {
                break;
            }
            let line = item.unit_price.map(|price| Money {
                minor_units: price.minor_units.saturating_mul(i64::from(item.quantity)),
                ..price
            });
            match bought.entry(self.node_for(&item.sku)) {
                Entry::Vacant(entry) => {
                    entry.insert((line, item.quantity));
                }
                Entry::Occupied(mut entry) => {
                    let (sum, n_units) = entry.get_mut();
                    *n_units = n_units.saturating_add(item.quantity);
                    if let (Some(sum), Some(line)) = (sum, line) {
                        sum.minor_units = sum.minor_units.saturating_add(line.minor_units);
                    }
                }
            }
        }
        let line = |(sku, (amount, n_units))| Line { sku, size: OrderSize::new(amount, n_units) };
        let mut lines: Vec<Line> = bought.into_iter().map(line).collect();
        // A SKU named as an entity instead of an item is what the whole order is about.
        for entity in order.entities.iter().filter(|entity| entity.kind == EntityKind::Sku) {
            let sku = self.node_for(entity);
            if lines.iter().all(|line| line.sku != sku) {
                lines.push(Line { sku, size: whole });
            }
        }
        lines
    }

    /// Counts accounts that are new to the entities that make rings, before they meet.
    fn count_accounts(&mut self, row: &OrderRow) {
        let Some(account) = member_of(row, EntityKind::Account) else { return };
        for kind in RING_KINDS {
            let Some(entity) = member_of(row, kind) else { continue };
            if self.latest_together(entity, account).is_none() {
                self.nodes[entity.node as usize].n_accounts += 1;
            }
        }
    }

    /// Links the accounts of neighboring orders of an entity; a chain links them all.
    fn link_rings(&mut self, no: OrderNo) {
        let row = *self.arena.row(no);
        let Some(account) = member_of(&row, EntityKind::Account) else { return };
        for kind in RING_KINDS {
            let Some(entity) = member_of(&row, kind) else { continue };
            let node = &self.nodes[entity.node as usize];
            if self.settings.ring_link_accounts_max < node.n_accounts || node.n_accounts < 2 {
                continue;
            }
            let [before, after] = self.accounts_around(&node.postings, no);
            if let Some((before, _)) = before.filter(|&(before, _)| before != account.node) {
                self.link(before, account.node, row.time);
            }
            if let Some((after, since)) = after.filter(|&(after, _)| after != account.node) {
                self.link(account.node, after, since);
            }
        }
    }

    /// Accounts of the nearest orders before and after one, with the times of the orders.
    fn accounts_around(&self, postings: &Postings, no: OrderNo) -> [Option<(u32, Timestamp)>; 2] {
        let account_of = |no: OrderNo| {
            let row = self.arena.row(no);
            member_of(row, EntityKind::Account).map(|account| (account.node, row.time))
        };
        if let Some(hub) = postings.hub() {
            let (mut before, mut after) = hub.around(&self.arena, no);
            return [before.find_map(account_of), after.find_map(account_of)];
        }
        let listed = postings.listed();
        let at = listed.iter().position(|&known| known == no).unwrap_or(listed.len());
        let mut before = listed[..at].iter().rev().copied();
        let mut after = listed.iter().skip(at + 1).copied();
        [before.find_map(account_of), after.find_map(account_of)]
    }

    fn link(&mut self, one: u32, other: u32, since: Timestamp) {
        let [one, other] = [one, other].map(|idx| {
            let ring = &mut self.nodes[idx as usize].ring;
            *ring.get_or_insert_with(|| self.rings.add(idx))
        });
        self.rings.link((one, other), since, self.settings.ring_accounts_max);
    }
}

fn member_of(row: &OrderRow, kind: EntityKind) -> Option<Member> {
    let column = column(kind)?;
    let node = row.who[column];
    (node != NOBODY).then_some(Member { node, column: Some(column) })
}

//! An order enters the graph: its nodes meet, its goods are sold.

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

use crate::domain::entity::EntityKind;
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::graph::arena::{COLUMNS, Line, NOBODY, OrderRow, Parts, column};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::order_table::OrderTable;
use crate::graph::settings::SKUS_PER_ORDER_MAX;
use crate::graph::totals::OrderSize;

impl KnowledgeGraph {
    /// Folds an order, once; revisions of a known order change nothing.
    pub(super) fn place(&mut self, order: &Order, (event_id, time): (&str, Timestamp)) {
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
        let parts = Parts { digest, lines: &lines, categories: &categories, event_id };
        let no = self.arena.push(row, parts);
        self.join(no);
        self.note_sharing(&row);
        for line in &lines {
            self.sell(line, no);
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
}

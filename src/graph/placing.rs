//! An order enters the graph: its nodes meet, its accounts get linked.

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

use crate::domain::entity::EntityKind;
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::graph::knowledge::{KnowledgeGraph, RING_KINDS};
use crate::graph::meetings::NOBODY;
use crate::graph::order_log::OrderSize;
use crate::graph::order_table::{OrderTable, Traces};
use crate::graph::settings::SKUS_PER_ORDER_MAX;

impl KnowledgeGraph {
    /// Folds an order, once; revisions of a known order change nothing.
    pub(super) fn place(&mut self, order: &Order, time: Timestamp) {
        let digest = OrderTable::digest(&order.key);
        if self.orders.contains(digest) {
            self.counts.n_repeated += 1;
            return;
        }
        self.counts.n_orders += 1;
        let (row, mut nodes) = self.row_of(order);
        let skus = self.skus_of(order);
        let n_units = order.items.iter().fold(0_u32, |n, item| n.saturating_add(item.quantity));
        let size = OrderSize { amount: order.amount, n_units };
        for &idx in &nodes {
            let position = self.meet(idx, time, size, &row);
            self.link_ring(idx, position, time);
            if self.is_met(idx) {
                let node = &mut self.nodes[idx as usize];
                for &(sku, _) in &skus {
                    node.meet_sku(time, sku);
                }
            }
        }
        for &(sku, size) in &skus {
            self.meet(sku, time, size, &row);
            self.sell(sku, size.n_units, &row, time);
            nodes.push(sku);
        }
        if let (Some(created), Some(account)) =
            (order.account_created_at, order.entity(EntityKind::Account))
            && let Some(node) = self.nodes.get_mut(account)
        {
            node.facts_mut().set_created(time, created);
        }
        let of_category = |(category, value)| self.categories.place(category, value, time);
        let categories: Vec<u32> = order.categories().filter_map(of_category).collect();
        let traces = Traces { nodes: &nodes, categories: &categories };
        for (known_at, fact) in self.orders.insert(digest, time, traces) {
            self.tell(digest, known_at, &fact);
        }
    }

    /// Nodes of the order's entities: by meeting column, and as a list.
    fn row_of(&mut self, order: &Order) -> (Vec<u32>, Vec<u32>) {
        let mut row = vec![NOBODY; self.slot_kinds.len()];
        let mut nodes = Vec::with_capacity(order.entities.len() + order.items.len());
        for entity in &order.entities {
            let slot = self.slot_for(entity.kind);
            if row.len() <= slot {
                row.resize(slot + 1, NOBODY);
            }
            if row[slot] == NOBODY {
                row[slot] = self.node_for(entity);
                nodes.push(row[slot]);
            }
        }
        (row, nodes)
    }

    /// Different SKUs of the order with what was bought of each.
    fn skus_of(&mut self, order: &Order) -> Vec<(u32, OrderSize)> {
        let mut skus: IndexMap<u32, OrderSize, FxBuildHasher> = IndexMap::default();
        for item in &order.items {
            if SKUS_PER_ORDER_MAX <= skus.len() {
                break;
            }
            let line = item.unit_price.map(|price| Money {
                minor_units: price.minor_units.saturating_mul(i64::from(item.quantity)),
                ..price
            });
            match skus.entry(self.node_for(&item.sku)) {
                Entry::Vacant(entry) => {
                    entry.insert(OrderSize { amount: line, n_units: item.quantity });
                }
                Entry::Occupied(mut entry) => {
                    let sum = entry.get_mut();
                    sum.n_units = sum.n_units.saturating_add(item.quantity);
                    if let (Some(sum), Some(line)) = (&mut sum.amount, line) {
                        sum.minor_units = sum.minor_units.saturating_add(line.minor_units);
                    }
                }
            }
        }
        skus.into_iter().collect()
    }

    fn meet(&mut self, idx: u32, time: Timestamp, size: OrderSize, row: &[u32]) -> usize {
        let is_met = self.is_met(idx);
        let account_slot = self.slot(EntityKind::Account);
        let node = &mut self.nodes[idx as usize];
        let position = node.orders.insert(time, size);
        if is_met {
            let who = account_slot.map_or(NOBODY, |slot| row.get(slot).copied().unwrap_or(NOBODY));
            let is_late = position < node.meetings.n_rows();
            let slot = account_slot.unwrap_or_default();
            let is_known = is_late && node.meetings.pair(slot, who, usize::MAX).is_some();
            node.meetings.insert(position, row);
            if who != NOBODY && !is_known && node.meetings.previous(position, slot).is_none() {
                node.n_accounts += 1;
            }
        }
        position
    }

    /// Links the accounts of neighboring orders of an entity; a chain links them all.
    fn link_ring(&mut self, idx: u32, position: usize, time: Timestamp) {
        let Some((entity, node)) = self.nodes.get_index(idx as usize) else { return };
        let Some(slot) = self.slot(EntityKind::Account) else { return };
        if !RING_KINDS.contains(&entity.kind)
            || self.settings.ring_link_accounts_max < node.n_accounts
            || node.n_accounts < 2
        {
            return;
        }
        let Some(account) = node.meetings.who(position, slot) else { return };
        let before = (0..position).rev().find_map(|earlier| node.meetings.who(earlier, slot));
        let after = (position + 1..node.meetings.n_rows())
            .find_map(|later| Some((node.meetings.who(later, slot)?, node.orders.time(later))));
        if let Some(before) = before.filter(|&before| before != account) {
            self.link(before, account, time);
        }
        if let Some((after, since)) = after.filter(|&(after, _)| after != account) {
            self.link(account, after, since);
        }
    }

    fn link(&mut self, one: u32, other: u32, since: Timestamp) {
        let [one, other] = [one, other].map(|idx| {
            let ring = &mut self.nodes[idx as usize].ring;
            *ring.get_or_insert_with(|| self.rings.add(idx))
        });
        self.rings.link((one, other), since, self.settings.ring_accounts_max);
    }
}

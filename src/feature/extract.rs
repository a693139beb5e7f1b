//! Reading the catalog's features for one order as of an instant.
//!
//! Work is shared per entity: its node and window bounds are found once, then
//! every selected row of that entity is a short computation.

use crate::domain::order::{AttributeValue, Order};
use crate::domain::time::Timestamp;
use crate::feature::amount_line::AmountLines;
use crate::feature::catalog::Catalog;
use crate::feature::category_reads::category_value;
use crate::feature::entity_reads::Past;
use crate::feature::head_now::HeadNow;
use crate::feature::order_reads::order_value;
use crate::feature::row::{EntityRead, Fold};
use crate::graph::knowledge::KnowledgeGraph;

/// Most items of a basket whose SKUs are looked up.
pub(super) const BASKET_ITEMS_MAX: usize = 64;

/// Largest value and mean over what is known.
#[derive(Clone, Copy, Debug)]
struct Folded {
    max: f64,
    sum: f64,
    n: u32,
}

impl Catalog {
    /// Appends the features of an order to `out`, in the order of [`Catalog::specs`].
    ///
    /// Sees what the graph took in with a time of at most `as_of`. NaN is unknown:
    /// the order does not name the entity or field, or there is nothing to compare with.
    pub fn extract(
        &self,
        graph: &KnowledgeGraph,
        order: &Order,
        as_of: Timestamp,
        out: &mut Vec<f32>,
    ) {
        self.extract_with(graph, order, as_of, out, None);
    }

    /// Like [`Catalog::extract`]; gives also how features would follow from another amount.
    pub fn extract_with_lines(
        &self,
        graph: &KnowledgeGraph,
        order: &Order,
        as_of: Timestamp,
        out: &mut Vec<f32>,
    ) -> AmountLines {
        let mut lines = AmountLines::default();
        self.extract_with(graph, order, as_of, out, Some(&mut lines));
        lines
    }

    /// Appends the features that the order itself tells, as [`Catalog::extract`] does; what is
    /// read from a graph is unknown.
    pub fn extract_without_graph(&self, order: &Order, as_of: Timestamp, out: &mut Vec<f32>) {
        let start = out.len();
        out.resize(start + self.specs().len(), f32::NAN);
        let out = &mut out[start..];
        self.extract_order(order, as_of, out);
        for plan in &self.plan.categories {
            if let Some(word) = order.category(plan.name.as_category()) {
                plan.mark(word, out);
            }
        }
    }

    fn extract_with(
        &self,
        graph: &KnowledgeGraph,
        order: &Order,
        as_of: Timestamp,
        out: &mut Vec<f32>,
        mut lines: Option<&mut AmountLines>,
    ) {
        let start = out.len();
        out.resize(start + self.specs().len(), f32::NAN);
        let out = &mut out[start..];
        self.extract_order(order, as_of, out);
        let heads: Vec<HeadNow> =
            self.heads.iter().map(|head| HeadNow::read(graph, head, as_of)).collect();
        self.extract_categories(graph, order, (as_of, &heads), out);
        for (kind, reads) in &self.plan.entities {
            if let Some(entity) = order.entity(*kind) {
                let past = Past::new(graph, order, entity, as_of, &heads);
                for &(at, read) in reads {
                    out[at] = narrow(past.value(read));
                }
                if let Some(lines) = &mut lines {
                    lines.add(&past, reads);
                }
            }
        }
        self.extract_skus(graph, order, (as_of, &heads), out);
    }

    fn extract_order(&self, order: &Order, as_of: Timestamp, out: &mut [f32]) {
        for &(at, read) in &self.plan.order {
            out[at] = narrow(order_value(read, order, as_of));
        }
        for (at, name) in &self.plan.numbers {
            if let Some(AttributeValue::Number(number)) = order.attributes.get(name) {
                out[*at] = narrow(*number);
            }
        }
    }

    fn extract_categories(
        &self,
        graph: &KnowledgeGraph,
        order: &Order,
        (as_of, heads): (Timestamp, &[HeadNow]),
        out: &mut [f32],
    ) {
        for plan in &self.plan.categories {
            let category = plan.name.as_category();
            let Some(word) = order.category(category) else { continue };
            plan.mark(word, out);
            if !plan.past.is_empty() {
                let past = graph.category_history(category, word, as_of);
                for &(at, read) in &plan.past {
                    out[at] = narrow(category_value(read, past, heads));
                }
            }
        }
    }

    fn extract_skus(
        &self,
        graph: &KnowledgeGraph,
        order: &Order,
        (as_of, heads): (Timestamp, &[HeadNow]),
        out: &mut [f32],
    ) {
        if self.plan.skus.is_empty() || order.items.is_empty() {
            return;
        }
        let nothing = Folded { max: f64::NAN, sum: 0.0, n: 0 };
        let mut folded = vec![nothing; self.plan.skus.len()];
        for item in order.items.iter().take(BASKET_ITEMS_MAX) {
            let past = Past::new(graph, order, &item.sku, as_of, heads).of_item(item);
            for (fold, (read, _)) in folded.iter_mut().zip(&self.plan.skus) {
                fold.add(past.value(*read));
            }
        }
        for (fold, (_, wanted)) in folded.iter().zip(&self.plan.skus) {
            for &(at, how) in wanted {
                out[at] = narrow(fold.get(how));
            }
        }
    }
}

impl AmountLines {
    fn add(&mut self, past: &Past<'_>, reads: &[(usize, EntityRead)]) {
        for &(at, read) in reads {
            if let EntityRead::Amount(read) = read {
                self.0.push((at, past.amount_line(read)));
            }
        }
    }
}

impl Folded {
    fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.max = self.max.max(value);
            self.sum += value;
            self.n += 1;
        }
    }

    fn get(self, fold: Fold) -> f64 {
        match fold {
            Fold::Max => self.max,
            Fold::Mean => self.sum / f64::from(self.n),
        }
    }
}

/// Models read features as f32; infinite values count as unknown.
#[expect(clippy::cast_possible_truncation, reason = "f32 is the precision of features")]
pub(super) fn narrow(value: f64) -> f32 {
    let narrowed = value as f32;
    if narrowed.is_finite() { narrowed } else { f32::NAN }
}

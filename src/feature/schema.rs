//! What a source offers, found by looking at its events.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::entity::EntityKind;
use crate::domain::event::{Event, Fact};
use crate::domain::feature::{CatalogSchema, OrderFields};
use crate::domain::head::HeadId;
use crate::domain::order::{AttributeValue, Order};

/// Most values of a category attribute that get a feature of their own.
pub const CATEGORY_VALUES_MAX: usize = 16;
/// Most different values of a category that are counted; later ones are not.
const CATEGORY_VALUES_COUNTED_MAX: usize = 10_000;

/// Collects what occurs in a stream of events.
#[derive(Clone, Debug, Default)]
pub struct SchemaBuilder {
    kinds: BTreeSet<EntityKind>,
    /// False once a label of the head was neither 0 nor 1.
    heads: BTreeMap<HeadId, bool>,
    numbers: BTreeSet<Box<str>>,
    categories: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>,
    fields: OrderFields,
}

impl SchemaBuilder {
    /// Takes one event into account.
    pub fn observe(&mut self, event: &Event) {
        match &event.fact {
            Fact::OrderPlaced(order) => self.observe_order(order),
            Fact::Label(label) => {
                #[expect(clippy::float_cmp, reason = "probability labels are exactly 0 or 1")]
                let is_verdict = label.value == 0.0 || label.value == 1.0;
                let is_probability = self.heads.entry(label.head.clone()).or_insert(true);
                *is_probability &= is_verdict;
            }
            Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::OrderChargedBack(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Choice(_)
            | Fact::Outcome(_) => {}
        }
    }

    /// The schema of everything observed; does not depend on the order of events.
    pub fn finish(self) -> CatalogSchema {
        let is_known = |kind: &EntityKind| self.kinds.contains(kind);
        let heads = self.heads.into_iter().filter(|&(_, is_probability)| is_probability);
        CatalogSchema {
            kinds: EntityKind::ALL.into_iter().filter(is_known).collect(),
            label_heads: heads.map(|(head, _)| head).collect(),
            numbers: self.numbers.into_iter().collect(),
            categories: self
                .categories
                .into_iter()
                .map(|(name, counts)| (name, most_frequent(counts)))
                .collect(),
            fields: self.fields,
        }
    }

    fn observe_order(&mut self, order: &Order) {
        self.kinds.extend(order.nodes().map(|entity| entity.kind));
        let countries = &order.countries;
        let n_countries =
            [&countries.ip, &countries.payment, &countries.shipping].into_iter().flatten().count();
        let fields = &mut self.fields;
        fields.amount |= order.amount.is_some();
        fields.discount |= order.discount.is_some();
        fields.items |= !order.items.is_empty();
        fields.account_created_at |= order.account_created_at.is_some();
        fields.address_kind |= order.address_kind.is_some();
        fields.payment_kind |= order.payment_kind.is_some();
        fields.countries |= 2 <= n_countries;
        fields.device_distance |= order.device_distance_km.is_some();
        for (name, value) in &order.attributes {
            match value {
                AttributeValue::Number(_) => {
                    if !self.numbers.contains(name) {
                        self.numbers.insert(name.clone());
                    }
                }
                AttributeValue::Category(value) => self.observe_category(name, value),
            }
        }
    }

    fn observe_category(&mut self, name: &str, value: &str) {
        if !self.categories.contains_key(name) {
            self.categories.insert(name.into(), BTreeMap::new());
        }
        let Some(counts) = self.categories.get_mut(name) else { return };
        if let Some(count) = counts.get_mut(value) {
            *count += 1;
        } else if counts.len() < CATEGORY_VALUES_COUNTED_MAX {
            counts.insert(value.into(), 1);
        }
    }
}

/// The most frequent values, equally frequent ones by name.
fn most_frequent(counts: BTreeMap<Box<str>, u64>) -> Vec<Box<str>> {
    let mut values: Vec<(Box<str>, u64)> = counts.into_iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(CATEGORY_VALUES_MAX);
    values.into_iter().map(|(value, _)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_values_come_first_and_ties_go_by_name() {
        let counts = [("b", 2), ("a", 2), ("z", 9)].map(|(name, n)| (name.into(), n));
        let values = most_frequent(BTreeMap::from(counts));
        assert_eq!(values, ["z", "a", "b"].map(Box::from));
    }
}

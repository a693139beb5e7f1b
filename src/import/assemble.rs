//! Lines that share an order id become one order.

use std::collections::BTreeMap;

use crate::domain::money::Money;
use crate::domain::order::{AttributeValue, ITEMS_MAX, Order, OrderItem};
use crate::domain::time::Timestamp;
use crate::import::line::{Given, OrderLine};
use crate::import::mapping::{AmountSpec, Rules};

/// An order with what was found while its lines were put together.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) order: Order,
    pub(super) time: Timestamp,
    /// By position in the mapping.
    pub(super) labels: Vec<Option<f64>>,
    /// Lines whose item did not fit in, by line number.
    pub(super) too_many: Vec<u64>,
    /// Values that differ from the one that was taken.
    pub(super) n_conflicts: u64,
}

/// Takes the first known value; a later, different one is a conflict.
fn merge<T: PartialEq>(target: &mut Option<T>, given: Option<T>, n_conflicts: &mut u64) {
    match (&target, &given) {
        (None, Some(_)) => *target = given,
        (Some(known), Some(given)) if known != given => *n_conflicts += 1,
        (Some(_), Some(_)) | (_, None) => {}
    }
}

/// Puts the lines of one order together.
///
/// For every value the first known one in the order of the file wins; the time
/// is the earliest, a label the largest. Items come sorted, so that the order
/// of rows does not matter.
pub(super) fn assemble(rules: &Rules, lines: Vec<OrderLine>) -> Option<Assembled> {
    let mut lines = lines.into_iter();
    let first = lines.next()?;
    let n_conflicts = 0;
    let mut built = Building {
        order: Order::new(first.key.clone()),
        time: first.time,
        attributes: first.attributes.iter().map(|_| None).collect(),
        labels: first.labels.iter().map(|_| None).collect(),
        items: Vec::new(),
        n_conflicts,
    };
    built.add(first);
    lines.for_each(|line| built.add(line));
    Some(built.finish(rules))
}

struct Building {
    order: Order,
    time: Timestamp,
    attributes: Vec<Option<Given>>,
    labels: Vec<Option<f64>>,
    items: Vec<(OrderItem, u64)>,
    n_conflicts: u64,
}

impl Building {
    fn add(&mut self, line: OrderLine) {
        let (order, n) = (&mut self.order, &mut self.n_conflicts);
        *n += u64::from(line.time != self.time);
        self.time = self.time.min(line.time);
        merge(&mut order.amount, line.amount, n);
        merge(&mut order.discount, line.discount, n);
        merge(&mut order.account_created_at, line.account_created_at, n);
        merge(&mut order.address_kind, line.address_kind, n);
        merge(&mut order.payment_kind, line.payment_kind, n);
        merge(&mut order.countries.ip, line.countries.ip, n);
        merge(&mut order.countries.payment, line.countries.payment, n);
        merge(&mut order.countries.shipping, line.countries.shipping, n);
        merge(&mut order.device_distance_km, line.device_distance_km, n);
        for entity in line.entities {
            match order.entities.iter().find(|known| known.kind == entity.kind) {
                None => order.entities.push(entity),
                Some(known) => *n += u64::from(*known != entity),
            }
        }
        for (target, given) in self.attributes.iter_mut().zip(line.attributes) {
            merge(target, given, n);
        }
        for (target, given) in self.labels.iter_mut().zip(line.labels) {
            *n += u64::from(
                matches!((&target, given), (Some(a), Some(b)) if a.to_bits() != b.to_bits()),
            );
            *target = match (*target, given) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (known, given) => known.or(given),
            };
        }
        self.items.extend(line.item.map(|item| (item, line.line)));
    }

    fn finish(mut self, rules: &Rules) -> Assembled {
        let price = |item: &OrderItem| item.unit_price.map(|price| price.minor_units);
        self.items.sort_by(|(a, line_a), (b, line_b)| {
            let (key_a, key_b) =
                ((&a.sku.key, a.quantity, price(a)), (&b.sku.key, b.quantity, price(b)));
            key_a.cmp(&key_b).then(line_a.cmp(line_b))
        });
        let too_many = self.items.iter().skip(ITEMS_MAX).map(|(_, line)| *line).collect();
        self.items.truncate(ITEMS_MAX);
        self.order.entities.sort_by_key(|entity| entity.kind);
        self.order.items = self.items.into_iter().map(|(item, _)| item).collect();
        if matches!(rules.money.amount, Some(AmountSpec::SumOfItems)) {
            self.order.amount = sum_of_items(&self.order.items);
        }
        let named = rules.attributes.iter().zip(self.attributes);
        self.order.attributes = named
            .filter_map(|(spec, given)| Some((spec.name.clone(), to_attribute(given?))))
            .collect::<BTreeMap<_, _>>();
        Assembled {
            order: self.order,
            time: self.time,
            labels: self.labels,
            too_many,
            n_conflicts: self.n_conflicts,
        }
    }
}

fn to_attribute(given: Given) -> AttributeValue {
    match given {
        Given::Number(number) => AttributeValue::Number(number),
        Given::Category(word) => AttributeValue::Category(word),
    }
}

/// What all items cost; unknown when one has no price or currencies differ.
fn sum_of_items(items: &[OrderItem]) -> Option<Money> {
    let currency = items.first()?.unit_price?.currency;
    let minor_units = items.iter().try_fold(0_i64, |sum, item| {
        let price = item.unit_price.filter(|price| price.currency == currency)?;
        sum.checked_add(price.minor_units.checked_mul(i64::from(item.quantity))?)
    })?;
    Some(Money { currency, minor_units })
}

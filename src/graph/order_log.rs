//! The orders of one entity by time, with running totals in whole numbers.
//!
//! A window at any instant is two binary searches and one subtraction, exact
//! whatever the order of insertion, because integers do not round.

use serde::{Deserialize, Serialize};

use crate::domain::money::Money;
use crate::domain::time::{Span, Timestamp};

/// Parts of one unit of ln(1 + amount) that totals count in.
const LN_SCALE: f64 = 16_384.0;
/// Largest amount that counts, in thousandths of a major unit; more counts as this much.
const AMOUNT_MILLI_MAX: i64 = 1_000_000_000_000_000;

/// Running totals over orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// Thousandths of major units; currencies are not converted.
    amount_milli: i64,
    /// Fixed-point ln(1 + amount).
    ln: i64,
    /// Its square.
    ln_squared: i64,
    /// Orders whose amount is known.
    n_amounts: u32,
    /// Pieces of goods.
    n_units: u32,
}

/// What one order adds to an entity.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderSize {
    /// Money, if known.
    pub(super) amount: Option<Money>,
    /// Pieces of goods.
    pub(super) n_units: u32,
}

/// What a span of an entity's orders adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OrderTotals {
    /// Orders.
    pub n_orders: u64,
    /// Orders whose amount is known.
    pub n_amounts: u64,
    /// Money in major units; currencies are not converted.
    pub amount: f64,
    /// Sum of ln(1 + amount).
    pub ln: f64,
    /// Sum of its squares.
    pub ln_squared: f64,
    /// Pieces of goods.
    pub n_units: u64,
}

/// Orders of one entity, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderLog {
    times: Vec<Timestamp>,
    /// Totals up to and including the order at the same position.
    totals: Vec<Totals>,
    /// Totals of the orders that retention dropped.
    dropped: Totals,
    n_dropped: u64,
    first_seen: Option<Timestamp>,
}

impl Totals {
    fn of(size: OrderSize) -> Self {
        let Some(amount) = size.amount else {
            return Self { n_units: size.n_units, ..Self::default() };
        };
        let milli = amount_milli(amount);
        let ln = to_fixed((milli.max(0) as f64 / 1e3).ln_1p());
        Self { amount_milli: milli, ln, ln_squared: ln * ln, n_amounts: 1, n_units: size.n_units }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            amount_milli: self.amount_milli.wrapping_add(other.amount_milli),
            ln: self.ln.wrapping_add(other.ln),
            ln_squared: self.ln_squared.wrapping_add(other.ln_squared),
            n_amounts: self.n_amounts.wrapping_add(other.n_amounts),
            n_units: self.n_units.wrapping_add(other.n_units),
        }
    }
}

impl OrderLog {
    /// Adds an order and returns its position; equal times keep the order of arrival.
    pub(super) fn insert(&mut self, time: Timestamp, size: OrderSize) -> usize {
        let added = Totals::of(size);
        let position = self.end(time);
        self.times.insert(position, time);
        self.totals.insert(position, self.before(position).plus(added));
        for later in &mut self.totals[position + 1..] {
            *later = later.plus(added);
        }
        self.first_seen = Some(self.first_seen.map_or(time, |first| first.min(time)));
        position
    }

    /// Forgets orders older than `horizon`, keeping their totals; returns how many.
    pub(super) fn expire(&mut self, horizon: Timestamp) -> usize {
        let n = self.times.partition_point(|&time| time < horizon);
        if 0 < n {
            self.dropped = self.before(n);
            self.n_dropped += n as u64;
            self.times.drain(..n);
            self.totals.drain(..n);
            self.times.shrink_to_fit();
            self.totals.shrink_to_fit();
        }
        n
    }

    /// How many of the kept orders happened at or before `time`.
    pub(super) fn end(&self, time: Timestamp) -> usize {
        match self.times.last() {
            Some(&last) if time < last => self.times.partition_point(|&at| at <= time),
            _ => self.times.len(),
        }
    }

    /// Position of the first kept order of the window `(as_of - window, as_of]`.
    pub(super) fn start(&self, as_of: Timestamp, window: Span, end: usize) -> usize {
        first_after(&self.times[..end], as_of - window)
    }

    /// Totals of the orders at positions `start..end`.
    pub(super) fn between(&self, start: usize, end: usize) -> OrderTotals {
        let (from, to) = (self.before(start), self.before(end));
        OrderTotals {
            n_orders: (end - start) as u64,
            n_amounts: u64::from(to.n_amounts.wrapping_sub(from.n_amounts)),
            amount: to.amount_milli.wrapping_sub(from.amount_milli) as f64 / 1e3,
            ln: to.ln.wrapping_sub(from.ln) as f64 / LN_SCALE,
            ln_squared: to.ln_squared.wrapping_sub(from.ln_squared) as f64 / (LN_SCALE * LN_SCALE),
            n_units: u64::from(to.n_units.wrapping_sub(from.n_units)),
        }
    }

    /// Totals of everything ever seen before position `end`, dropped orders too.
    pub(super) fn ever(&self, end: usize) -> OrderTotals {
        let to = self.before(end);
        OrderTotals {
            n_orders: self.n_dropped + end as u64,
            n_amounts: u64::from(to.n_amounts),
            amount: to.amount_milli as f64 / 1e3,
            ln: to.ln as f64 / LN_SCALE,
            ln_squared: to.ln_squared as f64 / (LN_SCALE * LN_SCALE),
            n_units: u64::from(to.n_units),
        }
    }

    /// Known amounts of the orders at positions `start..end`, oldest first.
    pub(super) fn amounts(&self, start: usize, end: usize) -> impl Iterator<Item = f64> {
        (start..end).filter_map(|position| {
            let (from, to) = (self.before(position), self.totals[position]);
            let milli = to.amount_milli.wrapping_sub(from.amount_milli);
            (from.n_amounts != to.n_amounts).then_some(milli as f64 / 1e3)
        })
    }

    /// Time of the order at a position.
    pub(super) fn time(&self, position: usize) -> Timestamp {
        self.times[position]
    }

    /// When the entity was first seen, if that was at or before `as_of`.
    pub(super) fn first_seen(&self, as_of: Timestamp) -> Option<Timestamp> {
        self.first_seen.filter(|&first| first <= as_of)
    }

    fn before(&self, position: usize) -> Totals {
        match position.checked_sub(1) {
            Some(last) => self.totals[last],
            None => self.dropped,
        }
    }
}

/// Position of the first time after `from`. Windows are short and histories long, so
/// it looks among the newest first.
pub(super) fn first_after(times: &[Timestamp], from: Timestamp) -> usize {
    let end = times.len();
    let mut step = 4;
    while step < end && from < times[end - step] {
        step *= 4;
    }
    let low = end.saturating_sub(step);
    low + times[low..].partition_point(|&at| at <= from)
}

/// Thousandths of major units: one scale for currencies with 0, 2 and 3 digits.
fn amount_milli(amount: Money) -> i64 {
    let milli = match amount.currency.exponent() {
        0 => amount.minor_units.saturating_mul(1_000),
        3 => amount.minor_units,
        _ => amount.minor_units.saturating_mul(10),
    };
    milli.clamp(-AMOUNT_MILLI_MAX, AMOUNT_MILLI_MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "ln of a clamped amount is below 30")]
fn to_fixed(ln: f64) -> i64 {
    (ln * LN_SCALE).round() as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::money::Currency;

    fn size(minor_units: i64) -> OrderSize {
        OrderSize { amount: Some(Money { currency: Currency::CNY, minor_units }), n_units: 2 }
    }

    proptest! {
        #[test]
        fn a_window_equals_a_scan_whatever_the_order_of_insertion(
            orders in prop::collection::vec((0_i64..50, 0_i64..100_000), 0..60),
            as_of in 0_i64..60, window in 1_i64..60,
        ) {
            let mut log = OrderLog::default();
            for &(time, minor) in &orders {
                log.insert(Timestamp(time), size(minor));
            }
            let end = log.end(Timestamp(as_of));
            let start = log.start(Timestamp(as_of), Span(window), end);
            let seen: Vec<i64> = orders.iter()
                .filter(|(time, _)| as_of - window < *time && *time <= as_of)
                .map(|&(_, minor)| minor).collect();
            let totals = log.between(start, end);
            prop_assert_eq!(totals.n_orders, seen.len() as u64);
            prop_assert_eq!(totals.n_units, 2 * seen.len() as u64);
            let amount = seen.iter().sum::<i64>() as f64 / 100.0;
            prop_assert!((totals.amount - amount).abs() < 1e-6);
            let mut amounts: Vec<f64> = log.amounts(start, end).collect();
            let mut expected: Vec<f64> = seen.iter().map(|&minor| minor as f64 / 100.0).collect();
            amounts.sort_by(f64::total_cmp);
            expected.sort_by(f64::total_cmp);
            prop_assert_eq!(amounts, expected);
        }
    }

    #[test]
    fn expiry_keeps_the_totals_of_what_it_drops() {
        let mut log = OrderLog::default();
        for time in 0..10 {
            log.insert(Timestamp(time), size(100));
        }
        assert_eq!(log.expire(Timestamp(4)), 4);
        assert_eq!(log.ever(log.end(Timestamp(9))).n_orders, 10);
        assert!((log.ever(6).amount - 10.0).abs() < 1e-9);
        assert_eq!(log.between(0, 6).n_orders, 6);
        assert_eq!(log.first_seen(Timestamp(9)), Some(Timestamp(0)));
    }
}

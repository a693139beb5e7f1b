//! What orders add up to, in whole numbers.
//!
//! Integers do not round, so sums are exact whatever the order of adding and taking away.

use serde::{Deserialize, Serialize};

use crate::domain::money::Money;

/// Parts of one unit of ln(1 + amount) that totals count in.
const LN_SCALE: f64 = 16_384.0;
/// Largest amount that counts, in thousandths of a major unit; more counts as this much.
const AMOUNT_MILLI_MAX: i64 = 1_000_000_000_000_000;
/// Instead of a logarithm: the amount is not known.
const NO_AMOUNT: i32 = i32::MIN;

/// What one order adds to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderSize {
    /// Thousandths of major units; currencies are not converted.
    amount_milli: i64,
    /// Fixed-point ln(1 + amount), or [`NO_AMOUNT`].
    ln: i32,
    /// Pieces of goods.
    n_units: u32,
}

/// Sums over orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    amount_milli: i64,
    ln: i64,
    ln_squared: i64,
    n_orders: u32,
    n_amounts: u32,
    n_units: u32,
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

impl OrderSize {
    /// The size of an order, or of one line of it.
    pub(super) fn new(amount: Option<Money>, n_units: u32) -> Self {
        let Some(amount) = amount else {
            return Self { amount_milli: 0, ln: NO_AMOUNT, n_units };
        };
        let amount_milli = amount_milli(amount);
        Self { amount_milli, ln: to_fixed((amount_milli.max(0) as f64 / 1e3).ln_1p()), n_units }
    }

    /// The amount in major units, if it is known.
    pub(super) fn amount(self) -> Option<f64> {
        (self.ln != NO_AMOUNT).then_some(self.amount_milli as f64 / 1e3)
    }

    /// Pieces of goods.
    pub(super) fn n_units(self) -> u32 {
        self.n_units
    }
}

impl Totals {
    /// One order.
    pub(super) fn of(size: OrderSize) -> Self {
        let has_amount = size.ln != NO_AMOUNT;
        let ln = if has_amount { i64::from(size.ln) } else { 0 };
        Self {
            amount_milli: size.amount_milli,
            ln,
            ln_squared: ln * ln,
            n_orders: 1,
            n_amounts: u32::from(has_amount),
            n_units: size.n_units,
        }
    }

    /// Orders.
    pub(super) fn n_orders(self) -> u32 {
        self.n_orders
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            amount_milli: self.amount_milli.wrapping_add(other.amount_milli),
            ln: self.ln.wrapping_add(other.ln),
            ln_squared: self.ln_squared.wrapping_add(other.ln_squared),
            n_orders: self.n_orders.wrapping_add(other.n_orders),
            n_amounts: self.n_amounts.wrapping_add(other.n_amounts),
            n_units: self.n_units.wrapping_add(other.n_units),
        }
    }

    /// What is left without the other.
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            amount_milli: self.amount_milli.wrapping_sub(other.amount_milli),
            ln: self.ln.wrapping_sub(other.ln),
            ln_squared: self.ln_squared.wrapping_sub(other.ln_squared),
            n_orders: self.n_orders.wrapping_sub(other.n_orders),
            n_amounts: self.n_amounts.wrapping_sub(other.n_amounts),
            n_units: self.n_units.wrapping_sub(other.n_units),
        }
    }

    /// In the units that features read.
    pub(super) fn read(self) -> OrderTotals {
        OrderTotals {
            n_orders: u64::from(self.n_orders),
            n_amounts: u64::from(self.n_amounts),
            amount: self.amount_milli as f64 / 1e3,
            ln: self.ln as f64 / LN_SCALE,
            ln_squared: self.ln_squared as f64 / (LN_SCALE * LN_SCALE),
            n_units: u64::from(self.n_units),
        }
    }
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

#[expect(clippy::cast_possible_truncation, reason = "ln of a clamped amount is below 35")]
fn to_fixed(ln: f64) -> i32 {
    (ln * LN_SCALE).round() as i32
}

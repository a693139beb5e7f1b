//! What of an order may change before release, and which features follow.
//!
//! A feature that stands for a field of the order is changed by changing the
//! field; then every other feature that reads the field takes the value that it
//! would have for that order. So no set of values comes up that no order has.

use crate::domain::money::Money;
use crate::domain::order::{AddressKind, Order, PaymentKind};
use crate::domain::time::Timestamp;
use crate::feature::amount_line::AmountLines;
use crate::feature::catalog::Catalog;
use crate::feature::extract::narrow;
use crate::feature::order_reads::order_value;
use crate::feature::row::OrderRead;

/// Nothing that follows from a field depends on the time.
const NO_TIME: Timestamp = Timestamp(0);

/// A field that may change. Fields are changed in this order, each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderField {
    /// What the customer pays in all; the discount keeps its share.
    Amount,
    /// What was taken off; the amount stays.
    Discount,
    /// How many pieces of an item.
    Pieces,
    /// Sort of delivery place.
    Address,
    /// Sort of payment.
    Payment,
}

/// A new value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OrderEdit {
    /// The amount, minor units of the order's currency.
    Amount(i64),
    /// The discount as a share of amount and discount, in [0, 1).
    DiscountShare(f64),
    /// The most pieces of one item: items with more come down to it; when none has as
    /// many, the first of those with the most goes up to it.
    PiecesMost(u32),
    /// Another sort of delivery place.
    Address(AddressKind),
    /// Another sort of payment.
    Payment(PaymentKind),
}

impl OrderField {
    /// Every field, in the order in which they are changed.
    pub const ALL: [Self; 5] =
        [Self::Amount, Self::Discount, Self::Pieces, Self::Address, Self::Payment];
}

impl OrderEdit {
    /// The field that it changes.
    pub fn field(self) -> OrderField {
        match self {
            Self::Amount(_) => OrderField::Amount,
            Self::DiscountShare(_) => OrderField::Discount,
            Self::PiecesMost(_) => OrderField::Pieces,
            Self::Address(_) => OrderField::Address,
            Self::Payment(_) => OrderField::Payment,
        }
    }

    /// Changes the order.
    pub fn apply(self, order: &mut Order) {
        match self {
            Self::Amount(minor_units) => {
                let Some(amount) = &mut order.amount else { return };
                let factor = minor_units as f64 / (amount.minor_units as f64).max(1.0);
                amount.minor_units = minor_units;
                if let Some(discount) = &mut order.discount {
                    discount.minor_units = whole(discount.minor_units as f64 * factor);
                }
            }
            Self::DiscountShare(share) => {
                if let (Some(amount), Some(discount)) = (order.amount, &mut order.discount) {
                    // Of amount and discount together; both in one unit, if not in one currency.
                    let major = share / (1.0 - share) * amount.as_major();
                    discount.minor_units = Money::of_major(discount.currency, major).minor_units;
                }
            }
            Self::PiecesMost(n_pieces) => change_pieces(order, n_pieces),
            Self::Address(kind) => order.address_kind = Some(kind),
            Self::Payment(kind) => order.payment_kind = Some(kind),
        }
    }
}

fn change_pieces(order: &mut Order, n_pieces: u32) {
    let most = order.items.iter().map(|item| item.quantity).max().unwrap_or(0);
    if let Some(item) = order.items.iter_mut().find(|item| item.quantity == most) {
        item.quantity = n_pieces;
    }
    for item in &mut order.items {
        item.quantity = item.quantity.min(n_pieces);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(minor_units: f64) -> i64 {
    minor_units.round() as i64
}

impl OrderRead {
    /// The field that it reads, if that is one that may change.
    fn field(self) -> Option<OrderField> {
        match self {
            Self::Amount | Self::LnAmount => Some(OrderField::Amount),
            Self::DiscountShare => Some(OrderField::Discount),
            Self::Quantity | Self::QuantityMax | Self::UnitPriceMean => Some(OrderField::Pieces),
            Self::IsAddress(_) => Some(OrderField::Address),
            Self::IsPayment(_) => Some(OrderField::Payment),
            Self::HourOfDay
            | Self::DayOfWeek
            | Self::IsWeekend
            | Self::ItemCount
            | Self::SkuCount
            | Self::AccountAge
            | Self::IpPaymentMismatch
            | Self::IpShippingMismatch
            | Self::PaymentShippingMismatch
            | Self::DeviceDistance => None,
        }
    }

    /// The edit that gives the feature this value, as nearly as whole units allow. `None`
    /// when there is none, or when the order does not tell what would be changed.
    fn edit(self, value: f64, order: &Order) -> Option<OrderEdit> {
        let amount_of = |major| {
            let amount = Money::of_major(order.amount?.currency, major);
            // Of nothing paid no share is known any more.
            Some(OrderEdit::Amount(amount.minor_units)).filter(|_| 0 < amount.minor_units)
        };
        match self {
            Self::Amount => amount_of(value),
            Self::LnAmount => amount_of(value.exp_m1()),
            Self::DiscountShare => {
                let is_known = order.amount.is_some() && order.discount.is_some();
                (is_known && (0.0..1.0).contains(&value)).then_some(OrderEdit::DiscountShare(value))
            }
            Self::QuantityMax => {
                let is_count = (1.0..=f64::from(u32::MAX)).contains(&value);
                (is_count && !order.items.is_empty()).then(|| OrderEdit::PiecesMost(pieces(value)))
            }
            Self::IsAddress(kind) => {
                order.address_kind.filter(|_| 0.5 < value).map(|_| OrderEdit::Address(kind))
            }
            Self::IsPayment(kind) => {
                order.payment_kind.filter(|_| 0.5 < value).map(|_| OrderEdit::Payment(kind))
            }
            // They follow from a field, but do not say which value it has.
            Self::Quantity
            | Self::UnitPriceMean
            | Self::HourOfDay
            | Self::DayOfWeek
            | Self::IsWeekend
            | Self::ItemCount
            | Self::SkuCount
            | Self::AccountAge
            | Self::IpPaymentMismatch
            | Self::IpShippingMismatch
            | Self::PaymentShippingMismatch
            | Self::DeviceDistance => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn pieces(count: f64) -> u32 {
    count.round() as u32
}

impl Catalog {
    /// The features that say of a field which value it has, with the field; by position.
    pub fn setters(&self) -> impl Iterator<Item = (usize, OrderField)> {
        let setter = |&(at, read): &(usize, OrderRead)| {
            let is_setter = !matches!(read, OrderRead::Quantity | OrderRead::UnitPriceMean);
            read.field().filter(|_| is_setter).map(|field| (at, field))
        };
        self.plan.order.iter().filter_map(setter)
    }

    /// The edit that gives the feature at a position this value, as nearly as whole units
    /// allow; `None` when the feature says of no field which value it has, or when the order
    /// does not tell that field.
    pub fn edit(&self, at: usize, value: f64, order: &Order) -> Option<OrderEdit> {
        let (_, read) = self.plan.order.iter().find(|(known, _)| *known == at)?;
        read.edit(value, order)
    }

    /// The features that follow from one field of an order, by position, with the past as
    /// `lines` remember it. The discount's share is taken to stay when the amount changes, as
    /// it does up to a minor unit.
    pub fn followers<'a>(
        &'a self,
        field: OrderField,
        order: &'a Order,
        lines: &'a AmountLines,
    ) -> impl Iterator<Item = (usize, f32)> {
        let of_order = self.plan.order.iter().filter(move |(_, read)| read.field() == Some(field));
        let of_order = of_order.map(|&(at, read)| (at, narrow(order_value(read, order, NO_TIME))));
        let amount = order.amount.map_or(f64::NAN, Money::as_major);
        let lines = if field == OrderField::Amount { &*lines.0 } else { &[] };
        of_order.chain(lines.iter().map(move |&(at, line)| (at, narrow(line.at(amount)))))
    }

    /// Puts into `values` what follows from every field that may change: then they are what
    /// [`Catalog::extract`] reads for this order.
    pub fn reread(&self, order: &Order, lines: &AmountLines, values: &mut [f32]) {
        for field in OrderField::ALL {
            for (at, value) in self.followers(field, order, lines) {
                values[at] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
    use crate::domain::money::Currency;
    use crate::domain::order::{OrderItem, OrderKey};

    fn yuan(minor_units: i64) -> Money {
        Money { currency: Currency::CNY, minor_units }
    }

    fn order(pieces: &[u32]) -> Order {
        let key = OrderKey { channel: "web".into(), order_id: "o1".into(), revision: 0 };
        let mut order = Order::new(key);
        order.amount = Some(yuan(9_000));
        order.discount = Some(yuan(1_000));
        let sku = EntityRef { kind: EntityKind::Sku, key: EntityKey::Plain("s".into()) };
        let item = |&quantity| OrderItem { sku: sku.clone(), quantity, unit_price: None };
        order.items = pieces.iter().map(item).collect();
        order
    }

    fn edited(pieces: &[u32], edits: &[OrderEdit]) -> Order {
        let mut order = order(pieces);
        for edit in edits {
            edit.apply(&mut order);
        }
        order
    }

    #[test]
    fn a_smaller_amount_keeps_the_share_of_the_discount() {
        let order = edited(&[], &[OrderEdit::Amount(4_500)]);
        assert_eq!((order.amount, order.discount), (Some(yuan(4_500)), Some(yuan(500))));
    }

    #[test]
    fn no_edit_makes_an_order_free_or_fills_in_what_it_does_not_tell() {
        let mut order = order(&[1]);
        assert_eq!(OrderRead::Amount.edit(0.004, &order), None);
        assert_eq!(OrderRead::Amount.edit(0.006, &order), Some(OrderEdit::Amount(1)));
        assert_eq!(OrderRead::DiscountShare.edit(1.0, &order), None);
        assert_eq!(OrderRead::IsPayment(PaymentKind::Card).edit(1.0, &order), None);
        order.payment_kind = Some(PaymentKind::Wallet);
        let to_card = Some(OrderEdit::Payment(PaymentKind::Card));
        assert_eq!(OrderRead::IsPayment(PaymentKind::Card).edit(1.0, &order), to_card);
        assert_eq!(OrderRead::IsPayment(PaymentKind::Card).edit(0.0, &order), None);
        (order.amount, order.items) = (None, Vec::new());
        for read in [OrderRead::Amount, OrderRead::LnAmount, OrderRead::QuantityMax] {
            assert_eq!(read.edit(2.0, &order), None, "{read:?}");
        }
    }

    #[test]
    fn a_share_is_taken_of_amount_and_discount_together() {
        let order = edited(&[], &[OrderEdit::Amount(3_000), OrderEdit::DiscountShare(0.25)]);
        assert_eq!((order.amount, order.discount), (Some(yuan(3_000)), Some(yuan(1_000))));
    }

    #[test]
    fn the_most_pieces_of_an_item_come_out_as_asked() {
        let pieces = |n, before: &[u32]| -> Vec<u32> {
            let order = edited(before, &[OrderEdit::PiecesMost(n)]);
            order.items.iter().map(|item| item.quantity).collect()
        };
        assert_eq!(pieces(2, &[1, 6, 3, 6]), [1, 2, 2, 2]);
        assert_eq!(pieces(8, &[1, 6, 3, 6]), [1, 8, 3, 6]);
        assert_eq!(pieces(6, &[1, 6]), [1, 6]);
    }
}

//! Values that the order alone gives.

use std::collections::BTreeSet;

use crate::domain::money::Money;
use crate::domain::order::{Order, OrderItem};
use crate::domain::time::Timestamp;
use crate::feature::row::OrderRead;

/// The value of a read; NaN when the order does not say.
pub(super) fn order_value(read: OrderRead, order: &Order, as_of: Timestamp) -> f64 {
    let amount = order.amount.map_or(f64::NAN, Money::as_major);
    let items = &order.items;
    match read {
        OrderRead::Amount => amount,
        OrderRead::LnAmount => amount.max(0.0).ln_1p() + 0.0 * amount,
        OrderRead::HourOfDay => as_of.time_of_day().as_seconds() / 3_600.0,
        OrderRead::DayOfWeek => weekday(as_of) as f64,
        OrderRead::IsWeekend => flag(5 <= weekday(as_of)),
        OrderRead::ItemCount => of_basket(items, |items| items.len() as f64),
        OrderRead::SkuCount => of_basket(items, |items| {
            items.iter().map(|item| &item.sku).collect::<BTreeSet<_>>().len() as f64
        }),
        OrderRead::Quantity => of_basket(items, n_pieces),
        OrderRead::QuantityMax => of_basket(items, |items| {
            items.iter().map(|item| f64::from(item.quantity)).fold(0.0, f64::max)
        }),
        OrderRead::UnitPriceMean => unit_price_mean(items),
        OrderRead::DiscountShare => {
            let discount = order.discount.map_or(f64::NAN, Money::as_major);
            discount / (amount + discount)
        }
        OrderRead::AccountAge => {
            order.account_created_at.map_or(f64::NAN, |opened| (as_of - opened).as_days())
        }
        OrderRead::IsAddress(kind) => order.address_kind.map_or(f64::NAN, |is| flag(is == kind)),
        OrderRead::IsPayment(kind) => order.payment_kind.map_or(f64::NAN, |is| flag(is == kind)),
        OrderRead::IpPaymentMismatch => {
            differ(order.countries.ip.as_deref(), order.countries.payment.as_deref())
        }
        OrderRead::IpShippingMismatch => {
            differ(order.countries.ip.as_deref(), order.countries.shipping.as_deref())
        }
        OrderRead::PaymentShippingMismatch => {
            differ(order.countries.payment.as_deref(), order.countries.shipping.as_deref())
        }
        OrderRead::DeviceDistance => order.device_distance_km.unwrap_or(f64::NAN),
    }
}

/// 0 for Monday to 6 for Sunday; day 0 of the epoch was a Thursday.
fn weekday(time: Timestamp) -> i64 {
    (time.day_number() + 3).rem_euclid(7)
}

/// 1 for yes, 0 for no.
fn flag(answer: impl Into<u8>) -> f64 {
    f64::from(answer.into())
}

fn of_basket(items: &[OrderItem], value: impl Fn(&[OrderItem]) -> f64) -> f64 {
    if items.is_empty() { f64::NAN } else { value(items) }
}

fn n_pieces(items: &[OrderItem]) -> f64 {
    items.iter().map(|item| f64::from(item.quantity)).sum()
}

/// Mean price of a piece over the items whose price is known.
fn unit_price_mean(items: &[OrderItem]) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for item in items {
        if let Some(price) = item.unit_price {
            sum += price.as_major() * f64::from(item.quantity);
            n += f64::from(item.quantity);
        }
    }
    sum / n
}

fn differ(one: Option<&str>, other: Option<&str>) -> f64 {
    match (one, other) {
        (Some(one), Some(other)) => flag(one != other),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_day_of_the_epoch_was_a_thursday_and_the_third_a_weekend() {
        let day = |text| Timestamp::parse(text).unwrap();
        assert_eq!(weekday(day("1970-01-01T12:00:00Z")), 3);
        assert_eq!(weekday(day("1970-01-03T00:00:00Z")), 5);
        assert_eq!(weekday(day("1969-12-29T00:00:00Z")), 0);
    }
}

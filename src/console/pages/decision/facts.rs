//! What is known of the order itself: what does not fit comes first.
//!
//! A hit is what differs from itself or is rare among honest orders. It is no score, and
//! nothing here is worked out by a model, so it is shown to whoever decides blind, too.

use crate::console::format::{amount, minute, percent, short};
use crate::console::pages::decision::layers::Told;
use crate::console::pages::decision::number::Number;
use crate::domain::money::Money;
use crate::domain::order::{AddressKind, AttributeValue, Order, OrderItem};
use crate::domain::time::Span;

/// An account that is younger than this at the order is a hit.
const ACCOUNT_AGE_MIN: Span = Span::days(7);
/// A device that is further from the delivery address is a hit, kilometers.
const DEVICE_DISTANCE_KM_MAX: f64 = 300.0;
/// A discount of at least this share of the price before it is a hit.
const DISCOUNT_SHARE_MAX: f64 = 0.4;
/// As many pieces of one product are a hit.
const QUANTITY_MAX: u32 = 5;

/// What is known of an order.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What does not fit.
    pub hits: Vec<Fact>,
    /// Everything else.
    pub others: Vec<Fact>,
    /// The basket.
    pub items: Vec<ItemRow>,
    /// Pseudonyms of what the order names: kind, label.
    pub entities: Vec<(String, String)>,
    /// What the source declared beside.
    pub attributes: Vec<Fact>,
}

/// Something known of an order.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// In words.
    pub text: String,
    /// A number of the answer with its unit, behind the words.
    pub number: Option<(Number, String)>,
    /// Why it is a hit; empty for others.
    pub why: String,
}

/// A line of the basket.
#[derive(Clone, Debug)]
pub struct ItemRow {
    /// The product.
    pub sku: String,
    /// How many.
    pub quantity: Number,
    /// Price of one.
    pub price: Option<Number>,
    /// True for very many.
    pub is_hit: bool,
}

impl Facts {
    /// The facts of a decision's order.
    pub fn new(told: &Told<'_>) -> Self {
        let order = &told.dossier.scored.request.order;
        let known = [
            countries(told, order),
            account_age(told, order),
            device_distance(told, order),
            discount(told, order),
            pieces(told, order),
            address_kind(told, order),
            payment_kind(told, order),
        ];
        let (hits, others): (Vec<Fact>, Vec<Fact>) =
            known.into_iter().flatten().partition(|fact| !fact.why.is_empty());
        Self {
            hits,
            others,
            items: order.items.iter().enumerate().map(|(at, item)| item_row(at, item)).collect(),
            entities: order
                .entities
                .iter()
                .map(|entity| (told.words.kind(entity.kind), entity.label()))
                .collect(),
            attributes: attributes(order),
        }
    }
}

/// A fact, with the reason why it is a hit when it is one.
fn fact(told: &Told<'_>, name: &str, text: String, why: Option<&str>) -> Fact {
    let why = why.map_or_else(String::new, |key| told.words.t(key));
    Fact { name: told.words.t(name), text, number: None, why }
}

fn countries(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let countries = &order.countries;
    let named = [
        ("why-country-ip", &countries.ip),
        ("why-country-payment", &countries.payment),
        ("why-country-shipping", &countries.shipping),
    ];
    let known: Vec<(&str, &str)> =
        named.into_iter().filter_map(|(key, it)| Some((key, it.as_deref()?))).collect();
    let first = known.first()?.1;
    let differ = known.iter().any(|(_, country)| *country != first);
    let texts: Vec<String> =
        known.iter().map(|(key, country)| format!("{} {country}", told.words.t(key))).collect();
    let why = differ.then_some("why-hit-countries");
    Some(fact(told, "why-fact-countries", texts.join(" · "), why))
}

fn account_age(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let created = order.account_created_at?;
    let age = told.decision().times.event_time - created;
    let text =
        told.words.t2("why-account-age", "age", told.words.span(age), "created", minute(created));
    let why = (age < ACCOUNT_AGE_MIN).then_some("why-hit-account-age");
    Some(fact(told, "why-fact-account-age", text, why))
}

fn device_distance(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let km = order.device_distance_km?;
    let why = (DEVICE_DISTANCE_KM_MAX < km).then_some("why-hit-distance");
    let number = Number::new(format!("{km:.1}"), "order.device_distance_km", km);
    let fact = fact(told, "why-fact-distance", String::new(), why);
    Some(Fact { number: Some((number, "km".to_owned())), ..fact })
}

fn discount(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let given = order.discount?;
    let share = order.amount.and_then(|paid| discount_share(paid, given));
    let why = share.is_some_and(|it| DISCOUNT_SHARE_MAX <= it).then_some("why-hit-discount");
    let number = exact_money("order.discount.minor_units", given);
    let beside = share.map_or_else(String::new, |share| {
        told.words.t1("why-discount-share", "share", percent(share))
    });
    let fact = fact(told, "why-fact-discount", String::new(), why);
    Some(Fact { number: Some((number, beside)), ..fact })
}

/// Of the price before the discount; `None` when the two cannot be compared.
fn discount_share(paid: Money, given: Money) -> Option<f64> {
    let before = paid.minor_units.checked_add(given.minor_units)?;
    (paid.currency == given.currency && 0 < before)
        .then(|| given.minor_units as f64 / before as f64)
}

fn pieces(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let most = order.items.iter().map(|item| item.quantity).max()?;
    let n: i64 = order.items.iter().map(|item| i64::from(item.quantity)).sum();
    let n_lines = i64::try_from(order.items.len()).unwrap_or(i64::MAX);
    let text = format!("{}, {}", told.words.n("why-pieces", n), told.words.n("why-lines", n_lines));
    let why = (QUANTITY_MAX <= most).then_some("why-hit-pieces");
    Some(fact(told, "why-fact-pieces", text, why))
}

fn address_kind(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let kind = order.address_kind?;
    let is_hit = match kind {
        AddressKind::Forwarder | AddressKind::Hotel => true,
        AddressKind::Residential
        | AddressKind::Office
        | AddressKind::ParcelLocker
        | AddressKind::Dormitory => false,
    };
    let text = told.words.address_kind(kind);
    Some(fact(told, "why-fact-address", text, is_hit.then_some("why-hit-address")))
}

fn payment_kind(told: &Told<'_>, order: &Order) -> Option<Fact> {
    let kind = order.payment_kind?;
    Some(fact(told, "why-fact-payment", told.words.payment_kind(kind), None))
}

fn item_row(at: usize, item: &OrderItem) -> ItemRow {
    let path = |field: &str| format!("order.items.{at}.{field}");
    ItemRow {
        sku: item.sku.label(),
        quantity: Number::count(path("quantity"), item.quantity.into()),
        price: item.unit_price.map(|price| exact_money(&path("unit_price.minor_units"), price)),
        is_hit: QUANTITY_MAX <= item.quantity,
    }
}

fn exact_money(path: &str, money: Money) -> Number {
    Number { text: amount(money), path: path.to_owned(), value: money.minor_units.to_string() }
}

fn attributes(order: &Order) -> Vec<Fact> {
    let fact = |name: &str, text: String| Fact {
        name: name.to_owned(),
        text,
        number: None,
        why: String::new(),
    };
    let facts = order.attributes.iter().map(|(name, value)| match value {
        AttributeValue::Number(number) => fact(name, short(*number)),
        AttributeValue::Category(word) => fact(name, word.to_string()),
    });
    facts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn a_discount_is_a_share_of_the_price_before_it() {
        let yuan = |minor_units| Money { currency: Currency::CNY, minor_units };
        assert_eq!(discount_share(yuan(6_000), yuan(4_000)), Some(0.4));
        assert_eq!(discount_share(yuan(0), yuan(0)), None);
        let dollars = Money { currency: Currency::parse("USD").unwrap(), minor_units: 4_000 };
        assert_eq!(discount_share(yuan(6_000), dollars), None);
    }
}

//! What a rule may ask about an order: names, kinds and units in one table.
//!
//! `order.<fact>` is one of [`ORDER_FACTS`] and `item.<fact>` of [`ITEM_FACTS`];
//! `attribute.<name>` is whatever the source declared; `risk.<head>` is a probability under the
//! strategy and `band.<head>` what its thresholds make of it; `feature.<id>` and
//! `<entity>.<rest of the id>` are features of the model bundle. All of it stands in a recorded
//! decision, so that a rule can be judged again from the record alone.

use crate::decision::strategy::Strategy;
use crate::domain::category::{Category, CountryOf};
use crate::domain::entity::{EntityKey, EntityKind};
use crate::domain::head::HeadId;
use crate::domain::money::Money;
use crate::domain::order::{AddressKind, AttributeValue, Order, OrderItem, PaymentKind};
use crate::domain::risk::{RiskAssessment, RiskBand};
use crate::domain::time::{Span, Timestamp};

/// A fact about the order itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderFact {
    /// What the customer pays, major units.
    Amount,
    /// The same in minor units.
    AmountMinor,
    /// What was taken off, major units.
    Discount,
    /// The currency that the amount was told in.
    Currency,
    /// Pieces in the basket.
    Quantity,
    /// Sales channel that issued the order.
    Channel,
    /// Which version of the order it is.
    Revision,
    /// Sort of payment.
    PaymentKind,
    /// Sort of delivery place.
    AddressKind,
    /// Whole hours since midnight (UTC).
    HourOfDay,
    /// Days since Monday (UTC).
    DayOfWeek,
    /// Days since the account was opened.
    AccountAgeDays,
    /// A country that it names.
    Country(CountryOf),
    /// Distance from the device to the delivery address.
    DeviceDistanceKm,
    /// The name of a shop or region.
    Name(EntityKind),
    /// Whether it names an entity whose identifier is a pseudonym.
    Names(EntityKind),
}

/// A fact about one item of the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemFact {
    /// What is bought.
    Sku,
    /// How many pieces.
    Quantity,
    /// Price of one piece, major units.
    UnitPrice,
}

/// What a fact can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A number.
    Number,
    /// Any text.
    Text,
    /// One of few words.
    Word(WordList),
    /// Nothing: a rule can only ask whether it is there.
    Presence,
}

/// Words that a fact is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordList {
    /// Sorts of delivery place.
    AddressKind,
    /// Sorts of payment.
    PaymentKind,
    /// Bands of a risk.
    Band,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FactRow<F> {
    /// Name behind the dot.
    pub name: &'static str,
    /// Which fact.
    pub fact: F,
    /// What it can be compared with.
    pub kind: FactKind,
    /// Unit, or what its words are; for people.
    pub unit: &'static str,
}

const fn row<F>(name: &'static str, fact: F, kind: FactKind, unit: &'static str) -> FactRow<F> {
    FactRow { name, fact, kind, unit }
}

/// Every `order.<fact>`.
pub const ORDER_FACTS: [FactRow<OrderFact>; 25] = {
    use FactKind::{Number, Presence, Text, Word};
    use OrderFact as Is;
    [
        row("amount", Is::Amount, Number, "the strategy's currency (yuan)"),
        row("amount_minor", Is::AmountMinor, Number, "minor units of that (fen)"),
        row("discount", Is::Discount, Number, "the strategy's currency (yuan)"),
        row("currency", Is::Currency, Text, "code of the order's own currency"),
        row("quantity", Is::Quantity, Number, "pieces in the basket"),
        row("channel", Is::Channel, Text, "sales channel that issued the order"),
        row("revision", Is::Revision, Number, "0 for the first version of the order"),
        row("payment_kind", Is::PaymentKind, Word(WordList::PaymentKind), "how it is paid"),
        row("address_kind", Is::AddressKind, Word(WordList::AddressKind), "where it goes"),
        row("hour_of_day", Is::HourOfDay, Number, "whole hours, 0 to 23 (UTC)"),
        row("day_of_week", Is::DayOfWeek, Number, "0 = Monday to 6 = Sunday (UTC)"),
        row("account_age_days", Is::AccountAgeDays, Number, "days since the account was opened"),
        row("ip_country", Is::Country(CountryOf::Ip), Text, "two capital letters"),
        row("payment_country", Is::Country(CountryOf::Payment), Text, "two capital letters"),
        row("shipping_country", Is::Country(CountryOf::Shipping), Text, "two capital letters"),
        row("device_distance_km", Is::DeviceDistanceKm, Number, "kilometers, device to address"),
        row("merchant", Is::Name(EntityKind::Merchant), Text, "name of the shop"),
        row("region", Is::Name(EntityKind::Region), Text, "name of the sales region"),
        row("account", Is::Names(EntityKind::Account), Presence, "whether it is named"),
        row("device", Is::Names(EntityKind::Device), Presence, "whether it is named"),
        row("ip", Is::Names(EntityKind::Ip), Presence, "whether it is named"),
        row("address", Is::Names(EntityKind::Address), Presence, "whether it is named"),
        row("phone", Is::Names(EntityKind::Phone), Presence, "whether it is named"),
        row("email", Is::Names(EntityKind::Email), Presence, "whether it is named"),
        row(
            "payment_instrument",
            Is::Names(EntityKind::PaymentInstrument),
            Presence,
            "whether it is named",
        ),
    ]
};

/// Every fact of an item of `order.items`.
pub const ITEM_FACTS: [FactRow<ItemFact>; 3] = [
    row("sku", ItemFact::Sku, FactKind::Text, "what is bought"),
    row("quantity", ItemFact::Quantity, FactKind::Number, "pieces"),
    row("unit_price", ItemFact::UnitPrice, FactKind::Number, "the strategy's currency (yuan)"),
];

impl OrderFact {
    /// Its name behind `order.`.
    pub fn as_str(self) -> &'static str {
        ORDER_FACTS.iter().find(|row| row.fact == self).map_or("", |row| row.name)
    }
}

impl ItemFact {
    /// Its name behind the item.
    pub fn as_str(self) -> &'static str {
        ITEM_FACTS.iter().find(|row| row.fact == self).map_or("", |row| row.name)
    }
}

impl WordList {
    /// The words.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::AddressKind => AddressKind::ALL.iter().map(|kind| kind.as_str()).collect(),
            Self::PaymentKind => PaymentKind::ALL.iter().map(|kind| kind.as_str()).collect(),
            Self::Band => RiskBand::ALL.iter().map(|band| band.as_str()).collect(),
        }
    }
}

/// A value that a rule asks for, beside those of items.
#[derive(Clone, Debug, PartialEq)]
pub enum Variable {
    /// Of the order itself.
    Order(OrderFact),
    /// A declared attribute that is a number.
    NumberAttribute(Box<str>),
    /// A declared attribute that is a word.
    WordAttribute(Box<str>),
    /// Probability of a risk under the strategy.
    Risk(HeadId),
    /// Band of a risk.
    Band(HeadId),
    /// A feature, by its position among those that the strategy's rules name.
    Feature(usize),
}

/// A value while a condition is worked out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(&'a str),
}

/// An order as rules see it, beside its risks.
#[derive(Clone, Copy, Debug)]
pub struct OrderView<'a> {
    /// The order.
    pub order: &'a Order,
    /// When it was placed.
    pub event_time: Timestamp,
    /// Features in bundle order; NaN is unknown.
    pub values: &'a [f32],
    /// Where among them the features are that the strategy's rules name, see
    /// [`crate::decision::rule::Rules::places`].
    pub places: &'a [Option<usize>],
}

/// Everything that the rules of a strategy know about one order.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    strategy: &'a Strategy,
    view: OrderView<'a>,
    risks: &'a [RiskAssessment],
    n_pieces: u64,
}

impl<'a> Facts<'a> {
    /// The facts of an order with its risks under the strategy.
    pub fn new(strategy: &'a Strategy, view: OrderView<'a>, risks: &'a [RiskAssessment]) -> Self {
        let n_pieces = view.order.items.iter().map(|item| u64::from(item.quantity)).sum();
        Self { strategy, view, risks, n_pieces }
    }

    /// The basket.
    pub fn items(&self) -> &'a [OrderItem] {
        &self.view.order.items
    }

    /// The value of a variable; `None` when it is not known.
    pub fn value(&self, variable: &Variable) -> Option<Value<'a>> {
        let attribute = |name: &str| self.view.order.attributes.get(name);
        match variable {
            Variable::Order(fact) => self.order_fact(*fact),
            Variable::NumberAttribute(name) => match attribute(name)? {
                AttributeValue::Number(number) => Some(Value::Number(*number)),
                AttributeValue::Category(_) => None,
            },
            Variable::WordAttribute(name) => match attribute(name)? {
                AttributeValue::Category(word) => Some(Value::Text(word)),
                AttributeValue::Number(_) => None,
            },
            Variable::Risk(head) => self.risk(head).map(|it| Value::Number(it.probability.value())),
            Variable::Band(head) => self.risk(head).map(|it| Value::Text(it.band.as_str())),
            Variable::Feature(at) => {
                let place = self.view.places.get(*at).copied().flatten()?;
                let value = *self.view.values.get(place)?;
                (!value.is_nan()).then_some(Value::Number(value.into()))
            }
        }
    }

    /// A fact of an item; `None` when it is not known.
    pub fn item_fact(&self, item: &'a OrderItem, fact: ItemFact) -> Option<Value<'a>> {
        match fact {
            ItemFact::Sku => plain(&item.sku.key).map(Value::Text),
            ItemFact::Quantity => Some(Value::Number(item.quantity.into())),
            ItemFact::UnitPrice => self.major(item.unit_price),
        }
    }

    /// True when every item tells a fact.
    pub fn is_known_of_every_item(&self, fact: ItemFact) -> bool {
        self.items().iter().all(|item| self.item_fact(item, fact).is_some())
    }

    fn order_fact(&self, fact: OrderFact) -> Option<Value<'a>> {
        let OrderView { order, event_time, .. } = self.view;
        match fact {
            OrderFact::Amount => self.major(order.amount),
            OrderFact::AmountMinor => {
                self.strategy.in_own_currency(order.amount?).map(Value::Number)
            }
            OrderFact::Discount => self.major(order.discount),
            OrderFact::Currency => {
                order.amount.as_ref().map(|amount| Value::Text(amount.currency.as_str()))
            }
            OrderFact::Quantity => {
                (!order.items.is_empty()).then_some(Value::Number(self.n_pieces as f64))
            }
            OrderFact::Channel => Some(Value::Text(&order.key.channel)),
            OrderFact::Revision => Some(Value::Number(order.key.revision.into())),
            OrderFact::PaymentKind => order.payment_kind.map(|kind| Value::Text(kind.as_str())),
            OrderFact::AddressKind => order.address_kind.map(|kind| Value::Text(kind.as_str())),
            OrderFact::HourOfDay => {
                Some(Value::Number((event_time.time_of_day().0 / Span::HOUR.0) as f64))
            }
            // Day 0 of the epoch was a Thursday.
            OrderFact::DayOfWeek => {
                Some(Value::Number((event_time.day_number() + 3).rem_euclid(7) as f64))
            }
            OrderFact::AccountAgeDays => {
                order.account_created_at.map(|at| Value::Number((event_time - at).as_days()))
            }
            OrderFact::Country(of) => order.category(Category::Country(of)).map(Value::Text),
            OrderFact::DeviceDistanceKm => order.device_distance_km.map(Value::Number),
            OrderFact::Name(kind) => plain(&order.entity(kind)?.key).map(Value::Text),
            OrderFact::Names(kind) => order.entity(kind).map(|_| Value::Flag(true)),
        }
    }

    fn risk(&self, head: &HeadId) -> Option<&'a RiskAssessment> {
        self.risks.iter().find(|risk| risk.head == *head)
    }

    /// An amount in major units of the strategy's currency.
    fn major(&self, money: Option<Money>) -> Option<Value<'a>> {
        let minor = self.strategy.in_own_currency(money?)?;
        Some(Value::Number(minor / self.strategy.minor_per_major()))
    }
}

fn plain(key: &EntityKey) -> Option<&str> {
    match key {
        EntityKey::Plain(name) => Some(name),
        EntityKey::Hashed(_) | EntityKey::Twice(_) => None,
    }
}

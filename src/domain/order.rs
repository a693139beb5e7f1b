//! An order as it is judged: amounts, items, the entities it touches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

/// Most items an order may have; more is refused at the door.
pub const ITEMS_MAX: usize = 1_000;
/// Most attributes an order may carry; more is refused at the door.
pub const ATTRIBUTES_MAX: usize = 200;
/// Longest identifier or category text in bytes; longer is refused at the door.
pub const TEXT_BYTES_MAX: usize = 256;

/// The natural key of an order: a changed order is a new revision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    /// Sales channel that issued the id.
    pub channel: Box<str>,
    /// The channel's id of the order.
    pub order_id: Box<str>,
    /// 0 for the first version of the order.
    #[serde(default)]
    pub revision: u32,
}

/// Channel and id of an order, whatever its revision.
pub type AnyRevision = (Box<str>, Box<str>);

impl OrderKey {
    /// The order whatever its revision.
    pub fn any_revision(&self) -> AnyRevision {
        (self.channel.clone(), self.order_id.clone())
    }
}

/// One line of the basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderItem {
    /// What is bought; always of kind SKU.
    pub sku: EntityRef,
    /// How many; at least 1.
    pub quantity: u32,
    /// Price of one piece.
    pub unit_price: Option<Money>,
}

/// A fact of the source that has no field of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// A finite number.
    Number(f64),
    /// One of a small set of words.
    Category(Box<str>),
}

/// What sort of place the goods go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    /// A home.
    Residential,
    /// A place of work.
    Office,
    /// A hotel or short let.
    Hotel,
    /// A locker or pick-up shop.
    ParcelLocker,
    /// A student or worker dormitory.
    Dormitory,
    /// A freight forwarder or warehouse.
    Forwarder,
}

impl AddressKind {
    /// Every kind, in contract order.
    pub const ALL: [Self; 6] = [
        Self::Residential,
        Self::Office,
        Self::Hotel,
        Self::ParcelLocker,
        Self::Dormitory,
        Self::Forwarder,
    ];

    /// The name used in strategies and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Residential => "residential",
            Self::Office => "office",
            Self::Hotel => "hotel",
            Self::ParcelLocker => "parcel_locker",
            Self::Dormitory => "dormitory",
            Self::Forwarder => "forwarder",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How the order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// Credit or debit card.
    Card,
    /// Electronic wallet.
    Wallet,
    /// Bank transfer.
    BankTransfer,
    /// Paid to the courier.
    CashOnDelivery,
    /// Bought now, paid later.
    Installment,
}

impl PaymentKind {
    /// Every kind, in contract order.
    pub const ALL: [Self; 5] =
        [Self::Card, Self::Wallet, Self::BankTransfer, Self::CashOnDelivery, Self::Installment];

    /// The name used in strategies and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Wallet => "wallet",
            Self::BankTransfer => "bank_transfer",
            Self::CashOnDelivery => "cash_on_delivery",
            Self::Installment => "installment",
        }
    }
}

/// ISO 3166-1 alpha-2 codes of the places that an order names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Countries {
    /// Where the network address is.
    pub ip: Option<Box<str>>,
    /// Where the payment instrument was issued.
    pub payment: Option<Box<str>>,
    /// Where the goods go.
    pub shipping: Option<Box<str>>,
}

/// An order at the moment it is placed. Everything but the key may be unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Natural key.
    pub key: OrderKey,
    /// What the customer pays in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What was taken off by coupons and promotions; not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    /// The basket, in the caller's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<OrderItem>,
    /// What the order touches; at most one of a kind, never a SKU (items name those).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<EntityRef>,
    /// When the account was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_created_at: Option<Timestamp>,
    /// Sort of delivery place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_kind: Option<AddressKind>,
    /// Sort of payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_kind: Option<PaymentKind>,
    /// Countries named by the order.
    #[serde(default, skip_serializing_if = "Countries::is_empty")]
    pub countries: Countries,
    /// Distance from the device to the delivery address in kilometers; not negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_distance_km: Option<f64>,
    /// Further facts by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<Box<str>, AttributeValue>,
}

impl Order {
    /// An order of which only the key is known.
    pub fn new(key: OrderKey) -> Self {
        Self {
            key,
            amount: None,
            discount: None,
            items: Vec::new(),
            entities: Vec::new(),
            account_created_at: None,
            address_kind: None,
            payment_kind: None,
            countries: Countries::default(),
            device_distance_km: None,
            attributes: BTreeMap::new(),
        }
    }

    /// The entity of one kind, if the order names it; SKUs are in [`Order::items`].
    pub fn entity(&self, kind: EntityKind) -> Option<&EntityRef> {
        self.entities.iter().find(|entity| entity.kind == kind)
    }

    /// Every node the order touches: entities first, then the SKUs of its items.
    pub fn nodes(&self) -> impl Iterator<Item = &EntityRef> {
        self.entities.iter().chain(self.items.iter().map(|item| &item.sku))
    }
}

impl Countries {
    /// True when no country is known.
    pub fn is_empty(&self) -> bool {
        self.ip.is_none() && self.payment.is_none() && self.shipping.is_none()
    }
}

//! What a feature is: stable id, group, direction, words, and its data.

use std::collections::BTreeMap;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::domain::head::HeadId;
use crate::domain::text::Text;

/// The theme a feature belongs to; what business users weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureGroup {
    /// The order itself: amount, time, basket.
    Order,
    /// The buyer's own history.
    Account,
    /// Device.
    Device,
    /// Network address.
    Ip,
    /// Delivery address.
    Address,
    /// Phone and e-mail.
    Contact,
    /// Payment instrument and way of paying.
    Payment,
    /// Goods: SKU heat, price, stock.
    Product,
    /// Shop or point of sale.
    Merchant,
    /// Region and channel.
    Market,
    /// Rings: who is connected to whom.
    Network,
    /// Attributes that the source declared.
    Declared,
}

impl FeatureGroup {
    /// Every group, in catalog order.
    pub const ALL: [Self; 12] = [
        Self::Order,
        Self::Account,
        Self::Device,
        Self::Ip,
        Self::Address,
        Self::Contact,
        Self::Payment,
        Self::Product,
        Self::Merchant,
        Self::Market,
        Self::Network,
        Self::Declared,
    ];

    /// The name used in strategies and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Account => "account",
            Self::Device => "device",
            Self::Ip => "ip",
            Self::Address => "address",
            Self::Contact => "contact",
            Self::Payment => "payment",
            Self::Product => "product",
            Self::Merchant => "merchant",
            Self::Market => "market",
            Self::Network => "network",
            Self::Declared => "declared",
        }
    }

    /// The group with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == name)
    }
}

/// Which way a feature may move a risk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monotone {
    /// Either way.
    #[default]
    Free,
    /// More of it never lowers the risk.
    Increasing,
    /// More of it never raises the risk.
    Decreasing,
}

/// Unit of a feature's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureUnit {
    /// Whole number of things.
    Count,
    /// Currency major units.
    Money,
    /// Share in [0, 1].
    Share,
    /// Quotient of two like things.
    Ratio,
    /// Standard deviations.
    ZScore,
    /// Days.
    Days,
    /// Hour of the day, 0 to 24.
    Hour,
    /// 1 for yes, 0 for no.
    Flag,
    /// Kilometers.
    Kilometers,
    /// Percent a day: how much a price moves on an ordinary day.
    PercentPerDay,
    /// A plain number that need not be whole: a mean of counts, an index.
    Number,
    /// The source's own unit.
    Declared,
}

/// One row of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureSpec {
    /// Stable id, `<what>_<aggregate>_<window>`; never reused for another meaning.
    pub id: Arc<str>,
    /// Theme.
    pub group: FeatureGroup,
    /// Unit of the value.
    pub unit: FeatureUnit,
    /// Direction that trainers must keep.
    pub monotone: Monotone,
    /// True when the merchant or buyer could change it before release.
    pub is_changeable: bool,
    /// True when it is read from the graph, not from the order alone.
    pub is_graph: bool,
    /// The entity kind whose history it reads, for evidence and roll-ups.
    pub entity: Option<EntityKind>,
    /// The kind on the other side (`distinct accounts of an IP`), for evidence.
    pub counterpart: Option<EntityKind>,
    /// Short name for people.
    pub name: Text,
}

/// What a source offers, found from its events; the catalog follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogSchema {
    /// Entity kinds that occur, in [`EntityKind::ALL`] order.
    pub kinds: Vec<EntityKind>,
    /// Heads whose labels become known in the stream; sorted.
    pub label_heads: Vec<HeadId>,
    /// Names of numeric attributes; sorted.
    pub numbers: Vec<Box<str>>,
    /// Names of category attributes with their most frequent values; sorted.
    pub categories: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// Which optional order fields occur.
    pub fields: OrderFields,
}

/// Optional fields of an order that a source fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a set of named presences, not a state")]
pub struct OrderFields {
    /// `amount`.
    pub amount: bool,
    /// `discount`.
    pub discount: bool,
    /// `items`.
    pub items: bool,
    /// `account_created_at`.
    pub account_created_at: bool,
    /// `address_kind`.
    pub address_kind: bool,
    /// `payment_kind`.
    pub payment_kind: bool,
    /// At least two of the countries.
    pub countries: bool,
    /// `device_distance_km`.
    pub device_distance: bool,
}

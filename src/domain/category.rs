//! Categories: questions that an order answers with one word of an open list.
//!
//! Browser, referrer, country: too many words for a column each, and a new one may
//! turn up any day. How an order is paid and what sort of place it goes to are no
//! such questions: their words are fixed, few, and each has a column of its own.

use crate::domain::order::{AttributeValue, Order};

/// A question about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category<'a> {
    /// A country that the order names.
    Country(CountryOf),
    /// A category attribute that the source declared, by name.
    Attribute(&'a str),
}

/// What a country of an order is the country of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountryOf {
    /// The network address.
    Ip,
    /// The issuer of the payment instrument.
    Payment,
    /// The place where the goods go.
    Shipping,
}

impl CountryOf {
    /// Every one, in catalog order.
    pub const ALL: [Self; 3] = [Self::Ip, Self::Payment, Self::Shipping];

    /// The name used in feature ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip_country",
            Self::Payment => "payment_country",
            Self::Shipping => "shipping_country",
        }
    }
}

impl Order {
    /// The order's word for a category, if it has one.
    pub fn category(&self, category: Category<'_>) -> Option<&str> {
        match category {
            Category::Country(CountryOf::Ip) => self.countries.ip.as_deref(),
            Category::Country(CountryOf::Payment) => self.countries.payment.as_deref(),
            Category::Country(CountryOf::Shipping) => self.countries.shipping.as_deref(),
            Category::Attribute(name) => self.attributes.get(name).and_then(as_category),
        }
    }

    /// Every category that the order has a word for: countries, then attributes by name.
    pub fn categories(&self) -> impl Iterator<Item = (Category<'_>, &str)> {
        let countries = CountryOf::ALL.into_iter().map(Category::Country);
        let countries = countries.map(|category| (category, self.category(category)));
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|(name, value)| (Category::Attribute(name), as_category(value)));
        countries.chain(attributes).filter_map(|(category, word)| Some((category, word?)))
    }
}

fn as_category(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::Category(word) => Some(word),
        AttributeValue::Number(_) => None,
    }
}

//! What one row says: a line of an order, or a later fact about one.

use serde::{Deserialize, Serialize};

use crate::domain::entity::{EntityKind, EntityRef, IdentityKey};
use crate::domain::money::Money;
use crate::domain::order::{AddressKind, Countries, OrderItem, OrderKey, PaymentKind};
use crate::domain::time::Timestamp;
use crate::import::cell::{
    Fault, fault, holds, parse_word, read_id, read_money, read_number, read_signed_money,
    read_text, read_time, read_whole, read_word,
};
use crate::import::check::is_country;
use crate::import::mapping::{
    AmountSpec, AttributeKind, ChannelSpec, EntitySpec, EventSpec, IdSpec, ItemSpec, LabelRule,
    Rules, Target,
};
use crate::import::reject::Reason;
use crate::import::rows::Row;

/// What one row says about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OrderLine {
    pub(super) line: u64,
    pub(super) key: OrderKey,
    pub(super) time: Timestamp,
    pub(super) amount: Option<Money>,
    pub(super) discount: Option<Money>,
    pub(super) item: Option<OrderItem>,
    pub(super) entities: Vec<EntityRef>,
    pub(super) account_created_at: Option<Timestamp>,
    pub(super) address_kind: Option<AddressKind>,
    pub(super) payment_kind: Option<PaymentKind>,
    pub(super) countries: Countries,
    pub(super) device_distance_km: Option<f64>,
    /// By position in the mapping.
    pub(super) attributes: Vec<Option<Given>>,
    /// By position in the mapping.
    pub(super) labels: Vec<Option<f64>>,
    /// How many words were not in their map.
    pub(super) n_unmapped: u32,
}

/// A value of an attribute; unlike the event's, told apart without JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Given {
    Number(f64),
    Category(Box<str>),
}

/// What one row says happened to an order later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FactLine {
    pub(super) line: u64,
    /// Which of the mapping's `[[events]]`.
    pub(super) spec: usize,
    pub(super) channel: Box<str>,
    pub(super) time: Timestamp,
    pub(super) entities: Vec<EntityRef>,
    pub(super) sku: Option<EntityRef>,
    pub(super) amount: Option<Money>,
    /// The order, when the row names it.
    pub(super) order: Option<OrderKey>,
}

/// What a row turned out to be.
pub(super) enum Parsed {
    Filtered,
    Line(Box<OrderLine>),
    Fact(Box<FactLine>),
}

/// Reads rows by the rules of a mapping.
pub(super) struct LineReader<'a> {
    rules: &'a Rules,
    identity: &'a IdentityKey,
}

impl<'a> LineReader<'a> {
    pub(super) fn new(rules: &'a Rules, identity: &'a IdentityKey) -> Self {
        Self { rules, identity }
    }

    /// What the row says; `number` counts the rows of the source from 1.
    pub(super) fn read(&self, row: &Row, number: u64) -> Result<Parsed, Fault> {
        if !self.rules.filters.iter().all(|condition| holds(condition, row)) {
            return Ok(Parsed::Filtered);
        }
        match self.rules.events.iter().position(|event| holds(&event.when, row)) {
            Some(spec) => self.read_fact(row, spec).map(|fact| Parsed::Fact(Box::new(fact))),
            None => self.read_line(row, number).map(|line| Parsed::Line(Box::new(line))),
        }
    }

    fn read_line(&self, row: &Row, number: u64) -> Result<OrderLine, Fault> {
        let rules = self.rules;
        let order = &rules.order;
        let order_id = match &order.id {
            IdSpec::RowNumber => number.to_string().into_boxed_str(),
            IdSpec::Columns(columns) => read_id(row, columns)?,
        };
        let amount = match &rules.money.amount {
            Some(AmountSpec::Column(spec)) => read_money(row, spec, Reason::BadAmount)?,
            Some(AmountSpec::SumOfItems) | None => None,
        };
        let discount = match &rules.money.discount {
            Some(spec) => read_money(row, spec, Reason::BadAmount)?,
            None => None,
        };
        let item = match &rules.items {
            Some(spec) => self.read_item(row, spec)?,
            None => None,
        };
        let mut n_unmapped = 0;
        let [ip, payment, shipping] = order.countries.each_ref().map(|spec| {
            read_word(row, spec.as_ref(), &mut n_unmapped, |text| {
                is_country(text).then(|| text.into())
            })
        });
        Ok(OrderLine {
            line: row.line,
            key: OrderKey { channel: self.read_channel(row)?, order_id, revision: 0 },
            time: read_time(row, &order.time)?
                .ok_or_else(|| fault(Reason::BadTime, order.time.column))?,
            amount,
            discount,
            item,
            entities: self.read_entities(row)?,
            account_created_at: match &order.account_created_at {
                Some(spec) => read_time(row, spec)?,
                None => None,
            },
            address_kind: read_word(row, order.address_kind.as_ref(), &mut n_unmapped, parse_word),
            payment_kind: read_word(row, order.payment_kind.as_ref(), &mut n_unmapped, parse_word),
            countries: Countries { ip, payment, shipping },
            device_distance_km: match order.device_distance_km {
                Some(column) => read_number(row, column)?
                    .map(|km| if km < 0.0 { Err(fault(Reason::BadNumber, column)) } else { Ok(km) })
                    .transpose()?,
                None => None,
            },
            attributes: self.read_attributes(row)?,
            labels: self.read_labels(row)?,
            n_unmapped,
        })
    }

    fn read_fact(&self, row: &Row, position: usize) -> Result<FactLine, Fault> {
        let Some(spec) = self.rules.events.get(position) else {
            return Err(Fault { reason: Reason::Unmatched, column: None });
        };
        let channel = self.read_channel(row)?;
        let order = match &spec.target {
            Target::Named(columns) => Some(OrderKey {
                channel: channel.clone(),
                order_id: read_id(row, columns)?,
                revision: 0,
            }),
            Target::Match { .. } => None,
        };
        let sku = match &self.rules.items {
            Some(items) => {
                read_text(row, items.sku)?.map(|sku| self.identity.entity(EntityKind::Sku, sku))
            }
            None => None,
        };
        Ok(FactLine {
            line: row.line,
            spec: position,
            channel,
            time: read_time(row, &spec.time)?
                .ok_or_else(|| fault(Reason::BadTime, spec.time.column))?,
            entities: self.read_entities(row)?,
            sku,
            amount: self.read_fact_amount(row, spec)?,
            order,
        })
    }

    /// The mapped amount, else what the row's pieces cost; sources write either sign.
    fn read_fact_amount(&self, row: &Row, spec: &EventSpec) -> Result<Option<Money>, Fault> {
        if let Some(spec) = &spec.amount {
            let amount = read_signed_money(row, spec, Reason::BadAmount)?;
            return Ok(amount.map(|money| Money { minor_units: money.minor_units.abs(), ..money }));
        }
        let Some(items) = &self.rules.items else { return Ok(None) };
        let quantity = match items.quantity {
            Some(column) => row
                .get(column)
                .map(|text| read_whole(text).filter(|&n| n != 0))
                .map(|quantity| quantity.ok_or_else(|| fault(Reason::BadQuantity, column)))
                .transpose()?,
            None => None,
        };
        let Some(price_spec) = &items.unit_price else { return Ok(None) };
        let price = read_money(row, price_spec, Reason::BadPrice)?;
        let Some(price) = price else { return Ok(None) };
        let minor_units = price
            .minor_units
            .checked_mul(quantity.unwrap_or(1).saturating_abs())
            .ok_or_else(|| fault(Reason::BadPrice, price_spec.column))?;
        Ok(Some(Money { minor_units, ..price }))
    }

    fn read_channel(&self, row: &Row) -> Result<Box<str>, Fault> {
        match &self.rules.source.channel {
            ChannelSpec::Constant(name) => Ok(name.clone()),
            ChannelSpec::Column(column) => {
                Ok(read_text(row, *column)?.ok_or_else(|| fault(Reason::EmptyId, *column))?.into())
            }
        }
    }

    fn read_item(&self, row: &Row, spec: &ItemSpec) -> Result<Option<OrderItem>, Fault> {
        let unit_price = match &spec.unit_price {
            Some(spec) => read_money(row, spec, Reason::BadPrice)?,
            None => None,
        };
        let quantity = spec.quantity.and_then(|column| Some((column, row.get(column)?)));
        let Some(sku) = read_text(row, spec.sku)? else {
            if quantity.is_some() || unit_price.is_some() {
                return Err(fault(Reason::EmptySku, spec.sku));
            }
            return Ok(None);
        };
        let quantity = match quantity {
            Some((column, text)) => read_whole(text)
                .and_then(|n| u32::try_from(n).ok())
                .filter(|&n| 0 < n)
                .ok_or_else(|| fault(Reason::BadQuantity, column))?,
            // A source without quantities tells one piece per row.
            None => 1,
        };
        let sku = self.identity.entity(EntityKind::Sku, sku);
        Ok(Some(OrderItem { sku, quantity, unit_price }))
    }

    fn read_entities(&self, row: &Row) -> Result<Vec<EntityRef>, Fault> {
        let mut entities = Vec::with_capacity(self.rules.entities.len());
        for spec in &self.rules.entities {
            entities.extend(self.read_entity(row, spec)?);
        }
        Ok(entities)
    }

    fn read_entity(&self, row: &Row, spec: &EntitySpec) -> Result<Option<EntityRef>, Fault> {
        let mut parts = Vec::with_capacity(spec.columns.len());
        for &column in &spec.columns {
            // An identifier of which a part is missing identifies nothing.
            let Some(text) = read_text(row, column)? else { return Ok(None) };
            parts.push(match text.strip_suffix(&*spec.strip_suffix) {
                Some(stripped) if !stripped.is_empty() => stripped,
                Some(_) | None => text,
            });
        }
        Ok(Some(match parts.as_slice() {
            [single] => self.identity.entity(spec.kind, single),
            several => self.identity.entity(spec.kind, &several.join("|")),
        }))
    }

    fn read_attributes(&self, row: &Row) -> Result<Vec<Option<Given>>, Fault> {
        let mut attributes = Vec::with_capacity(self.rules.attributes.len());
        for spec in &self.rules.attributes {
            attributes.push(match spec.kind {
                AttributeKind::Number => read_number(row, spec.column)?.map(Given::Number),
                AttributeKind::Category => {
                    read_text(row, spec.column)?.map(|text| Given::Category(text.into()))
                }
            });
        }
        Ok(attributes)
    }

    fn read_labels(&self, row: &Row) -> Result<Vec<Option<f64>>, Fault> {
        let mut labels = Vec::with_capacity(self.rules.labels.len());
        for spec in &self.rules.labels {
            labels.push(match &spec.rule {
                LabelRule::Words { column, positive, negative, .. } => {
                    let is_in = |words: &[Box<str>], text: &str| words.iter().any(|w| **w == *text);
                    match (row.get(*column), negative) {
                        (None, _) => None,
                        (Some(text), _) if is_in(positive, text) => Some(1.0),
                        (Some(_), None) => Some(0.0),
                        (Some(text), Some(negative)) if is_in(negative, text) => Some(0.0),
                        (Some(_), Some(_)) => return Err(fault(Reason::BadLabel, *column)),
                    }
                }
                LabelRule::Number { column, .. } => read_number(row, *column)?,
                LabelRule::LaterEvent { .. } => None,
            });
        }
        Ok(labels)
    }
}

//! Reading messages: every violation at once, with its dotted path.
//!
//! A reader returns `None` when something required is missing or wrong, and has
//! then noted why. [`Check::finish`] turns the notes into one error.

use std::fmt;

use crate::domain::entity::{EntityKey, EntityKind, EntityRef, IdentityKey};
use crate::domain::head::{HeadId, RiskType};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{OrderKey, TEXT_BYTES_MAX};
use crate::domain::time::{Span, Timestamp};
use crate::wire::enums::WireEnum;
use crate::wire::error::{Error, FieldViolation};
use crate::wire::pb::v1 as pb;

/// How far ahead of our clock an event may lie.
pub const AHEAD_MAX: Span = Span::hours(24);
/// Most violations that one answer lists; a larger message cannot blow it up.
pub const VIOLATIONS_MAX: usize = 100;

/// Last instant a door accepts: 2200-01-01.
const TIME_MAX: Timestamp = Timestamp(7_258_118_400_000_000);

/// What a door knows: the secret that seals identifiers, and the time.
#[derive(Clone, Copy, Debug)]
pub struct Door<'k> {
    /// Seals personal identifiers.
    pub identity: &'k IdentityKey,
    /// Our clock.
    pub now: Timestamp,
}

/// Notes what is wrong while a message is read.
#[derive(Debug)]
pub struct Check<'k> {
    door: Option<Door<'k>>,
    violations: Vec<FieldViolation>,
}

/// Where in a message a field is; built on the stack, written only when needed.
#[derive(Clone, Copy, Debug)]
pub enum Path<'p> {
    /// The message itself.
    Root,
    /// A field of it.
    Field(&'p Path<'p>, &'static str),
    /// An element of a repeated field.
    Index(&'p Path<'p>, usize),
    /// A value of a map.
    Key(&'p Path<'p>, &'p str),
}

impl<'p> Path<'p> {
    /// The path of a field of this message.
    #[must_use]
    pub const fn field(&'p self, name: &'static str) -> Self {
        Self::Field(self, name)
    }

    /// The path of an element of this list.
    #[must_use]
    pub const fn index(&'p self, idx: usize) -> Self {
        Self::Index(self, idx)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Path::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, idx) => write!(f, "{parent}[{idx}]"),
            Self::Key(parent, key) => write!(f, "{parent}[\"{key}\"]"),
        }
    }
}

impl<'k> Check<'k> {
    /// Reads what a caller sent: limits hold, identifiers are sealed.
    pub fn at_door(door: Door<'k>) -> Self {
        Self { door: Some(door), violations: Vec::new() }
    }

    /// Reads what this service wrote: already checked and sealed.
    pub fn of_journal() -> Self {
        Self { door: None, violations: Vec::new() }
    }

    /// True while reading what a caller sent.
    pub fn is_at_door(&self) -> bool {
        self.door.is_some()
    }

    /// Notes a violation.
    pub fn note(&mut self, path: &Path<'_>, description: impl Into<String>) {
        self.note_field(path, description.into());
    }

    /// Notes a violation of a field that somebody else has written down.
    pub fn note_field(&mut self, field: impl fmt::Display, description: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(FieldViolation { field: field.to_string(), description });
        }
    }

    /// The value if nothing was wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation that was noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            Some(_) | None => Err(Error::Invalid(self.violations)),
        }
    }

    /// A message that must be there.
    pub fn required<T, R>(
        &mut self,
        path: &Path<'_>,
        value: Option<T>,
        read: impl FnOnce(&mut Self, &Path<'_>, T) -> Option<R>,
    ) -> Option<R> {
        if let Some(value) = value {
            return read(self, path, value);
        }
        self.note(path, "is required");
        None
    }

    /// An enum that must be given.
    pub fn choice<T: WireEnum>(&mut self, path: &Path<'_>, number: i32) -> Option<T> {
        if number == 0 {
            self.note(path, "is required");
            return None;
        }
        self.choice_or_none(path, number)
    }

    /// An enum whose zero means unknown.
    pub fn choice_or_none<T: WireEnum>(&mut self, path: &Path<'_>, number: i32) -> Option<T> {
        let value = T::from_wire(number);
        if value.is_none() && number != 0 {
            self.note(path, format!("{number} is not a known value"));
        }
        value
    }

    /// A text that must not be empty.
    pub fn name(&mut self, path: &Path<'_>, text: String) -> Option<Box<str>> {
        if text.is_empty() && self.is_at_door() {
            self.note(path, "is required");
            return None;
        }
        self.text(path, text)
    }

    /// A text of bounded length.
    pub fn text(&mut self, path: &Path<'_>, text: String) -> Option<Box<str>> {
        if text.len() > TEXT_BYTES_MAX && self.is_at_door() {
            let n = text.len();
            self.note(path, format!("has {n} bytes, more than {TEXT_BYTES_MAX}"));
            return None;
        }
        Some(text.into_boxed_str())
    }

    /// A number that is neither infinite nor NaN.
    pub fn finite(&mut self, path: &Path<'_>, number: f64) -> Option<f64> {
        if !number.is_finite() && self.is_at_door() {
            self.note(path, "must be a finite number");
            return None;
        }
        Some(number)
    }

    /// A finite number of at least 0.
    pub fn not_negative(&mut self, path: &Path<'_>, number: f64) -> Option<f64> {
        if number < 0.0 && self.is_at_door() {
            self.note(path, "must not be negative");
            return None;
        }
        self.finite(path, number)
    }

    /// An instant.
    pub fn time(&mut self, path: &Path<'_>, time: prost_types::Timestamp) -> Option<Timestamp> {
        let micros =
            i128::from(time.seconds) * 1_000_000 + i128::from(time.nanos.div_euclid(1_000));
        let Some(instant) = i64::try_from(micros).ok().map(Timestamp) else {
            self.note(path, "lies outside the years that can be counted");
            return None;
        };
        if !self.is_at_door() {
            return Some(instant);
        }
        if !(0..1_000_000_000).contains(&time.nanos) {
            self.note(path, "nanos must lie between 0 and 999999999");
            return None;
        }
        if instant < Timestamp(0) || TIME_MAX < instant {
            self.note(path, "must lie between 1970 and 2200");
            return None;
        }
        Some(instant)
    }

    /// An instant that has happened: not more than [`AHEAD_MAX`] ahead of our clock.
    pub fn past(&mut self, path: &Path<'_>, time: prost_types::Timestamp) -> Option<Timestamp> {
        let instant = self.time(path, time)?;
        if self.door.is_some_and(|door| door.now + AHEAD_MAX < instant) {
            self.note(path, "is more than 24 hours ahead of the service's clock");
            return None;
        }
        Some(instant)
    }

    /// A currency code.
    pub fn currency(&mut self, path: &Path<'_>, code: &str) -> Option<Currency> {
        let currency = Currency::parse(code).ok();
        if currency.is_none() {
            // What stands there instead is not told again: nobody knows what it is.
            self.note(path, "is not a three-letter ISO 4217 currency code such as CNY");
        }
        currency
    }

    /// An amount of at least 0.
    #[expect(clippy::needless_pass_by_value, reason = "the signature of every reader")]
    pub fn money(&mut self, path: &Path<'_>, money: pb::Money) -> Option<Money> {
        let currency = self.currency(&path.field("currency_code"), &money.currency_code);
        if money.minor_units < 0 && self.is_at_door() {
            self.note(&path.field("minor_units"), "must not be negative");
            return None;
        }
        Some(Money { currency: currency?, minor_units: money.minor_units })
    }

    /// The natural key of an order.
    pub fn order_key(&mut self, path: &Path<'_>, key: pb::OrderKey) -> Option<OrderKey> {
        let channel = self.name(&path.field("channel"), key.channel);
        let order_id = self.name(&path.field("order_id"), key.order_id);
        Some(OrderKey { channel: channel?, order_id: order_id?, revision: key.revision })
    }

    /// An entity whose kind the message names.
    pub fn entity(&mut self, path: &Path<'_>, entity: pb::Entity) -> Option<EntityRef> {
        let kind = self.choice(&path.field("kind"), entity.kind);
        let id = self.name(&path.field("id"), entity.id);
        Some(self.sealed(kind?, &id?))
    }

    /// An entity of a kind that the field implies.
    pub fn entity_of(
        &mut self,
        path: &Path<'_>,
        kind: EntityKind,
        id: String,
    ) -> Option<EntityRef> {
        let id = self.name(path, id)?;
        Some(self.sealed(kind, &id))
    }

    fn sealed(&self, kind: EntityKind, id: &str) -> EntityRef {
        match self.door {
            Some(door) => door.identity.entity(kind, id),
            None => EntityRef { kind, key: EntityKey::parse_sealed(kind, id) },
        }
    }

    /// A head, named by a shipped risk type, by its id, or by both alike.
    pub fn head(&mut self, path: &Path<'_>, risk_type: i32, head_id: String) -> Option<HeadId> {
        if !self.is_at_door() {
            return Some(HeadId(head_id.into_boxed_str()));
        }
        let named = match pb::RiskType::try_from(risk_type) {
            Ok(pb::RiskType::Unspecified | pb::RiskType::Custom) => None,
            Ok(_) => RiskType::from_wire(risk_type),
            Err(_) => {
                let path = path.field("risk_type");
                self.note(&path, format!("{risk_type} is not a known value"));
                return None;
            }
        };
        match named {
            Some(risk) if head_id.is_empty() || head_id == risk.as_str() => Some(risk.head()),
            Some(risk) => {
                let description = format!("must be empty or `{}`", risk.as_str());
                self.note(&path.field("head_id"), description);
                None
            }
            None => self.name(&path.field("head_id"), head_id).map(HeadId),
        }
    }
}

/// The message for an instant.
pub fn time_to_pb(time: Timestamp) -> prost_types::Timestamp {
    let micros = i32::try_from(time.0.rem_euclid(1_000_000)).unwrap_or_default();
    prost_types::Timestamp { seconds: time.0.div_euclid(1_000_000), nanos: micros * 1_000 }
}

/// The message for an amount.
pub fn money_to_pb(money: Money) -> pb::Money {
    pb::Money { currency_code: money.currency.as_str().to_owned(), minor_units: money.minor_units }
}

/// The message for an order's key.
pub fn order_key_to_pb(key: &OrderKey) -> pb::OrderKey {
    pb::OrderKey {
        channel: key.channel.to_string(),
        order_id: key.order_id.to_string(),
        revision: key.revision,
    }
}

/// The message for an entity.
pub fn entity_to_pb(entity: &EntityRef) -> pb::Entity {
    pb::Entity { kind: entity.kind.to_wire(), id: entity.key.to_string() }
}

/// The risk type and the id that stand for a head.
pub fn head_to_pb(head: &HeadId) -> (i32, String) {
    let risk_type = head.risk_type().map_or(pb::RiskType::Custom.into(), RiskType::to_wire);
    (risk_type, head.0.to_string())
}

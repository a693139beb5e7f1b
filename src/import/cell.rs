//! Reads single cells: texts, ids, times, numbers, money, words.

use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::domain::money::{Currency, Money};
use crate::domain::order::TEXT_BYTES_MAX;
use crate::domain::time::Timestamp;
use crate::import::amount::{CurrencySpec, MoneySpec, parse_decimal};
use crate::import::instant::TimeSpec;
use crate::import::mapping::{Condition, Test, WordSpec};
use crate::import::reject::Reason;
use crate::import::rows::Row;
use crate::import::section::Column;

/// Why a row cannot be taken.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) column: Option<Column>,
}

/// A fault of one column.
pub(super) fn fault(reason: Reason, column: Column) -> Fault {
    Fault { reason, column: Some(column) }
}

/// Whether a row meets a condition.
pub(super) fn holds(condition: &Condition, row: &Row) -> bool {
    let cell = row.get(condition.column);
    let is_any = |words: &[Box<str>]| cell.is_some_and(|text| words.iter().any(|w| **w == *text));
    let starts = |words: &[Box<str>]| {
        cell.is_some_and(|text| words.iter().any(|word| text.starts_with(&**word)))
    };
    match &condition.test {
        Test::OneOf(words) => is_any(words),
        Test::NoneOf(words) => !is_any(words),
        Test::StartsWith(words) => starts(words),
        Test::NotStartsWith(words) => !starts(words),
        Test::Present => cell.is_some(),
        Test::Missing => cell.is_none(),
    }
}

/// A text that may become an identifier or a category.
pub(super) fn read_text(row: &Row, column: Column) -> Result<Option<&str>, Fault> {
    match row.get(column) {
        Some(text) if TEXT_BYTES_MAX < text.len() || text.contains(char::is_control) => {
            Err(fault(Reason::BadText, column))
        }
        given => Ok(given),
    }
}

pub(super) fn read_id(row: &Row, columns: &[Column]) -> Result<Box<str>, Fault> {
    let mut parts = Vec::with_capacity(columns.len());
    for &column in columns {
        parts.push(read_text(row, column)?.ok_or_else(|| fault(Reason::EmptyId, column))?);
    }
    let id = parts.join("|");
    if TEXT_BYTES_MAX < id.len() {
        return Err(Fault { reason: Reason::BadText, column: columns.first().copied() });
    }
    Ok(id.into())
}

pub(super) fn read_time(row: &Row, spec: &TimeSpec) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = row.get(spec.column) else { return Ok(None) };
    let time = spec.format.parse(text).ok_or_else(|| fault(Reason::BadTime, spec.column))?;
    Ok(Some(time))
}

/// A whole number; `6` and `6.0` are the same.
pub(super) fn read_whole(text: &str) -> Option<i64> {
    let thousandths = parse_decimal(text, 3)?;
    (thousandths % 1_000 == 0).then_some(thousandths / 1_000)
}

pub(super) fn read_number(row: &Row, column: Column) -> Result<Option<f64>, Fault> {
    let Some(text) = row.get(column) else { return Ok(None) };
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(Some).ok_or_else(|| fault(Reason::BadNumber, column))
}

pub(super) fn read_money(
    row: &Row,
    spec: &MoneySpec,
    reason: Reason,
) -> Result<Option<Money>, Fault> {
    let money = read_signed_money(row, spec, reason)?;
    if money.is_some_and(|money| money.minor_units < 0) {
        return Err(fault(reason, spec.column));
    }
    Ok(money)
}

pub(super) fn read_signed_money(
    row: &Row,
    spec: &MoneySpec,
    reason: Reason,
) -> Result<Option<Money>, Fault> {
    let Some(text) = row.get(spec.column) else { return Ok(None) };
    let currency = match spec.currency {
        CurrencySpec::Constant(currency) => currency,
        CurrencySpec::Column(column) => row
            .get(column)
            .and_then(|code| Currency::parse(code).ok())
            .ok_or_else(|| fault(Reason::BadCurrency, column))?,
    };
    spec.unit.parse(text, currency).map(Some).ok_or_else(|| fault(reason, spec.column))
}

/// The word a cell stands for; words that mean nothing are counted and stay unknown.
pub(super) fn read_word<T: Clone>(
    row: &Row,
    spec: Option<&WordSpec<T>>,
    n_unmapped: &mut u32,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let spec = spec?;
    let text = row.get(spec.column)?;
    let mapped = spec.map.iter().find(|(name, _)| **name == *text);
    let word = mapped.map(|(_, word)| word.clone()).or_else(|| parse(text));
    *n_unmapped += u32::from(word.is_none());
    word
}

/// The word as the type that it names.
pub(super) fn parse_word<T: DeserializeOwned>(text: &str) -> Option<T> {
    let deserializer: StrDeserializer<'_, NameError> = text.into_deserializer();
    T::deserialize(deserializer).ok()
}

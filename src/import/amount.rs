//! Money as sources write it: decimal texts in yuan, fen, dollars, cents.

use crate::domain::money::{Currency, Money};
use crate::import::mistake::suggest;
use crate::import::section::{Column, Entry, Section};

/// How a column tells an amount.
#[derive(Clone, Debug)]
pub(super) struct MoneySpec {
    /// Where it stands.
    pub(super) column: Column,
    /// Whether it counts major or minor units.
    pub(super) unit: MoneyUnit,
    /// Of which currency.
    pub(super) currency: CurrencySpec,
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MoneyUnit {
    /// Yuan, dollars, euros: decimals allowed.
    Major,
    /// Fen, cents: decimals are rounded.
    Minor,
}

/// Where the currency is told.
#[derive(Clone, Debug)]
pub(super) enum CurrencySpec {
    /// By the mapping, for all rows.
    Constant(Currency),
    /// By a column with ISO 4217 codes.
    Column(Column),
}

/// Names of units, what they count and the currency they imply.
const UNITS: [(&str, MoneyUnit, Option<&str>); 6] = [
    ("major", MoneyUnit::Major, None),
    ("minor", MoneyUnit::Minor, None),
    ("yuan", MoneyUnit::Major, Some("CNY")),
    ("fen", MoneyUnit::Minor, Some("CNY")),
    ("dollar", MoneyUnit::Major, None),
    ("cent", MoneyUnit::Minor, None),
];

impl MoneyUnit {
    /// The amount a text tells; halves round away from zero.
    pub(super) fn parse(self, text: &str, currency: Currency) -> Option<Money> {
        let digits = match self {
            Self::Major => currency.exponent(),
            Self::Minor => 0,
        };
        parse_decimal(text, digits).map(|minor_units| Money { currency, minor_units })
    }
}

/// Reads `{ column, unit, currency | currency_column }`; `section` is not finished.
pub(super) fn check_money(
    section: &Section<'_>,
    default_currency: Option<Currency>,
) -> Option<MoneySpec> {
    let column = section.required("column").and_then(|entry| entry.column());
    let unit = section.required("unit").and_then(|entry| check_unit(&entry));
    let own = section.entry("currency");
    let from_column = section.entry("currency_column");
    if let (Some(own), Some(_)) = (&own, &from_column) {
        own.note("cannot stand beside `currency_column`".to_owned(), None);
    }
    if let Some(entry) = from_column {
        let currency = CurrencySpec::Column(entry.column()?);
        return Some(MoneySpec { column: column?, unit: unit?.0, currency });
    }
    let own_given = own.is_some();
    let named = own.as_ref().and_then(check_currency);
    let (unit, implied) = unit?;
    let currency = match (named.or(default_currency.filter(|_| !own_given)), implied) {
        (Some(given), Some(implied)) if given != implied => {
            section.note_self(format!("counts a unit of {implied}, but its currency is {given}"));
            None
        }
        (Some(given), _) => Some(given),
        (None, Some(implied)) => Some(implied),
        (None, None) => {
            if !own_given {
                section
                    .note_self("has no currency: name it here or as `source.currency`".to_owned());
            }
            None
        }
    };
    Some(MoneySpec { column: column?, unit, currency: CurrencySpec::Constant(currency?) })
}

/// Reads a currency code.
pub(super) fn check_currency(entry: &Entry<'_>) -> Option<Currency> {
    match Currency::parse(entry.text()?) {
        Ok(currency) => Some(currency),
        Err(error) => {
            entry.note(error.to_string(), None);
            None
        }
    }
}

fn check_unit(entry: &Entry<'_>) -> Option<(MoneyUnit, Option<Currency>)> {
    let given = entry.text()?;
    if let Some((_, unit, implied)) = UNITS.iter().find(|(name, _, _)| *name == given) {
        return Some((*unit, implied.and_then(|code| Currency::parse(code).ok())));
    }
    let names = UNITS.map(|(name, _, _)| name);
    let remark = format!("`{given}` is not a unit of money ({})", names.join(", "));
    entry.note(remark, suggest(given, names));
    None
}

/// A decimal text times 10^`digits`, exact; halves round away from zero.
pub(super) fn parse_decimal(text: &str, digits: u32) -> Option<i64> {
    if text.contains(['e', 'E']) {
        let scaled = text.parse::<f64>().ok()? * 10_f64.powi(digits.cast_signed());
        // Up to 2^53 every whole number has its own f64.
        let is_exact = scaled.is_finite() && scaled.abs() < 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be below 2^53")]
        return is_exact.then(|| scaled.round() as i64);
    }
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let mut value: i64 = 0;
    let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(digits as usize);
    for byte in whole.bytes().chain(padded) {
        value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    if fraction.as_bytes().get(digits as usize).is_some_and(|&next| next >= b'5') {
        value = value.checked_add(1)?;
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_text_is_read_exactly_or_not_at_all() {
        let check = |text: &str, digits, expected: Option<i64>| {
            assert_eq!(parse_decimal(text, digits), expected, "{text}");
        };
        check("57.16", 2, Some(5_716));
        check("146.0", 2, Some(14_600));
        check("-0.125", 2, Some(-13));
        check("1.", 2, Some(100));
        check(".5", 0, Some(1));
        check("1e3", 2, Some(100_000));
        check("92233720368547758.07", 2, Some(i64::MAX));
        for text in ["", ".", "-", "1,000", "12 元", "0x10", "NaN", "inf", "1e99", "--1"] {
            check(text, 2, None);
        }
        check("92233720368547758.08", 2, None);
    }
}

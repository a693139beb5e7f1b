//! Money as whole minor units of a named currency; never a float at the door.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 code such as `CNY`: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// An amount in minor units (fen, cents); negative amounts are money going out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Which currency the units are of.
    pub currency: Currency,
    /// Whole minor units; see [`Currency::exponent`] for how many make one major unit.
    pub minor_units: i64,
}

/// A text that is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a three-letter ISO 4217 currency code such as CNY")]
pub struct CurrencyError(pub String);

impl Currency {
    /// Chinese yuan.
    pub const CNY: Self = Self(*b"CNY");

    /// Reads a code; the letters must be capital.
    ///
    /// # Errors
    /// [`CurrencyError`] for anything but three capital ASCII letters.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(CurrencyError(code.to_owned())),
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Decimal digits between the major and the minor unit.
    ///
    /// Source: ISO 4217 list one; every code that is not listed there with 0 or 3 has 2.
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"XAF" | b"XOF" | b"UGX" => 0,
            b"KWD" | b"BHD" | b"OMR" | b"JOD" | b"TND" | b"IQD" | b"LYD" => 3,
            _ => 2,
        }
    }

    /// Minor units as major ones for people, without the code: `1,299.50`.
    pub fn major_text(self, minor: f64) -> String {
        let exponent = self.exponent();
        grouped(minor / 10_f64.powi(exponent.cast_signed()), exponent as usize)
    }
}

/// A number with `digits` decimals and a comma every three digits.
pub fn grouped(number: f64, digits: usize) -> String {
    let plain = format!("{:.digits$}", number.abs());
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let is_zero = plain.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let mut text = String::from(if number < 0.0 && !is_zero { "-" } else { "" });
    for (idx, digit) in whole.chars().enumerate() {
        if 0 < idx && (whole.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push('.');
        text.push_str(decimals);
    }
    text
}

impl Money {
    /// The amount nearest to this many major units.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    pub fn of_major(currency: Currency, major: f64) -> Self {
        let minor = major * 10_f64.powi(currency.exponent().cast_signed());
        Self { currency, minor_units: minor.round() as i64 }
    }

    /// The amount in major units (yuan, dollars), for statistics and display only.
    pub fn as_major(self) -> f64 {
        self.minor_units as f64 / 10_f64.powi(self.currency.exponent().cast_signed())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.exponent() as usize;
        write!(f, "{} {:.digits$}", self.currency, self.as_major())
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;
    fn try_from(code: String) -> Result<Self, CurrencyError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_capital_letters_name_a_currency() {
        assert!(Currency::parse("CNY").is_ok());
        for code in ["cny", "CN", "CNYY", "C1Y", "元"] {
            assert_eq!(Currency::parse(code), Err(CurrencyError(code.to_owned())));
        }
    }

    #[test]
    fn an_amount_shows_as_many_digits_as_its_currency_has() {
        let show = |code, minor_units| {
            Money { currency: Currency::parse(code).unwrap(), minor_units }.to_string()
        };
        assert_eq!(show("CNY", 129_950), "CNY 1299.50");
        assert_eq!(show("JPY", 1_200), "JPY 1200");
        assert_eq!(show("KWD", 1_200), "KWD 1.200");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        let cases = [
            (0.0, 2, "0.00"),
            (-0.001, 2, "0.00"),
            (1_234_567.891, 2, "1,234,567.89"),
            (-1_234.0, 0, "-1,234"),
            (999.0, 0, "999"),
        ];
        for (number, digits, expected) in cases {
            assert_eq!(grouped(number, digits), expected);
        }
    }
}

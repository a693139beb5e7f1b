//! A number of the answer on a page: what people read, and what exactly it is.
//!
//! Pages carry the exact value and its place in the JSON of the decision beside the text, so
//! that a test can walk over a page and compare every number with the answer.

use crate::console::format::{bare_money, money, of_hundred, percent, shift, signed_money};
use crate::domain::money::Currency;

/// A number on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// What people read.
    pub text: String,
    /// Place in the JSON of the page's decision: a dotted path, or several with `+` and `-`
    /// before each, whose sum the value is.
    pub path: String,
    /// The exact value.
    pub value: String,
}

impl Number {
    /// A number with a text of its own.
    pub fn new(text: String, path: impl Into<String>, value: f64) -> Self {
        Self { text, path: path.into(), value: value.to_string() }
    }

    /// A probability as a percentage.
    pub fn percent(path: impl Into<String>, share: f64) -> Self {
        Self::new(percent(share), path, share)
    }

    /// A probability as so many of a hundred.
    pub fn of_hundred(path: impl Into<String>, share: f64) -> Self {
        Self::new(of_hundred(share).to_string(), path, share)
    }

    /// A shift of log-odds.
    pub fn shift(path: impl Into<String>, log_odds: f64) -> Self {
        Self::new(shift(log_odds), path, log_odds)
    }

    /// Money in minor units.
    pub fn money(path: impl Into<String>, minor: f64, currency: Currency) -> Self {
        Self::new(money(minor, currency), path, minor)
    }

    /// Money in minor units with its sign.
    pub fn signed_money(path: impl Into<String>, minor: f64, currency: Currency) -> Self {
        Self::new(signed_money(minor, currency), path, minor)
    }

    /// A whole number.
    pub fn count(path: impl Into<String>, n: u64) -> Self {
        Self { text: crate::console::format::count(n), path: path.into(), value: n.to_string() }
    }
}

/// A sum of numbers of the answer, with the place of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    path: String,
    value: f64,
}

impl Sum {
    /// Adds the number at a place.
    pub fn add(&mut self, path: &str, value: f64) {
        self.push('+', path);
        self.value += value;
    }

    /// Takes the number at a place away.
    pub fn subtract(&mut self, path: &str, value: f64) {
        self.push('-', path);
        self.value -= value;
    }

    /// The sum in money, minor units.
    pub fn money(self, currency: Currency) -> Number {
        Number::money(self.path, self.value, currency)
    }

    /// The sum in major units of money, where the column names the currency.
    pub fn bare_money(self, currency: Currency) -> Number {
        Number::new(bare_money(self.value, currency), self.path, self.value)
    }

    /// The value.
    pub fn value(&self) -> f64 {
        self.value
    }

    fn push(&mut self, sign: char, path: &str) {
        if !self.path.is_empty() {
            self.path.push(' ');
        }
        self.path.push(sign);
        self.path.push_str(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_tells_where_its_parts_are() {
        let mut sum = Sum::default();
        sum.add("decision.a", 300.0);
        sum.subtract("decision.b", 50.5);
        let number = sum.money(Currency::CNY);
        assert_eq!(number.path, "+decision.a -decision.b");
        assert_eq!((number.value.as_str(), number.text.as_str()), ("249.5", "CNY 2.50"));
    }
}

//! Rows that could not be taken: why, where, and how many.

use serde::{Deserialize, Serialize};

/// Why a row was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Another number of fields than the header.
    FieldCount,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Not a JSON object.
    NotJson,
    /// A longer line than is read.
    LineTooLong,
    /// A list or an object where a value is expected.
    NotAValue,
    /// No order id or no channel.
    EmptyId,
    /// A text that is too long or holds control characters.
    BadText,
    /// No time, or not in the mapped format.
    BadTime,
    /// Not an amount, or a negative one.
    BadAmount,
    /// Not a currency code.
    BadCurrency,
    /// Not a whole number from 1 (of a later fact: not zero).
    BadQuantity,
    /// Not a price, or a negative one.
    BadPrice,
    /// No SKU in a row that has a quantity or price.
    EmptySku,
    /// Not a finite number.
    BadNumber,
    /// Neither a positive nor a negative label.
    BadLabel,
    /// More lines than an order may have.
    TooManyItems,
    /// A later fact without an earlier order to belong to.
    Unmatched,
}

/// One rejected row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Line of the input, from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
    /// Which column, if it is about one.
    pub column: Box<str>,
    /// What stood there; empty for columns that identify people.
    pub value: Box<str>,
}

impl Reason {
    /// The name used in the reject file and the summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::LineTooLong => "line_too_long",
            Self::NotAValue => "not_a_value",
            Self::EmptyId => "empty_id",
            Self::BadText => "bad_text",
            Self::BadTime => "bad_time",
            Self::BadAmount => "bad_amount",
            Self::BadCurrency => "bad_currency",
            Self::BadQuantity => "bad_quantity",
            Self::BadPrice => "bad_price",
            Self::EmptySku => "empty_sku",
            Self::BadNumber => "bad_number",
            Self::BadLabel => "bad_label",
            Self::TooManyItems => "too_many_items",
            Self::Unmatched => "unmatched",
        }
    }
}

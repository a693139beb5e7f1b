//! Values and rows, whichever database holds them.

use serde::de::DeserializeOwned;

use crate::store::records::database::DatabaseError;

/// One cell of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// A number; times, flags and codes as well.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// An id or a hash.
    Bytes(Vec<u8>),
}

/// What a question brings back of one line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row(pub(super) Vec<Value>);

/// What a cell can be read as.
pub(super) trait FromValue: Sized {
    /// `None` when the cell holds something else.
    fn from_value(value: &Value) -> Option<Self>;
}

impl Row {
    /// A cell, counted from 0.
    pub(super) fn get<T: FromValue>(&self, column: usize) -> Result<T, DatabaseError> {
        known(column, T::from_value(self.cell(column)))
    }

    /// A cell that holds JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, DatabaseError> {
        Ok(serde_json::from_str(&self.get::<String>(column)?)?)
    }

    /// True when a cell holds nothing.
    pub(super) fn is_null(&self, column: usize) -> bool {
        *self.cell(column) == Value::Null
    }

    fn cell(&self, column: usize) -> &Value {
        self.0.get(column).unwrap_or(&Value::Null)
    }
}

/// What a cell was read as, if this build knows it.
pub(super) fn known<T>(column: usize, value: Option<T>) -> Result<T, DatabaseError> {
    value.ok_or(DatabaseError::Unknown { column })
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&Box<str>> for Value {
    fn from(text: &Box<str>) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    /// Positions and counts lie below 2⁶³; a damaged number is read back as it was.
    fn from(number: u64) -> Self {
        Self::Integer(number.cast_signed())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(flag.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(*number),
            Value::Null | Value::Real(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for u64 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(i64::cast_unsigned)
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).and_then(|number| number.try_into().ok())
    }
}

impl FromValue for u8 {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).and_then(|number| number.try_into().ok())
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(number) => Some(*number),
            Value::Null | Value::Integer(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for Box<str> {
    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(String::into_boxed_str)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_) => None,
        }
    }
}

impl FromValue for [u8; 16] {
    fn from_value(value: &Value) -> Option<Self> {
        Vec::from_value(value)?.try_into().ok()
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            Value::Integer(_) | Value::Real(_) | Value::Text(_) | Value::Bytes(_) => {
                T::from_value(value).map(Some)
            }
        }
    }
}

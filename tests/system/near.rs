//! Comparing with reference numbers, and counting what was compared.

use serde_json::Value;

/// Fails unless a number is the reference one, relative to its size.
pub(crate) fn relative(what: &str, found: f64, expected: f64, tolerance: f64) {
    let distance = (found - expected).abs();
    assert!(distance <= tolerance * expected.abs(), "{what}: {found} is not {expected}");
}

/// Fails unless a number is the reference one; for p and logarithms of evidence.
pub(crate) fn absolute(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

/// How many numbers a value has in it, at any depth.
pub(crate) fn n_numbers(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
        Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(n_numbers).sum(),
        Value::Object(entries) => entries.values().map(n_numbers).sum(),
    }
}

/// Fails unless an object has exactly these keys, so that none is passed over.
pub(crate) fn has_keys(what: &str, value: &Value, keys: &[&str]) {
    let found: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    let mut found_sorted = found;
    found_sorted.sort_unstable();
    assert_eq!(found_sorted, expected, "{what}");
}

/// Number of a field.
pub(crate) fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {value}"))
}

/// Items of a field that is a list.
pub(crate) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no list {name} in {value}"))
}

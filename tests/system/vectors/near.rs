//! Comparing with reference numbers without passing any over.

use serde_json::Value;

/// Fails unless a number is the reference one, relative to its size.
pub(crate) fn relative(what: &str, found: f64, expected: f64, tolerance: f64) {
    let distance = (found - expected).abs();
    // Infinities have no distance.
    let is_same = found.to_bits() == expected.to_bits();
    let is_near = is_same || distance <= tolerance * expected.abs();
    assert!(is_near, "{what}: {found} is not {expected}");
}

/// Fails unless a number is the reference one; for p and logarithms of evidence.
pub(crate) fn absolute(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

/// Fails unless an object has exactly these fields: one more would not be compared.
pub(crate) fn has_fields(value: &Value, fields: &[&str]) {
    let mut found: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = fields.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// Number of a field; infinities are text.
pub(crate) fn number(value: &Value, field: &str) -> f64 {
    end(&value[field])
}

/// A number, or an infinity.
pub(crate) fn end(value: &Value) -> f64 {
    let text = || value.as_str().and_then(|text| text.parse().ok());
    value.as_f64().or_else(text).expect("a number")
}

/// Items of a field that is a list.
pub(crate) fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().expect(field)
}

/// Text of a field.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect(field)
}

/// What an effect is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Units of the metric.
    Absolute,
    /// Parts of the control's mean.
    Relative,
}

/// Scale of a run.
pub(crate) fn scale(run: &Value) -> Scale {
    match text(run, "difference_type") {
        "absolute" => Scale::Absolute,
        other => {
            assert_eq!(other, "relative");
            Scale::Relative
        }
    }
}

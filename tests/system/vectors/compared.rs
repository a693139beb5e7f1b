//! A comparison with reference numbers that forgets none of them.
//!
//! Each comparison is counted. At the end the count has to be that of the numbers in the file,
//! so that a number that nobody looked at fails the test as one that differs does.

use serde_json::Value;

/// What was compared so far.
pub(crate) struct Compared {
    /// Farthest that a number may be off, relative to the reference.
    tolerance: f64,
    n: usize,
}

impl Compared {
    pub(crate) fn within(tolerance: f64) -> Self {
        Self { tolerance, n: 0 }
    }

    /// Fails unless a number is the reference one; near 0 only a reference of exactly 0 allows
    /// for rounding.
    pub(crate) fn number(&mut self, what: &str, found: f64, expected: &Value) {
        let size = expected.as_f64().unwrap_or(f64::NAN).abs();
        let allowed = if size > 0.0 { self.tolerance * size } else { 1e-12 };
        self.near(what, found, expected, allowed);
    }

    /// The same with a distance that is allowed, for the few references that are not exact.
    pub(crate) fn near(&mut self, what: &str, found: f64, expected: &Value, allowed: f64) {
        let expected = expected.as_f64().expect(what);
        let distance = (found - expected).abs();
        assert!(distance <= allowed, "{what}: {found} is not {expected}");
        self.n += 1;
    }

    /// Counts numbers that are inputs, or that were compared in another way.
    pub(crate) fn count(&mut self, n: usize) {
        self.n += n;
    }

    /// Ends of an interval.
    pub(crate) fn ends(&mut self, what: &str, found: (f64, f64), expected: &Value) {
        self.numbers(what, &[found.0, found.1], expected);
    }

    pub(crate) fn numbers(&mut self, what: &str, found: &[f64], expected: &Value) {
        let expected = expected.as_array().expect(what);
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            self.number(what, *found, expected);
        }
    }

    pub(crate) fn n(&self) -> usize {
        self.n
    }

    /// Fails unless every number below a value was compared, other than those below the keys
    /// that are named: inputs, and what is left out for a reason.
    pub(crate) fn all_of(&self, value: &Value, but: &[&str]) {
        assert_eq!(self.n, n_numbers(value, but), "numbers compared, and numbers there");
    }
}

fn n_numbers(value: &Value, but: &[&str]) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
        Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(|it| n_numbers(it, but)).sum(),
        Value::Object(fields) => {
            let left = fields.iter().filter(|(key, _)| !but.contains(&key.as_str()));
            left.map(|(_, it)| n_numbers(it, but)).sum()
        }
    }
}

#[test]
fn a_number_that_is_left_out_or_differs_is_noticed() {
    let file = serde_json::json!({ "in": [7.0], "out": [1.0, { "p": 2.0, "name": "x" }] });
    let mut compared = Compared::within(1e-9);
    compared.number("first", 1.0, &file["out"][0]);
    let fails = |check: &mut dyn FnMut()| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err()
    };
    assert!(fails(&mut || compared.all_of(&file, &["in"])));
    assert!(fails(&mut || compared.number("p", 2.000_001, &file["out"][1]["p"])));
    compared.number("p", 2.0, &file["out"][1]["p"]);
    compared.all_of(&file, &["in"]);
    assert!(fails(&mut || compared.all_of(&file, &[])));
}

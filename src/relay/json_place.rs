//! Says where in a JSON text something is, without saying what is there.
//!
//! The reader's own messages repeat values, and a value may tell who somebody is: what is told
//! is the dotted path and what was expected.

use std::fmt::Write as _;

use crate::wire::error::FieldViolation;

/// Longest path that is told, bytes.
const PATH_BYTES_MAX: usize = 200;

/// What is wrong with a text, as a field that breaks the contract; `root` is what the text is.
pub fn violation(root: &str, text: &str, error: &serde_json::Error) -> FieldViolation {
    let path = path_at(text, offset_of(text, error.line(), error.column()));
    let field = match (root.is_empty(), path.is_empty()) {
        (true, _) => path,
        (false, true) => root.to_owned(),
        (false, false) => format!("{root}.{path}"),
    };
    FieldViolation { field, description: described(&error.to_string()) }
}

/// The message without what was found: names of fields and variants that are ours stay.
fn described(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(said, _)| said);
    // Anything else is a sentence of ours about a value, and repeats it.
    let is_ours = message.starts_with("invalid ") || message.starts_with("unknown ");
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("lacks the field {name}");
    }
    if is_ours && let Some((_, expected)) = message.rsplit_once(", expected ") {
        let what = if message.starts_with("unknown field") {
            "has an unknown field"
        } else {
            "does not fit"
        };
        return format!("{what}: expected {expected}");
    }
    if message.starts_with("unknown field") {
        return "has an unknown field".to_owned();
    }
    "does not read".to_owned()
}

/// The byte at a line and column, both from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column).min(text.len())
}

/// One open object or array.
#[derive(Debug)]
enum Open {
    Object(Option<String>),
    Array(usize),
}

/// The dotted path of what ends at a byte, `fact.order_placed.items[2].quantity`.
fn path_at(text: &str, offset: usize) -> String {
    let bytes = &text.as_bytes()[..offset];
    let mut open: Vec<Open> = Vec::new();
    let (mut at, mut is_name) = (0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(bytes, at);
                if is_name && let Some(Open::Object(name)) = open.last_mut() {
                    *name = Some(shown(bytes.get(at + 1..end).unwrap_or_default()));
                }
                is_name = false;
                at = end;
            }
            b'{' => {
                open.push(Open::Object(None));
                is_name = true;
            }
            b'[' => open.push(Open::Array(0)),
            // What ends at the very byte is still what is meant.
            b'}' | b']' if at + 1 < bytes.len() => {
                open.pop();
            }
            b',' => {
                if let Some(Open::Array(idx)) = open.last_mut() {
                    *idx += 1;
                }
                is_name = matches!(open.last(), Some(Open::Object(_)));
            }
            _ => {}
        }
        at += 1;
    }
    written(&open)
}

/// Names of our fields are plain; anything else is somebody's own and not repeated.
fn shown(name: &[u8]) -> String {
    let is_plain = |it: &u8| it.is_ascii_lowercase() || *it == b'_';
    if name.len() <= 40 && name.iter().all(is_plain) {
        String::from_utf8_lossy(name).into_owned()
    } else {
        "?".to_owned()
    }
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => break,
            _ => {}
        }
        at += 1;
    }
    at
}

fn written(open: &[Open]) -> String {
    let mut path = String::new();
    for part in open {
        match part {
            Open::Object(Some(name)) if path.is_empty() => path.push_str(name),
            Open::Object(Some(name)) => {
                // Writing into a text does not fail.
                let _ = write!(path, ".{name}");
            }
            Open::Object(None) => {}
            Open::Array(idx) => {
                let _ = write!(path, "[{idx}]");
            }
        }
        if PATH_BYTES_MAX < path.len() {
            break;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;

    fn told(text: &str) -> (String, String) {
        let error = serde_json::from_str::<Event>(text).unwrap_err();
        let FieldViolation { field, description } = violation("events[0]", text, &error);
        (field, description)
    }

    #[test]
    fn the_place_is_told_and_the_value_is_not() {
        let with = |fact: &str| {
            told(&format!(
                "{{\"event_id\":\"e1\",\n\"event_time\":\"2026-01-01T00:00:00Z\",\"fact\":{fact}}}"
            ))
        };
        let order = |rest: &str| {
            with(&format!(
                r#"{{"order_placed":{{"key":{{"channel":"a","order_id":"1"}},{rest}}}}}"#
            ))
        };
        let at = "events[0].fact.order_placed";
        let (field, said) = order(
            r#""entities":[{"kind":"phone","key":"13800138000"},{"kind":"13800138001","key":"x"}]"#,
        );
        assert_eq!(field, format!("{at}.entities[1].kind"));
        assert!(said.starts_with("does not fit: expected one of `account`"), "{said}");
        assert!(!said.contains("138001"), "{said}");
        let (field, said) =
            order(r#""items":[{"sku":{"kind":"sku","key":"s"},"quantity":"alice@example.com"}]"#);
        assert_eq!(
            (&*field, &*said),
            ("events[0].fact.order_placed.items[0].quantity", "does not fit: expected u32")
        );
        let (field, said) = order(r#""alice@example.com":1"#);
        assert!(field.starts_with(at), "{field}");
        assert!(said.starts_with("has an unknown field") && !said.contains("alice"), "{said}");
        let (_, said) = with(r#"{"order_paid":{}}"#);
        assert_eq!(said, "lacks the field `order`");
        let (field, said) = told(r#"{"event_id":"e1","event_time":"alice","fact":{}}"#);
        assert_eq!((&*field, &*said), ("events[0].event_time", "does not read"));
        for tricky in ["x, expected bob", "x, expected bob at line 1", "bob at line 2"] {
            let (_, said) =
                told(&format!(r#"{{"event_id":"e1","event_time":"{tricky}","fact":{{}}}}"#));
            assert!(!said.contains("bob"), "{said}");
            let (_, said) = order(&format!(r#""device_distance_km":"{tricky}""#));
            assert!(!said.contains("bob") && said.contains("expected f64"), "{said}");
        }
    }

    #[test]
    fn no_text_is_too_odd() {
        for text in ["", "{", "[[[[", "\"", "{\"a\\", "}}}}", "{\"a\":[1,2,{\"b\":", "\u{0}", "é"]
        {
            for offset in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let _ = path_at(text, offset);
            }
            if let Err(error) = serde_json::from_str::<Event>(text) {
                assert!(!violation("", text, &error).description.is_empty());
            }
        }
    }
}

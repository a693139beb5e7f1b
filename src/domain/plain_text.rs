//! Bounds of texts that people give: how long, and no control characters.

use std::ops::RangeInclusive;

/// Tells what is wrong with a line that a person gave: its length in characters, or a
/// character that no page would show.
pub fn check_line(
    (field, text): (&str, &str),
    chars: &RangeInclusive<usize>,
    note: &mut dyn FnMut(&str, String),
) {
    check_chars((field, text), chars, char::is_control, note);
}

/// The same for a text of several lines.
pub fn check_lines(
    (field, text): (&str, &str),
    chars: &RangeInclusive<usize>,
    note: &mut dyn FnMut(&str, String),
) {
    check_chars((field, text), chars, |it| it.is_control() && it != '\n', note);
}

fn check_chars(
    (field, text): (&str, &str),
    chars: &RangeInclusive<usize>,
    is_unfit: fn(char) -> bool,
    note: &mut dyn FnMut(&str, String),
) {
    if !chars.contains(&text.chars().count()) {
        note(field, format!("must have {} to {} characters", chars.start(), chars.end()));
    }
    if text.contains(is_unfit) {
        note(field, "must not hold control characters".into());
    }
}

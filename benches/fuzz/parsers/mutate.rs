//! Damage to bytes and texts, as disks, networks and people do it.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Longest input; a reader that takes more is bounded by the door's limit.
pub(crate) const INPUT_BYTES_MAX: usize = 96 << 10;
/// Longest run of brackets.
const NESTING_MAX: usize = 3_000;
/// Numbers at which checks and conversions turn.
const NUMBERS: [u64; 12] = [
    0,
    1,
    127,
    128,
    255,
    65_535,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];
const TOKENS: [&str; 40] = [
    "\n",
    "=",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "#",
    ".",
    ",",
    "\u{0}",
    "é",
    "中",
    "\u{1f600}",
    "\u{202e}",
    "e\u{301}",
    "\r",
    "\u{feff}",
    "\\",
    "1e999",
    "-1",
    "99999999999999999999",
    "nan",
    "-inf",
    "0x1F",
    "1979-05-27T07:32:00Z",
    "when = 'true'\n",
    "&&",
    "||",
    "!",
    "has(",
    "in [",
    "? :",
    "matches('(a+)+$')",
    "%Y-%m-%d",
];

/// One of them.
pub(crate) fn pick<'a, T>(dice: &mut ChaCha8Rng, choices: &'a [T]) -> &'a T {
    &choices[dice.gen_range(0..choices.len())]
}

/// A number at which something turns, or near one.
pub(crate) fn turning(dice: &mut ChaCha8Rng) -> u64 {
    pick(dice, &NUMBERS).wrapping_add(dice.gen_range(0..3)).wrapping_sub(1)
}

/// Bytes with one damage; `other` lends a part.
pub(crate) fn bytes(dice: &mut ChaCha8Rng, mut raw: Vec<u8>, other: &[u8]) -> Vec<u8> {
    let at = dice.gen_range(0..=raw.len());
    match dice.gen_range(0..7) {
        0 => {
            if let Some(byte) = raw.get_mut(at) {
                *byte ^= 1 << dice.gen_range(0..8);
            }
        }
        1 => {
            if let Some(byte) = raw.get_mut(at) {
                *byte = u8::try_from(turning(dice) & 0xff).unwrap_or_default();
            }
        }
        2 => raw.truncate(at),
        3 => drop(raw.drain(part(dice, raw.len(), 64))),
        4 => {
            let copied = raw[part(dice, raw.len(), 256)].to_vec();
            drop(raw.splice(at..at, copied));
        }
        5 => {
            let lent = other[part(dice, other.len(), 512)].to_vec();
            drop(raw.splice(at..at, lent));
        }
        _ => {
            let number = turning(dice).to_le_bytes();
            let width = *pick(dice, &[2, 4, 8]);
            let end = (at + width).min(raw.len());
            drop(raw.splice(at..end, number[..width].iter().copied()));
        }
    }
    raw
}

/// A text with one damage; `other` lends a line.
pub(crate) fn text(dice: &mut ChaCha8Rng, mut text: String, other: &str) -> String {
    match dice.gen_range(0..9) {
        0 => {
            let damaged = bytes(dice, text.into_bytes(), other.as_bytes());
            return String::from_utf8_lossy(&damaged).into_owned();
        }
        1 => text.replace_range(span(dice, &text, 60), ""),
        2 => {
            let copied = text[span(dice, &text, 200)].to_owned();
            text.insert_str(span(dice, &text, 0).start, &copied);
        }
        3 => {
            let mut lines: Vec<&str> = text.lines().collect();
            if !lines.is_empty() {
                let (a, b) = (dice.gen_range(0..lines.len()), dice.gen_range(0..lines.len()));
                lines.swap(a, b);
            }
            text = lines.join("\n");
        }
        4 => {
            let bracket = *pick(dice, &["[", "(", "{", "{a=", "!", "-", "a.", "[[", "\"", "'"]);
            let n = dice.gen_range(0..NESTING_MAX);
            text.insert_str(span(dice, &text, 0).start, &bracket.repeat(n));
        }
        5 => {
            let is_digit = |byte: &u8| byte.is_ascii_digit();
            let digits: Vec<usize> = text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| is_digit(byte))
                .map(|it| it.0)
                .collect();
            if !digits.is_empty() {
                let at = *pick(dice, &digits);
                text.replace_range(at..=at, &turning(dice).cast_signed().to_string());
            }
        }
        6 => {
            let lines: Vec<&str> = other.lines().collect();
            if !lines.is_empty() {
                let lent = format!("{}\n", pick(dice, &lines));
                let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
                let at = if starts.is_empty() { 0 } else { *pick(dice, &starts) };
                text.insert_str(at, &lent);
            }
        }
        7 => {
            let token: &&str = pick(dice, &TOKENS);
            text.insert_str(span(dice, &text, 0).start, token);
        }
        _ => text.truncate(span(dice, &text, 0).start),
    }
    text
}

fn part(dice: &mut ChaCha8Rng, length: usize, longest: usize) -> Range<usize> {
    let start = dice.gen_range(0..=length);
    start..(start + dice.gen_range(0..=longest)).min(length)
}

/// A part of whole characters.
fn span(dice: &mut ChaCha8Rng, text: &str, longest: usize) -> Range<usize> {
    let Range { start, end } = part(dice, text.len(), longest);
    let start = text.floor_char_boundary(start);
    start..text.floor_char_boundary(end).max(start)
}

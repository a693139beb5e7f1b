//! Damage to protobuf messages that leaves them messages.
//!
//! Flipped bytes mostly end in "not a message"; a field that is dropped, doubled,
//! renumbered or of another value reaches the checks behind the decoder.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::mutate::{bytes, pick, text, turning};

/// Deepest message that is made by wrapping.
const WRAPS_MAX: usize = 300;

#[derive(Clone, Debug)]
struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Varint(u64),
    Wide([u8; 8]),
    Bytes(Vec<u8>),
    Narrow([u8; 4]),
}

/// A message with one damage; `other` lends a field.
pub(crate) fn message(dice: &mut ChaCha8Rng, raw: &[u8], other: &[u8]) -> Vec<u8> {
    let Some(mut fields) = parse(raw).filter(|fields| !fields.is_empty()) else {
        return bytes(dice, raw.to_vec(), other);
    };
    let at = dice.gen_range(0..fields.len());
    match dice.gen_range(0..10) {
        0 => drop(fields.remove(at)),
        1 => fields.push(fields[at].clone()),
        2 => fields[at].number = dice.gen_range(1..40),
        3 => {
            if let Some(lent) = parse(other).filter(|lent| !lent.is_empty()) {
                fields.push(pick(dice, &lent).clone());
            }
        }
        4 => {
            if let Value::Bytes(inner) = &mut fields[at].value {
                let number = dice.gen_range(1..40);
                for _ in 0..dice.gen_range(0..WRAPS_MAX) {
                    *inner = encode(&[Field { number, value: Value::Bytes(inner.clone()) }]);
                }
            }
        }
        _ => fields[at].value = changed(dice, fields[at].value.clone(), other),
    }
    encode(&fields)
}

fn changed(dice: &mut ChaCha8Rng, value: Value, other: &[u8]) -> Value {
    match value {
        Value::Varint(_) => Value::Varint(turning(dice)),
        Value::Wide(_) => {
            let floats = [0.0, -0.0, f64::NAN, f64::INFINITY, -1.0, f64::MAX, f64::MIN_POSITIVE];
            let is_float = dice.gen_bool(0.5);
            let float = pick(dice, &floats).to_le_bytes();
            Value::Wide(if is_float { float } else { turning(dice).to_le_bytes() })
        }
        Value::Narrow(_) => Value::Narrow(dice.r#gen()),
        Value::Bytes(inner) => Value::Bytes(changed_bytes(dice, &inner, other)),
    }
}

fn changed_bytes(dice: &mut ChaCha8Rng, inner: &[u8], other: &[u8]) -> Vec<u8> {
    let is_message = parse(inner).is_some_and(|fields| !fields.is_empty());
    match (is_message, str::from_utf8(inner)) {
        (true, _) if dice.gen_bool(0.8) => message(dice, inner, other),
        (_, Ok(words)) if dice.gen_bool(0.8) => {
            text(dice, words.to_owned(), "no-such-strategy\nCNY\n").into_bytes()
        }
        _ => bytes(dice, inner.to_vec(), other),
    }
}

fn parse(mut raw: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !raw.is_empty() {
        let key = varint(&mut raw)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut raw)?),
            1 => Value::Wide(taken(&mut raw, 8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(varint(&mut raw)?).ok()?;
                Value::Bytes(taken(&mut raw, length)?.to_vec())
            }
            5 => Value::Narrow(taken(&mut raw, 4)?.try_into().ok()?),
            _ => return None,
        };
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

fn taken<'a>(raw: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, rest) = raw.split_at_checked(n)?;
    *raw = rest;
    Some(head)
}

fn varint(raw: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *taken(raw, 1)?.first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn encode(fields: &[Field]) -> Vec<u8> {
    let mut raw = Vec::new();
    for field in fields {
        let kind = match &field.value {
            Value::Varint(_) => 0,
            Value::Wide(_) => 1,
            Value::Bytes(_) => 2,
            Value::Narrow(_) => 5,
        };
        push_varint(&mut raw, field.number << 3 | kind);
        match &field.value {
            Value::Varint(number) => push_varint(&mut raw, *number),
            Value::Wide(wide) => raw.extend_from_slice(wide),
            Value::Narrow(narrow) => raw.extend_from_slice(narrow),
            Value::Bytes(inner) => {
                push_varint(&mut raw, inner.len() as u64);
                raw.extend_from_slice(inner);
            }
        }
    }
    raw
}

fn push_varint(raw: &mut Vec<u8>, mut number: u64) {
    while 0x80 <= number {
        raw.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    raw.push(u8::try_from(number).unwrap_or_default());
}

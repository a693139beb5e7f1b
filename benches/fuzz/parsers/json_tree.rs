//! Damage to JSON that leaves it JSON: other numbers, parts missing or twice.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::mutate::{bytes, pick, turning};

/// JSON with one damage, mostly such that it is still JSON.
pub(crate) fn damaged(dice: &mut ChaCha8Rng, raw: Vec<u8>, other: &[u8]) -> Vec<u8> {
    if dice.gen_bool(0.2) {
        return bytes(dice, raw, other);
    }
    let Ok(mut value) = serde_json::from_slice(&raw) else { return bytes(dice, raw, other) };
    damage(dice, &mut value);
    serde_json::to_vec(&value).unwrap()
}

/// One damage somewhere in the tree.
pub(crate) fn damage(dice: &mut ChaCha8Rng, value: &mut Value) {
    let goes_deeper = dice.gen_bool(0.85);
    match value {
        Value::Array(items) if goes_deeper && !items.is_empty() => {
            let at = dice.gen_range(0..items.len());
            damage(dice, &mut items[at]);
        }
        Value::Object(fields) if goes_deeper && !fields.is_empty() => {
            let at = dice.gen_range(0..fields.len());
            if let Some((_, inner)) = fields.iter_mut().nth(at) {
                damage(dice, inner);
            }
        }
        Value::Array(items) if !items.is_empty() && dice.gen_bool(0.8) => array(dice, items),
        Value::Object(fields) if !fields.is_empty() && dice.gen_bool(0.8) => {
            let at = dice.gen_range(0..fields.len());
            let Some(key) = fields.keys().nth(at).cloned() else { return };
            let removed = fields.remove(&key).unwrap_or_default();
            if dice.gen_bool(0.5) {
                fields.insert(format!("{key}x"), removed);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => *value = leaf(dice, value),
    }
}

fn array(dice: &mut ChaCha8Rng, items: &mut Vec<Value>) {
    let at = dice.gen_range(0..items.len());
    match dice.gen_range(0..5) {
        0 => drop(items.remove(at)),
        1 => items.push(items[at].clone()),
        2 => items.truncate(at),
        3 => {
            let other = dice.gen_range(0..items.len());
            items.swap(at, other);
        }
        _ => {
            let copy = items[at].clone();
            items.extend(std::iter::repeat_n(copy, dice.gen_range(1..200)));
        }
    }
}

fn leaf(dice: &mut ChaCha8Rng, value: &Value) -> Value {
    let near = value.as_f64().unwrap_or(1.0);
    let signed = turning(dice).cast_signed();
    let choices = [
        json!(null),
        json!(true),
        json!(""),
        json!([]),
        json!({}),
        json!("../../etc/passwd"),
        json!(0),
        json!(-1),
        json!(signed),
        json!(u64::MAX),
        json!(1e308),
        json!(-near),
        json!(near * 1e6),
        json!(near + 1.0),
    ];
    pick(dice, &choices).clone()
}

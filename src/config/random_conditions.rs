//! Random conditions for tests: well-typed ones, and slightly wrong ones.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Numbers that an order may tell, in the grammar's words; the last few never are.
pub(super) const NUMBERS: [&str; 12] = [
    "order.amount",
    "order.quantity",
    "order.hour_of_day",
    "order.account_age_days",
    "risk.payment_fraud",
    "sku.stock_units_max",
    "feature.account_age_days",
    "attribute.lanes",
    "0.5",
    "1000.0",
    "order.discount",
    "order.device_distance_km",
];
/// Texts that an order may tell; the last never is.
pub(super) const TEXTS: [&str; 6] = [
    "order.channel",
    "order.region",
    "order.currency",
    "order.ip_country",
    "attribute.device_kind",
    "order.shipping_country",
];
const WORDS: [&str; 6] = ["\"live\"", "\"CN\"", "\"CN-ZJ\"", "\"phone\"", "\"é中\"", "\"\""];
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// Parts that make an expression wrong, or nearly so.
const WRONG: [&str; 28] = [
    "order.amuont",
    "sku.stock",
    "order",
    "order.items",
    "order.phone",
    "null",
    "b'x'",
    "1u",
    "9999999999999999999999",
    "1e999",
    "[1, 2]",
    "{\"a\": 1}",
    "{\"a\": 1}.a",
    "[1, 2][0]",
    "f(1)",
    "order.channel.matches(\"a\")",
    "order.items.map(i, i.sku)",
    "order.items.exists_one(i, true)",
    "[1].all(x, x > 0)",
    "has(order)",
    "has(1)",
    "a.?b",
    "`x`",
    "'''x'''",
    "r\"\\\"",
    "\"\\u{1}\"",
    "order . items . all ( i , i . quantity % 2 == 0 )",
    "order.items.all(a, order.items.all(b, order.items.all(c, a.sku == c.sku)))",
];

/// A condition in which everything goes together.
pub(super) fn condition(dice: &mut ChaCha8Rng, depth: u32) -> String {
    let deeper = |dice: &mut ChaCha8Rng| condition(dice, depth.saturating_sub(1));
    let kind = if depth == 0 { dice.gen_range(0..4) } else { dice.gen_range(0..10) };
    match kind {
        0 => {
            let comparison = pick(dice, &COMPARISONS);
            format!("{} {comparison} {}", number(dice, depth), number(dice, depth))
        }
        1 => format!("{} {} {}", text(dice), pick(dice, &COMPARISONS[..2]), pick(dice, &WORDS)),
        2 => format!(
            "has({})",
            pick(dice, &[NUMBERS[0], NUMBERS[5], NUMBERS[10], TEXTS[3], TEXTS[5]])
        ),
        3 => {
            let function = pick(dice, &["startsWith", "endsWith", "contains"]);
            format!("{}.{function}({})", text(dice), pick(dice, &WORDS))
        }
        4 => format!("({} && {})", deeper(dice), deeper(dice)),
        5 => format!("({} || {})", deeper(dice), deeper(dice)),
        6 => format!("!({})", deeper(dice)),
        7 => format!("({} ? {} : {})", deeper(dice), deeper(dice), deeper(dice)),
        8 => format!("{} in [{}, {}]", text(dice), pick(dice, &WORDS), pick(dice, &WORDS)),
        _ => {
            let all = pick(dice, &["exists", "all"]);
            let fact = pick(dice, &["item.quantity", "item.unit_price"]);
            let comparison = pick(dice, &COMPARISONS);
            format!("order.items.{all}(item, {fact} {comparison} {})", dice.gen_range(0..20))
        }
    }
}

/// The same with a part replaced by one that does not belong there.
pub(super) fn wrong_condition(dice: &mut ChaCha8Rng) -> String {
    let good = condition(dice, 3);
    let part = pick(dice, &[NUMBERS[0], NUMBERS[4], TEXTS[0], "\"live\"", "has", "&&", "(", "0.5"]);
    good.replacen(part, pick(dice, &WRONG), 1)
}

pub(super) fn pick<'w>(dice: &mut ChaCha8Rng, words: &[&'w str]) -> &'w str {
    words.choose(dice).copied().unwrap_or_default()
}

fn number(dice: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 || dice.gen_bool(0.6) {
        return pick(dice, &NUMBERS).to_owned();
    }
    let operation = pick(dice, &["+", "-", "*", "/"]);
    let (a, b) = (number(dice, depth - 1), number(dice, depth - 1));
    match dice.gen_range(0..4) {
        0 => format!("-({a})"),
        1 => format!("({} ? {a} : {b})", condition(dice, depth - 1)),
        _ => format!("({a} {operation} {b})"),
    }
}

fn text(dice: &mut ChaCha8Rng) -> &'static str {
    pick(dice, &TEXTS)
}

//! Presales: a deposit now, the balance weeks later, or never.
//!
//! Members differ lastingly in how often they let a deposit go. A long wait, a small deposit,
//! a high price and a festival (days 20 to 34 of every 60: everybody tries everything) make it
//! likelier; a reminder and having paid before make it less so.

use crate::simulator::scenarios::{Draft, sigmoid};

/// Columns, without those of every scenario.
pub const HEADING: &str =
    "region,category,sku,price_yuan,deposit_yuan,balance_due_days,reminder,balance_paid";

/// Category, median price in yuan, what it adds to the log-odds of not paying.
const CATEGORIES: [(&str, f64, f64); 4] = [
    ("beauty", 260.0, -0.3),
    ("appliances", 1_900.0, 0.2),
    ("clothes", 420.0, 0.3),
    ("toys", 180.0, 0.0),
];
const DEPOSIT_SHARES: [f64; 4] = [0.05, 0.1, 0.2, 0.3];

/// One order.
pub fn row(draft: &mut Draft<'_>) -> String {
    let dice = &mut *draft.dice;
    let (category, median, of_category) = dice.pick(&CATEGORIES);
    let price = dice.log_normal(median, 0.5);
    let deposit_share = dice.pick(&DEPOSIT_SHARES);
    let due_days = dice.between(3, 30);
    let reminder = dice.chance(0.6);
    let is_festival = (20..35).contains(&(draft.day % 60));
    let log_odds = -1.5 + 1.1 * draft.trait_z + of_category + 0.06 * (f64::from(due_days) - 15.0)
        - 4.0 * (deposit_share - 0.15)
        - if reminder { 0.8 } else { 0.0 }
        + if is_festival { 0.7 } else { 0.0 };
    let unpaid = sigmoid(log_odds);
    let paid = u8::from(!dice.chance(unpaid));
    let deposit = price * deposit_share;
    format!(
        "region-{},{category},{category}-{},{price:.2},{deposit:.2},{due_days},{},{paid},{unpaid:.4}",
        draft.member % 7,
        dice.zipf(60),
        u8::from(reminder)
    )
}

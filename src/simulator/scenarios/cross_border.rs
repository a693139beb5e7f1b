//! Orders across a border: what a return costs against what the order earns.
//!
//! A return comes back by air: freight by weight and country, customs that are not paid back, a
//! part of the price written off. So a heavy, cheap, often returned order loses money although
//! it has a margin.

use crate::simulator::scenarios::{Draft, sigmoid};

/// Columns, without those of every scenario.
pub const HEADING: &str = "country,category,sku,weight_kg,price_yuan,freight_yuan,has_size_advice,\
                           returned,return_cost_yuan,net_benefit_yuan";

/// Margin of an order that is kept, as a share of the price.
const MARGIN_SHARE: f64 = 0.22;
/// Customs of a return that nobody pays back, as a share of the price.
const DUTY_SHARE: f64 = 0.09;
/// Written off when goods come back, as a share of the price.
const WRITE_OFF_SHARE: f64 = 0.18;

/// Country, yuan for a kilogram back, what it adds to the log-odds of a return.
const COUNTRIES: [(&str, f64, f64); 5] = [
    ("SG", 28.0, -0.2),
    ("US", 62.0, 0.3),
    ("DE", 55.0, 0.6),
    ("JP", 30.0, -0.4),
    ("AU", 70.0, 0.0),
];
/// Category, median price in yuan, median weight in kilograms, log-odds of a return.
const CATEGORIES: [(&str, f64, f64, f64); 4] = [
    ("shoes", 420.0, 1.3, -0.9),
    ("dresses", 260.0, 0.5, -0.6),
    ("gadgets", 780.0, 0.8, -2.1),
    ("home", 340.0, 3.5, -2.4),
];

/// One order.
pub fn row(draft: &mut Draft<'_>) -> String {
    let dice = &mut *draft.dice;
    // A member lives in one country.
    let (country, per_kg, of_country) = COUNTRIES[(draft.member % 5) as usize];
    let (category, price, weight, of_category) = dice.pick(&CATEGORIES);
    let price = dice.log_normal(price, 0.5);
    let weight = dice.log_normal(weight, 0.35);
    let advice = dice.chance(0.5);
    let log_odds = of_category + of_country + 0.9 * draft.trait_z - if advice { 0.6 } else { 0.0 };
    let chance = sigmoid(log_odds);
    let freight = weight * per_kg * 0.3;
    let cost = weight * per_kg + (DUTY_SHARE + WRITE_OFF_SHARE) * price;
    let kept = MARGIN_SHARE * price;
    let is_returned = dice.chance(chance);
    let (return_cost, net) = if is_returned { (cost, -cost) } else { (0.0, kept) };
    let expected = chance * -cost + (1.0 - chance) * kept;
    format!(
        "{country},{category},{category}-{},{weight:.2},{price:.2},{freight:.2},{},{},\
         {return_cost:.2},{net:.2},{expected:.2}",
        dice.zipf(80),
        u8::from(advice),
        u8::from(is_returned)
    )
}

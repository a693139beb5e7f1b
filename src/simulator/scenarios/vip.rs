//! Members' orders: which of them to send first, when not all can be.
//!
//! An order that arrives late costs a compensation and part of what the member would have
//! bought later; more for a gift, a high tier and a member who takes it ill. Three orders of
//! twenty were sent first at random: they arrive in time and tell nothing about delay.

use crate::simulator::scenarios::{Draft, normal, sigmoid};

/// Columns, without those of every scenario.
pub const HEADING: &str = "tier,warehouse,carrier,backlog_hours,promised_hours,price_yuan,is_gift,\
                           expedited,delay_cost_yuan";

const EXPEDITED_SHARE: f64 = 0.15;
/// Hours of noise of one delivery.
const NOISE_HOURS: f64 = 9.0;
/// Deliveries that the expected cost is a mean of.
const EXPECTED_DRAWS: u32 = 64;
/// Tier and what a member of it buys later, in yuan.
const TIERS: [(&str, f64); 3] = [("gold", 160.0), ("platinum", 420.0), ("diamond", 1_100.0)];
/// Carrier and its usual hours.
const CARRIERS: [(&str, f64); 3] = [("north", 26.0), ("coast", 34.0), ("inland", 44.0)];
const WAREHOUSES: [(&str, f64); 3] = [("hangzhou", 0.0), ("chengdu", 5.0), ("guangzhou", 2.0)];
const PROMISES: [u32; 3] = [24, 48, 72];

/// One order.
pub fn row(draft: &mut Draft<'_>) -> String {
    let dice = &mut *draft.dice;
    let (tier, later) = TIERS[[0, 0, 0, 1, 1, 2][(draft.member % 6) as usize]];
    let (warehouse, of_warehouse) = dice.pick(&WAREHOUSES);
    let (carrier, usual) = dice.pick(&CARRIERS);
    // Backlogs come and go with the day of the week.
    let backlog = dice.log_normal(if 4 < draft.day % 7 { 14.0 } else { 5.0 }, 0.6);
    let promised = dice.pick(&PROMISES);
    let price = dice.log_normal(380.0, 0.7);
    let is_gift = dice.chance(0.15);
    let is_expedited = dice.chance(EXPEDITED_SHARE);
    let touchiness = sigmoid(draft.trait_z);
    let late = usual + of_warehouse + backlog - f64::from(promised);
    let cost = |noise: f64| {
        let hours = (late + NOISE_HOURS * noise).max(0.0);
        let anger = (hours / 24.0).min(1.5) * if is_gift { 1.8 } else { 1.0 };
        0.004 * price * hours + 0.5 * later * touchiness * anger
    };
    let happened = cost(normal(dice));
    let draws = (0..EXPECTED_DRAWS).map(|_| cost(normal(dice))).sum::<f64>();
    let expected = draws / f64::from(EXPECTED_DRAWS);
    let told = if is_expedited { String::new() } else { format!("{happened:.2}") };
    format!(
        "{tier},{warehouse},{carrier},{backlog:.1},{promised},{price:.2},{},{},{told},{expected:.2}",
        u8::from(is_gift),
        u8::from(is_expedited)
    )
}

//! Which declined orders are drawn, with what chance, and what leaves none.

use super::*;
use crate::decision::decide::{DecideInput, Decided, decide};
use crate::decision::fixtures::{NOBODY, input, order, strategy, sure_score};
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;

fn policy() -> ExplorationPolicy {
    ExplorationPolicy {
        rate: 0.2,
        propensity_min: 0.01,
        amount_max_minor: 60_000.0,
        hour_max_minor: 100_000.0,
        day_max_minor: 200_000.0,
        month_max_minor: 300_000.0,
    }
}

fn exploring() -> Strategy {
    Strategy { exploration: Some(policy()), ..strategy() }
}

fn order_of(n: u32, minor_units: i64) -> Order {
    let key = OrderKey { channel: "app".into(), order_id: n.to_string().into(), revision: 0 };
    let amount = Some(Money { currency: Currency::CNY, minor_units });
    Order { amount, ..Order { key, ..order() } }
}

/// The order under a strategy, at a risk.
fn decided(strategy: &Strategy, order: &Order, risk: f64, room: &ExplorationRoom) -> Decided {
    let scores = [sure_score("payment_fraud", risk)];
    let of = DecideInput { confirmations: &NOBODY, room: Some(room), ..input(&scores, &[], order) };
    decide(strategy, &of)
}

const EMPTY: ExplorationRoom = ExplorationRoom {
    hour_minor: 0.0,
    day_minor: 0.0,
    month_minor: 0.0,
    own_minor: None,
    is_ring_explored: false,
};

#[test]
fn a_share_of_the_declined_orders_as_large_as_promised_is_released() {
    let (n, risk) = (4_000, 0.9);
    let mut n_released = 0;
    for order in (0..n).map(|n| order_of(n, 50_000)) {
        let decided = decided(&exploring(), &order, risk, &EMPTY);
        let drawn = decided.exploration.unwrap();
        assert!((drawn.propensity.value() - 0.02).abs() < 1e-12, "{drawn:?}");
        let first = decided.actions[0].action;
        assert_eq!(drawn.is_released, first == ActionKind::Approve);
        assert_eq!(!drawn.is_released, first == ActionKind::Decline);
        n_released += u32::from(drawn.is_released);
    }
    // Five standard deviations around 80: 5 · √(4,000 · .02 · .98) = 44.
    assert!(n_released.abs_diff(80) < 44, "{n_released}");
}

#[test]
fn a_higher_risk_has_a_smaller_chance_and_never_less_than_the_smallest() {
    let chance = |risk| {
        let drawn = decided(&exploring(), &order_of(1, 50_000), risk, &EMPTY).exploration;
        drawn.unwrap().propensity.value()
    };
    assert!(chance(0.9) < chance(0.85));
    assert_eq!(chance(0.999).to_bits(), 0.01_f64.to_bits());
}

#[test]
fn what_is_not_declined_or_too_large_or_of_unknown_size_is_no_candidate() {
    let drawn = |order: &Order, risk| decided(&exploring(), order, risk, &EMPTY).exploration;
    assert!(drawn(&order_of(1, 50_000), 0.9).is_some());
    assert_eq!(drawn(&order_of(1, 50_000), 0.001), None, "released anyway");
    assert_eq!(drawn(&order_of(1, 60_001), 0.9), None, "too large");
    assert_eq!(drawn(&Order { amount: None, ..order_of(1, 1) }, 0.9), None, "of any size");
    let off = decided(&strategy(), &order_of(1, 50_000), 0.9, &EMPTY);
    assert_eq!(off.exploration, None);
}

#[test]
fn each_limit_leaves_no_chance_and_what_an_order_spent_itself_is_not_spent_again() {
    // 500 yuan and 100 of fees.
    let at_risk = 60_000.0;
    let withheld = |room| {
        let drawn = decided(&exploring(), &order_of(1, 50_000), 0.9, &room).exploration.unwrap();
        assert_eq!(drawn.at_risk_minor.to_bits(), f64::to_bits(at_risk));
        assert_eq!(drawn.propensity.value() == 0.0, drawn.withheld_by.is_some());
        assert!(!drawn.is_released || drawn.withheld_by.is_none());
        drawn.withheld_by
    };
    assert_eq!(withheld(ExplorationRoom { hour_minor: 40_000.0, ..EMPTY }), None);
    let hour = ExplorationRoom { hour_minor: 40_001.0, ..EMPTY };
    assert_eq!(withheld(hour), Some(ExplorationLimit::Hour));
    let own = ExplorationRoom { own_minor: Some(at_risk), ..hour };
    assert_eq!(withheld(own), None, "a revision of it is in the money already");
    let day = ExplorationRoom { day_minor: 140_001.0, ..EMPTY };
    assert_eq!(withheld(day), Some(ExplorationLimit::Day));
    let month = ExplorationRoom { month_minor: 240_001.0, ..EMPTY };
    assert_eq!(withheld(month), Some(ExplorationLimit::Month));
    let ring = ExplorationRoom { is_ring_explored: true, ..EMPTY };
    assert_eq!(withheld(ring), Some(ExplorationLimit::Ring));
}

#[test]
fn only_what_somebody_has_to_look_at_is_shown_blind() {
    let share = 0.5;
    let mut blind = strategy();
    blind.reviewers.blind_share = share;
    let is_blind = |strategy: &Strategy, n, risk| {
        decided(strategy, &order_of(n, 50_000), risk, &EMPTY).is_blind
    };
    let n_blind = (0..400).filter(|n| is_blind(&blind, *n, 0.9)).count();
    // Five standard deviations around 200: 5 · √(400 · .25) = 50.
    assert!(n_blind.abs_diff(200) < 50, "{n_blind}");
    assert!((0..400).all(|n| !is_blind(&blind, n, 0.001)), "nobody looks at those");
    assert!((0..400).all(|n| !is_blind(&strategy(), n, 0.9)), "as long as nobody asks for it");
}

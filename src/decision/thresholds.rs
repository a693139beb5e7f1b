//! What a strategy's money means in probabilities: where a risk stops an order.
//!
//! Actions are chosen by expected value, so the probability at which a review begins
//! follows from costs and amounts. This looks it up for one plain order: one piece, every
//! kind of entity named, all other risks 0, no head but the risk's own, no feature known.

use crate::decision::decide::options;
use crate::decision::rule_facts::OrderView;
use crate::decision::strategy::Strategy;
use crate::domain::decision::ActionKind;
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::head::HeadId;
use crate::domain::money::Money;
use crate::domain::order::{Order, OrderItem, OrderKey};
use crate::domain::price_solution::ImpliedThreshold;
use crate::domain::risk::{ContributionRest, Probability, RiskAssessment};
use crate::domain::time::Timestamp;

/// Steps of probability that are tried: thousandths.
const STEPS: u32 = 1_000;

/// The thresholds of each risk for an order of an amount, minor units.
pub fn implied_thresholds(
    strategy: &Strategy,
    heads: &[HeadId],
    amount_minor: i64,
) -> Vec<ImpliedThreshold> {
    let order = plain_order(strategy, amount_minor);
    let places = vec![None; strategy.rules.features.len()];
    let event_time = Timestamp::default();
    let view = OrderView { order: &order, event_time, values: &[], places: &places };
    let of_head = |head: &HeadId| {
        let first_at = |step: u32| {
            let probability = f64::from(step) / f64::from(STEPS);
            let risks: Vec<RiskAssessment> = heads
                .iter()
                .map(|other| {
                    assessed(strategy, other, if other == head { probability } else { 0.0 })
                })
                .collect();
            let first = options(strategy, view, &[], &risks).first();
            (probability, first.map(|it| it.policy.kind))
        };
        let lowest = |is_it: fn(ActionKind) -> bool| {
            let mut steps = (0..=STEPS).map(first_at);
            steps.find(|(_, first)| first.is_some_and(is_it)).map(|(probability, _)| probability)
        };
        ImpliedThreshold {
            head: head.clone(),
            amount_minor: amount_minor as f64,
            stopped_from: lowest(|action| !action.is_release()),
            review_from: lowest(|action| action == ActionKind::Review),
        }
    };
    heads.iter().map(of_head).collect()
}

fn plain_order(strategy: &Strategy, minor_units: i64) -> Order {
    let key = OrderKey { channel: "plain".into(), order_id: "plain".into(), revision: 0 };
    let entity = |kind| EntityRef { kind, key: EntityKey::parse("plain") };
    let others = EntityKind::ALL.into_iter().filter(|kind| *kind != EntityKind::Sku);
    let item = OrderItem { sku: entity(EntityKind::Sku), quantity: 1, unit_price: None };
    Order {
        amount: Some(Money { currency: strategy.currency, minor_units }),
        items: vec![item],
        entities: others.map(entity).collect(),
        ..Order::new(key)
    }
}

/// A risk that is sure of a probability.
fn assessed(strategy: &Strategy, head: &HeadId, probability: f64) -> RiskAssessment {
    let p = Probability::clamped(probability);
    RiskAssessment {
        head: head.clone(),
        probability: p,
        interval: (p, p),
        model_probability: p,
        band: strategy.risk(head).band(probability),
        base: 0.0,
        raw_log_odds: 0.0,
        weighted_log_odds: 0.0,
        residual: 0.0,
        contributions: Vec::new(),
        rest: ContributionRest::default(),
        // Enough for any `trust.n_support_min`.
        n_support: u64::MAX,
        groups: Vec::new(),
        entities: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::fixtures::{head, strategy};

    #[test]
    fn a_dearer_minute_begins_reviews_later() {
        let heads = [head("payment_fraud")];
        let mut last = 0.0;
        for price in [0.0, 200.0, 400.0] {
            let mut strategy = strategy();
            strategy.money.review_minute_minor = price;
            for action in &mut strategy.actions {
                action.review_minutes = if action.kind == ActionKind::Review { 6.0 } else { 0.0 };
            }
            let implied = implied_thresholds(&strategy, &heads, 100_000);
            let from = implied[0].review_from.unwrap_or(1.0);
            assert!(last <= from, "{price}: {from} is below {last}");
            last = from;
        }
        assert!(0.0 < last);
    }
}

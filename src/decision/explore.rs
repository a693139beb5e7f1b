//! Whether a declined order is released to learn how it would have ended.

use crate::decision::strategy::{ExplorationPolicy, Strategy};
use crate::domain::decision::ActionKind;
use crate::domain::exploration::{Exploration, ExplorationLimit, ExplorationRoom, draw_of};
use crate::domain::head::HeadId;
use crate::domain::impact::RecommendedAction;
use crate::domain::order::Order;
use crate::domain::risk::{Probability, RiskAssessment};

/// An order, what would be done about it, and what room there is.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The order.
    pub order: &'a Order,
    /// How it is judged.
    pub risks: &'a [RiskAssessment],
    /// Position among these of the risk that matters most.
    pub leading: usize,
    /// What would be recommended first.
    pub first: &'a RecommendedAction,
    /// What the releases before it left.
    pub room: &'a ExplorationRoom,
}

/// What is drawn for an order; `None` when it is no candidate: it is not declined outright, a
/// rule declines it, it is too large, or the strategy explores nothing.
pub fn explore(strategy: &Strategy, candidate: &Candidate<'_>) -> Option<Exploration> {
    let policy = strategy.exploration.as_ref()?;
    let Candidate { order, risks, leading, first, room } = candidate;
    let is_declined = first.action == ActionKind::Decline && first.plan.is_empty();
    if !is_declined || first.forced_by.is_some() {
        return None;
    }
    // An order that does not tell its amount could be of any size.
    let amount = order.amount.and_then(|amount| strategy.in_own_currency(amount))?;
    if policy.amount_max_minor < amount {
        return None;
    }
    let heads = risks.iter().map(|risk| &risk.head);
    let at_risk_minor = at_risk(strategy, amount, heads);
    if let Some(limit) = limit(policy, room, at_risk_minor) {
        return Some(Exploration {
            propensity: Probability::clamped(0.0),
            is_released: false,
            at_risk_minor,
            withheld_by: Some(limit),
        });
    }
    let chance = propensity(policy, risks[*leading].probability.value());
    Some(Exploration {
        propensity: Probability::clamped(chance),
        is_released: draw_of(&order.key) < chance,
        at_risk_minor,
        withheld_by: None,
    })
}

/// The chance of release: less for a higher risk, and never so small that one order would count
/// for too many when it is learned from.
fn propensity(policy: &ExplorationPolicy, risk: f64) -> f64 {
    (policy.rate * (1.0 - risk)).max(policy.propensity_min)
}

/// The most that releasing an order can lose, whatever it turns out to be: the whole amount at
/// most, and the fees and penalties of every risk. Not the expected loss: who knows the model
/// could otherwise put more at risk than the limits say.
fn at_risk<'a>(strategy: &Strategy, amount: f64, heads: impl Iterator<Item = &'a HeadId>) -> f64 {
    let (mut share, mut fixed) = (0.0_f64, 0.0);
    for head in heads {
        let policy = strategy.risk(head);
        share = share.max(policy.loss_share);
        fixed += policy.loss_fixed_minor + policy.penalty_minor;
    }
    share * amount + fixed
}

/// The limit that leaves no room for an order. What an earlier revision of it put at risk is
/// spent already.
fn limit(
    policy: &ExplorationPolicy,
    room: &ExplorationRoom,
    at_risk_minor: f64,
) -> Option<ExplorationLimit> {
    if room.is_ring_explored {
        return Some(ExplorationLimit::Ring);
    }
    let more = (at_risk_minor - room.own_minor.unwrap_or(0.0)).max(0.0);
    let limits = [
        (ExplorationLimit::Hour, room.hour_minor, policy.hour_max_minor),
        (ExplorationLimit::Day, room.day_minor, policy.day_max_minor),
        (ExplorationLimit::Month, room.month_minor, policy.month_max_minor),
    ];
    let full = limits.into_iter().find(|(_, spent, most)| *most < spent + more);
    full.map(|(limit, _, _)| limit)
}

#[cfg(test)]
#[path = "explore_tests.rs"]
mod tests;

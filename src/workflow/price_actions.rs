//! What two actions on one order earn once its truth is known.
//!
//! Both are priced with the same formulas and the same forecasts of what no action turns on
//! (returns, later purchases), so that only the choice between them makes a difference.

use crate::decision::attribution::{Inputs, Recalibrate as _, assess};
use crate::decision::decide::ranked_actions;
use crate::decision::hindsight::Hindsight;
use crate::decision::rule_facts::OrderView;
use crate::decision::strategy::{ActionPolicy, Strategy};
use crate::domain::head::{HeadId, HeadKind, HeadScore};
use crate::domain::order::Order;
use crate::domain::risk::RiskAssessment;
use crate::domain::time::Timestamp;
use crate::model::bundle::Bundle;
use crate::model::engine::Scratch;

/// What a bundle says about an order under a strategy.
#[derive(Debug)]
pub struct Answered<'s> {
    /// What every head says.
    pub scores: Vec<HeadScore>,
    /// The risks as the strategy weighs them.
    pub risks: Vec<RiskAssessment>,
    /// What it recommends first; `None` when the strategy allows nothing.
    pub first: Option<&'s ActionPolicy>,
}

/// What a bundle says about an order; `values` are its features in bundle order.
pub fn answer<'s>(
    (bundle, strategy): (&Bundle, &'s Strategy),
    (order, event_time): (&Order, Timestamp),
    values: &[f32],
    scratch: &mut Scratch,
) -> Answered<'s> {
    let scores = bundle.score_with(bundle.engine(), scratch, values);
    let inputs = Inputs { specs: &bundle.manifest().features, values };
    let risk = |(at, score): (usize, &HeadScore)| {
        (score.kind == HeadKind::Risk)
            .then(|| assess(strategy, score, inputs, |log_odds| bundle.calibrate(at, log_odds), 0))
    };
    let risks: Vec<RiskAssessment> = scores.iter().enumerate().filter_map(risk).collect();
    let places = strategy.rules.places(&bundle.manifest().features);
    let view = OrderView { order, event_time, values, places: &places };
    let ranked = ranked_actions(strategy, view, &scores, &risks);
    let first = ranked.first().map(|(policy, _)| *policy);
    Answered { scores, risks, first }
}

/// What each of some actions earns, minor units, by the forecasts of `answered`; `is_real` tells
/// which risks the order turned out to be.
pub fn earned(
    strategy: &Strategy,
    order: &Order,
    answered: &Answered<'_>,
    actions: [&ActionPolicy; 2],
    is_real: impl Fn(&HeadId) -> bool,
) -> [f64; 2] {
    let hindsight = Hindsight::new(strategy, order, &answered.scores, &answered.risks, &actions);
    let values = hindsight.values(is_real);
    [values[0].1, values[1].1]
}

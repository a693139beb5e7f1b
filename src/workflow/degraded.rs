//! Why an answer is less than complete.

use std::sync::Arc;

use crate::domain::decision::{DecisionState, DegradedReason};
use crate::domain::feature::FeatureSpec;
use crate::domain::record::ScoreRequest;
use crate::domain::time::Span;
use crate::model::bundle::Bundle;
use crate::workflow::judge_order::Stamp;
use crate::workflow::pace::LeftOut;

/// Answers that know fewer of their inputs than this share are flagged.
pub const KNOWN_INPUTS_MIN: f64 = 0.1;

/// What an order looked like, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct SightFacts<'a> {
    /// Answers about orders older than this are flagged.
    pub lateness: Span,
    /// True when the graph had shed what the features may look back on.
    pub is_past_shed: bool,
    /// What there was no time for.
    pub left_out: LeftOut,
    /// Features in bundle order; NaN is unknown.
    pub values: &'a [f32],
}

/// Every reason that holds, in the order of the contract.
pub fn degraded_reasons(
    bundle: &Bundle,
    request: &ScoreRequest,
    stamp: &Stamp,
    facts: SightFacts<'_>,
) -> Vec<DegradedReason> {
    let mut reasons = Vec::new();
    if request.event_time < stamp.received_time - facts.lateness {
        reasons.push(DegradedReason::LateEvent);
    }
    let kinds = &bundle.manifest().schema.kinds;
    if request.order.nodes().any(|node| !kinds.contains(&node.kind)) {
        reasons.push(DegradedReason::UnknownEntityKind);
    }
    let n_known = facts.values.iter().filter(|value| !value.is_nan()).count();
    if (n_known as f64) < KNOWN_INPUTS_MIN * facts.values.len() as f64 {
        reasons.push(DegradedReason::FewInputsKnown);
    }
    if facts.is_past_shed {
        reasons.push(DegradedReason::PastShed);
    }
    reasons.extend(facts.left_out.reason());
    reasons
}

/// A complete answer from incomplete inputs is a degraded one.
pub fn state_of(decided: DecisionState, degraded_reasons: &[DegradedReason]) -> DecisionState {
    match decided {
        DecisionState::Final if degraded_reasons.is_empty() => DecisionState::Final,
        DecisionState::Final | DecisionState::Degraded => DecisionState::Degraded,
        DecisionState::Abstained => DecisionState::Abstained,
    }
}

/// Ids of the features that have no value.
pub fn missing_inputs(specs: &[FeatureSpec], values: &[f32]) -> Vec<Arc<str>> {
    let missing = specs.iter().zip(values).filter(|(_, value)| value.is_nan());
    missing.map(|(spec, _)| spec.id.clone()).collect()
}

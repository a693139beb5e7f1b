//! Journal records as far as a state is folded from them.
//!
//! The messages of `folded_order.proto` share the numbers of the full ones, and what they
//! do not name is stepped over. A law holds both readings together.

use std::borrow::Cow;

use prost::Message as _;

use crate::domain::folded_order::{
    FoldedAction, FoldedDecision, FoldedImpact, FoldedOrder, FoldedRecord,
};
use crate::domain::risk::{Probability, TopRisk};
use crate::wire::check::{Check, Path};
use crate::wire::error::Error;
use crate::wire::exploration::read_exploration;
use crate::wire::feedback::read_decision_id;
use crate::wire::pb::journal::v1 as pb;
use crate::wire::record::{decode, read_request};
use crate::wire::recorded_order::RecordKind;
use crate::wire::stored_decision::{read_all, read_assignment, read_times};

/// The record in these bytes, as far as a state is folded from it.
///
/// # Errors
/// [`Error::Decode`] when the bytes are no record, [`Error::Invalid`] when a field that
/// is needed is missing or out of range.
pub fn decode_folded(bytes: &[u8]) -> Result<FoldedRecord, Error> {
    if bytes.first().is_none_or(|first| RecordKind::of(*first) != RecordKind::Decision) {
        return decode(bytes).map(|record| FoldedRecord::Other(Box::new(record)));
    }
    let record = pb::FoldedRecord::decode(bytes)?;
    let mut check = Check::of_journal();
    let path = Path::Root.field("decision");
    let read = check.required(&path, record.decision, read_order);
    check.finish(read.map(|order| FoldedRecord::Order(Box::new(order))))
}

fn read_order(
    check: &mut Check<'_>,
    path: &Path<'_>,
    scored: pb::FoldedOrder,
) -> Option<FoldedOrder> {
    let request = check.required(&path.field("request"), scored.request, read_request);
    let decision = check.required(&path.field("decision"), scored.decision, read_decision);
    let decision = FoldedDecision { features: Cow::Owned(scored.features), ..decision? };
    Some(FoldedOrder { request: request?, decision })
}

fn read_decision(
    check: &mut Check<'_>,
    path: &Path<'_>,
    decision: pb::FoldedDecision,
) -> Option<FoldedDecision<'static>> {
    let decision_id = read_decision_id(check, &path.field("decision_id"), &decision.decision_id);
    let order = check.required(&path.field("order"), decision.order, Check::order_key);
    let state = check.choice(&path.field("state"), decision.state);
    let times = check.required(&path.field("times"), decision.times, read_times);
    let versions = check.required(&path.field("versions"), decision.versions, |_, _, it| Some(it));
    let risks = read_all(check, &path.field("risks"), decision.risks, |check, path, risk| {
        let band = check.choice(&path.field("band"), risk.band);
        Some(TopRisk {
            head: check.head(path, 0, risk.head_id)?,
            probability: Probability::clamped(risk.probability),
            band: band?,
        })
    });
    let impacts = read_all(check, &path.field("impacts"), decision.impacts, read_impact);
    let actions = read_all(check, &path.field("actions"), decision.actions, |check, path, best| {
        Some(FoldedAction {
            action: check.choice(&path.field("action"), best.action)?,
            plan: best.plan.into_boxed_str(),
            gap_to_next_minor: best.gap_to_next_minor,
        })
    });
    Some(FoldedDecision {
        decision_id: decision_id?,
        order: order?,
        state: state?,
        received_time: times?.received_time,
        model_hash: versions?.model_hash.into(),
        assignment: decision.assignment.and_then(read_assignment),
        risks,
        impacts,
        actions,
        exploration: decision.exploration.map(read_exploration),
        is_blind: decision.is_blind,
        features: Cow::default(),
    })
}

fn read_impact(
    check: &mut Check<'_>,
    path: &Path<'_>,
    impact: pb::FoldedImpact,
) -> Option<FoldedImpact> {
    let action = check.choice(&path.field("action"), impact.action);
    let currency = check.currency(&path.field("currency_code"), &impact.currency_code);
    Some(FoldedImpact {
        action: action?,
        plan: impact.plan.into_boxed_str(),
        currency: currency?,
        review_minutes: impact.review_minutes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Record;
    use crate::wire::record::encode;
    use crate::wire::samples;

    #[test]
    fn what_a_state_keeps_is_read_as_the_whole_record_tells_it() {
        for record in samples::records() {
            let folded = decode_folded(&encode(&record)).unwrap();
            match folded {
                FoldedRecord::Order(folded) => {
                    let Record::Decision(scored) = &record else { panic!("{record:?}") };
                    assert_eq!(folded.request, scored.request);
                    assert_eq!(folded.decision, FoldedDecision::of(&scored.decision));
                }
                FoldedRecord::Other(whole) => {
                    assert!(!matches!(*whole, Record::Decision(_)));
                    assert_eq!(*whole, record);
                }
            }
        }
    }
}

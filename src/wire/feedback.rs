//! Choices and outcomes to and from their messages.

use uuid::Uuid;

use crate::domain::decision::DecisionId;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::wire::check::{Check, Path, money_to_pb, order_key_to_pb, time_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;
use crate::wire::review_trace::{Reviewed, read_review, review_to_pb};

/// The message for a choice.
pub fn choice_to_pb(choice: &OperatorChoice) -> pb::OperatorChoice {
    pb::OperatorChoice {
        choice_id: choice.choice_id.to_string(),
        decision_id: choice.decision_id.to_string(),
        operator_id: choice.operator_id.to_string(),
        action: choice.action.to_wire(),
        chosen_rank: choice.chosen_rank,
        override_reason: choice.override_reason.map_or(0, WireEnum::to_wire),
        note: choice.note.as_deref().map(str::to_owned),
        opened_at: choice.opened_at.map(time_to_pb),
        decided_at: Some(time_to_pb(choice.decided_at)),
        review: choice.review.as_ref().map(review_to_pb),
    }
}

/// The message for an outcome.
pub fn outcome_to_pb(outcome: &Outcome) -> pb::Outcome {
    pb::Outcome {
        outcome_id: outcome.outcome_id.to_string(),
        decision_id: outcome.decision_id.map(|id| id.to_string()),
        order: outcome.order.as_ref().map(order_key_to_pb),
        kind: outcome.kind.to_wire(),
        amount: outcome.amount.map(money_to_pb),
        occurred_at: Some(time_to_pb(outcome.occurred_at)),
        source: outcome.source.to_wire(),
        source_ref: outcome.source_ref.as_deref().map(str::to_owned),
        status: match outcome.retracts {
            // As it was written before there were retractions.
            None => pb::OutcomeStatus::Unspecified.into(),
            Some(_) => pb::OutcomeStatus::Retract.into(),
        },
        retracts: outcome.retracts.as_deref().map(str::to_owned),
        told_by: outcome.told_by.as_deref().map(str::to_owned),
    }
}

/// Reads a choice.
pub fn read_choice(
    check: &mut Check<'_>,
    path: &Path<'_>,
    choice: pb::OperatorChoice,
) -> Option<OperatorChoice> {
    let choice_id = check.name(&path.field("choice_id"), choice.choice_id);
    let decision_id = read_decision_id(check, &path.field("decision_id"), &choice.decision_id);
    let operator_id = check.name(&path.field("operator_id"), choice.operator_id);
    let action = check.choice(&path.field("action"), choice.action);
    if choice.chosen_rank == Some(0) && check.is_at_door() {
        check.note(&path.field("chosen_rank"), "must be at least 1");
    }
    let override_reason =
        check.choice_or_none(&path.field("override_reason"), choice.override_reason);
    let note = choice.note.and_then(|note| check.text(&path.field("note"), note));
    let opened_at = choice.opened_at.and_then(|at| check.past(&path.field("opened_at"), at));
    let decided_at = check.required(&path.field("decided_at"), choice.decided_at, Check::past);
    if check.is_at_door() && opened_at.zip(decided_at).is_some_and(|(open, end)| end < open) {
        check.note(&path.field("opened_at"), "is later than decided_at");
    }
    let by_review = path.field("review");
    let review = choice.review.as_ref().map(|review| {
        let reviewed = Reviewed { opened_at, decided_at, opened_path: &path.field("opened_at") };
        read_review(check, &by_review, review, &reviewed)
    });
    Some(OperatorChoice {
        choice_id: choice_id?,
        decision_id: decision_id?,
        operator_id: operator_id?,
        action: action?,
        chosen_rank: choice.chosen_rank,
        override_reason,
        note,
        opened_at,
        decided_at: decided_at?,
        review: review.map_or(Some(None), |read| read.map(Some))?,
    })
}

/// Reads an outcome; it must name a decision or an order.
pub fn read_outcome(
    check: &mut Check<'_>,
    path: &Path<'_>,
    outcome: pb::Outcome,
) -> Option<Outcome> {
    let outcome_id = check.name(&path.field("outcome_id"), outcome.outcome_id);
    if outcome.decision_id.is_none() && outcome.order.is_none() && check.is_at_door() {
        check.note(&path.field("order"), "is required when there is no decision_id");
    }
    let by_id = path.field("decision_id");
    let decision_id = outcome.decision_id.and_then(|id| read_decision_id(check, &by_id, &id));
    let order = outcome.order.and_then(|key| check.order_key(&path.field("order"), key));
    let kind = check.choice(&path.field("kind"), outcome.kind);
    let amount = outcome.amount.and_then(|m| check.money(&path.field("amount"), m));
    let occurred_at = check.required(&path.field("occurred_at"), outcome.occurred_at, Check::past);
    let source = check.choice(&path.field("source"), outcome.source);
    let by_source = path.field("source_ref");
    let source_ref = outcome.source_ref.and_then(|text| filled(check, &by_source, text));
    let retracts = read_retracts(check, path, outcome.status, outcome.retracts);
    if retracts.is_some() && retracts == outcome_id && check.is_at_door() {
        check.note(&path.field("retracts"), "is the id of the retraction itself");
    }
    Some(Outcome {
        outcome_id: outcome_id?,
        decision_id,
        order,
        kind: kind?,
        amount,
        occurred_at: occurred_at?,
        source: source?,
        source_ref,
        retracts,
        told_by: outcome.told_by.map(String::into_boxed_str),
    })
}

/// Reads which outcome is taken back; `None` when none is, or something is wrong.
fn read_retracts(
    check: &mut Check<'_>,
    path: &Path<'_>,
    status: i32,
    retracts: Option<String>,
) -> Option<Box<str>> {
    let at = path.field("retracts");
    match (pb::OutcomeStatus::try_from(status), retracts) {
        (Ok(pb::OutcomeStatus::Retract), Some(id)) => filled(check, &at, id),
        (Ok(pb::OutcomeStatus::Retract), None) => {
            check.note(&at, "is required when the status is OUTCOME_STATUS_RETRACT");
            None
        }
        (Ok(pb::OutcomeStatus::Unspecified | pb::OutcomeStatus::Assert), Some(_)) => {
            check.note(&at, "needs the status OUTCOME_STATUS_RETRACT");
            None
        }
        (Ok(pb::OutcomeStatus::Unspecified | pb::OutcomeStatus::Assert), None) => None,
        (Err(_), _) => {
            check.note(&path.field("status"), format!("{status} is not a known value"));
            None
        }
    }
}

/// A text that may be left out, but not be empty.
fn filled(check: &mut Check<'_>, path: &Path<'_>, text: String) -> Option<Box<str>> {
    if text.is_empty() {
        check.note(path, "is empty");
        return None;
    }
    check.text(path, text)
}

/// Reads the id of a decision.
pub fn read_decision_id(check: &mut Check<'_>, path: &Path<'_>, text: &str) -> Option<DecisionId> {
    if text.is_empty() {
        check.note(path, "is required");
        return None;
    }
    let id = Uuid::try_parse(text).ok().map(DecisionId);
    if id.is_none() {
        check.note(path, "is not a UUID");
    }
    id
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::domain::entity::IdentityKey;
    use crate::domain::order::TEXT_BYTES_MAX;
    use crate::domain::time::Timestamp;
    use crate::wire::check::Door;
    use crate::wire::error::Error;

    /// `Outcome` as it was before outcomes had references and could be taken back.
    #[derive(Clone, PartialEq, Message)]
    struct OldOutcome {
        #[prost(string, tag = "1")]
        outcome_id: String,
        #[prost(message, optional, tag = "3")]
        order: Option<pb::OrderKey>,
        #[prost(int32, tag = "4")]
        kind: i32,
        #[prost(message, optional, tag = "6")]
        occurred_at: Option<prost_types::Timestamp>,
        #[prost(int32, tag = "7")]
        source: i32,
    }

    fn old() -> OldOutcome {
        OldOutcome {
            outcome_id: "o-1".to_owned(),
            order: Some(pb::OrderKey {
                channel: "app".to_owned(),
                order_id: "A-1".to_owned(),
                revision: 0,
            }),
            kind: pb::OutcomeKind::Refund.into(),
            occurred_at: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            source: pb::OutcomeSource::Crm.into(),
        }
    }

    fn message() -> pb::Outcome {
        pb::Outcome::decode(&*old().encode_to_vec()).unwrap()
    }

    fn read(mut check: Check<'_>, outcome: pb::Outcome) -> Result<Outcome, Error> {
        let read = read_outcome(&mut check, &Path::Root, outcome);
        check.finish(read)
    }

    fn at_door(outcome: pb::Outcome) -> Result<Outcome, Error> {
        let identity = IdentityKey::from_secret(b"test");
        read(Check::at_door(Door { identity: &identity, now: Timestamp(2_000_000) }), outcome)
    }

    fn wrong_fields(outcome: pb::Outcome) -> Vec<String> {
        match at_door(outcome) {
            Err(Error::Invalid(all)) => all.into_iter().map(|it| it.field).collect(),
            Ok(_) | Err(Error::Decode(_)) => Vec::new(),
        }
    }

    #[test]
    fn an_outcome_of_an_older_journal_reads_and_is_written_as_it_was() {
        let outcome = read(Check::of_journal(), message()).unwrap();
        assert_eq!((&outcome.source_ref, &outcome.retracts), (&None, &None));
        assert_eq!(outcome_to_pb(&outcome).encode_to_vec(), old().encode_to_vec());
    }

    #[test]
    fn references_and_retractions_come_back_as_they_went() {
        let given = pb::Outcome {
            source_ref: Some("CB-7".to_owned()),
            status: pb::OutcomeStatus::Retract.into(),
            retracts: Some("o-0".to_owned()),
            ..message()
        };
        let outcome = at_door(given.clone()).unwrap();
        assert_eq!(
            (outcome.source_ref.as_deref(), outcome.retracts.as_deref()),
            (Some("CB-7"), Some("o-0"))
        );
        assert_eq!(outcome_to_pb(&outcome), given);
        let asserted = pb::Outcome { status: pb::OutcomeStatus::Assert.into(), ..message() };
        assert_eq!(at_door(asserted).unwrap(), at_door(message()).unwrap());
    }

    #[test]
    fn every_wrong_field_of_a_retraction_is_named() {
        let retraction = |retracts: Option<&str>| pb::Outcome {
            status: pb::OutcomeStatus::Retract.into(),
            retracts: retracts.map(str::to_owned),
            ..message()
        };
        let empty = Some(String::new());
        let long = Some("x".repeat(TEXT_BYTES_MAX + 1));
        for (outcome, expected) in [
            (pb::Outcome { source_ref: empty, ..retraction(None) }, vec!["source_ref", "retracts"]),
            (
                pb::Outcome { source_ref: long, ..retraction(Some("")) },
                vec!["source_ref", "retracts"],
            ),
            (retraction(Some("o-1")), vec!["retracts"]),
            (pb::Outcome { status: 0, ..retraction(Some("o-0")) }, vec!["retracts"]),
            (pb::Outcome { status: 1, ..retraction(Some("o-0")) }, vec!["retracts"]),
            (pb::Outcome { status: 9, kind: 0, ..message() }, vec!["kind", "status"]),
        ] {
            assert_eq!(wrong_fields(outcome.clone()), expected, "{outcome:?}");
        }
        let longest = Some("x".repeat(TEXT_BYTES_MAX));
        assert!(at_door(pb::Outcome { source_ref: longest, ..message() }).is_ok());
    }
}

//! Choices and outcomes to and from their messages.

use uuid::Uuid;

use crate::domain::decision::DecisionId;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::wire::check::{Check, Path, money_to_pb, order_key_to_pb, time_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;

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
    Some(Outcome {
        outcome_id: outcome_id?,
        decision_id,
        order,
        kind: kind?,
        amount,
        occurred_at: occurred_at?,
        source: source?,
    })
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

//! Puts together what is known about an order, from the records.

use crate::domain::entity::EntityRef;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::record::ScoredOrder;
use crate::domain::standing::{NaturalKey, Said, Standing, standing};
use crate::domain::timeline::{
    ACCOUNT_DECISIONS_MAX, ORDER_DECISIONS_MAX, ORDER_WORDS_MAX, TimelineEntry, TimelineKind,
    TimelineRelation,
};
use crate::store::error::Error;
use crate::store::records::query::{DecisionRow, Records};

/// A timeline, oldest first.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What happened.
    pub entries: Vec<TimelineEntry>,
    /// True when more was told about the order.
    pub is_truncated: bool,
}

/// The timeline of a decision whose account is known as this one now.
///
/// # Errors
/// [`Error::Database`].
pub fn timeline(
    records: &Records,
    scored: &ScoredOrder,
    account: Option<&EntityRef>,
) -> Result<Timeline, Error> {
    let (order, decision_id) = (&scored.decision.order, scored.decision.decision_id);
    // What the records do not hold yet comes after all that they hold.
    let position = records.decision_position(decision_id)?.unwrap_or(i64::MAX.cast_unsigned());
    let decisions = records.order_decisions(order, ORDER_DECISIONS_MAX)?;
    let events = records.order_events(order, ORDER_WORDS_MAX)?;
    let choices = records.order_choices(order, ORDER_WORDS_MAX)?;
    let outcomes = records.order_outcomes(order, ORDER_WORDS_MAX)?;
    let is_full = |n: usize, limit: u32| limit as usize <= n;
    let is_truncated = is_full(decisions.len(), ORDER_DECISIONS_MAX)
        || [events.len(), choices.len(), outcomes.len()]
            .iter()
            .any(|n| is_full(*n, ORDER_WORDS_MAX));
    let of_account = match account {
        None => Vec::new(),
        Some(account) => {
            let newest = (&*account.key.to_string(), position);
            records.account_decisions(newest, order, ACCOUNT_DECISIONS_MAX)?
        }
    };
    let relation_of = |row: &DecisionRow| {
        if row.decision_id == decision_id {
            TimelineRelation::This
        } else {
            TimelineRelation::SameOrder
        }
    };
    let mut all: Vec<(u64, TimelineEntry)> = Vec::new();
    all.extend(decisions.into_iter().map(|row| of_decision(relation_of(&row), row)));
    all.extend(of_account.into_iter().map(|row| of_decision(TimelineRelation::SameAccount, row)));
    let mut entries = told(&choices, &outcomes);
    let step = |(at, kind)| TimelineEntry { at, what: TimelineKind::Event { kind } };
    entries.extend(events.into_iter().rev().map(step));
    // Of one instant, in the order of the journal; the sort is stable.
    all.sort_by_key(|(position, _)| *position);
    entries.extend(all.into_iter().map(|(_, entry)| entry));
    entries.sort_by_key(|entry| (entry.at, entry.what.rank()));
    Ok(Timeline { entries, is_truncated })
}

fn of_decision(relation: TimelineRelation, row: DecisionRow) -> (u64, TimelineEntry) {
    let what = TimelineKind::Decision {
        decision_id: row.decision_id,
        order: row.order,
        received_time: row.received_time,
        first_action: row.first_action,
        top_risk: row.top_risk,
        amount: row.amount,
        relation,
    };
    (row.position, TimelineEntry { at: row.event_time, what })
}

/// Choices and outcomes, which come newest first, in the order of the journal.
fn told(choices: &[OperatorChoice], outcomes: &[Outcome]) -> Vec<TimelineEntry> {
    let said: Vec<Said<&str, NaturalKey<'_>>> = outcomes.iter().map(Into::into).collect();
    let stands = standing(&said).into_iter().map(|it| it == Standing::Stands);
    let of_choice = |choice: &OperatorChoice| TimelineEntry {
        at: choice.decided_at,
        what: TimelineKind::Choice {
            choice_id: choice.choice_id.clone(),
            decision_id: choice.decision_id,
            operator_id: choice.operator_id.clone(),
            action: choice.action,
        },
    };
    let of_outcome = |(outcome, stands): (&Outcome, bool)| TimelineEntry {
        at: outcome.occurred_at,
        what: TimelineKind::Outcome {
            outcome_id: outcome.outcome_id.clone(),
            kind: outcome.kind,
            amount: outcome.amount,
            source: outcome.source,
            stands,
            retracts: outcome.retracts.clone(),
        },
    };
    let mut entries: Vec<TimelineEntry> = choices.iter().rev().map(of_choice).collect();
    let outcomes: Vec<(&Outcome, bool)> = outcomes.iter().zip(stands).collect();
    entries.extend(outcomes.into_iter().rev().map(of_outcome));
    entries
}

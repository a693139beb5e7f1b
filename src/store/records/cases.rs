//! Closed cases, kept as they are told: a page of them is read off a tree.

use crate::domain::decision::DecisionId;
use crate::domain::feedback::{Outcome, OutcomeKind};
use crate::domain::standing::{NaturalKey, Said, Standing, standing};
use crate::domain::time::Timestamp;
use crate::store::records::database::{DatabaseError, Statements};
use crate::store::records::fill;
use crate::store::records::query::OUTCOMES_ABOUT;
use crate::store::records::value::{FromValue, Value};

/// Most outcomes of a decision that its case looks at, the newest: what is told about one order
/// over and over must not cost more each time.
const OUTCOMES_MAX: u32 = 100;
const DECISION: &str = "SELECT position FROM decisions WHERE decision_id = ?1";
const NEWEST_OF_ORDER: &str =
    "SELECT max(position) FROM decisions WHERE channel = ?1 AND order_id = ?2";
const RETRACTED: &str = "SELECT body FROM outcomes WHERE outcome_id = ?1";
/// Who changes their mind has the last word.
const CHOICE: &str = "SELECT action, operator_id, decided_at_us FROM choices \
    WHERE decision_id = ?1 ORDER BY decided_at_us DESC, choice_id DESC LIMIT 1";
const FACTS: &str = "SELECT decision_id, top_head, first_action FROM decisions WHERE position = ?1";
const BEFORE: &str =
    "SELECT told_position, action, kinds FROM closed_cases WHERE decision_position = ?1";
const PUT: &str = "INSERT INTO closed_cases VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
    ON CONFLICT (decision_position) DO UPDATE SET told_position = excluded.told_position, \
    told_time_us = excluded.told_time_us, action = excluded.action, \
    operator_id = excluded.operator_id, decided_at_us = excluded.decided_at_us, \
    kinds = excluded.kinds";
const REMOVE: &str = "DELETE FROM closed_cases WHERE decision_position = ?1";
const PUT_FACET: &str = "INSERT INTO case_facets VALUES (?1, ?2, ?3, ?4, ?5)";
const REMOVE_FACET: &str = "DELETE FROM case_facets \
    WHERE kind = ?1 AND action = ?2 AND head = ?3 AND told_position = ?4";

/// Where and when something was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Journal position.
    pub position: u64,
    /// When it came in.
    pub received_time: Timestamp,
}

/// By what a case is found.
struct Facets {
    kinds: Vec<OutcomeKind>,
    action: Option<String>,
    head: Option<String>,
}

/// Somebody chose about a decision.
pub(super) fn chosen(
    to: &mut dyn Statements,
    decision_id: DecisionId,
    told: Told,
) -> Result<(), DatabaseError> {
    let position = decision_position(to, decision_id)?;
    position.map_or(Ok(()), |position| tell(to, position, told))
}

/// An outcome was told or taken back, of the decision that it names, else of the newest one about
/// its order; a retraction is about what it takes back.
pub(super) fn followed(
    to: &mut dyn Statements,
    outcome: &Outcome,
    told: Told,
) -> Result<(), DatabaseError> {
    let about = match &outcome.retracts {
        None => decision_of(to, outcome)?,
        Some(retracted) => {
            // What has not been told yet closes nothing; once it is, it does not stand.
            let rows = to.query(RETRACTED, &[retracted.into()])?;
            let Some(row) = rows.first() else { return Ok(()) };
            decision_of(to, &row.json::<Outcome>(0)?)?
        }
    };
    about.map_or(Ok(()), |position| tell(to, position, told))
}

fn decision_of(to: &mut dyn Statements, outcome: &Outcome) -> Result<Option<u64>, DatabaseError> {
    if let Some(decision_id) = outcome.decision_id {
        return decision_position(to, decision_id);
    }
    let Some(order) = &outcome.order else { return Ok(None) };
    let values = [(&order.channel).into(), (&order.order_id).into()];
    Ok(first::<Option<u64>>(to, NEWEST_OF_ORDER, &values)?.flatten())
}

fn decision_position(
    to: &mut dyn Statements,
    decision_id: DecisionId,
) -> Result<Option<u64>, DatabaseError> {
    first(to, DECISION, &[decision_id.0.as_bytes().as_slice().into()])
}

/// The first cell of the first row.
fn first<T: FromValue>(
    to: &mut dyn Statements,
    sql: &str,
    values: &[Value],
) -> Result<Option<T>, DatabaseError> {
    to.query(sql, values)?.first().map(|row| row.get(0)).transpose()
}

/// Puts the case of the decision at a position where the newest word about it places it.
fn tell(to: &mut dyn Statements, position: u64, told: Told) -> Result<(), DatabaseError> {
    let rows = to.query(FACTS, &[position.into()])?;
    let Some(decision) = rows.first() else { return Ok(()) };
    let (id, head): (Vec<u8>, Option<String>) = (decision.get(0)?, decision.get(1)?);
    let recommended: Option<String> = decision.get(2)?;
    if let Some(before) = to.query(BEFORE, &[position.into()])?.first() {
        let told_position: u64 = before.get(0)?;
        let (action, kinds) = (before.get(1)?, before.json(2)?);
        let facets = Facets { kinds, action, head: head.clone() };
        for (kind, action, head) in facets.all() {
            let values = [kind.into(), action.into(), head.into(), told_position.into()];
            to.execute(REMOVE_FACET, &values)?;
        }
    }
    let choices = to.query(CHOICE, &[Value::Bytes(id.clone())])?;
    let choice = choices.first();
    let kinds = standing_kinds(to, &id)?;
    if choice.is_none() && kinds.is_empty() {
        return to.execute(REMOVE, &[position.into()]);
    }
    let (chosen, operator_id, decided_at): (Option<String>, Option<String>, Option<i64>) =
        match choice {
            Some(row) => (row.get(0)?, row.get(1)?, row.get(2)?),
            None => (None, None, None),
        };
    let facets = Facets { kinds, action: chosen.or(recommended), head };
    let case = [
        position.into(),
        told.position.into(),
        told.received_time.0.into(),
        facets.action.as_deref().into(),
        operator_id.into(),
        decided_at.into(),
        fill::json(&facets.kinds)?.into(),
    ];
    to.execute(PUT, &case)?;
    for (kind, action, head) in facets.all() {
        let values =
            [kind.into(), action.into(), head.into(), told.position.into(), position.into()];
        to.execute(PUT_FACET, &values)?;
    }
    Ok(())
}

/// The kinds of what followed a decision and stands, each once.
fn standing_kinds(to: &mut dyn Statements, id: &[u8]) -> Result<Vec<OutcomeKind>, DatabaseError> {
    let sql = format!("{OUTCOMES_ABOUT} ORDER BY position DESC LIMIT {OUTCOMES_MAX}");
    let rows = to.query(&sql, &[id.into()])?;
    let outcomes: Vec<Outcome> = rows.iter().map(|row| row.json(0)).collect::<Result<_, _>>()?;
    let said: Vec<Said<&str, NaturalKey<'_>>> = outcomes.iter().map(Into::into).collect();
    let found = outcomes.iter().zip(standing(&said));
    let stands = found.filter(|(_, found)| *found == Standing::Stands);
    let mut kinds: Vec<OutcomeKind> = stands.map(|(outcome, _)| outcome.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

impl Facets {
    /// Every way to ask for it; an empty text is any.
    fn all(&self) -> Vec<(&str, &str, &str)> {
        let mut all = Vec::new();
        for kind in [""].into_iter().chain(self.kinds.iter().map(|kind| kind.as_str())) {
            for action in [""].into_iter().chain(self.action.as_deref()) {
                all.extend(
                    [""].into_iter().chain(self.head.as_deref()).map(|it| (kind, action, it)),
                );
            }
        }
        all
    }
}

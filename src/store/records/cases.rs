//! Closed cases, kept as they are told: a page of them is read off a tree.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::decision::DecisionId;
use crate::domain::feedback::{Outcome, OutcomeKind};
use crate::domain::standing::{NaturalKey, Said, Standing, standing};
use crate::domain::time::Timestamp;
use crate::store::records::fill;
use crate::store::records::query::{OUTCOMES_ABOUT, json};

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
const PUT: &str = "INSERT OR REPLACE INTO closed_cases VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
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
    transaction: &Transaction<'_>,
    decision_id: DecisionId,
    told: Told,
) -> Result<(), rusqlite::Error> {
    let position = decision_position(transaction, decision_id)?;
    position.map_or(Ok(()), |position| tell(transaction, position, told))
}

/// An outcome was told or taken back, of the decision that it names, else of the newest one about
/// its order; a retraction is about what it takes back.
pub(super) fn followed(
    transaction: &Transaction<'_>,
    outcome: &Outcome,
    told: Told,
) -> Result<(), rusqlite::Error> {
    let about = match &outcome.retracts {
        None => decision_of(transaction, outcome)?,
        Some(retracted) => {
            let mut statement = transaction.prepare_cached(RETRACTED)?;
            let found = statement.query_row([retracted], |row| json::<Outcome>(row, 0));
            // What has not been told yet closes nothing; once it is, it does not stand.
            let Some(found) = found.optional()? else { return Ok(()) };
            decision_of(transaction, &found)?
        }
    };
    about.map_or(Ok(()), |position| tell(transaction, position, told))
}

fn decision_of(
    transaction: &Transaction<'_>,
    outcome: &Outcome,
) -> Result<Option<u64>, rusqlite::Error> {
    if let Some(decision_id) = outcome.decision_id {
        return decision_position(transaction, decision_id);
    }
    let Some(order) = &outcome.order else { return Ok(None) };
    let mut statement = transaction.prepare_cached(NEWEST_OF_ORDER)?;
    statement.query_row([&order.channel, &order.order_id], |row| row.get(0))
}

fn decision_position(
    transaction: &Transaction<'_>,
    decision_id: DecisionId,
) -> Result<Option<u64>, rusqlite::Error> {
    let mut statement = transaction.prepare_cached(DECISION)?;
    statement.query_row([decision_id.0.as_bytes().as_slice()], |row| row.get(0)).optional()
}

/// Puts the case of the decision at a position where the newest word about it places it.
fn tell(transaction: &Transaction<'_>, position: u64, told: Told) -> Result<(), rusqlite::Error> {
    let (id, head, recommended): (Vec<u8>, Option<String>, Option<String>) = transaction
        .prepare_cached(FACTS)?
        .query_row([position], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let before = transaction
        .prepare_cached(BEFORE)?
        .query_row([position], |row| Ok((row.get::<_, u64>(0)?, row.get(1)?, json(row, 2)?)))
        .optional()?;
    if let Some((told_position, action, kinds)) = before {
        let facets = Facets { kinds, action, head: head.clone() };
        let mut remove = transaction.prepare_cached(REMOVE_FACET)?;
        for (kind, action, head) in facets.all() {
            remove.execute(params![kind, action, head, told_position])?;
        }
    }
    let choice: Option<(String, String, i64)> = transaction
        .prepare_cached(CHOICE)?
        .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let kinds = standing_kinds(transaction, &id)?;
    if choice.is_none() && kinds.is_empty() {
        return transaction.prepare_cached(REMOVE)?.execute([position]).map(drop);
    }
    let (chosen, operator_id, decided_at) = match choice {
        Some((action, operator_id, at)) => (Some(action), Some(operator_id), Some(at)),
        None => (None, None, None),
    };
    let facets = Facets { kinds, action: chosen.or(recommended), head };
    transaction.prepare_cached(PUT)?.execute(params![
        position,
        told.position,
        told.received_time.0,
        facets.action,
        operator_id,
        decided_at,
        fill::json(&facets.kinds)?,
    ])?;
    let mut put = transaction.prepare_cached(PUT_FACET)?;
    for (kind, action, head) in facets.all() {
        put.execute(params![kind, action, head, told.position, position])?;
    }
    Ok(())
}

/// The kinds of what followed a decision and stands, each once.
fn standing_kinds(
    transaction: &Transaction<'_>,
    id: &[u8],
) -> Result<Vec<OutcomeKind>, rusqlite::Error> {
    let sql = format!("{OUTCOMES_ABOUT} ORDER BY position DESC LIMIT {OUTCOMES_MAX}");
    let mut statement = transaction.prepare_cached(&sql)?;
    let outcomes: Vec<Outcome> =
        statement.query_map([id], |row| json(row, 0))?.collect::<Result<_, _>>()?;
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

//! Questions about one order's story, and about what is closed.

use crate::domain::closed_case::{
    CLOSED_CASES_MAX, CaseCursor, ChosenAction, ClosedCase, ClosedCasePage, ClosedCaseQuery,
};
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::decision_short::DecisionShort;
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind};
use crate::domain::order::OrderKey;
use crate::domain::time::Timestamp;
use crate::store::error::Error;
use crate::store::records::database::DatabaseError;
use crate::store::records::query::{
    DECISION_COLUMNS, DecisionRow, N_DECISION_COLUMNS, Records, decision_row,
};
use crate::store::records::value::{Row, Value, known};

const CHOICES: &str = "SELECT body FROM choices WHERE decision_id IN \
    (SELECT decision_id FROM decisions WHERE channel = ?1 AND order_id = ?2) \
    ORDER BY position DESC LIMIT ?3";
const OUTCOMES: &str = "WITH about AS (SELECT outcome_id FROM outcomes \
    WHERE (channel = ?1 AND order_id = ?2) OR decision_id IN \
    (SELECT decision_id FROM decisions WHERE channel = ?1 AND order_id = ?2)) \
    SELECT body FROM outcomes WHERE outcome_id IN (SELECT outcome_id FROM about) \
    OR retracts IN (SELECT outcome_id FROM about) ORDER BY position DESC LIMIT ?3";
const EVENTS: &str = "SELECT event_time_us, kind FROM order_events \
    WHERE channel = ?1 AND order_id = ?2 ORDER BY event_time_us DESC, position DESC LIMIT ?3";

/// A step of an order: when it happened and the name of its kind.
pub(super) type OrderStepRow = (Timestamp, Box<str>);

impl Records {
    /// Decisions as lines of a list, in the order of the ids; unknown ones are left out.
    ///
    /// # Errors
    /// [`Error::Database`], as of every question below.
    pub fn decisions_in_short(&self, ids: &[DecisionId]) -> Result<Vec<DecisionShort>, Error> {
        let sql = format!(
            "SELECT {DECISION_COLUMNS}, reason, is_blind FROM decisions WHERE decision_id = ?1"
        );
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            let id = id.0.as_bytes().as_slice();
            rows.extend(self.ask("read", &sql, &[id.into()], line)?);
        }
        Ok(rows)
    }

    /// The newest decisions about an order, in all revisions, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn order_decisions(&self, order: &OrderKey, limit: u32) -> Result<Vec<DecisionRow>, Error> {
        let sql = format!(
            "SELECT {DECISION_COLUMNS} FROM decisions WHERE channel = ?1 AND order_id = ?2 \
             ORDER BY position DESC LIMIT ?3"
        );
        self.ask("list", &sql, &of_order(order, limit), decision_row)
    }

    /// The newest decisions about other orders of an account (its pseudonym) before a journal
    /// position, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn account_decisions(
        &self,
        (account, before): (&str, u64),
        order: &OrderKey,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, Error> {
        let sql = format!(
            "SELECT {DECISION_COLUMNS} FROM decisions WHERE account = ?4 AND position < ?5 \
             AND NOT (channel = ?1 AND order_id = ?2) ORDER BY position DESC LIMIT ?3"
        );
        let mut values = of_order(order, limit);
        values.push(account.into());
        values.push(before.into());
        self.ask("list", &sql, &values, decision_row)
    }

    /// The newest steps of an order, in all revisions, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn order_events(&self, order: &OrderKey, limit: u32) -> Result<Vec<OrderStepRow>, Error> {
        self.ask("list", EVENTS, &of_order(order, limit), |row| {
            Ok((Timestamp(row.get(0)?), row.get(1)?))
        })
    }

    /// The newest choices about any decision about an order, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn order_choices(
        &self,
        order: &OrderKey,
        limit: u32,
    ) -> Result<Vec<OperatorChoice>, Error> {
        self.ask("list", CHOICES, &of_order(order, limit), |row| row.json(0))
    }

    /// The newest outcomes of an order or of any decision about it, and what takes any of them
    /// back, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn order_outcomes(&self, order: &OrderKey, limit: u32) -> Result<Vec<Outcome>, Error> {
        self.ask("list", OUTCOMES, &of_order(order, limit), |row| row.json(0))
    }

    /// A page of closed cases.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn closed_cases(&self, query: &ClosedCaseQuery) -> Result<ClosedCasePage, Error> {
        let n_max = query.n_max.clamp(1, CLOSED_CASES_MAX);
        // The order of the joins is said: each case of the page costs two look-ups, no scan.
        let sql = format!(
            "SELECT {DECISION_COLUMNS}, c.told_position, c.told_time_us, c.action, \
             c.operator_id, c.decided_at_us, c.kinds FROM case_facets f \
             CROSS JOIN closed_cases c ON c.decision_position = f.decision_position \
             CROSS JOIN decisions d ON d.position = f.decision_position \
             WHERE f.kind = ?1 AND f.action = ?2 AND f.head = ?3 AND f.told_position < ?4 \
             ORDER BY f.told_position DESC LIMIT ?5"
        );
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let before = query.before.map_or(i64::MAX, |before| before.0.cast_signed());
        let values = [
            text(query.outcome.map(OutcomeKind::as_str)).into(),
            text(query.action.map(ActionKind::as_str)).into(),
            text(query.head.as_ref().map(|head| &*head.0)).into(),
            before.into(),
            n_max.saturating_add(1).into(),
        ];
        let mut cases = self.ask("list", &sql, &values, closed_case)?;
        let has_more = (n_max as usize) < cases.len();
        cases.truncate(n_max as usize);
        let next = cases.last().filter(|_| has_more).map(|last| last.cursor);
        Ok(ClosedCasePage { cases, next })
    }
}

fn of_order(order: &OrderKey, limit: u32) -> Vec<Value> {
    vec![(&order.channel).into(), (&order.order_id).into(), limit.into()]
}

fn line(row: &Row) -> Result<DecisionShort, DatabaseError> {
    let decision = decision_row(row)?;
    let has_reason = !row.is_null(N_DECISION_COLUMNS);
    Ok(DecisionShort {
        decision_id: decision.decision_id,
        order: decision.order,
        event_time: decision.event_time,
        received_time: decision.received_time,
        amount: decision.amount,
        top_risk: decision.top_risk,
        first_action: decision.first_action,
        reason: has_reason.then(|| row.json(N_DECISION_COLUMNS)).transpose()?,
        is_blind: row.get(N_DECISION_COLUMNS + 1)?,
    })
}

fn closed_case(row: &Row) -> Result<ClosedCase, DatabaseError> {
    const FIRST: usize = N_DECISION_COLUMNS;
    let decision = decision_row(row)?;
    let chosen = match (
        row.get::<Option<String>>(FIRST + 2)?,
        row.get::<Option<Box<str>>>(FIRST + 3)?,
        row.get(FIRST + 4)?,
    ) {
        (Some(name), Some(operator_id), Some(at)) => Some(ChosenAction {
            action: known(FIRST + 2, ActionKind::parse(&name))?,
            operator_id,
            decided_at: Timestamp(at),
        }),
        (Some(_) | None, _, _) => None,
    };
    Ok(ClosedCase {
        decision_id: decision.decision_id,
        order: decision.order,
        event_time: decision.event_time,
        amount: decision.amount,
        top_risk: decision.top_risk,
        first_action: decision.first_action,
        chosen,
        outcomes: row.json(FIRST + 5)?,
        told_time: Timestamp(row.get(FIRST + 1)?),
        cursor: CaseCursor(row.get(FIRST)?),
    })
}

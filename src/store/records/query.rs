//! Questions to the records.
//!
//! Answers name journal positions; the journal has the rest.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::domain::decision::{ActionKind, DecisionId, DecisionState};
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::head::HeadId;
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;
use crate::domain::query;
use crate::domain::risk::{Probability, RiskBand};
use crate::domain::time::Timestamp;
use crate::store::error::Error;
use crate::store::records::fill::{band_code, state_code};
use crate::store::records::progress;

/// Answers questions. One at a time per handle, on a thread that may block.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// Which decisions to list: all conditions that are there must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecisionFilter {
    /// Of this channel.
    pub channel: Option<Box<str>>,
    /// About this order, in any revision.
    pub order_id: Option<Box<str>>,
    /// With this first action.
    pub first_action: Option<ActionKind>,
    /// With a risk in this band or a higher one.
    pub band_at_least: Option<RiskBand>,
    /// Of this completeness.
    pub state: Option<DecisionState>,
    /// With this as the top risk.
    pub top_head: Option<HeadId>,
    /// With a top risk at least this probable.
    pub probability_at_least: Option<Probability>,
    /// Received at or after this instant.
    pub received_from: Option<Timestamp>,
    /// Received before this instant.
    pub received_until: Option<Timestamp>,
}

impl From<query::DecisionFilter> for DecisionFilter {
    fn from(asked: query::DecisionFilter) -> Self {
        let query::DecisionFilter {
            channel,
            received_from,
            received_until,
            band_at_least,
            first_action,
            state,
        } = asked;
        Self {
            channel,
            first_action,
            band_at_least,
            state,
            received_from,
            received_until,
            ..Self::default()
        }
    }
}

/// The last decision of a page; the next page starts behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCursor {
    /// When it was received.
    pub received_time: Timestamp,
    /// Which one it is.
    pub decision_id: DecisionId,
}

/// A decision in short.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionRow {
    /// Which one.
    pub decision_id: DecisionId,
    /// Where the journal has all of it.
    pub position: u64,
    /// About which order.
    pub order: OrderKey,
    /// When the order was placed.
    pub event_time: Timestamp,
    /// When it was asked.
    pub received_time: Timestamp,
    /// The risk of the highest band, then probability; `None` without risk heads.
    pub top_risk: Option<TopRisk>,
    /// First recommended action.
    pub first_action: Option<ActionKind>,
    /// What the customer pays in all.
    pub amount: Option<Money>,
    /// Bundle that made it.
    pub model: Box<str>,
    /// Strategy that made it.
    pub strategy: Box<str>,
}

/// The risk that matters most in a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct TopRisk {
    /// Which risk.
    pub head: HeadId,
    /// How probable.
    pub probability: Probability,
    /// Its band.
    pub band: RiskBand,
}

impl Records {
    pub(crate) fn new(path: &Path, connection: Connection) -> Self {
        Self { path: path.to_owned(), connection: Mutex::new(connection) }
    }

    /// Position of the last journal record that is in here.
    ///
    /// # Errors
    /// [`Error::Database`], as of every question below.
    pub fn position(&self) -> Result<u64, Error> {
        progress(&self.lock()).map_err(Error::database("read", &self.path))
    }

    /// At most `limit` decisions behind `after`, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list_decisions(
        &self,
        filter: &DecisionFilter,
        after: Option<PageCursor>,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, Error> {
        let (conditions, mut values) = conditions(filter, after);
        values.push(limit.into());
        let sql = format!(
            "SELECT decision_id, position, channel, order_id, revision, event_time_us, \
             received_time_us, top_head, probability, band, first_action, amount_minor, currency, \
             model, strategy FROM decisions{conditions} \
             ORDER BY received_time_us DESC, decision_id DESC LIMIT ?"
        );
        self.ask("list", &sql, values, decision_row)
    }

    /// Where the journal has a decision.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn decision_position(&self, id: DecisionId) -> Result<Option<u64>, Error> {
        let sql = "SELECT position FROM decisions WHERE decision_id = ?";
        self.ask_one(sql, [id.0.as_bytes().as_slice()])
    }

    /// Where the journal has the newest decision about an order, in any revision.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn decision_by_order(&self, channel: &str, order_id: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(position) FROM decisions WHERE channel = ? AND order_id = ?";
        self.ask_one::<Option<u64>>(sql, [channel, order_id]).map(Option::flatten)
    }

    /// Where the journal has the first answer to a request.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn request_position(&self, request_id: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT min(position) FROM decisions WHERE request_id = ?";
        self.ask_one::<Option<u64>>(sql, [request_id]).map(Option::flatten)
    }

    /// Where the journal has an event that was told.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn event_position(&self, event_id: &str) -> Result<Option<u64>, Error> {
        self.ask_one("SELECT position FROM events WHERE event_id = ?", [event_id])
    }

    /// Where the journal has the text of a strategy that was ever active.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn strategy_position(&self, hash: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(position) FROM activations WHERE kind = 'strategy' AND hash = ?";
        self.ask_one::<Option<u64>>(sql, [hash]).map(Option::flatten)
    }

    /// What operators chose about a decision, in journal order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn choices(&self, id: DecisionId) -> Result<Vec<OperatorChoice>, Error> {
        let sql = "SELECT body FROM choices WHERE decision_id = ? ORDER BY position";
        self.ask("read", sql, vec![id.0.as_bytes().to_vec().into()], |row| json(row, 0))
    }

    /// What the world did later about a decision or its order, and what takes any of that
    /// back, whatever it says it is about; in journal order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn outcomes(&self, id: DecisionId) -> Result<Vec<Outcome>, Error> {
        let sql = "WITH about AS (SELECT outcome_id FROM outcomes \
                   WHERE decision_id = ?1 OR (decision_id IS NULL AND (channel, order_id) = \
                   (SELECT channel, order_id FROM decisions WHERE decision_id = ?1))) \
                   SELECT body FROM outcomes WHERE outcome_id IN about OR retracts IN about \
                   ORDER BY position";
        self.ask("read", sql, vec![id.0.as_bytes().to_vec().into()], |row| json(row, 0))
    }

    /// How many events of each kind were told, by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn event_counts(&self) -> Result<Vec<(String, u64)>, Error> {
        let sql = "SELECT kind, n_events FROM event_counts ORDER BY kind";
        self.ask("count", sql, Vec::new(), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    pub(super) fn ask<T>(
        &self,
        action: &'static str,
        sql: &str,
        values: Vec<Value>,
        read: fn(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, Error> {
        let connection = self.lock();
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement.query_map(params_from_iter(values), read)?.collect()
            })
            .map_err(Error::database(action, &self.path))
    }

    fn ask_one<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = impl ToSql>,
    ) -> Result<Option<T>, Error> {
        let connection = self.lock();
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| {
                statement.query_row(params_from_iter(values), |row| row.get(0)).optional()
            })
            .map_err(Error::database("read", &self.path))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `WHERE` part of a list and its values.
fn conditions(filter: &DecisionFilter, after: Option<PageCursor>) -> (String, Vec<Value>) {
    let text = |text: &str| Value::from(text.to_owned());
    let mut all: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut add = |condition, value: Option<Value>| {
        if let Some(value) = value {
            all.push((condition, vec![value]));
        }
    };
    add("channel = ?", filter.channel.as_deref().map(text));
    add("order_id = ?", filter.order_id.as_deref().map(text));
    add("first_action = ?", filter.first_action.map(|it| it.as_str().to_owned().into()));
    add("band >= ?", filter.band_at_least.map(|band| band_code(band).into()));
    add("state = ?", filter.state.map(|state| state_code(state).into()));
    add("top_head = ?", filter.top_head.as_ref().map(|head| text(&head.0)));
    add("probability >= ?", filter.probability_at_least.map(|it| it.value().into()));
    add("received_time_us >= ?", filter.received_from.map(|time| time.0.into()));
    add("received_time_us < ?", filter.received_until.map(|time| time.0.into()));
    if let Some(PageCursor { received_time, decision_id }) = after {
        let values = vec![received_time.0.into(), decision_id.0.as_bytes().to_vec().into()];
        all.push(("(received_time_us, decision_id) < (?, ?)", values));
    }
    let mut sql = String::new();
    for (idx, (condition, _)) in all.iter().enumerate() {
        sql.push_str(if idx == 0 { " WHERE " } else { " AND " });
        sql.push_str(condition);
    }
    (sql, all.into_iter().flat_map(|(_, values)| values).collect())
}

fn decision_row(row: &Row<'_>) -> Result<DecisionRow, rusqlite::Error> {
    let key: (String, String) = (row.get(2)?, row.get(3)?);
    let order = OrderKey {
        channel: key.0.into_boxed_str(),
        order_id: key.1.into_boxed_str(),
        revision: row.get(4)?,
    };
    let top_risk = match (row.get::<_, Option<String>>(7)?, row.get(8)?, row.get(9)?) {
        (Some(head), Some(probability), Some(code)) => Some(TopRisk {
            head: HeadId(head.into_boxed_str()),
            probability: Probability::clamped(probability),
            band: known(9, band_of(code))?,
        }),
        (Some(_) | None, _, _) => None,
    };
    let first_action = row.get::<_, Option<String>>(10)?;
    let amount = match (row.get(11)?, row.get::<_, Option<String>>(12)?) {
        (Some(minor_units), Some(code)) => {
            Some(Money { currency: known(12, Currency::parse(&code).ok())?, minor_units })
        }
        (Some(_) | None, _) => None,
    };
    Ok(DecisionRow {
        decision_id: DecisionId(Uuid::from_bytes(row.get(0)?)),
        position: row.get(1)?,
        order,
        event_time: Timestamp(row.get(5)?),
        received_time: Timestamp(row.get(6)?),
        top_risk,
        first_action: first_action.map(|name| known(10, ActionKind::parse(&name))).transpose()?,
        amount,
        model: row.get::<_, String>(13)?.into_boxed_str(),
        strategy: row.get::<_, String>(14)?.into_boxed_str(),
    })
}

fn band_of(code: u8) -> Option<RiskBand> {
    [RiskBand::Low, RiskBand::Elevated, RiskBand::High]
        .into_iter()
        .find(|&band| band_code(band) == code)
}

pub(super) fn known<T>(column: usize, value: Option<T>) -> Result<T, rusqlite::Error> {
    value.ok_or_else(|| {
        let reason = "no such name in this build".into();
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, reason)
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, rusqlite::Error> {
    serde_json::from_str(&row.get::<_, String>(column)?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

//! Questions to the records.
//!
//! Answers name journal positions; the journal has the rest.

use uuid::Uuid;

use crate::domain::decision::{ActionKind, DecisionId, DecisionState};
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::head::HeadId;
use crate::domain::money::{Currency, Money};
use crate::domain::order::OrderKey;
use crate::domain::query;
use crate::domain::risk::{Probability, RiskBand, TopRisk};
use crate::domain::time::Timestamp;
use crate::store::error::Error;
use crate::store::records::database::{Answering, DatabaseError};
use crate::store::records::fill::{band_code, state_code};
use crate::store::records::value::{FromValue, Row, Value, known};

/// What [`decision_row`] reads.
pub(super) const DECISION_COLUMNS: &str = "decision_id, position, channel, order_id, revision, \
    event_time_us, received_time_us, top_head, probability, band, first_action, amount_minor, \
    currency, model, strategy";
/// How many they are.
pub(super) const N_DECISION_COLUMNS: usize = 15;
/// The outcomes of a decision (`?1`) or its order, and what takes any of that back.
pub(super) const OUTCOMES_ABOUT: &str = "WITH about AS (SELECT outcome_id FROM outcomes \
    WHERE decision_id = ?1 OR (decision_id IS NULL AND (channel, order_id) = \
    (SELECT channel, order_id FROM decisions WHERE decision_id = ?1))) \
    SELECT body FROM outcomes WHERE outcome_id IN (SELECT outcome_id FROM about) \
    OR retracts IN (SELECT outcome_id FROM about)";

/// Answers questions, on a thread that may block.
#[derive(Debug)]
pub struct Records {
    place: Box<str>,
    answering: Box<dyn Answering>,
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

impl Records {
    pub(super) fn new(place: Box<str>, answering: impl Answering + 'static) -> Self {
        Self { place, answering: Box::new(answering) }
    }

    /// What the records take on a disk, bytes.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Database`].
    pub fn bytes(&self) -> Result<u64, Error> {
        self.answering.bytes()
    }

    /// Position of the last journal record that is in here.
    ///
    /// # Errors
    /// [`Error::Database`], as of every question below.
    pub fn position(&self) -> Result<u64, Error> {
        self.ask_one("SELECT position FROM progress", &[]).map(Option::unwrap_or_default)
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
            "SELECT {DECISION_COLUMNS} FROM decisions{conditions} \
             ORDER BY received_time_us DESC, decision_id DESC LIMIT ?{}",
            values.len()
        );
        self.ask("list", &sql, &values, decision_row)
    }

    /// Where the journal has a decision.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn decision_position(&self, id: DecisionId) -> Result<Option<u64>, Error> {
        let sql = "SELECT position FROM decisions WHERE decision_id = ?1";
        self.ask_one(sql, &[id.0.as_bytes().as_slice().into()])
    }

    /// Where the journal has the newest decision about an order, in any revision.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn decision_by_order(&self, channel: &str, order_id: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(position) FROM decisions WHERE channel = ?1 AND order_id = ?2";
        self.ask_one::<Option<u64>>(sql, &[channel.into(), order_id.into()]).map(Option::flatten)
    }

    /// Where the journal has the first answer to a request.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn request_position(&self, request_id: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT min(position) FROM decisions WHERE request_id = ?1";
        self.ask_one::<Option<u64>>(sql, &[request_id.into()]).map(Option::flatten)
    }

    /// Where the journal has an event that was told.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn event_position(&self, event_id: &str) -> Result<Option<u64>, Error> {
        self.ask_one("SELECT position FROM events WHERE event_id = ?1", &[event_id.into()])
    }

    /// Where the journal has the text of a strategy that was ever active.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn strategy_position(&self, hash: &str) -> Result<Option<u64>, Error> {
        let sql = "SELECT max(position) FROM activations WHERE kind = 'strategy' AND hash = ?1";
        self.ask_one::<Option<u64>>(sql, &[hash.into()]).map(Option::flatten)
    }

    /// What operators chose about a decision, in journal order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn choices(&self, id: DecisionId) -> Result<Vec<OperatorChoice>, Error> {
        let sql = "SELECT body FROM choices WHERE decision_id = ?1 ORDER BY position";
        self.ask("read", sql, &[id.0.as_bytes().as_slice().into()], |row| row.json(0))
    }

    /// What the world did later about a decision or its order, and what takes any of that
    /// back, whatever it says it is about; in journal order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn outcomes(&self, id: DecisionId) -> Result<Vec<Outcome>, Error> {
        let sql = format!("{OUTCOMES_ABOUT} ORDER BY position");
        self.ask("read", &sql, &[id.0.as_bytes().as_slice().into()], |row| row.json(0))
    }

    /// How many events of each kind were told, by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn event_counts(&self) -> Result<Vec<(String, u64)>, Error> {
        let sql = "SELECT kind, n_events FROM event_counts ORDER BY kind";
        self.ask("count", sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    pub(super) fn ask<T>(
        &self,
        action: &'static str,
        sql: &str,
        values: &[Value],
        read: fn(&Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.answering.query(sql, values);
        rows.and_then(|rows| rows.iter().map(read).collect())
            .map_err(Error::database(action, &self.place))
    }

    fn ask_one<T: FromValue>(&self, sql: &str, values: &[Value]) -> Result<Option<T>, Error> {
        let rows = self.ask("read", sql, values, |row| row.get(0))?;
        Ok(rows.into_iter().next())
    }
}

/// The `WHERE` part of a list and its values.
fn conditions(filter: &DecisionFilter, after: Option<PageCursor>) -> (String, Vec<Value>) {
    let mut all: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut add = |condition, value: Option<Value>| {
        if let Some(value) = value {
            all.push((condition, vec![value]));
        }
    };
    add("channel = ?", filter.channel.as_ref().map(Into::into));
    add("order_id = ?", filter.order_id.as_ref().map(Into::into));
    add("first_action = ?", filter.first_action.map(|it| it.as_str().into()));
    add("band >= ?", filter.band_at_least.map(|band| band_code(band).into()));
    add("state = ?", filter.state.map(|state| state_code(state).into()));
    add("top_head = ?", filter.top_head.as_ref().map(|head| (&head.0).into()));
    add("probability >= ?", filter.probability_at_least.map(|it| it.value().into()));
    add("received_time_us >= ?", filter.received_from.map(|time| time.0.into()));
    add("received_time_us < ?", filter.received_until.map(|time| time.0.into()));
    if let Some(PageCursor { received_time, decision_id }) = after {
        let values = vec![received_time.0.into(), decision_id.0.as_bytes().as_slice().into()];
        all.push(("(received_time_us, decision_id) < (?, ?)", values));
    }
    let (mut sql, mut numbered) = (String::new(), Vec::new());
    for (idx, (condition, values)) in all.into_iter().enumerate() {
        sql.push_str(if idx == 0 { " WHERE " } else { " AND " });
        let mut rest = condition;
        for value in values {
            numbered.push(value);
            let (before, after) = rest.split_once('?').unwrap_or((rest, ""));
            sql.push_str(before);
            sql.push('?');
            sql.push_str(&numbered.len().to_string());
            rest = after;
        }
        sql.push_str(rest);
    }
    (sql, numbered)
}

pub(super) fn decision_row(row: &Row) -> Result<DecisionRow, DatabaseError> {
    let order = OrderKey { channel: row.get(2)?, order_id: row.get(3)?, revision: row.get(4)? };
    let top_risk = match (row.get::<Option<Box<str>>>(7)?, row.get(8)?, row.get(9)?) {
        (Some(head), Some(probability), Some(code)) => Some(TopRisk {
            head: HeadId(head),
            probability: Probability::clamped(probability),
            band: known(9, band_of(code))?,
        }),
        (Some(_) | None, _, _) => None,
    };
    let first_action = row.get::<Option<String>>(10)?;
    let amount = match (row.get(11)?, row.get::<Option<String>>(12)?) {
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
        model: row.get(13)?,
        strategy: row.get(14)?,
    })
}

fn band_of(code: u8) -> Option<RiskBand> {
    [RiskBand::Low, RiskBand::Elevated, RiskBand::High]
        .into_iter()
        .find(|&band| band_code(band) == code)
}

//! Fills the records from the journal: one transaction per batch.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use crate::domain::decision::DecisionState;
use crate::domain::entity::EntityKind;
use crate::domain::event::Fact;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::order::OrderKey;
use crate::domain::record::{ReceivedEvent, Record, ScoredOrder};
use crate::domain::risk::{RiskBand, top_risk};
use crate::store::error::Error;
use crate::store::records::access::{insert_audit, insert_note};
use crate::store::records::cases::{Told, chosen, followed};

const INSERT_DECISION: &str = "INSERT INTO decisions VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
    ON CONFLICT DO NOTHING";
const INSERT_EVENT: &str = "INSERT INTO events VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const INSERT_ORDER_EVENT: &str =
    "INSERT INTO order_events VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
const COUNT_EVENT: &str = "INSERT INTO event_counts VALUES (?1, 1) \
    ON CONFLICT DO UPDATE SET n_events = n_events + 1";
const INSERT_CHOICE: &str =
    "INSERT INTO choices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
const INSERT_OUTCOME: &str =
    "INSERT INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
const INSERT_ACTIVATION: &str = "INSERT INTO activations VALUES (?1, ?2, ?3, ?4, ?5)";
const SET_PROGRESS: &str = "UPDATE progress SET position = ?1";

/// The one handle that changes the records.
#[derive(Debug)]
pub struct RecordsWriter {
    path: PathBuf,
    connection: Connection,
    position: u64,
}

impl RecordsWriter {
    pub(crate) fn new(path: &Path, connection: Connection, position: u64) -> Self {
        Self { path: path.to_owned(), connection, position }
    }

    /// Position of the last journal record that is in the records.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Adds journal records, which follow in order on [`Self::position`]; older
    /// ones are passed over. All of them or none. What is told twice counts once.
    ///
    /// # Errors
    /// [`Error::Database`]; then nothing has changed and the call can be repeated.
    pub fn apply(&mut self, batch: &[(u64, Record)]) -> Result<(), Error> {
        let from = self.position;
        let fresh = batch.iter().filter(|(position, _)| from < *position);
        let Some((last, _)) = batch.last().filter(|(last, _)| from < *last) else {
            return Ok(());
        };
        fill(&mut self.connection, fresh, *last).map_err(Error::database("fill", &self.path))?;
        self.position = *last;
        Ok(())
    }
}

/// The name of a fact's kind, as in JSON and in the table of counts.
pub fn fact_kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::OrderPlaced(_) => "order_placed",
        Fact::OrderPaid(_) => "order_paid",
        Fact::OrderCancelled(_) => "order_cancelled",
        Fact::StockReserved(_) => "stock_reserved",
        Fact::OrderShipped(_) => "order_shipped",
        Fact::OrderDelivered(_) => "order_delivered",
        Fact::OrderReturned(_) => "order_returned",
        Fact::OrderRefunded(_) => "order_refunded",
        Fact::OrderChargedBack(_) => "order_charged_back",
        Fact::AccountCreated(_) => "account_created",
        Fact::StockLevel(_) => "stock_level",
        Fact::MarketPrice(_) => "market_price",
        Fact::Label(_) => "label",
        Fact::Choice(_) => "choice",
        Fact::Outcome(_) => "outcome",
    }
}

fn fill<'r>(
    connection: &mut Connection,
    records: impl Iterator<Item = &'r (u64, Record)>,
    last: u64,
) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    for (position, record) in records {
        match record {
            Record::Decision(scored) => insert_decision(&transaction, *position, scored)?,
            Record::Event(received) => insert_event(&transaction, *position, received)?,
            Record::StrategyActivated(active) => {
                let at = active.signature.at.0;
                let row = params![position, "strategy", active.name, active.hash, at];
                transaction.prepare_cached(INSERT_ACTIVATION)?.execute(row)?;
            }
            Record::ModelActivated(active) => {
                let row =
                    params![position, "model", active.name, active.hash, active.signature.at.0];
                transaction.prepare_cached(INSERT_ACTIVATION)?.execute(row)?;
            }
            Record::BackgroundActivated(active) => {
                let row = params![position, "background", active.name, active.hash, active.at.0];
                transaction.prepare_cached(INSERT_ACTIVATION)?.execute(row)?;
            }
            // No versions that judge; the journal tells them whole.
            Record::GraphActivated(_)
            | Record::StrategyProposed(_)
            | Record::StrategyApproved(_)
            | Record::ExperimentStarted(_)
            | Record::ExperimentRamped(_)
            | Record::ExperimentEnded(_)
            | Record::Followed(_) => {}
            Record::PersonChanged(changed) => {
                insert_audit(&transaction, *position, &changed.audited)?;
            }
            Record::ApiKeyChanged(changed) => {
                insert_audit(&transaction, *position, &changed.audited)?;
            }
            Record::Audited(entry) => insert_audit(&transaction, *position, entry)?,
            Record::Noted(note) => insert_note(&transaction, *position, note)?,
        }
    }
    transaction.prepare_cached(SET_PROGRESS)?.execute([last])?;
    transaction.commit()
}

fn insert_decision(
    transaction: &Transaction<'_>,
    position: u64,
    scored: &ScoredOrder,
) -> Result<(), rusqlite::Error> {
    let decision = &scored.decision;
    let top = top_risk(&decision.risks);
    let amount = scored.request.order.amount;
    transaction.prepare_cached(INSERT_DECISION)?.execute(params![
        position,
        decision.decision_id.0.as_bytes().as_slice(),
        decision.request_id,
        decision.order.channel,
        decision.order.order_id,
        decision.order.revision,
        decision.times.event_time.0,
        decision.times.received_time.0,
        state_code(decision.state),
        top.map(|risk| &risk.head.0),
        top.map(|risk| risk.probability.value()),
        top.map(|risk| band_code(risk.band)),
        decision.actions.first().map(|best| best.action.as_str()),
        amount.map(|amount| amount.minor_units),
        amount.map(|amount| amount.currency.as_str().to_owned()),
        decision.versions.model,
        decision.versions.strategy,
        scored.request.order.entity(EntityKind::Account).map(|it| it.key.to_string()),
        decision.reasons.first().map(|first| json(&first.text)).transpose()?,
        decision.is_blind,
    ])?;
    Ok(())
}

fn insert_event(
    transaction: &Transaction<'_>,
    position: u64,
    received: &ReceivedEvent,
) -> Result<(), rusqlite::Error> {
    let event = &received.event;
    let row = params![event.event_id, position];
    if transaction.prepare_cached(INSERT_EVENT)?.execute(row)? == 0 {
        return Ok(());
    }
    transaction.prepare_cached(COUNT_EVENT)?.execute([fact_kind(&event.fact)])?;
    let told = Told { position, received_time: received.received_time };
    match &event.fact {
        Fact::Choice(choice) => {
            insert_choice(transaction, position, choice)?;
            chosen(transaction, choice.decision_id, told)
        }
        Fact::Outcome(outcome) => {
            insert_outcome(transaction, position, outcome)?;
            followed(transaction, outcome, told)
        }
        Fact::OrderPlaced(_)
        | Fact::OrderPaid(_)
        | Fact::OrderCancelled(_)
        | Fact::StockReserved(_)
        | Fact::OrderShipped(_)
        | Fact::OrderDelivered(_)
        | Fact::OrderReturned(_)
        | Fact::OrderRefunded(_)
        | Fact::OrderChargedBack(_)
        | Fact::AccountCreated(_)
        | Fact::StockLevel(_)
        | Fact::MarketPrice(_)
        | Fact::Label(_) => {
            let Some(OrderKey { channel, order_id, .. }) = event.order_key() else {
                return Ok(());
            };
            let kind = fact_kind(&event.fact);
            let row = params![channel, order_id, event.event_time.0, position, kind];
            transaction.prepare_cached(INSERT_ORDER_EVENT)?.execute(row).map(drop)
        }
    }
}

fn insert_choice(
    transaction: &Transaction<'_>,
    position: u64,
    choice: &OperatorChoice,
) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached(INSERT_CHOICE)?.execute(params![
        choice.choice_id,
        position,
        choice.decision_id.0.as_bytes().as_slice(),
        choice.operator_id,
        choice.action.as_str(),
        choice.decided_at.0,
        json(choice)?,
    ])?;
    Ok(())
}

fn insert_outcome(
    transaction: &Transaction<'_>,
    position: u64,
    outcome: &Outcome,
) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached(INSERT_OUTCOME)?.execute(params![
        outcome.outcome_id,
        position,
        outcome.decision_id.as_ref().map(|id| id.0.as_bytes().as_slice()),
        outcome.order.as_ref().map(|order| &order.channel),
        outcome.order.as_ref().map(|order| &order.order_id),
        outcome.occurred_at.0,
        outcome.retracts,
        json(outcome)?,
    ])?;
    Ok(())
}

/// The number of a band in the table; a higher band has a higher number.
pub(crate) fn band_code(band: RiskBand) -> u8 {
    match band {
        RiskBand::Low => 0,
        RiskBand::Elevated => 1,
        RiskBand::High => 2,
    }
}

/// The number of a state in the table.
pub(crate) fn state_code(state: DecisionState) -> u8 {
    match state {
        DecisionState::Final => 0,
        DecisionState::Degraded => 1,
        DecisionState::Abstained => 2,
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<String, rusqlite::Error> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

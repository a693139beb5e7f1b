//! What a journal record adds to the records, in every database.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::decision::DecisionState;
use crate::domain::entity::EntityKind;
use crate::domain::event::Fact;
use crate::domain::feedback::{OperatorChoice, Outcome};
use crate::domain::order::OrderKey;
use crate::domain::record::{ReceivedEvent, Record, ScoredOrder};
use crate::domain::risk::{RiskBand, top_risk};
use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::records::access::{put_audit, put_note};
use crate::store::records::cases::{Told, chosen, followed};
use crate::store::records::database::{DatabaseError, Filling, Statements, Table, Turn};
use crate::store::records::erase::{erase, rename};

const COUNT_EVENTS: &str = "INSERT INTO event_counts VALUES (?1, ?2) ON CONFLICT (kind) \
    DO UPDATE SET n_events = event_counts.n_events + excluded.n_events";

/// The one handle that changes the records.
#[derive(Debug)]
pub struct RecordsWriter {
    place: Box<str>,
    filling: Box<dyn Filling>,
}

impl RecordsWriter {
    pub(super) fn new(place: Box<str>, filling: impl Filling + 'static) -> Self {
        Self { place, filling: Box::new(filling) }
    }

    /// Position of the last journal record that is in the records, as far as is known here.
    pub fn position(&self) -> u64 {
        self.filling.position()
    }

    pub(super) fn take_turn(&mut self, journal: &JournalReader) -> Result<Turn, Error> {
        self.filling.take_turn(journal)
    }

    /// Adds journal records, which follow in order on [`Self::position`]; older
    /// ones are passed over. All of them or none. What is told twice counts once.
    ///
    /// # Errors
    /// [`Error::Database`]; then nothing has changed and the call can be repeated.
    pub fn apply(&mut self, batch: &[(u64, Record)]) -> Result<(), Error> {
        self.filling.apply(batch).map_err(Error::database("fill", &self.place))
    }

    pub(super) fn caught_up(&mut self) -> Result<(), Error> {
        self.filling.caught_up().map_err(Error::database("fill", &self.place))
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

/// The records behind a position, and the position of the last of all, if it is behind it.
pub(super) fn fresh(batch: &[(u64, Record)], from: u64) -> Option<(&[(u64, Record)], u64)> {
    let rest = batch.get(batch.partition_point(|(position, _)| *position <= from)..)?;
    Some((rest, rest.last()?.0))
}

/// Adds records in order.
pub(super) fn fill(
    to: &mut dyn Statements,
    records: &[(u64, Record)],
) -> Result<(), DatabaseError> {
    let events: Vec<(&str, u64)> = records.iter().filter_map(event_place).collect();
    let fresh = to.put_events(&events)?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (position, record) in records {
        let position = *position;
        match record {
            Record::Decision(scored) => put_decision(to, position, scored)?,
            Record::Event(received) if fresh.contains(&position) => {
                *counts.entry(fact_kind(&received.event.fact)).or_default() += 1;
                put_fact(to, position, received)?;
            }
            // No versions that judge, which the journal tells whole; and what was told before.
            Record::Event(_)
            | Record::GraphActivated(_)
            | Record::StrategyProposed(_)
            | Record::StrategyApproved(_)
            | Record::ExperimentStarted(_)
            | Record::ExperimentRamped(_)
            | Record::ExperimentEnded(_)
            | Record::RotationStarted(_)
            | Record::Followed(_) => {}
            Record::StrategyActivated(active) => {
                let at = active.signature.at.0;
                put_activation(to, position, ("strategy", &active.name, &active.hash), at)?;
            }
            Record::ModelActivated(active) => {
                let at = active.signature.at.0;
                put_activation(to, position, ("model", &active.name, &active.hash), at)?;
            }
            Record::BackgroundActivated(active) => {
                let named = ("background", &*active.name, &*active.hash);
                put_activation(to, position, named, active.at.0)?;
            }
            Record::PersonChanged(changed) => put_audit(to, position, &changed.audited)?,
            Record::ApiKeyChanged(changed) => put_audit(to, position, &changed.audited)?,
            Record::IdentifierErased(erased) => erase(to, position, erased)?,
            Record::PseudonymLinked(linked) => rename(to, linked)?,
            Record::Audited(entry) => put_audit(to, position, entry)?,
            Record::Noted(note) => put_note(to, position, note)?,
        }
    }
    for (kind, n) in counts {
        to.execute(COUNT_EVENTS, &[kind.into(), n.into()])?;
    }
    Ok(())
}

fn event_place((position, record): &(u64, Record)) -> Option<(&str, u64)> {
    let Record::Event(received) = record else { return None };
    Some((&received.event.event_id, *position))
}

fn put_activation(
    to: &mut dyn Statements,
    position: u64,
    (kind, name, hash): (&str, &str, &str),
    at: i64,
) -> Result<(), DatabaseError> {
    let row = vec![position.into(), kind.into(), name.into(), hash.into(), at.into()];
    to.put(Table::Activations, row)
}

fn put_decision(
    to: &mut dyn Statements,
    position: u64,
    scored: &ScoredOrder,
) -> Result<(), DatabaseError> {
    let decision = &scored.decision;
    let top = top_risk(&decision.risks);
    let amount = scored.request.order.amount;
    let row = vec![
        position.into(),
        decision.decision_id.0.as_bytes().as_slice().into(),
        (&decision.request_id).into(),
        (&decision.order.channel).into(),
        (&decision.order.order_id).into(),
        decision.order.revision.into(),
        decision.times.event_time.0.into(),
        decision.times.received_time.0.into(),
        state_code(decision.state).into(),
        top.map(|risk| &risk.head.0).into(),
        top.map(|risk| risk.probability.value()).into(),
        top.map(|risk| band_code(risk.band)).into(),
        decision.actions.first().map(|best| best.action.as_str()).into(),
        amount.map(|amount| amount.minor_units).into(),
        amount.map(|amount| amount.currency.as_str().to_owned()).into(),
        (&*decision.versions.model).into(),
        (&*decision.versions.strategy).into(),
        scored.request.order.entity(EntityKind::Account).map(|it| it.key.to_string()).into(),
        decision.reasons.first().map(|first| json(&first.text)).transpose()?.into(),
        decision.is_blind.into(),
    ];
    to.put(Table::Decisions, row)
}

fn put_fact(
    to: &mut dyn Statements,
    position: u64,
    received: &ReceivedEvent,
) -> Result<(), DatabaseError> {
    let event = &received.event;
    let told = Told { position, received_time: received.received_time };
    match &event.fact {
        Fact::Choice(choice) => {
            put_choice(to, position, choice)?;
            chosen(to, choice.decision_id, told)
        }
        Fact::Outcome(outcome) => {
            put_outcome(to, position, outcome)?;
            followed(to, outcome, told)
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
            let row = vec![
                channel.into(),
                order_id.into(),
                event.event_time.0.into(),
                position.into(),
                fact_kind(&event.fact).into(),
            ];
            to.put(Table::OrderEvents, row)
        }
    }
}

fn put_choice(
    to: &mut dyn Statements,
    position: u64,
    choice: &OperatorChoice,
) -> Result<(), DatabaseError> {
    let row = vec![
        (&choice.choice_id).into(),
        position.into(),
        choice.decision_id.0.as_bytes().as_slice().into(),
        (&choice.operator_id).into(),
        choice.action.as_str().into(),
        choice.decided_at.0.into(),
        json(choice)?.into(),
    ];
    to.put(Table::Choices, row)
}

fn put_outcome(
    to: &mut dyn Statements,
    position: u64,
    outcome: &Outcome,
) -> Result<(), DatabaseError> {
    let row = vec![
        (&outcome.outcome_id).into(),
        position.into(),
        outcome.decision_id.as_ref().map(|id| id.0.as_bytes().as_slice()).into(),
        outcome.order.as_ref().map(|order| &order.channel).into(),
        outcome.order.as_ref().map(|order| &order.order_id).into(),
        outcome.occurred_at.0.into(),
        outcome.retracts.as_ref().into(),
        json(outcome)?.into(),
    ];
    to.put(Table::Outcomes, row)
}

/// The number of a band in the table; a higher band has a higher number.
pub(super) fn band_code(band: RiskBand) -> u8 {
    match band {
        RiskBand::Low => 0,
        RiskBand::Elevated => 1,
        RiskBand::High => 2,
    }
}

/// The number of a state in the table.
pub(super) fn state_code(state: DecisionState) -> u8 {
    match state {
        DecisionState::Final => 0,
        DecisionState::Degraded => 1,
        DecisionState::Abstained => 2,
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<String, DatabaseError> {
    Ok(serde_json::to_string(value)?)
}

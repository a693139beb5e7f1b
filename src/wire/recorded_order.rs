//! Journal records in short: a tenth of the work of reading them whole.
//!
//! The messages of `recorded_order.proto` share the numbers of the full ones, and what
//! they do not name is stepped over. A law holds both readings together.

use prost::Message as _;

use crate::domain::decision::ActionKind;
use crate::domain::feedback::Outcome;
use crate::domain::record::ScoreRequest;
use crate::domain::recorded_order::{
    ActionName, RecordedFact, RecordedOrder, ToldTruth, Truth, natural_name, outcome_name,
};
use crate::domain::risk::Probability;
use crate::domain::standing::Said;
use crate::domain::time::Timestamp;
use crate::wire::check::{Check, Path};
use crate::wire::error::Error;
use crate::wire::event::read_label;
use crate::wire::feedback::{read_decision_id, read_outcome};
use crate::wire::pb::journal::v1 as pb;
use crate::wire::record::read_request;

/// A label this high says that the risk came true.
const LABEL_MIN: f64 = 0.5;

/// What a record is about, as its first byte tells: the number of the entry's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A fact that was told.
    Event,
    /// A judged order.
    Decision,
    /// A strategy became active.
    StrategyActivated,
    /// Contributions compare with other orders.
    BackgroundActivated,
    /// An entry of the audit log, alone or with what it is about.
    Audited,
    /// How far a stream was executed.
    Followed,
    /// Somebody came with a pseudonym of another identity secret.
    PseudonymLinked,
    /// Anything else.
    Other,
}

impl RecordKind {
    /// The kind of a record that starts with this byte.
    pub fn of(first_byte: u8) -> Self {
        // A field of bytes is written as `number << 3 | 2`.
        match first_byte {
            0x0a => Self::Event,
            0x12 => Self::Decision,
            0x1a => Self::StrategyActivated,
            0x2a => Self::BackgroundActivated,
            // The last is the first of two bytes, as below: no other entry has one like it.
            0x62 | 0x6a | 0x7a | 0xfa => Self::Audited,
            0xf2 => Self::Followed,
            0x8a => Self::PseudonymLinked,
            _ => Self::Other,
        }
    }
}

/// The record in these bytes, as far as a back-test needs it.
///
/// # Errors
/// [`Error::Decode`] when the bytes are no record, [`Error::Invalid`] when a field that
/// is needed is missing or out of range.
pub fn decode_short(bytes: &[u8]) -> Result<RecordedFact, Error> {
    use pb::narrow_record::Entry;
    let mut check = Check::of_journal();
    let root = Path::Root;
    let read = match pb::NarrowRecord::decode(bytes)?.entry {
        None => Some(RecordedFact::Other),
        Some(Entry::Event(received)) => {
            let event = received.event.unwrap_or_default();
            read_event(&mut check, &root.field("event"), event)
        }
        Some(Entry::Decision(scored)) => read_scored(&mut check, &root.field("decision"), scored)
            .map(|order| RecordedFact::Order(Box::new(order))),
    };
    check.finish(read)
}

/// When what a record tells happened; `None` when it tells neither fact nor order.
///
/// # Errors
/// As [`decode_short`].
pub fn event_time(bytes: &[u8]) -> Result<Option<Timestamp>, Error> {
    use pb::narrow_record::Entry;
    let mut check = Check::of_journal();
    let time = match pb::NarrowRecord::decode(bytes)?.entry {
        None => None,
        Some(Entry::Event(received)) => received.event.and_then(|event| event.event_time),
        Some(Entry::Decision(scored)) => scored.request.and_then(|request| request.event_time),
    };
    let read = time.map(|time| check.time(&Path::Root.field("event_time"), time));
    check.finish(Some(read.flatten()))
}

fn read_event(
    check: &mut Check<'_>,
    path: &Path<'_>,
    event: pb::NarrowEvent,
) -> Option<RecordedFact> {
    use pb::narrow_event::Fact;
    let told = match event.fact {
        None => return Some(RecordedFact::Other),
        Some(Fact::OrderChargedBack(step)) => {
            let at = path.field("order_charged_back");
            let order = check.required(&at, step.order, Check::order_key)?;
            ToldTruth { order: Some(order), decision_id: None, truth: Truth::Bad }
        }
        Some(Fact::Label(label)) => {
            let label = read_label(check, &path.field("label"), label)?;
            let truth = Truth::Labeled {
                head: label.head,
                is_bad: LABEL_MIN <= label.value,
                matures_at: label.matures_at,
            };
            ToldTruth { order: Some(label.order), decision_id: None, truth }
        }
        Some(Fact::Outcome(outcome)) => {
            let outcome = read_outcome(check, &path.field("outcome"), outcome)?;
            let Some(truth) = truth_of(&outcome) else { return Some(RecordedFact::Other) };
            ToldTruth { order: outcome.order, decision_id: outcome.decision_id, truth }
        }
    };
    Some(RecordedFact::Truth(told))
}

/// What an outcome says about the order as a whole, or takes back; most say nothing.
fn truth_of(outcome: &Outcome) -> Option<Truth> {
    let said = Said::from(outcome);
    let said = Said {
        id: outcome_name(said.id),
        key: said.key.map(natural_name),
        occurred_at: said.occurred_at,
        retracts: said.retracts.map(outcome_name),
    };
    if said.retracts.is_some() {
        return Some(Truth::Outcome { said, is_bad: None });
    }
    let is_bad = outcome.kind.shows_bad()?;
    Some(Truth::Outcome { said, is_bad: Some(is_bad) })
}

fn read_scored(
    check: &mut Check<'_>,
    path: &Path<'_>,
    scored: pb::NarrowScoredOrder,
) -> Option<RecordedOrder> {
    let request = check.required(&path.field("request"), scored.request, read_request);
    let decided = path.field("decision");
    let decision = check.required(&decided, scored.decision, |_, _, it| Some(it))?;
    let id = decided.field("decision_id");
    let decision_id = read_decision_id(check, &id, &decision.decision_id);
    let versions = decision.versions.unwrap_or_default();
    let first = decided.field("actions");
    let is_released = decision.exploration.is_some_and(|drawn| drawn.is_released);
    let first_action: Option<Option<ActionName>> = match decision.actions.into_iter().next() {
        None => Some(None),
        Some(_) if is_released => Some(Some(declined())),
        Some(best) => check
            .choice(&first, best.action)
            .map(|action| Some(ActionName { action, plan: best.plan.into() })),
    };
    let ScoreRequest { event_time, order, .. } = request?;
    Some(RecordedOrder {
        decision_id: decision_id?,
        event_time,
        order,
        model_hash: versions.model_hash.into(),
        strategy_hash: versions.strategy_hash.into(),
        background_hash: versions.background_hash.into(),
        first_action: first_action?,
        propensity: Probability::clamped(
            decision.assignment.map_or(1.0, |assignment| assignment.propensity),
        ),
        features: scored.features,
    })
}

/// What the strategy of an order that was released to learn would have done: only what is
/// declined outright is drawn.
fn declined() -> ActionName {
    ActionName { action: ActionKind::Decline, plan: Box::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Fact;
    use crate::domain::record::Record;
    use crate::wire::record::encode;
    use crate::wire::samples;

    #[test]
    fn the_first_byte_tells_what_a_record_is_about() {
        for record in samples::records() {
            let expected = match &record {
                Record::Event(_) => RecordKind::Event,
                Record::Decision(_) => RecordKind::Decision,
                Record::StrategyActivated(_) => RecordKind::StrategyActivated,
                Record::BackgroundActivated(_) => RecordKind::BackgroundActivated,
                Record::StrategyProposed(_)
                | Record::StrategyApproved(_)
                | Record::ModelActivated(_)
                | Record::GraphActivated(_)
                | Record::ExperimentStarted(_)
                | Record::ExperimentRamped(_)
                | Record::ExperimentEnded(_)
                | Record::RotationStarted(_)
                | Record::Noted(_) => RecordKind::Other,
                Record::Followed(_) => RecordKind::Followed,
                Record::PseudonymLinked(_) => RecordKind::PseudonymLinked,
                Record::PersonChanged(_)
                | Record::ApiKeyChanged(_)
                | Record::IdentifierErased(_)
                | Record::Audited(_) => RecordKind::Audited,
            };
            assert_eq!(RecordKind::of(encode(&record)[0]), expected);
        }
    }

    #[test]
    fn both_readings_of_a_record_agree() {
        for record in samples::records() {
            let short = decode_short(&encode(&record)).unwrap();
            match &record {
                Record::Decision(scored) => {
                    let decision = &scored.decision;
                    let expected = RecordedOrder {
                        decision_id: decision.decision_id,
                        event_time: scored.request.event_time,
                        order: scored.request.order.clone(),
                        model_hash: (&*decision.versions.model_hash).into(),
                        strategy_hash: (&*decision.versions.strategy_hash).into(),
                        background_hash: (&*decision.versions.background_hash).into(),
                        // The sample was released to learn.
                        first_action: Some(declined()),
                        propensity: decision.versions.propensity,
                        features: decision.features.clone(),
                    };
                    assert_eq!(short, RecordedFact::Order(Box::new(expected)));
                }
                Record::Event(received) => check_event(&received.event.fact, &short),
                Record::StrategyProposed(_)
                | Record::StrategyApproved(_)
                | Record::StrategyActivated(_)
                | Record::ModelActivated(_)
                | Record::BackgroundActivated(_)
                | Record::GraphActivated(_)
                | Record::ExperimentStarted(_)
                | Record::ExperimentRamped(_)
                | Record::ExperimentEnded(_)
                | Record::PersonChanged(_)
                | Record::ApiKeyChanged(_)
                | Record::Audited(_)
                | Record::Noted(_)
                | Record::IdentifierErased(_)
                | Record::RotationStarted(_)
                | Record::PseudonymLinked(_)
                | Record::Followed(_) => assert_eq!(short, RecordedFact::Other),
            }
        }
    }

    fn check_event(fact: &Fact, short: &RecordedFact) {
        let truth = match short {
            RecordedFact::Truth(told) => Some(told),
            RecordedFact::Order(_) | RecordedFact::Other => None,
        };
        match fact {
            Fact::Label(label) => {
                let told = truth.unwrap();
                assert_eq!(told.order.as_ref(), Some(&label.order));
                let is_bad = LABEL_MIN <= label.value;
                let (head, matures_at) = (label.head.clone(), label.matures_at);
                assert_eq!(told.truth, Truth::Labeled { head, is_bad, matures_at });
            }
            Fact::OrderChargedBack(step) => {
                assert_eq!(truth.unwrap().order.as_ref(), Some(&step.order));
            }
            Fact::Outcome(outcome) => {
                assert_eq!(truth.map(|told| &told.truth), truth_of(outcome).as_ref());
            }
            Fact::OrderPlaced(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Choice(_) => assert_eq!(truth, None),
        }
    }
}

//! Journal records to and from bytes, without loss.

use prost::Message as _;

use crate::domain::record::{
    BackgroundActivated, GraphActivated, ModelActivated, ReceivedEvent, Record, ScoreRequest,
    ScoredOrder,
};
use crate::domain::risk::Contribution;
use crate::domain::strategy_version::Signature;
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::error::Error;
use crate::wire::pb::journal::v1 as pb;
use crate::wire::scored_bytes::record_bytes;
use crate::wire::{
    access_record, erasure_record, event, experiment_record, key_record, order, proposal,
    stored_decision, strategy_record,
};

/// The bytes of a record.
pub fn encode(record: &Record) -> Vec<u8> {
    use pb::record::Entry;
    let entry = match record {
        Record::Decision(scored) => return record_bytes(scored),
        Record::Event(received) => return encode_event(received),
        Record::StrategyProposed(proposed) => {
            Entry::StrategyProposed(strategy_record::proposed_to_pb(proposed))
        }
        Record::StrategyApproved(approved) => {
            Entry::StrategyApproved(strategy_record::approved_to_pb(approved))
        }
        Record::StrategyActivated(activated) => {
            Entry::StrategyActivated(strategy_record::activated_to_pb(activated))
        }
        Record::ModelActivated(active) => Entry::ModelActivated(pb::ModelActivated {
            name: active.name.to_string(),
            hash: active.hash.to_string(),
            at: Some(time_to_pb(active.signature.at)),
            by: active.signature.by.to_string(),
            note: active.signature.note.to_string(),
            report_hash: active.report_hash.to_string(),
        }),
        Record::BackgroundActivated(active) => Entry::BackgroundActivated(background_to_pb(active)),
        Record::GraphActivated(active) => Entry::GraphActivated(pb::GraphActivated {
            settings: active.settings.to_string(),
            at: Some(time_to_pb(active.at)),
        }),
        Record::ExperimentStarted(started) => {
            Entry::ExperimentStarted(experiment_record::started_to_pb(started))
        }
        Record::ExperimentRamped(ramped) => {
            Entry::ExperimentRamped(experiment_record::ramped_to_pb(ramped))
        }
        Record::ExperimentEnded(ended) => {
            Entry::ExperimentEnded(experiment_record::ended_to_pb(ended))
        }
        Record::PersonChanged(changed) => {
            Entry::PersonChanged(access_record::changed_to_pb(changed))
        }
        Record::ApiKeyChanged(changed) => Entry::ApiKeyChanged(key_record::changed_to_pb(changed)),
        Record::IdentifierErased(erased) => {
            Entry::IdentifierErased(erasure_record::erased_to_pb(erased))
        }
        Record::RotationStarted(started) => {
            Entry::RotationStarted(erasure_record::rotation_to_pb(started))
        }
        Record::PseudonymLinked(linked) => {
            Entry::PseudonymLinked(erasure_record::linked_to_pb(linked))
        }
        Record::Audited(entry) => Entry::Audited(access_record::audited_to_pb(entry)),
        Record::Noted(note) => Entry::Noted(access_record::noted_to_pb(note)),
        Record::Followed(followed) => Entry::Followed(proposal::followed_to_pb(followed)),
    };
    pb::Record { entry: Some(entry) }.encode_to_vec()
}

/// The bytes of the record of a fact.
pub fn encode_event(received: &ReceivedEvent) -> Vec<u8> {
    let entry = pb::record::Entry::Event(pb::ReceivedEvent {
        event: Some(event::to_pb(&received.event)),
        received_time: Some(time_to_pb(received.received_time)),
    });
    pb::Record { entry: Some(entry) }.encode_to_vec()
}

/// The record in these bytes.
///
/// # Errors
/// [`Error::Decode`] when the bytes are no record, [`Error::Invalid`] when a field
/// of it is missing or out of range.
pub fn decode(bytes: &[u8]) -> Result<Record, Error> {
    let record = pb::Record::decode(bytes)?;
    let mut check = Check::of_journal();
    let root = Path::Root;
    let read = check.required(&root.field("entry"), record.entry, |check, _, entry| {
        read_entry(check, &root, entry)
    });
    check.finish(read)
}

fn read_entry(check: &mut Check<'_>, path: &Path<'_>, entry: pb::record::Entry) -> Option<Record> {
    use pb::record::Entry;
    match entry {
        Entry::Event(received) => {
            let event = check.required(&path.field("event"), received.event, event::read);
            let at = path.field("received_time");
            let received_time = check.required(&at, received.received_time, Check::time);
            Some(Record::Event(ReceivedEvent { event: event?, received_time: received_time? }))
        }
        Entry::Decision(scored) => read_scored(check, &path.field("decision"), scored)
            .map(|scored| Record::Decision(scored.into())),
        Entry::StrategyProposed(proposed) => strategy_record::read_proposed(check, path, proposed),
        Entry::StrategyApproved(approved) => strategy_record::read_approved(check, path, approved),
        Entry::StrategyActivated(activated) => {
            strategy_record::read_activated(check, path, activated)
        }
        Entry::ModelActivated(active) => {
            let at = check.required(&path.field("at"), active.at, Check::time);
            Some(Record::ModelActivated(ModelActivated {
                name: active.name.into_boxed_str(),
                hash: active.hash.into_boxed_str(),
                signature: Signature { by: active.by.into(), at: at?, note: active.note.into() },
                report_hash: active.report_hash.into_boxed_str(),
            }))
        }
        Entry::BackgroundActivated(active) => {
            read_background(check, path, active).map(Record::BackgroundActivated)
        }
        Entry::GraphActivated(active) => {
            let at = check.required(&path.field("at"), active.at, Check::time);
            let settings = active.settings.into_boxed_str();
            Some(Record::GraphActivated(GraphActivated { settings, at: at? }))
        }
        Entry::ExperimentStarted(started) => experiment_record::read_started(check, path, started),
        Entry::ExperimentRamped(ramped) => experiment_record::read_ramped(check, path, ramped),
        Entry::ExperimentEnded(ended) => experiment_record::read_ended(check, path, ended),
        Entry::PersonChanged(changed) => access_record::read_changed(check, path, changed),
        Entry::ApiKeyChanged(changed) => key_record::read_changed(check, path, changed),
        Entry::IdentifierErased(erased) => erasure_record::read_erased(check, path, erased),
        Entry::RotationStarted(started) => erasure_record::read_rotation(check, path, started),
        Entry::PseudonymLinked(linked) => erasure_record::read_linked(check, path, linked),
        Entry::Audited(audited) => access_record::read_audited(check, path, audited),
        Entry::Noted(note) => access_record::read_noted(check, path, note),
        Entry::Followed(followed) => Some(Record::Followed(proposal::read_followed(followed))),
    }
}

/// The message for a background.
pub fn background_to_pb(active: &BackgroundActivated) -> pb::BackgroundActivated {
    pb::BackgroundActivated {
        name: active.name.to_string(),
        hash: active.hash.to_string(),
        model_hash: active.model_hash.to_string(),
        n_features: active.n_features,
        ranks: active.ranks.clone(),
        at: Some(time_to_pb(active.at)),
    }
}

/// Reads a background.
pub fn read_background(
    check: &mut Check<'_>,
    path: &Path<'_>,
    active: pb::BackgroundActivated,
) -> Option<BackgroundActivated> {
    let at = check.required(&path.field("at"), active.at, Check::time);
    Some(BackgroundActivated {
        name: active.name.into_boxed_str(),
        hash: active.hash.into_boxed_str(),
        model_hash: active.model_hash.into_boxed_str(),
        n_features: active.n_features,
        ranks: active.ranks,
        at: at?,
    })
}

fn read_scored(
    check: &mut Check<'_>,
    path: &Path<'_>,
    scored: pb::ScoredOrder,
) -> Option<ScoredOrder> {
    let request = check.required(&path.field("request"), scored.request, read_request);
    let decided = path.field("decision");
    let decision = check.required(&decided, scored.decision, stored_decision::read);
    let (request, mut decision) = (request?, decision?);
    decision.features = scored.features;
    let columns = path.field("contributions");
    if scored.contributions.len() != decision.risks.len() {
        check.note(&columns, "must have one element per risk");
        return None;
    }
    for (idx, (risk, column)) in decision.risks.iter_mut().zip(scored.contributions).enumerate() {
        let path = columns.index(idx);
        risk.contributions = read_columns(check, &path, &scored.cells, &column)?;
    }
    Some(ScoredOrder { request, decision: decision.into() })
}

fn read_columns(
    check: &mut Check<'_>,
    path: &Path<'_>,
    cells: &[pb::FeatureCell],
    columns: &pb::RiskContributions,
) -> Option<Vec<Contribution>> {
    if columns.cells.len() != columns.log_odds.len() {
        check.note(path, "must have columns of equal length");
        return None;
    }
    let mut read = Vec::with_capacity(columns.cells.len());
    for (&cell_idx, &log_odds) in columns.cells.iter().zip(&columns.log_odds) {
        let Some(cell) = cells.get(cell_idx as usize) else {
            check.note(path, format!("names cell {cell_idx}, which is not there"));
            return None;
        };
        read.push(Contribution {
            feature: cell.feature.as_str().into(),
            group: check.choice(&path.field("group"), cell.group)?,
            value: cell.value,
            log_odds,
            weight: cell.weight,
        });
    }
    Some(read)
}

/// The message for what was asked.
pub fn request_to_pb(request: &ScoreRequest) -> pb::ScoreRequest {
    pb::ScoreRequest {
        request_id: request.request_id.to_string(),
        event_time: Some(time_to_pb(request.event_time)),
        order: Some(order::to_pb(&request.order)),
        max_actions: request.max_actions,
        max_contributions: request.max_contributions,
    }
}

/// Reads what was asked.
pub fn read_request(
    check: &mut Check<'_>,
    path: &Path<'_>,
    request: pb::ScoreRequest,
) -> Option<ScoreRequest> {
    let at = path.field("event_time");
    let event_time = check.required(&at, request.event_time, Check::time);
    let order = check.required(&path.field("order"), request.order, order::read);
    Some(ScoreRequest {
        request_id: request.request_id.into_boxed_str(),
        event_time: event_time?,
        order: order?,
        max_actions: request.max_actions,
        max_contributions: request.max_contributions,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::decision::Decision;
    use crate::wire::samples;

    #[test]
    fn a_record_of_any_kind_reads_back_as_it_was_written() {
        for record in samples::records() {
            assert_eq!(decode(&encode(&record)).unwrap(), record);
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        assert!(matches!(decode(b"\xff\xff\xff"), Err(Error::Decode(_))));
        let error = decode(b"").unwrap_err();
        assert_eq!(error.to_string(), "1 fields are invalid; entry is required");
    }

    #[test]
    fn records_are_written_as_their_messages_would_be() {
        for record in samples::records() {
            let bytes = encode(&record);
            let message = pb::Record::decode(&*bytes).unwrap();
            assert!(message.encode_to_vec() == bytes, "{record:?}");
        }
    }

    fn bits(decision: &Decision) -> Vec<u64> {
        let features = decision.features.iter().map(|value| u64::from(value.to_bits()));
        let shifts = decision.risks.iter().flat_map(|risk| &risk.contributions);
        shifts
            .flat_map(|shift| [shift.log_odds, shift.weight, shift.value.unwrap_or_default()])
            .map(f64::to_bits)
            .chain(features)
            .collect()
    }

    proptest! {
        #[test]
        fn numbers_keep_every_bit(
            value in proptest::option::of(any::<u64>()),
            log_odds in any::<u64>(),
            weight in any::<u64>(),
            features in proptest::collection::vec(any::<u32>(), 0..20),
            time in any::<i64>(),
        ) {
            let mut scored = samples::scored_order();
            let shift = &mut std::sync::Arc::make_mut(&mut scored.decision).risks[1].contributions[0];
            shift.value = value.map(f64::from_bits);
            shift.log_odds = f64::from_bits(log_odds);
            // The format keeps a zero but not its sign.
            shift.weight = f64::from_bits(weight) + 0.0;
            std::sync::Arc::make_mut(&mut scored.decision).features = features.into_iter().map(f32::from_bits).collect();
            scored.request.event_time = crate::domain::time::Timestamp(time);
            let bytes = encode(&Record::Decision(std::sync::Arc::new(scored.clone())));
            let Record::Decision(read) = decode(&bytes).unwrap() else { panic!("another kind") };
            prop_assert_eq!(bits(&read.decision), bits(&scored.decision));
            prop_assert_eq!(&read.request, &scored.request);
        }
    }
}

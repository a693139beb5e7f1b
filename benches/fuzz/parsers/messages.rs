//! Messages of callers, read with all their checks, and records of the journal.

use std::sync::Arc;

use orderlens::domain::decision::DecisionId;
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::folded_order::{FoldedDecision, FoldedRecord};
use orderlens::domain::record::{
    BackgroundActivated, GraphActivated, ModelActivated, ReceivedEvent, Record, ScoreRequest,
    ScoredOrder,
};
use orderlens::domain::strategy_version::Signature;
use orderlens::domain::time::Timestamp;
use orderlens::grpc::deadline::parse_timeout;
use orderlens::wire::check::{Check, Door, Path};
use orderlens::wire::error::Error;
use orderlens::wire::folded_order::decode_folded;
use orderlens::wire::pb::v1 as pb;
use orderlens::wire::{event, feedback, record, request, what_if};
use prost::Message;
use uuid::Uuid;

use super::sample_decision::decide;
use super::{Said, Target, mutate, sample_orders, wire_tree};

/// Some minutes after the sample orders were placed.
const NOW: Timestamp = Timestamp(1_771_246_800_000_000);

pub(crate) fn targets() -> Vec<Target> {
    let orders = || (0..4).map(sample_orders::request);
    let ask = |request| pb::WhatIfRequest {
        subject: Some(pb::what_if_request::Subject::Request(request)),
        ..Default::default()
    };
    let choice = sample_orders::choice(1, &Uuid::nil().to_string());
    vec![
        message("request", encoded(orders()), |raw, door| {
            said(pb::ScoreOrderRequest::decode(raw), |it| request::score_order(it, door).map(drop))
        }),
        message("what-if", encoded(orders().map(ask)), |raw, door| {
            said(pb::WhatIfRequest::decode(raw), |it| what_if::what_if(it, door).map(drop))
        }),
        message("list", vec![vec![0x10, 50], vec![0x1a, 1, b'x']], |raw, door| {
            said(pb::ListDecisionsRequest::decode(raw), |it| {
                request::list_decisions(it, door).map(drop)
            })
        }),
        message("event", encoded((0..4).map(sample_orders::paid)), |raw, door| {
            said(pb::Event::decode(raw), |it| {
                let mut check = Check::at_door(door);
                let read = event::read(&mut check, &Path::Root, it);
                check.finish(read).map(drop)
            })
        }),
        message("choice", encoded([choice]), |raw, door| {
            said(pb::OperatorChoice::decode(raw), |it| {
                let mut check = Check::at_door(door);
                let read = feedback::read_choice(&mut check, &Path::Root, it);
                check.finish(read).map(drop)
            })
        }),
        message("outcome", encoded([outcome()]), |raw, door| {
            said(pb::Outcome::decode(raw), |it| {
                let mut check = Check::at_door(door);
                let read = feedback::read_outcome(&mut check, &Path::Root, it);
                check.finish(read).map(drop)
            })
        }),
        message("record", records().iter().map(record::encode).collect(), |raw, _| {
            drop(decode_folded(raw));
            match record::decode(raw) {
                Ok(read) => {
                    // What was read is what will be read: a replay depends on it.
                    let again = record::encode(&read);
                    let kept = record::decode(&again).unwrap();
                    assert_eq!(record::encode(&kept), again);
                    check_folded(&kept, &decode_folded(&again).unwrap());
                    Said::accepted(&again.len().ilog2().to_string())
                }
                Err(error) => refused(&error),
            }
        }),
        timeout(),
    ]
}

/// What a state is folded from is what the whole record tells.
fn check_folded(record: &Record, folded: &FoldedRecord) {
    let is_same = match (record, folded) {
        (Record::Decision(scored), FoldedRecord::Order(order)) => {
            let told = FoldedDecision::of(&scored.decision);
            // NaN is unlike itself, but not its text.
            order.request == scored.request && order.decision == told
                || format!("{:?}", (&order.request, &order.decision))
                    == format!("{:?}", (&scored.request, &told))
        }
        (record, FoldedRecord::Other(whole)) => record::encode(whole) == record::encode(record),
        (_, FoldedRecord::Order(_)) => false,
    };
    assert!(is_same, "{record:?} is folded as {folded:?}");
}

/// Records of several kinds.
pub(crate) fn records() -> Vec<Record> {
    let key = IdentityKey::from_secret(b"fuzz");
    let door = Door { identity: &key, now: NOW };
    let mut records = Vec::new();
    for n in 0..2_u32 {
        let request = request::score_order(sample_orders::request(n.into()), door).unwrap().request;
        records.push(Record::Decision(scored(request, n)));
        let mut check = Check::at_door(door);
        let read = event::read(&mut check, &Path::Root, sample_orders::paid(n.into()));
        let event = check.finish(read).unwrap();
        records.push(Record::Event(ReceivedEvent { event, received_time: NOW }));
    }
    let signature = Signature { by: "ann".into(), at: NOW, note: "first".into() };
    records.push(Record::ModelActivated(ModelActivated {
        name: "risk/1".into(),
        hash: "0a".repeat(32).into(),
        signature,
        report_hash: "".into(),
    }));
    records.push(Record::BackgroundActivated(BackgroundActivated {
        name: "latest".into(),
        hash: "0b".repeat(32).into(),
        model_hash: "0a".repeat(32).into(),
        n_features: 3,
        ranks: vec![1, 2, 3, 4, 5, 6],
        at: NOW,
    }));
    let settings = "retention_days = 400".into();
    records.push(Record::GraphActivated(GraphActivated { settings, at: NOW }));
    records
}

fn scored(request: ScoreRequest, n: u32) -> Arc<ScoredOrder> {
    let id = DecisionId(Uuid::from_u128(0x019c_6a3e_0000_7000_8000_0000_0000_0000 + u128::from(n)));
    let decision = Arc::new(decide(&request, id, NOW));
    Arc::new(ScoredOrder { request, decision })
}

fn outcome() -> pb::Outcome {
    pb::Outcome {
        outcome_id: "outcome-1".to_owned(),
        decision_id: Some(Uuid::nil().to_string()),
        kind: pb::OutcomeKind::Refund.into(),
        occurred_at: Some(prost_types::Timestamp { seconds: 1_771_243_300, nanos: 0 }),
        source: pb::OutcomeSource::Network.into(),
        ..Default::default()
    }
}

fn encoded<M: Message>(messages: impl IntoIterator<Item = M>) -> Vec<Vec<u8>> {
    messages.into_iter().map(|it| it.encode_to_vec()).collect()
}

fn message(
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    read: impl Fn(&[u8], Door<'_>) -> Said + 'static,
) -> Target {
    let key = IdentityKey::from_secret(b"fuzz");
    Target {
        name,
        seeds,
        damage: Box::new(|dice, raw, other| wire_tree::message(dice, &raw, other)),
        read: Box::new(move |raw| read(raw, Door { identity: &key, now: NOW })),
        cost: 1,
    }
}

fn said<M>(
    decoded: Result<M, prost::DecodeError>,
    read: impl FnOnce(M) -> Result<(), Error>,
) -> Said {
    match decoded.map_err(Error::from).and_then(read) {
        Ok(()) => Said::accepted("read"),
        Err(error) => refused(&error),
    }
}

/// Fields and descriptions are the reader's own words, without the caller's values.
fn refused(error: &Error) -> Said {
    match error {
        Error::Decode(inner) => Said::refused(&inner.to_string()),
        Error::Invalid(_) => Said::refused(&error.to_string()),
    }
}

/// The header by which callers send their deadline.
fn timeout() -> Target {
    Target {
        name: "timeout",
        seeds: ["1S", "20m", "99999999H", "5u", "7n"].map(|it| it.as_bytes().to_vec()).to_vec(),
        damage: Box::new(mutate::bytes),
        read: Box::new(|raw| {
            let Ok(text) = str::from_utf8(raw) else { return Said::refused("not text") };
            match parse_timeout(text) {
                Some(budget) => Said::accepted(&budget.as_nanos().max(1).ilog2().to_string()),
                None => Said::refused(&text.len().min(12).to_string()),
            }
        }),
        cost: 1,
    }
}

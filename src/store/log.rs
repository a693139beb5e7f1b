//! The journal as the rest of the service sees it: domain records, not bytes.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::domain::folded_order::FoldedRecord;
use crate::domain::record::{
    BackgroundActivated, Followed, ReceivedEvent, Record, ScoreRequest, ScoredOrder,
};
use crate::domain::recorded_order::RecordedFact;
use crate::domain::time::Timestamp;
use crate::store::error::Error;
use crate::store::journal::JournalWriter;
use crate::store::journal::reader::JournalReader;
use crate::wire::folded_order::decode_folded;
use crate::wire::record::{decode, encode, encode_event};
use crate::wire::recorded_order::{RecordKind, decode_short, event_time};
use crate::wire::scored_bytes;

/// Queues a record; see [`JournalWriter::submit`].
///
/// # Errors
/// Those of [`JournalWriter::submit`].
pub fn submit(
    writer: &JournalWriter,
    record: &Record,
    done: impl FnOnce(Result<u64, Arc<Error>>) + Send + 'static,
) -> Result<u64, Error> {
    writer.submit(encode(record), done)
}

/// Queues a record, waiting for room; see [`JournalWriter::submit_when_room`].
///
/// # Errors
/// Those of [`JournalWriter::submit_when_room`].
pub fn submit_when_room(
    writer: &JournalWriter,
    record: &Record,
    done: impl FnOnce(Result<u64, Arc<Error>>) + Send + 'static,
) -> Result<u64, Error> {
    writer.submit_when_room(encode(record), done)
}

/// The bytes that the journal holds for a record.
pub fn bytes_of(record: &Record) -> Vec<u8> {
    encode(record)
}

/// The bytes that the journal holds for a fact.
pub fn event_bytes(received: &ReceivedEvent) -> Vec<u8> {
    encode_event(received)
}

/// What a request asks, as bytes; see [`scored_bytes::asked_bytes`].
pub fn asked_bytes(request: &ScoreRequest) -> Vec<u8> {
    scored_bytes::asked_bytes(request)
}

/// A judged order as the journal would give it back: without the sign of a zero.
///
/// # Errors
/// [`Error::Undecodable`] when it would not read back.
pub fn as_recorded(scored: Arc<ScoredOrder>) -> Result<Arc<ScoredOrder>, Error> {
    let again = read(0, &encode(&Record::Decision(scored.clone())))?;
    if let Record::Decision(kept) = again { Ok(kept) } else { Ok(scored) }
}

/// Adds a record and waits until it is durable; see [`JournalWriter::append`].
///
/// # Errors
/// Those of [`JournalWriter::append`].
pub fn append(writer: &JournalWriter, record: &Record) -> Result<u64, Error> {
    writer.append(encode(record))
}

/// Every durable record from `position` on; see [`JournalReader::read_from`].
pub fn read_from(
    reader: &JournalReader,
    position: u64,
) -> impl Iterator<Item = Result<(u64, Record), Error>> + use<> {
    reader.read_from(position).map(|entry| {
        let (position, payload) = entry?;
        Ok((position, read(position, &payload)?))
    })
}

/// The same, each as far as a state is folded from it.
///
/// # Errors
/// Each entry can be [`Error::Undecodable`] or what the journal reader reports.
pub fn read_to_fold(
    reader: &JournalReader,
    position: u64,
) -> impl Iterator<Item = Result<(u64, FoldedRecord), Error>> + use<> {
    reader.read_from(position).map(|entry| {
        let (position, payload) = entry?;
        let read = decode_folded(&payload);
        Ok((position, read.map_err(|source| Error::Undecodable { position, source })?))
    })
}

/// Every durable record that holds an entry of the audit log, in order; all others are read
/// past, one at a time.
pub fn read_audited(
    reader: &JournalReader,
) -> impl Iterator<Item = Result<(u64, Record), Error>> + use<> {
    read_kind(reader, RecordKind::Audited)
}

/// Every link of a pseudonym to another one, oldest first.
///
/// # Errors
/// Each entry can be [`Error::Undecodable`] or what the journal reader reports.
pub fn read_linked(
    reader: &JournalReader,
) -> impl Iterator<Item = Result<(u64, Record), Error>> + use<> {
    read_kind(reader, RecordKind::PseudonymLinked)
}

fn read_kind(
    reader: &JournalReader,
    kind: RecordKind,
) -> impl Iterator<Item = Result<(u64, Record), Error>> + use<> {
    let is_kind =
        move |payload: &[u8]| payload.first().is_some_and(|first| RecordKind::of(*first) == kind);
    reader.read_from(1).filter_map(move |entry| match entry {
        Ok((position, payload)) if is_kind(&payload) => {
            Some(read(position, &payload).map(|record| (position, record)))
        }
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// One record; `None` when there is none at this position (yet).
///
/// # Errors
/// [`Error::Undecodable`], and those of [`JournalReader::read_at`].
pub fn read_at(reader: &JournalReader, position: u64) -> Result<Option<Record>, Error> {
    reader.read_at(position)?.map(|payload| read(position, &payload)).transpose()
}

/// Position of the `n`th newest judged order, of the oldest one when there are fewer;
/// `None` when there is none.
///
/// # Errors
/// Those of [`JournalReader::visit_back`].
pub fn nth_last_decision(reader: &JournalReader, n: u64) -> Result<Option<u64>, Error> {
    let (mut found, mut n_left) = (None, n);
    let is_decision = |first| RecordKind::of(first) == RecordKind::Decision;
    reader.visit_back(u64::MAX, is_decision, |position| {
        if n_left == 0 {
            return Ok(ControlFlow::Break(()));
        }
        found = Some(position);
        n_left -= 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// The file of the strategy with a hash, activated before a position.
///
/// # Errors
/// Those of [`JournalReader::visit_back`] and [`read_at`].
pub fn find_strategy(
    reader: &JournalReader,
    before: u64,
    hash: &str,
) -> Result<Option<Arc<str>>, Error> {
    find_back(reader, before, RecordKind::StrategyActivated, |record| {
        let Record::StrategyActivated(active) = record else { return None };
        (*active.hash == *hash).then_some(active.toml)
    })
}

/// The background with a hash, activated before a position.
///
/// # Errors
/// Those of [`JournalReader::visit_back`] and [`read_at`].
pub fn find_background(
    reader: &JournalReader,
    before: u64,
    hash: &str,
) -> Result<Option<BackgroundActivated>, Error> {
    find_back(reader, before, RecordKind::BackgroundActivated, |record| {
        let Record::BackgroundActivated(active) = record else { return None };
        (*active.hash == *hash).then_some(active)
    })
}

/// How far the newest message of a stream that was executed in full reaches: its position,
/// and what it says.
///
/// # Errors
/// Those of [`JournalReader::visit_back`] and [`read_at`].
pub fn last_followed(reader: &JournalReader) -> Result<Option<(u64, Followed)>, Error> {
    let mut found = None;
    let is_mark = |first| RecordKind::of(first) == RecordKind::Followed;
    reader.visit_back(u64::MAX, is_mark, |position| {
        if let Some(Record::Followed(followed)) = read_at(reader, position)? {
            found = Some((position, followed));
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

/// The newest record of a kind before a position that `find` takes something from.
fn find_back<T>(
    reader: &JournalReader,
    before: u64,
    kind: RecordKind,
    find: impl Fn(Record) -> Option<T>,
) -> Result<Option<T>, Error> {
    let mut found = None;
    let is_kind = |first| RecordKind::of(first) == kind;
    reader.visit_back(before, is_kind, |position| {
        found = read_at(reader, position)?.and_then(&find);
        Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

/// True when a payload tells a fact or a judged order.
pub fn tells_fact_or_order(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| is_fact_or_order(*first))
}

fn is_fact_or_order(first_byte: u8) -> bool {
    match RecordKind::of(first_byte) {
        RecordKind::Event | RecordKind::Decision => true,
        RecordKind::StrategyActivated
        | RecordKind::BackgroundActivated
        | RecordKind::Audited
        | RecordKind::Followed
        | RecordKind::PseudonymLinked
        | RecordKind::Other => false,
    }
}

/// When the newest fact or order of a journal happened, by the clock of its source.
///
/// # Errors
/// Those of [`JournalReader::visit_back`]; [`Error::Undecodable`].
pub fn last_event_time(reader: &JournalReader) -> Result<Option<Timestamp>, Error> {
    let mut found = None;
    reader.visit_back(u64::MAX, is_fact_or_order, |position| {
        let payload = reader.read_at(position)?.unwrap_or_default();
        found = event_time(&payload).map_err(|source| Error::Undecodable { position, source })?;
        Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}

/// A record in short.
///
/// # Errors
/// [`Error::Undecodable`].
pub fn read_short(position: u64, payload: &[u8]) -> Result<RecordedFact, Error> {
    decode_short(payload).map_err(|source| Error::Undecodable { position, source })
}

fn read(position: u64, payload: &[u8]) -> Result<Record, Error> {
    decode(payload).map_err(|source| Error::Undecodable { position, source })
}

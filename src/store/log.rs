//! The journal as the rest of the service sees it: domain records, not bytes.

use std::sync::Arc;

use crate::domain::record::{Record, ScoredOrder};
use crate::store::error::Error;
use crate::store::journal::JournalWriter;
use crate::store::journal::reader::JournalReader;
use crate::wire::record::{decode, encode};

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

/// One record; `None` when there is none at this position (yet).
///
/// # Errors
/// [`Error::Undecodable`], and those of [`JournalReader::read_at`].
pub fn read_at(reader: &JournalReader, position: u64) -> Result<Option<Record>, Error> {
    reader.read_at(position)?.map(|payload| read(position, &payload)).transpose()
}

fn read(position: u64, payload: &[u8]) -> Result<Record, Error> {
    decode(payload).map_err(|source| Error::Undecodable { position, source })
}

//! The journal as the rest of the service sees it: domain records, not bytes.

use std::sync::Arc;

use crate::domain::record::Record;
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

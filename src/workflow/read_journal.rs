//! Reads single records of the journal; on threads that may block.

use std::sync::Arc;

use crate::domain::decision::Decision;
use crate::domain::erasure::Erasures;
use crate::domain::pseudonym::Pseudonyms;
use crate::domain::record::Record;
use crate::domain::time::Timestamp;
use crate::store::error::Error as StoreError;
use crate::store::journal::reader::JournalReader;
use crate::store::log::{read_at, read_audited, read_linked};
use crate::workflow::error::Error;

/// The record at a position.
///
/// # Errors
/// `Unavailable` when there is none, `Internal` when it cannot be read.
pub fn record_at(reader: &JournalReader, position: u64) -> Result<Record, Error> {
    let record =
        read_at(reader, position).map_err(|error| Error::failed("reading the journal", error))?;
    let missing = || Error::Unavailable(format!("nothing recorded at {position}").into());
    record.ok_or_else(missing)
}

/// The decision at a position.
///
/// # Errors
/// Those of [`record_at`]; `Unavailable` when something else is there.
pub fn decision_at(reader: &JournalReader, position: u64) -> Result<Arc<Decision>, Error> {
    let Record::Decision(scored) = record_at(reader, position)? else {
        return Err(no_decision(position));
    };
    Ok(scored.decision.clone())
}

/// The records name a place where no decision is: they belong to another journal.
pub fn no_decision(position: u64) -> Error {
    Error::Unavailable(format!("no decision at {position}").into())
}

/// Who had turned out to be known by another pseudonym until an instant.
///
/// # Errors
/// When the journal cannot be read.
pub fn linked_until(reader: &JournalReader, until: Timestamp) -> Result<Pseudonyms, StoreError> {
    let mut pseudonyms = Pseudonyms::default();
    for entry in read_linked(reader) {
        if let (_, Record::PseudonymLinked(linked)) = entry?
            && linked.at <= until
        {
            pseudonyms.link(&linked, None);
        }
    }
    Ok(pseudonyms)
}

/// What was erased until an instant.
///
/// # Errors
/// When the journal cannot be read.
pub fn erased_until(reader: &JournalReader, until: Timestamp) -> Result<Erasures, StoreError> {
    let mut erasures = Erasures::default();
    for entry in read_audited(reader) {
        if let (position, Record::IdentifierErased(erased)) = entry?
            && erased.audited.at <= until
        {
            erasures.add(position, &erased);
        }
    }
    Ok(erasures)
}

//! What the journal kept of a message whose execution a crash cut short.
//!
//! The state goes on from the last message that was executed in full. The records behind it
//! come again, the same bytes; they are there already and are not written twice.

use crate::store::journal::reader::JournalReader;

/// Records behind the last message that was executed in full.
#[derive(Debug)]
pub struct KeptTail {
    reader: JournalReader,
    end: u64,
}

impl KeptTail {
    /// The tail up to the end of a journal as it is now.
    pub fn new(reader: JournalReader) -> Self {
        let end = reader.durable_position();
        Self { reader, end }
    }

    /// Whether a record at this position is kept already.
    pub fn holds(&self, position: u64) -> bool {
        position <= self.end
    }

    /// Compares a record with the one that is kept.
    ///
    /// # Errors
    /// Says so when they differ, or it cannot be read.
    pub fn check(&self, position: u64, bytes: &[u8]) -> Result<(), String> {
        match self.reader.read_at(position) {
            Ok(Some(kept)) if kept == bytes => Ok(()),
            Ok(Some(_)) => Err(format!(
                "its journal holds another record {position} than the stream leads to: replace \
                 its data folder by a copy of another replica's, or by an empty one"
            )),
            Ok(None) => Err(format!("its journal has lost record {position}")),
            Err(error) => Err(format!("its journal cannot be read: {error}")),
        }
    }
}

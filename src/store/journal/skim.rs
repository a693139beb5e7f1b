//! Finds records by their first byte, newest first, without reading them.
//!
//! A header says how long its record is, so a look costs a header and a byte. Payloads
//! are not checked here; whoever reads a record checks it.

use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::journal::segment::{Cursor, Segment};

/// Bytes read at a time: a page, so that long records are stepped over on disk.
const READ_AHEAD_BYTES: usize = 4 << 10;

impl JournalReader {
    /// Shows the position of every durable record before `before` whose first byte is
    /// wanted, newest first, until `visit` breaks. Holds the positions of one segment.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`]; [`Error::Corrupt`] when a record that must be
    /// there is not.
    pub fn visit_back(
        &self,
        before: u64,
        is_wanted: impl Fn(u8) -> bool,
        mut visit: impl FnMut(u64) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let mut end = before.min(self.durable_position() + 1);
        for segment in self.segments().iter().rev() {
            if end <= segment.first_position {
                continue;
            }
            let found = wanted_positions(segment, end, &is_wanted)?;
            for position in found.into_iter().rev() {
                if visit(position)?.is_break() {
                    return Ok(());
                }
            }
            end = segment.first_position;
        }
        Ok(())
    }

    fn segments(&self) -> Vec<Arc<Segment>> {
        self.shared().segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn wanted_positions(
    segment: &Segment,
    end: u64,
    is_wanted: impl Fn(u8) -> bool,
) -> Result<Vec<u64>, Error> {
    let mut cursor = Cursor::open_reading(&segment.path, segment.first_position, READ_AHEAD_BYTES)?;
    let mut found = Vec::new();
    while cursor.position < end {
        let position = cursor.position;
        match cursor.glance()? {
            Ok(first_byte) if first_byte.is_some_and(&is_wanted) => found.push(position),
            Ok(_) => {}
            Err(damage) => return Err(cursor.corrupt(damage)),
        }
    }
    Ok(found)
}

//! Reads durable records: in order from any position, or one at a time.

use std::sync::{Arc, PoisonError};

use crate::store::error::Error;
use crate::store::journal::frame::Damage;
use crate::store::journal::queue::Shared;
use crate::store::journal::segment::{Cursor, LOOK_AHEAD_BYTES, READ_AHEAD_BYTES, Segment, Step};

/// Reads a journal while it is written; clones read the same journal.
#[derive(Clone, Debug)]
pub struct JournalReader {
    shared: Arc<Shared>,
}

/// The records from some position to the last one that was durable when it was made.
#[derive(Debug)]
pub struct Entries {
    shared: Arc<Shared>,
    next: u64,
    last: u64,
    read_ahead_bytes: usize,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    cursor: Cursor,
    /// First position of the next segment.
    end: u64,
}

impl JournalReader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Position of the last record that is on disk; 0 for none.
    pub fn durable_position(&self) -> u64 {
        self.shared.durable()
    }

    /// Every durable record from `position` on, in order; positions start at 1.
    ///
    /// Holds one record and a read-ahead of 128 KiB in memory. Stops at the end
    /// as it was when called, and after the first error.
    pub fn read_from(&self, position: u64) -> Entries {
        let last = self.shared.durable();
        Entries {
            shared: self.shared.clone(),
            next: position.max(1),
            last,
            read_ahead_bytes: READ_AHEAD_BYTES,
            current: None,
        }
    }

    /// One record; `None` when there is none at this position (yet).
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is damaged; [`Error::Io`], [`Error::Format`].
    pub fn read_at(&self, position: u64) -> Result<Option<Vec<u8>>, Error> {
        if position == 0 {
            return Ok(None);
        }
        let last = self.shared.durable().min(position);
        let shared = self.shared.clone();
        let read_ahead_bytes = LOOK_AHEAD_BYTES;
        let mut entries = Entries { shared, next: position, last, read_ahead_bytes, current: None };
        entries.next().map(|entry| entry.map(|(_, payload)| payload)).transpose()
    }
}

impl Iterator for Entries {
    type Item = Result<(u64, Vec<u8>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.last < self.next {
            return None;
        }
        let entry = self.read();
        match &entry {
            Ok(_) => self.next += 1,
            Err(_) => self.last = 0,
        }
        Some(entry)
    }
}

impl Entries {
    fn read(&mut self) -> Result<(u64, Vec<u8>), Error> {
        let position = self.next;
        let mut current = match self.current.take() {
            Some(current) if position < current.end => current,
            Some(_) | None => self.enter()?,
        };
        match current.cursor.step()? {
            Step::Record { payload, .. } => {
                self.current = Some(current);
                Ok((position, payload))
            }
            Step::Damaged(damage) => Err(current.cursor.corrupt(damage)),
        }
    }

    /// A cursor at the next record.
    fn enter(&self) -> Result<Current, Error> {
        let (segment, end) = self.segment()?;
        Ok(Current { cursor: segment.cursor_at(self.next, self.read_ahead_bytes)?, end })
    }

    fn segment(&self) -> Result<(Arc<Segment>, u64), Error> {
        let segments = self.shared.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.first_position <= self.next);
        let end = segments.get(after).map_or(u64::MAX, |segment| segment.first_position);
        match after.checked_sub(1).and_then(|idx| segments.get(idx)) {
            Some(segment) => Ok((segment.clone(), end)),
            // The file that held the oldest records is gone.
            None => Err(Error::Corrupt {
                path: segments.first().map(|segment| segment.path.clone()).unwrap_or_default(),
                offset: 0,
                position: self.next,
                damage: Damage::Unwritten,
            }),
        }
    }
}

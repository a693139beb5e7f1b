//! Reads a journal that another process may be writing, changing nothing.
//!
//! No lock is taken, so a server starts and writes as if nobody looked. The view ends
//! where it was opened: at the last whole record, or before the newest write while that
//! is still being written. A record of that write may not be synced yet, so after a crash
//! it may be gone that a reader has seen; nobody had been promised it.

use std::path::Path;
use std::sync::Arc;

use crate::store::error::Error;
use crate::store::journal::queue::Shared;
use crate::store::journal::reader::JournalReader;
use crate::store::journal::recovery::has_later_batch;
use crate::store::journal::segment::{Cursor, Segment, Step, list};

impl JournalReader {
    /// A view of the journal in a folder as it is now.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be read or holds no journal,
    /// [`Error::Corrupt`] when a record is damaged that others follow, [`Error::Format`].
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let segments: Vec<Arc<Segment>> = list(dir)?.into_iter().map(Arc::new).collect();
        let Some(last) = segments.last() else { return Err(Error::Empty { path: dir.to_owned() }) };
        let last_position = last_whole(last)?;
        // Nothing is ever queued here.
        Ok(Self::new(Arc::new(Shared::new(segments, last_position, 0, 0))))
    }
}

/// Position of the last record of a segment that can be read.
fn last_whole(segment: &Segment) -> Result<u64, Error> {
    let mut cursor = Cursor::open(&segment.path, segment.first_position)?;
    loop {
        let Step::Damaged(_) = cursor.step()? else { continue };
        // What follows may have been written since: then so has this.
        if !has_later_batch(&cursor, segment)? {
            return Ok(cursor.position - 1);
        }
        cursor = Cursor::open_at(&segment.path, &cursor)?;
        if let Step::Damaged(damage) = cursor.step()? {
            return Err(cursor.corrupt(damage));
        }
    }
}

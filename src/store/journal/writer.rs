//! The writer thread: turns whatever waits into one write and one sync.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::{mem, panic};

use crate::store::error::Error;
use crate::store::journal::frame::{SEGMENT_HEADER_BYTES, push_record, segment_header};
use crate::store::journal::queue::{Done, Entry, Shared};
use crate::store::journal::segment::{Segment, Start};
use crate::store::medium::Medium;
use crate::store::way_giving::give_way;

/// Name of a segment that is being made ready.
pub(crate) const SPARE_NAME: &str = "spare.tmp";

/// Owns the end of the journal; runs on a thread of its own.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) dir: PathBuf,
    pub(crate) segment_bytes: u64,
    pub(crate) segment: Arc<Segment>,
    pub(crate) file: File,
    /// Where the next record goes in `file`, and where `file` ends.
    pub(crate) offset: u64,
    pub(crate) capacity: u64,
    /// Room for the bytes of a write.
    pub(crate) buffer: Vec<u8>,
    /// A next segment, in the making.
    pub(crate) spare: Option<JoinHandle<Result<File, Error>>>,
}

impl Writer {
    /// Writes until the journal is closed or a write fails.
    pub(crate) fn run(mut self) {
        // A callback that panics must not leave submitters waiting for ever.
        let shared = self.shared.clone();
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| self.write_all()));
        if outcome.is_err() {
            shared.stop(&Arc::new(Error::Closed));
        }
        // Whoever opens the folder next makes a spare of the same name: two threads that
        // write one file would wipe out a segment's header.
        if let Some(spare) = self.spare.take() {
            drop(spare.join());
        }
    }

    fn write_all(&mut self) {
        while let Some(batch) = self.shared.next_batch() {
            let mut waiting = batch.into_iter().peekable();
            while waiting.peek().is_some() {
                let buffer = mem::take(&mut self.buffer);
                let mut write = Write::new(self.shared.durable() + 1, self.offset, buffer);
                while let Some(entry) =
                    waiting.next_if(|entry| write.end() + entry.bytes() <= self.capacity)
                {
                    write.push(entry);
                }
                let outcome =
                    if write.starts.is_empty() { self.roll() } else { self.commit(&write) };
                match outcome {
                    Ok(()) => self.buffer = write.tell_done(),
                    Err(error) => {
                        let cause = Arc::new(error);
                        let late = self.shared.stop(&cause);
                        let entries = write.dones.into_iter();
                        let rest = waiting.chain(late).map(|entry| entry.done);
                        entries.chain(rest).for_each(|done| done(Err(cause.clone())));
                        return;
                    }
                }
            }
        }
    }

    fn commit(&mut self, write: &Write) -> Result<(), Error> {
        let path = &self.segment.path;
        self.medium
            .write_at(&self.file, &write.bytes, self.offset)
            .map_err(Error::io("write to", path))?;
        self.medium.sync(&self.file).map_err(Error::io("sync", path))?;
        self.segment.note(&write.starts);
        self.offset = write.end();
        self.shared.n_commits.fetch_add(1, Ordering::Relaxed);
        self.shared.durable.store(write.last_position(), Ordering::Release);
        if self.capacity / 2 < self.offset && self.spare.is_none() {
            self.spare = self.prepare_spare();
        }
        Ok(())
    }

    /// Goes on in a new segment.
    fn roll(&mut self) -> Result<(), Error> {
        let prepared = self.spare.take().and_then(|thread| thread.join().ok());
        let path = self.dir.join(SPARE_NAME);
        let file = match prepared {
            Some(Ok(file)) => file,
            // It failed some time ago; perhaps there is room by now.
            Some(Err(_)) | None => allocate(&*self.medium, &path, self.segment_bytes)?,
        };
        let segment = Segment::fresh(&self.dir, self.shared.durable() + 1);
        publish(&*self.medium, &file, &path, &segment)?;
        self.segment = Arc::new(segment);
        self.file = file;
        self.offset = SEGMENT_HEADER_BYTES as u64;
        self.capacity = self.segment_bytes;
        let mut segments = self.shared.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.push(self.segment.clone());
        Ok(())
    }

    /// Makes the next segment in the background; `None` leaves it to [`Self::roll`].
    fn prepare_spare(&self) -> Option<JoinHandle<Result<File, Error>>> {
        let medium = self.medium.clone();
        let (path, bytes) = (self.dir.join(SPARE_NAME), self.segment_bytes);
        thread::Builder::new()
            .name("journal-spare".to_owned())
            .spawn(move || {
                give_way();
                allocate(&*medium, &path, bytes)
            })
            .ok()
    }
}

/// A file of zeros that is to become a segment.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn allocate(medium: &dyn Medium, path: &Path, bytes: u64) -> Result<File, Error> {
    medium.allocate(path, bytes).map_err(Error::io("create", path))
}

/// Gives a file of zeros its header and its name.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn publish(
    medium: &dyn Medium,
    file: &File,
    path: &Path,
    segment: &Segment,
) -> Result<(), Error> {
    medium
        .write_at(file, &segment_header(segment.first_position), 0)
        .map_err(Error::io("write to", path))?;
    medium.sync(file).map_err(Error::io("sync", path))?;
    medium.publish(path, &segment.path).map_err(Error::io("rename", path))
}

/// Records that go to disk together.
struct Write {
    first_position: u64,
    offset: u64,
    bytes: Vec<u8>,
    starts: Vec<Start>,
    dones: Vec<Done>,
}

impl Write {
    /// An empty write; `buffer` only lends its room.
    fn new(first_position: u64, offset: u64, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        let (starts, dones) = (Vec::new(), Vec::new());
        Self { first_position, offset, bytes: buffer, starts, dones }
    }

    fn push(&mut self, entry: Entry) {
        let n = self.starts.len();
        let position = self.first_position + n as u64;
        self.starts.push(Start { position, offset: self.end() });
        // One queue never holds 2^32 records.
        let batch_idx = u32::try_from(n).unwrap_or(u32::MAX);
        push_record(&mut self.bytes, position, batch_idx, &entry.payload);
        self.dones.push(entry.done);
    }

    /// Offset in the segment behind the last record.
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }

    fn last_position(&self) -> u64 {
        self.first_position + self.starts.len() as u64 - 1
    }

    /// Tells everybody; gives the buffer back.
    fn tell_done(self) -> Vec<u8> {
        for (position, done) in (self.first_position..).zip(self.dones) {
            done(Ok(position));
        }
        self.bytes
    }
}

//! The journal: numbered records, durable before anybody is told so.
//!
//! One thread writes. While it waits for the disk, records gather; the next
//! write takes them all, so that one sync serves many (group commit).
//!
//! Laws: positions count from 1 in the order of submission, without a gap; a
//! record is acknowledged only after its sync succeeded; after a failed write
//! or sync nothing more is acknowledged until the journal is opened again.
//! A record that failed may still be found after that: its fate was unknown.

pub mod frame;
mod queue;
mod read_only;
pub mod reader;
pub mod recovery;
mod segment;
mod skim;
mod writer;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod view_tests;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use crate::store::error::Error;
use crate::store::journal::frame::{RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use crate::store::journal::queue::{Shared, Wake, WhenFull};
use crate::store::journal::reader::JournalReader;
use crate::store::journal::recovery::{DamagedTail, End, TornTail, find_end};
use crate::store::journal::segment::{Segment, list};
use crate::store::journal::writer::{SPARE_NAME, Writer, allocate, publish};
use crate::store::medium::{Disk, Medium, sync_dir};

/// Name of the file whose lock keeps other processes out.
const LOCK_NAME: &str = "lock";
/// Segments are whole blocks, so that a file that was cut short can be told.
const BLOCK_BYTES: u64 = 4096;

/// Sizes and limits of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// Bytes of a segment file, rounded up to whole blocks of 4,096; each is
    /// reserved on disk in full.
    pub segment_bytes: u64,
    /// Longest payload that is taken.
    pub record_bytes_max: usize,
    /// Bytes that may wait to be written. As many again are being written, and once
    /// more in the write's own buffer: memory is bounded by three times this.
    pub queue_bytes_max: usize,
    /// What to do about damage at the end that no crash explains.
    pub damaged_tail: DamagedTail,
}

/// What was found when the journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Position of the last record; 0 for none.
    pub last_position: u64,
    /// Segment files.
    pub n_segments: usize,
    /// The half-written end that a crash left; it was cut off.
    pub torn: Option<TornTail>,
}

/// An open journal. Dropping it writes what waits, then lets the folder go.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Held as long as the journal is open.
    _lock: DirLock,
}

/// Adds records; clones write to the same journal.
#[derive(Clone, Debug)]
pub struct JournalWriter {
    shared: Arc<Shared>,
}

impl Journal {
    /// Opens the journal in a folder, which is made when missing.
    ///
    /// # Errors
    /// [`Error::Locked`] when it is open already; [`Error::Corrupt`],
    /// [`Error::DamagedTail`] or [`Error::Format`] when its end cannot be
    /// trusted; [`Error::Setting`], [`Error::Io`].
    pub fn open(dir: &Path, settings: JournalSettings) -> Result<(Self, Opened), Error> {
        Self::open_on(Arc::new(Disk), dir, settings)
    }

    /// The same on any medium.
    ///
    /// # Errors
    /// See [`Journal::open`].
    pub fn open_on(
        medium: Arc<dyn Medium>,
        dir: &Path,
        settings: JournalSettings,
    ) -> Result<(Self, Opened), Error> {
        let settings = settings.checked()?;
        let lock = lock_dir(dir)?;
        remove_spare(dir)?;
        let mut segments = list(dir)?;
        if segments.is_empty() {
            segments.push(first_segment(&*medium, dir, &settings)?);
        }
        let segments: Vec<_> = segments.into_iter().map(Arc::new).collect();
        let Some(last) = segments.last().cloned() else { return Err(Error::Closed) };
        let End { next_position, offset, torn } = find_end(&last, &*medium, settings.damaged_tail)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&last.path)
            .map_err(Error::io("open", &last.path))?;
        let capacity = file.metadata().map_err(Error::io("look at", &last.path))?.len();
        let last_position = next_position - 1;
        let opened = Opened { last_position, n_segments: segments.len(), torn };
        let shared = Arc::new(Shared::new(
            segments,
            last_position,
            settings.queue_bytes_max,
            settings.record_bytes_max,
        ));
        let writer = Writer {
            shared: shared.clone(),
            medium,
            dir: dir.to_owned(),
            segment_bytes: settings.segment_bytes,
            segment: last,
            file,
            offset,
            capacity,
            buffer: Vec::new(),
            spare: None,
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run())
            .map_err(Error::io("start the writer of", dir))?;
        Ok((Self { shared, thread: Some(thread), _lock: lock }, opened))
    }

    /// A handle that adds records.
    pub fn writer(&self) -> JournalWriter {
        JournalWriter { shared: self.shared.clone() }
    }

    /// A handle that reads durable records.
    pub fn reader(&self) -> JournalReader {
        JournalReader::new(self.shared.clone())
    }

    /// Position of the last record that is on disk; 0 for none.
    pub fn durable_position(&self) -> u64 {
        self.shared.durable()
    }

    /// Writes that were synced since opening; records per commit is the size of a group.
    pub fn n_commits(&self) -> u64 {
        self.shared.n_commits()
    }

    /// Takes no more records, writes those that wait, and lets the folder go.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the journal had failed.
    pub fn close(mut self) -> Result<(), Error> {
        self.finish();
        self.shared.failure().map_or(Ok(()), |cause| Err(Error::Stopped { cause }))
    }

    fn finish(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // The writer never panics: it catches what callbacks throw.
            drop(thread.join());
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.finish();
    }
}

impl JournalWriter {
    /// Queues a record; never blocks. Gives the position it will have, which
    /// is only a promise about order: the record is durable when `done` says so.
    ///
    /// `done` is called once, on the writer's thread, in the order of positions;
    /// it must be short and must not panic. When this returns an error, `done`
    /// is not called.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when `queue_bytes_max` wait already; [`Error::TooLarge`];
    /// [`Error::Stopped`] after a failed write; [`Error::Closed`].
    pub fn submit(
        &self,
        payload: Vec<u8>,
        done: impl FnOnce(Result<u64, Arc<Error>>) + Send + 'static,
    ) -> Result<u64, Error> {
        self.shared.submit(payload, Box::new(done), WhenFull::Refuse, Wake::Now)
    }

    /// The same, but waits for room; for threads that may block, such as imports.
    ///
    /// # Errors
    /// Those of [`JournalWriter::submit`] but [`Error::Exhausted`].
    pub fn submit_when_room(
        &self,
        payload: Vec<u8>,
        done: impl FnOnce(Result<u64, Arc<Error>>) + Send + 'static,
    ) -> Result<u64, Error> {
        self.shared.submit(payload, Box::new(done), WhenFull::Wait, Wake::Now)
    }

    /// The same for whoever has more to submit soon and calls [`JournalWriter::wake`] when
    /// not: on one core a writer that wakes for each record costs more than what it writes.
    ///
    /// # Errors
    /// Those of [`JournalWriter::submit_when_room`].
    pub fn submit_asleep(
        &self,
        payload: Vec<u8>,
        done: impl FnOnce(Result<u64, Arc<Error>>) + Send + 'static,
    ) -> Result<u64, Error> {
        self.shared.submit(payload, Box::new(done), WhenFull::Wait, Wake::Later)
    }

    /// Has everything written that waits.
    pub fn wake(&self) {
        self.shared.wake();
    }

    /// Adds a record and waits until it is durable.
    ///
    /// # Errors
    /// Those of [`JournalWriter::submit_when_room`]; [`Error::Stopped`] when this
    /// very write failed.
    pub fn append(&self, payload: Vec<u8>) -> Result<u64, Error> {
        let (told, outcome) = mpsc::sync_channel(1);
        self.submit_when_room(payload, move |result| drop(told.send(result)))?;
        match outcome.recv() {
            Ok(result) => result.map_err(|cause| Error::Stopped { cause }),
            Err(_) => Err(Error::Closed),
        }
    }

    /// The failure that stopped the journal, if one did: for health checks.
    pub fn failure(&self) -> Option<Arc<Error>> {
        self.shared.failure()
    }
}

impl JournalSettings {
    fn checked(mut self) -> Result<Self, Error> {
        self.segment_bytes = self.segment_bytes.next_multiple_of(BLOCK_BYTES);
        let overhead = (SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES) as u64;
        let min = self.record_bytes_max as u64 + overhead;
        if self.segment_bytes < min {
            let value = self.segment_bytes;
            return Err(Error::Setting { name: "segment_bytes", value, min });
        }
        Ok(self)
    }
}

/// Keeps other processes out of a folder for as long as it lives.
#[derive(Debug)]
struct DirLock(File);

impl Drop for DirLock {
    fn drop(&mut self) {
        // A process that is just being started has a copy of every open file, and with it the
        // lock: closing ours would not release that.
        drop(self.0.unlock());
    }
}

fn lock_dir(dir: &Path) -> Result<DirLock, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let path = dir.join(LOCK_NAME);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(DirLock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path }),
        Err(TryLockError::Error(source)) => Err(Error::io("lock", &path)(source)),
    }
}

fn remove_spare(dir: &Path) -> Result<(), Error> {
    let path: PathBuf = dir.join(SPARE_NAME);
    if path.exists() {
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    Ok(())
}

fn first_segment(
    medium: &dyn Medium,
    dir: &Path,
    settings: &JournalSettings,
) -> Result<Segment, Error> {
    let path = dir.join(SPARE_NAME);
    let file = allocate(medium, &path, settings.segment_bytes)?;
    let segment = Segment::fresh(dir, 1);
    publish(medium, &file, &path, &segment)?;
    // The folder itself may be new.
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    sync_dir(parent).map_err(Error::io("sync", parent))?;
    Ok(segment)
}

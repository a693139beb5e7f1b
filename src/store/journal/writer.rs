//! The writer thread: turns whatever waits into one write and one sync.

use std::fs::File;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::{fmt, panic};

use crate::store::error::Error;
use crate::store::journal::frame::{
    RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, push_record, segment_header,
};
use crate::store::journal::segment::{Segment, Start};
use crate::store::medium::Medium;
use crate::store::way_giving::give_way;

/// Name of a segment that is being made ready.
pub(crate) const SPARE_NAME: &str = "spare.tmp";

/// Told once the record is durable, with its position; or why it is not.
pub(crate) type Done = Box<dyn FnOnce(Result<u64, Arc<Error>>) + Send>;

/// A record that waits to be written.
pub(crate) struct Entry {
    payload: Vec<u8>,
    done: Done,
}

/// What submitters, readers and the writer thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    /// Signals the writer: something waits, or the end has come.
    work: Condvar,
    /// Signals submitters that wait for room.
    room: Condvar,
    queue_bytes_max: usize,
    record_bytes_max: usize,
    durable: AtomicU64,
    n_commits: AtomicU64,
    /// Oldest first; never empty.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
}

#[derive(Debug)]
struct Queue {
    entries: Vec<Entry>,
    bytes: usize,
    next_position: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    Closed,
    Stopped(Arc<Error>),
}

/// What to do when the queue has no room for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// Refuse it.
    Refuse,
    /// Wait until there is room.
    Wait,
}

impl Shared {
    /// The state of a journal whose last durable record is `durable`.
    pub(crate) fn new(
        segments: Vec<Arc<Segment>>,
        durable: u64,
        queue_bytes_max: usize,
        record_bytes_max: usize,
    ) -> Self {
        let queue =
            Queue { entries: Vec::new(), bytes: 0, next_position: durable + 1, state: State::Open };
        Self {
            queue: Mutex::new(queue),
            work: Condvar::new(),
            room: Condvar::new(),
            queue_bytes_max,
            record_bytes_max,
            durable: AtomicU64::new(durable),
            n_commits: AtomicU64::new(0),
            segments: RwLock::new(segments),
        }
    }

    /// Position of the last record that is on disk; 0 for none.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Writes that were synced since the journal was opened.
    pub(crate) fn n_commits(&self) -> u64 {
        self.n_commits.load(Ordering::Relaxed)
    }

    /// Queues a record and gives the position it will have.
    pub(crate) fn submit(
        &self,
        payload: Vec<u8>,
        done: Done,
        when_full: WhenFull,
    ) -> Result<u64, Error> {
        if self.record_bytes_max < payload.len() {
            let (bytes, bytes_max) = (payload.len(), self.record_bytes_max);
            return Err(Error::TooLarge { bytes, bytes_max });
        }
        let cost = RECORD_HEADER_BYTES + payload.len();
        let mut queue = self.lock();
        loop {
            match &queue.state {
                State::Open => {}
                State::Closed => return Err(Error::Closed),
                State::Stopped(cause) => return Err(Error::Stopped { cause: cause.clone() }),
            }
            // A record alone always fits, however small the limit.
            if queue.bytes == 0 || queue.bytes + cost <= self.queue_bytes_max {
                break;
            }
            if when_full == WhenFull::Refuse {
                let (queued_bytes, queue_bytes_max) = (queue.bytes, self.queue_bytes_max);
                return Err(Error::Exhausted { queued_bytes, queue_bytes_max });
            }
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let position = queue.next_position;
        queue.next_position += 1;
        queue.bytes += cost;
        queue.entries.push(Entry { payload, done });
        if queue.entries.len() == 1 {
            self.work.notify_one();
        }
        Ok(position)
    }

    /// Takes no more records; those that wait are still written.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        if matches!(queue.state, State::Open) {
            queue.state = State::Closed;
        }
        self.work.notify_one();
        self.room.notify_all();
    }

    /// The failure that stopped the journal, if one did.
    pub(crate) fn failure(&self) -> Option<Arc<Error>> {
        match &self.lock().state {
            State::Stopped(cause) => Some(cause.clone()),
            State::Open | State::Closed => None,
        }
    }

    /// Everything that waits; `None` when nothing does and nothing will.
    fn next_batch(&self) -> Option<Vec<Entry>> {
        let mut queue = self.lock();
        loop {
            if !queue.entries.is_empty() {
                queue.bytes = 0;
                self.room.notify_all();
                return Some(mem::take(&mut queue.entries));
            }
            match queue.state {
                State::Open => {}
                State::Closed | State::Stopped(_) => return None,
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Refuses everything from now on; gives back what still waits.
    fn stop(&self, cause: &Arc<Error>) -> Vec<Entry> {
        let mut queue = self.lock();
        queue.state = State::Stopped(cause.clone());
        queue.bytes = 0;
        self.room.notify_all();
        mem::take(&mut queue.entries)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

impl Entry {
    fn bytes(&self) -> u64 {
        (RECORD_HEADER_BYTES + self.payload.len()) as u64
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} bytes)", self.payload.len())
    }
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

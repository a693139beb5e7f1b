//! Keeps the records up with the journal, on a thread of its own.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_from;
use crate::store::records::database::Turn;
use crate::store::records::fill::RecordsWriter;
use crate::store::records::tail::RecordTail;

/// Longest pause between two tries that fail.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// How long a thread that waits for a database is waited for. Whatever it does later, it does
/// once: the records say how far they are.
const STOP_LOOKS_MAX: u32 = 5_000;
const STOP_LOOK: Duration = Duration::from_millis(2);

/// How often and how much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowSettings {
    /// Pause after the records have caught up; after failures it doubles, up to 2 s.
    pub pause: Duration,
    /// Most journal records per transaction; bounds memory.
    pub batch_records_max: usize,
}

/// Where records come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// All of them.
    pub journal: JournalReader,
    /// The newest ones, sooner.
    pub tail: RecordTail,
    /// True while nothing is filled: the journal grows so fast that the processor is needed
    /// there.
    pub is_held: Arc<AtomicBool>,
}

/// A running follower. Dropping it stops the thread after the current batch.
#[derive(Debug)]
pub struct RecordsFollower {
    status: Arc<Status>,
    /// Dropped to stop the thread.
    running: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Status {
    position: AtomicU64,
    failure: Mutex<Option<Arc<Error>>>,
}

impl RecordsFollower {
    /// Starts filling.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub fn start(
        source: Source,
        writer: RecordsWriter,
        settings: FollowSettings,
    ) -> Result<Self, Error> {
        let status = Arc::new(Status {
            position: AtomicU64::new(writer.position()),
            failure: Mutex::default(),
        });
        let (running, stopped) = mpsc::channel();
        let shared = status.clone();
        let thread = thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || follow(&source, writer, settings, &shared, &stopped))
            .map_err(Error::io("start a thread for", Path::new("the records")))?;
        Ok(Self { status, running: Some(running), thread: Some(thread) })
    }

    /// Position of the last journal record that is in the records.
    pub fn position(&self) -> u64 {
        self.status.position.load(Ordering::Acquire)
    }

    /// Why the last try failed; `None` again once a later one succeeds.
    pub fn failure(&self) -> Option<Arc<Error>> {
        self.status.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for RecordsFollower {
    fn drop(&mut self) {
        drop(self.running.take());
        let Some(thread) = self.thread.take() else { return };
        for _ in 0..STOP_LOOKS_MAX {
            if thread.is_finished() {
                drop(thread.join());
                return;
            }
            thread::sleep(STOP_LOOK);
        }
    }
}

/// Reads the journal into the records until there is nothing more to read.
///
/// # Errors
/// [`Error::Corrupt`] or [`Error::Undecodable`] for the journal, [`Error::Database`]
/// for the records; what was filled before stays.
pub fn catch_up(
    reader: &JournalReader,
    writer: &mut RecordsWriter,
    batch_records_max: usize,
) -> Result<(), Error> {
    // Without a tail everything is read.
    let source =
        Source { journal: reader.clone(), tail: RecordTail::new(0), is_held: Arc::default() };
    while fill_batch(&source, writer, batch_records_max)? {}
    Ok(())
}

fn follow(
    source: &Source,
    mut writer: RecordsWriter,
    settings: FollowSettings,
    status: &Status,
    stopped: &mpsc::Receiver<()>,
) {
    let mut retry = settings.pause;
    loop {
        let outcome = if source.is_held.load(Ordering::Relaxed) {
            Ok(false)
        } else {
            fill_batch(source, &mut writer, settings.batch_records_max)
        };
        status.position.store(writer.position(), Ordering::Release);
        let pause = match outcome {
            Ok(true) => Duration::ZERO,
            Ok(false) => settings.pause,
            Err(_) => retry,
        };
        retry = match outcome {
            Ok(_) => settings.pause,
            Err(_) => (retry * 2).min(RETRY_PAUSE_MAX.max(settings.pause)),
        };
        *status.failure.lock().unwrap_or_else(PoisonError::into_inner) =
            outcome.err().map(Arc::new);
        match stopped.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// True when there was something to fill.
fn fill_batch(
    source: &Source,
    writer: &mut RecordsWriter,
    batch_records_max: usize,
) -> Result<bool, Error> {
    if writer.take_turn(&source.journal)? == Turn::Follow {
        return Ok(false);
    }
    let next = writer.position() + 1;
    let durable = source.journal.durable_position();
    let batch = match source.tail.take(next, durable, batch_records_max) {
        Ok(batch) => batch,
        Err(n_before) => {
            let n_max = usize::try_from(n_before).unwrap_or(usize::MAX).min(batch_records_max);
            read_from(&source.journal, next).take(n_max).collect::<Result<Vec<_>, _>>()?
        }
    };
    if batch.is_empty() {
        writer.caught_up()?;
        return Ok(false);
    }
    writer.apply(&batch)?;
    Ok(true)
}

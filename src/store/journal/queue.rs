//! Records that wait for the writer, and what submitters, readers and it share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::{fmt, mem};

use crate::store::error::Error;
use crate::store::journal::frame::RECORD_HEADER_BYTES;
use crate::store::journal::segment::Segment;

/// Told once the record is durable, with its position; or why it is not.
pub(crate) type Done = Box<dyn FnOnce(Result<u64, Arc<Error>>) + Send>;

/// A record that waits to be written.
pub(crate) struct Entry {
    pub(crate) payload: Vec<u8>,
    pub(crate) done: Done,
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
    pub(crate) durable: AtomicU64,
    pub(crate) n_commits: AtomicU64,
    /// Oldest first; never empty.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
}

#[derive(Debug)]
struct Queue {
    entries: Vec<Entry>,
    bytes: usize,
    next_position: u64,
    /// True while the writer sleeps and nobody has woken it.
    is_idle: bool,
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

/// When the writer learns that a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Now.
    Now,
    /// With [`Shared::wake`], or when this many records wait.
    Later,
}

/// Most records that wait without the writer being woken: some two milliseconds of judging.
const ASLEEP_MAX: usize = 8;

impl Shared {
    /// The state of a journal whose last durable record is `durable`.
    pub(crate) fn new(
        segments: Vec<Arc<Segment>>,
        durable: u64,
        queue_bytes_max: usize,
        record_bytes_max: usize,
    ) -> Self {
        let queue = Queue {
            entries: Vec::new(),
            bytes: 0,
            next_position: durable + 1,
            is_idle: false,
            state: State::Open,
        };
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
        wake: Wake,
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
            self.wake_writer(&mut queue);
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let position = queue.next_position;
        queue.next_position += 1;
        queue.bytes += cost;
        queue.entries.push(Entry { payload, done });
        if wake == Wake::Now || ASLEEP_MAX <= queue.entries.len() {
            self.wake_writer(&mut queue);
        }
        Ok(position)
    }

    /// Wakes the writer when something waits for it.
    pub(crate) fn wake(&self) {
        let mut queue = self.lock();
        if !queue.entries.is_empty() {
            self.wake_writer(&mut queue);
        }
    }

    fn wake_writer(&self, queue: &mut Queue) {
        if mem::take(&mut queue.is_idle) {
            self.work.notify_one();
        }
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
    pub(crate) fn next_batch(&self) -> Option<Vec<Entry>> {
        let mut queue = self.lock();
        loop {
            if !queue.entries.is_empty() {
                (queue.bytes, queue.is_idle) = (0, false);
                self.room.notify_all();
                return Some(mem::take(&mut queue.entries));
            }
            match queue.state {
                State::Open => {}
                State::Closed | State::Stopped(_) => return None,
            }
            queue.is_idle = true;
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Refuses everything from now on; gives back what still waits.
    pub(crate) fn stop(&self, cause: &Arc<Error>) -> Vec<Entry> {
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

impl Entry {
    pub(crate) fn bytes(&self) -> u64 {
        (RECORD_HEADER_BYTES + self.payload.len()) as u64
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} bytes)", self.payload.len())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const MUCH_LATER: Duration = Duration::from_secs(20);

    /// A queue, and how many records its writer takes at a time.
    fn queue(queue_bytes_max: usize) -> (Arc<Shared>, Receiver<usize>) {
        let shared = Arc::new(Shared::new(Vec::new(), 0, queue_bytes_max, 1 << 10));
        let (batches, taken): (Sender<usize>, Receiver<usize>) = channel();
        let writer = shared.clone();
        thread::spawn(move || {
            while let Some(batch) = writer.next_batch() {
                if batches.send(batch.len()).is_err() {
                    return;
                }
            }
        });
        // Asleep, as after its last write.
        while !shared.lock().is_idle {
            thread::yield_now();
        }
        (shared, taken)
    }

    fn submit(shared: &Shared, wake: Wake) {
        shared.submit(vec![0; 100], Box::new(|_| ()), WhenFull::Wait, wake).unwrap();
    }

    #[test]
    fn a_writer_that_sleeps_takes_together_what_came_in_the_meantime() {
        let (shared, taken) = queue(1 << 20);
        for _ in 0..3 {
            submit(&shared, Wake::Later);
        }
        assert!(taken.recv_timeout(SOON).is_err(), "it was woken by each of them");
        shared.wake();
        assert_eq!(taken.recv_timeout(MUCH_LATER), Ok(3));
        shared.wake();
        assert!(taken.recv_timeout(SOON).is_err(), "there was nothing to take");
        shared.close();
    }

    #[test]
    fn nobody_waits_for_long_when_more_and_more_comes() {
        let (shared, taken) = queue(1 << 20);
        for _ in 0..ASLEEP_MAX {
            submit(&shared, Wake::Later);
        }
        assert_eq!(taken.recv_timeout(MUCH_LATER), Ok(ASLEEP_MAX));
        shared.close();
    }

    #[test]
    fn whoever_waits_for_room_or_is_in_a_hurry_wakes_the_writer() {
        // Room for one record.
        let (shared, taken) = queue(150);
        submit(&shared, Wake::Later);
        submit(&shared, Wake::Later);
        assert_eq!(taken.recv_timeout(MUCH_LATER), Ok(1));
        submit(&shared, Wake::Now);
        assert_eq!(taken.recv_timeout(MUCH_LATER), Ok(1));
        assert_eq!(taken.recv_timeout(MUCH_LATER), Ok(1));
        shared.close();
    }
}

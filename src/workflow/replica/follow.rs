//! Reads the stream from where the replica is and gives it to the sequencer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};
use uuid::Uuid;

use crate::domain::proposal::Batch;
use crate::domain::record::Followed;
use crate::stream::batch::{Content, checksum, read};
use crate::stream::link::{Message, StreamLink};
use crate::workflow::command::Command;
use crate::workflow::replica::board::{Board, Connection};
use crate::workflow::replica::ready::Ready;
use crate::workflow::replica::session::{End, WaitingBatches};
use crate::workflow::replica::waiting::{OrderedBatch, Waiting};

/// Batches that wait for the sequencer at most.
const QUEUED_BATCHES_MAX: usize = 16;
/// How often the end of the stream is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Messages that a replica may be behind and still fill its records meanwhile.
const RECORDS_LAG_MAX: u64 = 32;
/// Nothing has come for so long though there is something: the reading is dead.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// Reads the stream in a session.
pub(super) struct Follower<'c> {
    pub(super) link: &'c StreamLink,
    pub(super) board: &'c Board,
    /// Which run of the replica this is.
    pub(super) run: Uuid,
    pub(super) reached: &'c mut Option<Followed>,
    pub(super) sequencer: &'c mpsc::Sender<Command>,
    pub(super) waiting: &'c WaitingBatches,
    pub(super) records_held: &'c AtomicBool,
}

impl Follower<'_> {
    /// Follows until something ends it.
    pub(super) async fn run(&mut self) -> End {
        let queue = Arc::new(Semaphore::new(QUEUED_BATCHES_MAX));
        loop {
            if let Err(end) = self.read_on(&queue).await {
                return end;
            }
        }
    }

    fn sequence(&self) -> u64 {
        self.reached.as_ref().map_or(0, |reached| reached.sequence)
    }

    /// Reads until the connection was opened anew or the reading fell silent.
    async fn read_on(&mut self, queue: &Arc<Semaphore>) -> Result<(), End> {
        let mut connects = self.link.n_connects();
        connects.mark_unchanged();
        let stream = self.verify().await?;
        let mut reading = self.link.read_after(self.sequence()).await.map_err(End::Lost)?;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut news = Instant::now();
        loop {
            tokio::select! {
                message = reading.next() => {
                    let message = message.map_err(End::Lost)?;
                    if message.sequence != self.sequence() + 1 {
                        warn!(message.sequence, "the stream skipped messages: reading them again");
                        return Ok(());
                    }
                    self.deliver(&stream, message, queue).await?;
                    news = Instant::now();
                }
                _ = looks.tick() => {
                    let end = self.look(&stream).await?;
                    if self.sequence() < end && SILENCE_MAX < news.elapsed() {
                        return Ok(());
                    }
                }
                _ = connects.changed() => {
                    info!("the broker is back: reading on after {}", self.sequence());
                    return Ok(());
                }
            }
        }
    }

    /// Makes sure that this is the stream that was followed so far, whole.
    async fn verify(&self) -> Result<Arc<str>, End> {
        let extent = self.link.extent().await.map_err(End::Lost)?;
        let here = self.sequence();
        let halt = |why: String| Err(End::Halted(why));
        if let Some(reached) = &*self.reached
            && reached.stream != extent.stream
        {
            return halt(format!(
                "it followed stream {}, and the broker has stream {}; a replica of another \
                 stream starts with an empty data folder",
                reached.stream, extent.stream
            ));
        }
        if extent.last < here {
            return halt(format!(
                "it has executed message {here}, and the stream ends at {}: the broker lost \
                 messages; restore its store",
                extent.last
            ));
        }
        if here + 1 < extent.first {
            return halt(format!(
                "it has executed up to message {here}, and the stream begins at {}; start it on \
                 a copy of another replica's data folder",
                extent.first
            ));
        }
        if let Some(reached) = &*self.reached
            && extent.first <= here
        {
            let again = self.link.message(here).await.map_err(End::Lost)?;
            if checksum(&again.payload) != reached.checksum {
                return halt(format!(
                    "message {here} is another one than it executed: the broker lost messages \
                     and others took their place; restore its store, or start the replica on an \
                     empty data folder"
                ));
            }
        }
        self.board.found(&extent.stream, extent.last);
        self.board.connected(Connection::Up);
        Ok((&*extent.stream).into())
    }

    /// The end of the stream, for whoever wants to know how far behind this replica is.
    async fn look(&self, stream: &str) -> Result<u64, End> {
        self.waiting.drop_old();
        if self.board.is_halted() {
            return Err(End::Halted("the sequencer stopped".to_owned()));
        }
        if !self.link.is_connected() {
            self.board.connected(Connection::Down);
            return Ok(0);
        }
        let extent = self.link.extent().await.map_err(End::Lost)?;
        self.board.found(stream, extent.last);
        self.board.connected(Connection::Up);
        // Lists come after the state: who is far behind is asked for none.
        let is_far = RECORDS_LAG_MAX < self.board.status().lag();
        self.records_held.store(is_far, Ordering::Relaxed);
        Ok(extent.last)
    }

    async fn deliver(
        &mut self,
        stream: &Arc<str>,
        message: Message,
        queue: &Arc<Semaphore>,
    ) -> Result<(), End> {
        let Message { sequence, payload } = message;
        let sum = checksum(&payload);
        let entries = match read(&payload) {
            Content::Batch(batch) => self.entries(batch),
            Content::Foreign => {
                warn!(sequence, "no replica wrote message {sequence} of the stream: passed over");
                Vec::new()
            }
            Content::NotUnderstood(why) => {
                return Err(End::Halted(format!("message {sequence} of the stream: {why}")));
            }
        };
        let place = queue.clone().acquire_owned().await.map_err(|_| End::Stopped)?;
        let batch =
            OrderedBatch { stream: stream.clone(), sequence, checksum: sum, entries, place };
        let sent = self.sequencer.send(Command::Batch(Box::new(batch))).await;
        sent.map_err(|_| End::Stopped)?;
        let stream = (&**stream).into();
        *self.reached = Some(Followed { stream, sequence, checksum: sum });
        Ok(())
    }

    /// What is to be executed, with those who wait for it here.
    fn entries(&self, batch: Batch) -> Vec<(Ready, Option<Waiting>)> {
        let Batch { origin, proposals } = batch;
        let waiting =
            if origin.run == self.run { self.waiting.take(origin.number) } else { Vec::new() };
        let mut waiting = waiting.into_iter();
        proposals.into_iter().map(|sent| (Ready::new(sent), waiting.next())).collect()
    }
}

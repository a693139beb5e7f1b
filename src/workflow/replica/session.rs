//! Keeps a replica with the stream: connects, follows, proposes, and again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::domain::proposal::{Origin, Proposal, Start};
use crate::domain::record::Followed;
use crate::stream::error::Error as StreamError;
use crate::stream::link::{StreamLink, WhenMissing};
use crate::stream::settings::StreamSettings;
use crate::workflow::command::Command;
use crate::workflow::replica::board::{Board, Connection};
use crate::workflow::replica::follow::Follower;
use crate::workflow::replica::propose::Proposer;
use crate::workflow::replica::waiting::Waiting;

/// Pause between two tries to reach the broker.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// A proposal that has not come back by then has no caller any more.
const WAITING_MAX: Duration = Duration::from_secs(30);

/// Why a session with the broker ended.
#[derive(Debug)]
pub(super) enum End {
    /// The engine stops.
    Stopped,
    /// The broker is away; try again.
    Lost(StreamError),
    /// The replica cannot go on.
    Halted(String),
}

/// Takes proposals to the stream and brings batches back.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) settings: StreamSettings,
    /// The batch that was sent last.
    pub(super) origin: Origin,
    /// With what it came up.
    pub(super) start: Start,
    pub(super) board: Board,
    /// What was given to the sequencer last.
    pub(super) reached: Option<Followed>,
    pub(super) sequencer: mpsc::Sender<Command>,
    pub(super) proposals: mpsc::Receiver<(Proposal, Waiting)>,
    pub(super) offers: mpsc::Receiver<Proposal>,
    pub(super) waiting: WaitingBatches,
    /// True while the records wait: the replica is far behind.
    pub(super) records_held: Arc<AtomicBool>,
}

/// Who waits for the batches that this replica has sent, by their number.
#[derive(Debug, Default)]
pub(super) struct WaitingBatches(RefCell<BTreeMap<u64, (Instant, Vec<Waiting>)>>);

impl WaitingBatches {
    pub(super) fn put(&self, number: u64, waiting: Vec<Waiting>) {
        self.0.borrow_mut().insert(number, (Instant::now(), waiting));
    }

    /// Who waits for a batch; nobody when its callers were told already.
    pub(super) fn take(&self, number: u64) -> Vec<Waiting> {
        self.0.borrow_mut().remove(&number).map(|(_, waiting)| waiting).unwrap_or_default()
    }

    pub(super) fn holds(&self, number: u64) -> bool {
        self.0.borrow().contains_key(&number)
    }

    pub(super) fn drop_old(&self) {
        self.0.borrow_mut().retain(|_, (since, _)| since.elapsed() < WAITING_MAX);
    }
}

impl Courier {
    /// Works until the engine stops.
    pub(super) async fn run(mut self) {
        let mut was_away = false;
        loop {
            let end = self.session().await;
            self.records_held.store(false, Ordering::Relaxed);
            match end {
                End::Stopped => return,
                End::Lost(error) => {
                    if !was_away || self.board.status().is_connected {
                        warn!(cause = ?std::error::Error::source(&error), "lost the stream: {error}");
                    }
                    was_away = true;
                    self.board.connected(Connection::Down);
                    self.waiting.drop_old();
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                End::Halted(why) => {
                    self.board.halt(&why);
                    // Reads go on until somebody stops the engine.
                    while self.proposals.recv().await.is_some() {}
                    return;
                }
            }
        }
    }

    async fn session(&mut self) -> End {
        let missing = match &self.reached {
            None => WhenMissing::Make,
            Some(_) => WhenMissing::Refuse,
        };
        let opened = tokio::select! {
            opened = StreamLink::open(&self.settings, missing) => opened,
            // Dropping a proposal tells its caller.
            () = drop_all(&mut self.proposals) => return End::Stopped,
        };
        let link = match opened {
            Ok(link) => link,
            Err(error) => return End::Lost(error),
        };
        info!(stream = &*self.settings.name, "connected to the stream");
        let mut follower = Follower {
            link: &link,
            board: &self.board,
            run: self.origin.run,
            reached: &mut self.reached,
            sequencer: &self.sequencer,
            waiting: &self.waiting,
            records_held: &self.records_held,
        };
        let mut proposer = Proposer {
            link: &link,
            board: &self.board,
            origin: &mut self.origin,
            start: &self.start,
            proposals: &mut self.proposals,
            offers: &mut self.offers,
            waiting: &self.waiting,
        };
        tokio::select! {
            end = follower.run() => end,
            end = proposer.run() => end,
        }
    }
}

async fn drop_all(proposals: &mut mpsc::Receiver<(Proposal, Waiting)>) {
    while proposals.recv().await.is_some() {}
}

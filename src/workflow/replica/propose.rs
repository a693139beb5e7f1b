//! Sends what is asked of this replica to the stream, as much as waits at a time.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tracing::{error, warn};

use crate::domain::proposal::{Origin, Proposal, Start, Step};
use crate::stream::batch::{encode, join};
use crate::stream::error::Error as StreamError;
use crate::stream::link::StreamLink;
use crate::workflow::replica::board::{Board, LAG_MAX, Phase};
use crate::workflow::replica::session::{End, WaitingBatches};
use crate::workflow::replica::waiting::Waiting;

/// Batches that wait for the broker's word at most: while they do, proposals gather, so that
/// the next batch is larger.
const IN_FLIGHT_MAX: usize = 4;
/// Proposals of a batch at most.
const BATCH_PROPOSALS_MAX: usize = 1_024;
/// Bytes of a batch, about.
const BATCH_BYTES: usize = 192 << 10;
/// How close to the end of the stream a replica has to be to join in.
const JOIN_LAG_MAX: u64 = LAG_MAX / 10;
/// Pause before the start is proposed again.
const START_PAUSE: Duration = Duration::from_millis(100);

/// A batch that was sent, and what the broker said.
type InFlight = FuturesUnordered<BoxFuture<'static, (u64, Result<(), StreamError>)>>;

/// Sends proposals in a session.
pub(super) struct Proposer<'c> {
    pub(super) link: &'c StreamLink,
    pub(super) board: &'c Board,
    /// The batch that was sent last.
    pub(super) origin: &'c mut Origin,
    pub(super) start: &'c Start,
    pub(super) proposals: &'c mut mpsc::Receiver<(Proposal, Waiting)>,
    pub(super) offers: &'c mut mpsc::Receiver<Proposal>,
    pub(super) waiting: &'c WaitingBatches,
}

impl Proposer<'_> {
    /// Sends until something ends it.
    pub(super) async fn run(&mut self) -> End {
        let (mut in_flight, mut asked) = (InFlight::new(), Vec::new());
        let (mut start, mut start_after) = (None, tokio::time::Instant::now());
        loop {
            let has_room = in_flight.len() < IN_FLIGHT_MAX;
            let may_start = has_room && start.is_none_or(|number| !self.waiting.holds(number));
            let board = self.board.clone();
            tokio::select! {
                Some((number, said)) = in_flight.next() => self.settle(number, &said),
                n_asked = self.proposals.recv_many(&mut asked, BATCH_PROPOSALS_MAX), if has_room => {
                    if n_asked == 0 {
                        return End::Stopped;
                    }
                    if self.board.takes_proposals() {
                        self.send_all(&mut asked, &mut in_flight).await;
                    }
                    // What was not sent is dropped, which tells the callers.
                    asked.clear();
                }
                Some(offer) = self.offers.recv(), if has_room => {
                    self.send(vec![encode(&offer)], Vec::new(), &mut in_flight).await;
                }
                () = caught_up(board, start_after), if may_start => {
                    start_after = tokio::time::Instant::now() + START_PAUSE;
                    let step = Proposal::Step(Box::new(Step::Start(self.start.clone())));
                    let encoded = vec![encode(&step)];
                    start = self.send(encoded, vec![Waiting::Start], &mut in_flight).await;
                }
            }
        }
    }

    /// Sends what waits in as few batches as their size allows, in order.
    async fn send_all(&mut self, asked: &mut Vec<(Proposal, Waiting)>, in_flight: &mut InFlight) {
        let (mut encoded, mut waiting, mut n_bytes) = (Vec::new(), Vec::new(), 0);
        for (proposal, who) in asked.drain(..) {
            let bytes = encode(&proposal);
            if !encoded.is_empty() && BATCH_BYTES < n_bytes + bytes.len() {
                let (full, all) = (std::mem::take(&mut encoded), std::mem::take(&mut waiting));
                self.send(full, all, in_flight).await;
                n_bytes = 0;
            }
            n_bytes += bytes.len();
            encoded.push(bytes);
            waiting.push(who);
        }
        self.send(encoded, waiting, in_flight).await;
    }

    /// Sends a batch; its number, if it was sent.
    async fn send(
        &mut self,
        encoded: Vec<Vec<u8>>,
        waiting: Vec<Waiting>,
        in_flight: &mut InFlight,
    ) -> Option<u64> {
        self.origin.number += 1;
        let Origin { replica, run, number } = &*self.origin;
        let (id, number) = (format!("{replica}-{run}-{number}"), *number);
        let payload = join(self.origin, encoded);
        self.waiting.put(number, waiting);
        match self.link.send(&id, payload).await {
            Ok(said) => {
                in_flight.push(Box::pin(async move { (number, said.await) }));
                Some(number)
            }
            Err(error) => {
                self.settle(number, &Err(error));
                None
            }
        }
    }

    /// What the broker did not take has no fate that is known: its callers are told so. What it
    /// took is answered when it comes back.
    fn settle(&self, number: u64, said: &Result<(), StreamError>) {
        let Err(error) = said else { return };
        let n_waiting = self.waiting.take(number).len();
        match error {
            StreamError::TooLarge { .. } => error!(n_waiting, "a batch was not sent: {error}"),
            StreamError::Address | StreamError::Away { .. } | StreamError::Missing(_) => {
                warn!(n_waiting, cause = ?std::error::Error::source(error), "a batch: {error}");
            }
        }
    }
}

/// Resolves when the replica is near the end of the stream and has not joined in yet.
async fn caught_up(board: Board, not_before: tokio::time::Instant) {
    tokio::time::sleep_until(not_before).await;
    let mut status = board.watch();
    let near = status.wait_for(|status| {
        let is_near = status.is_connected && status.lag() <= JOIN_LAG_MAX;
        is_near && status.phase == Phase::CatchingUp
    });
    // The board is ours, so waiting ends only with the condition.
    drop(near.await);
}

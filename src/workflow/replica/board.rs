//! How a replica does, for whoever asks: doors, health, the sequencer.

use serde::Serialize;
use tokio::sync::watch;

/// Messages that a replica may be behind and still be as good as any other.
pub const LAG_MAX: u64 = 100;

/// How a replica does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplicaStatus {
    /// Its name.
    pub replica: Box<str>,
    /// The stream that it follows; empty before it was found.
    pub stream: Box<str>,
    /// What it is at.
    pub phase: Phase,
    /// Whether the broker can be reached.
    pub is_connected: bool,
    /// The message of the stream that it has executed last.
    pub executed: u64,
    /// The newest message of the stream, as far as is known.
    pub end: u64,
}

/// What a replica is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It executes what the stream held when it started.
    CatchingUp,
    /// It executes what comes.
    Following,
    /// It cannot go on; a person has to do what it says.
    Halted(Box<str>),
}

impl ReplicaStatus {
    /// Messages of the stream that it has not executed yet.
    pub fn lag(&self) -> u64 {
        self.end.saturating_sub(self.executed)
    }

    /// Whether its answers are as good as those of any other replica.
    pub fn is_current(&self) -> bool {
        self.phase == Phase::Following && self.lag() <= LAG_MAX
    }

    /// Why it takes no proposals, if it takes none.
    pub fn obstacle(&self) -> Option<Box<str>> {
        match &self.phase {
            Phase::Halted(why) => Some(format!("this replica stands still: {why}").into()),
            Phase::CatchingUp => {
                Some(format!("this replica catches up, {} messages behind", self.lag()).into())
            }
            Phase::Following if !self.is_connected => Some("the broker is away".into()),
            Phase::Following if !self.is_current() => {
                Some(format!("this replica is {} messages behind", self.lag()).into())
            }
            Phase::Following => None,
        }
    }
}

/// Where a replica writes how it does; copies write to the same.
#[derive(Clone, Debug)]
pub struct Board(watch::Sender<ReplicaStatus>);

impl Board {
    /// A replica that has executed up to a message and knows of no more.
    pub fn new(replica: &str, executed: u64) -> Self {
        Self(watch::Sender::new(ReplicaStatus {
            replica: replica.into(),
            stream: Box::default(),
            phase: Phase::CatchingUp,
            is_connected: false,
            executed,
            end: executed,
        }))
    }

    /// Sees every change.
    pub fn watch(&self) -> watch::Receiver<ReplicaStatus> {
        self.0.subscribe()
    }

    /// How it does now.
    pub fn status(&self) -> ReplicaStatus {
        self.0.borrow().clone()
    }

    /// Why it takes no proposals, if it takes none.
    pub fn obstacle(&self) -> Option<Box<str>> {
        self.0.borrow().obstacle()
    }

    /// Whether it cannot go on.
    pub(super) fn is_halted(&self) -> bool {
        matches!(self.0.borrow().phase, Phase::Halted(_))
    }

    /// Whether it has caught up and can go on.
    pub(super) fn is_following(&self) -> bool {
        self.0.borrow().phase == Phase::Following
    }

    /// Whether it takes proposals.
    pub(super) fn takes_proposals(&self) -> bool {
        self.0.borrow().obstacle().is_none()
    }

    /// It cannot go on; what it said first stays.
    pub(super) fn halt(&self, why: &str) {
        self.0.send_if_modified(|status| {
            let is_news = !matches!(status.phase, Phase::Halted(_));
            if is_news {
                tracing::error!("this replica stands still: {why}");
                status.phase = Phase::Halted(why.into());
            }
            is_news
        });
    }

    /// It has caught up, and all know with which files it came.
    pub(super) fn follow(&self) {
        self.change(|status| {
            if status.phase == Phase::CatchingUp {
                status.phase = Phase::Following;
            }
        });
    }

    pub(super) fn executed(&self, sequence: u64) {
        self.change(|status| {
            status.executed = sequence;
            status.end = status.end.max(sequence);
        });
    }

    pub(super) fn found(&self, stream: &str, end: u64) {
        self.change(|status| {
            if *status.stream != *stream {
                status.stream = stream.into();
            }
            status.end = end.max(status.executed);
        });
    }

    pub(super) fn connected(&self, is_up: Connection) {
        self.change(|status| status.is_connected = is_up == Connection::Up);
    }

    fn change(&self, change: impl FnOnce(&mut ReplicaStatus)) {
        self.0.send_modify(change);
    }
}

/// Whether the broker can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    /// It can.
    Up,
    /// It cannot.
    Down,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_takes_proposals_only_while_it_is_current_and_connected() {
        let board = Board::new("a", 7);
        let obstacle = || board.status().obstacle().unwrap_or_default().into_string();
        board.connected(Connection::Up);
        board.found("s", 9);
        assert_eq!(obstacle(), "this replica catches up, 2 messages behind");
        board.executed(9);
        board.follow();
        assert_eq!(obstacle(), "");
        assert!(board.takes_proposals());
        board.found("s", 10 + LAG_MAX);
        assert_eq!(obstacle(), "this replica is 101 messages behind");
        board.executed(10);
        board.connected(Connection::Down);
        assert_eq!(obstacle(), "the broker is away");
        board.connected(Connection::Up);
        assert!(board.takes_proposals());
        board.halt("no bundle");
        board.halt("something else");
        board.follow();
        assert_eq!(obstacle(), "this replica stands still: no bundle");
        assert!(!board.takes_proposals());
    }
}

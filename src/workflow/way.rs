//! The way from the doors to the sequencer: straight, or by a stream.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::domain::proposal::Proposal;
use crate::domain::time::Span;
use crate::workflow::command::Command;
use crate::workflow::error::Error;
use crate::workflow::replica::board::Board;
use crate::workflow::replica::waiting::{Split, Waiting, split};

/// How long a caller should wait before it tries again when the queue is full.
const RETRY_AFTER: Span = Span(50_000);

/// The way from the doors to the sequencer.
#[derive(Debug)]
pub enum Way {
    /// The sequencer decides alone what comes after what.
    Alone(mpsc::Sender<Command>),
    /// What changes something goes by a stream that all replicas follow.
    Replica {
        /// Takes what changes nothing.
        sequencer: mpsc::Sender<Command>,
        /// Takes what changes something.
        proposals: mpsc::Sender<(Proposal, Waiting)>,
        /// Tells whether the replica takes proposals.
        board: Board,
    },
}

impl Way {
    /// Sends a command on its way.
    ///
    /// # Errors
    /// `Exhausted` when too many wait; `Unavailable` when the engine stops, or the replica
    /// cannot propose anything now.
    pub fn send(&self, command: Command) -> Result<(), Error> {
        match self {
            Self::Alone(sequencer) => sequencer.try_send(command).map_err(|it| refusal(&it)),
            Self::Replica { sequencer, proposals, board } => match split(command) {
                Split::Here(command) => sequencer.try_send(*command).map_err(|it| refusal(&it)),
                Split::Proposed(proposal, waiting) => {
                    if let Some(why) = board.obstacle() {
                        return Err(Error::Unavailable(why));
                    }
                    proposals.try_send((proposal, waiting)).map_err(|it| refusal(&it))
                }
            },
        }
    }

    /// What a caller is told whose command has got lost.
    pub fn lost(&self) -> Error {
        Error::Unavailable(match self {
            Self::Alone(_) => "the journal takes no more records".into(),
            Self::Replica { board, .. } => board.obstacle().unwrap_or_else(|| {
                "the broker gave no word: whether it was recorded is not known; ask again with \
                 the same id"
                    .into()
            }),
        })
    }

    /// How many commands wait for the sequencer, and how many may.
    pub fn waiting(&self) -> (usize, usize) {
        let (Self::Alone(sequencer) | Self::Replica { sequencer, .. }) = self;
        (sequencer.max_capacity() - sequencer.capacity(), sequencer.max_capacity())
    }

    /// How the replica does; `None` when there is but one engine.
    pub fn board(&self) -> Option<&Board> {
        match self {
            Self::Alone(_) => None,
            Self::Replica { board, .. } => Some(board),
        }
    }
}

fn refusal<T>(error: &TrySendError<T>) -> Error {
    match error {
        TrySendError::Full(_) => Error::Exhausted { retry_after: RETRY_AFTER },
        TrySendError::Closed(_) => Error::Unavailable("it is stopping".into()),
    }
}

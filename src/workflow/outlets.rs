//! What leaves the sequencer.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::store::journal::JournalWriter;
use crate::store::records::tail::RecordTail;
use crate::workflow::command::Command;
use crate::workflow::durable_mark::DurableMark;
use crate::workflow::erased_board::ErasedBoard;
use crate::workflow::key_ring::KeyRing;

/// Where records go, and the mark of how far they are durable.
#[derive(Debug)]
pub struct Outlets {
    /// Takes records.
    pub writer: JournalWriter,
    /// Is moved when they are on disk.
    pub durable: DurableMark,
    /// Holds the newest for who follows the journal.
    pub tail: RecordTail,
    /// Shows doors who may call.
    pub keys: Arc<KeyRing>,
    /// Shows reads what was erased.
    pub erased: Arc<ErasedBoard>,
}

impl Outlets {
    /// The next command; `None` when there will be none. Records of what was told before are
    /// written together: once nothing else waits, or something that takes longer.
    pub fn next(&self, commands: &mut mpsc::Receiver<Command>) -> Option<Command> {
        match commands.try_recv() {
            Ok(command @ (Command::Score { .. } | Command::Ingest { .. })) => Some(command),
            Ok(command) => {
                self.writer.wake();
                Some(command)
            }
            Err(_) => {
                self.writer.wake();
                commands.blocking_recv()
            }
        }
    }
}

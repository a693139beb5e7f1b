//! What leaves the sequencer.

use std::sync::Arc;

use crate::store::journal::JournalWriter;
use crate::store::records::tail::RecordTail;
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

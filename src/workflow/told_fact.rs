//! A fact that is ready to be recorded: what needs no state is worked out.
//!
//! A replica does that while it reads the stream, so that the sequencer, which all wait for,
//! only looks ids up and folds.

use crate::domain::event::Event;
use crate::domain::record::ReceivedEvent;
use crate::domain::time::Timestamp;
use crate::store::log::event_bytes;
use crate::workflow::state::{Digest, event_digest, text_digest};

/// A fact, with all that is needed to record it.
#[derive(Debug)]
pub struct ToldFact {
    /// The fact.
    pub received: ReceivedEvent,
    /// What the journal holds for it.
    pub bytes: Vec<u8>,
    /// What the state knows it by.
    pub digests: FactDigests,
}

/// What the state knows a fact by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactDigests {
    /// Digest of its id.
    pub id: Digest,
    /// Digest of what it says.
    pub content: Digest,
}

impl FactDigests {
    /// The digests of a fact.
    pub fn of(received: &ReceivedEvent) -> Self {
        let event = &received.event;
        Self { id: text_digest(&event.event_id), content: event_digest(event) }
    }
}

impl ToldFact {
    /// Works out everything of a fact.
    pub fn of(event: Event, received_time: Timestamp) -> Self {
        let received = ReceivedEvent { event, received_time };
        let bytes = event_bytes(&received);
        Self::with_bytes(received, bytes)
    }

    /// The same of a fact whose record has these bytes.
    pub fn with_bytes(received: ReceivedEvent, bytes: Vec<u8>) -> Self {
        let digests = FactDigests::of(&received);
        Self { received, bytes, digests }
    }
}

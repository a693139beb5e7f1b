//! What a message of the stream holds.

use crate::domain::proposal::{Batch, Origin, Proposal};
use crate::wire::proposal::{self, BatchFault};

/// What a message of the stream holds.
#[derive(Debug)]
pub enum Content {
    /// What a replica proposes.
    Batch(Batch),
    /// Something that no replica wrote.
    Foreign,
    /// Something of a replica that this build does not understand, and why.
    NotUnderstood(Box<str>),
}

/// The bytes of a proposal, to be put into a batch.
pub fn encode(proposal: &Proposal) -> Vec<u8> {
    proposal::encode(proposal)
}

/// The bytes of a batch of proposals, each as [`encode`] gave it.
pub fn join(origin: &Origin, proposals: Vec<Vec<u8>>) -> Vec<u8> {
    proposal::join(origin, proposals)
}

/// The bytes of a journal record of a fact, made of those of its proposal; `None` when they are
/// not as [`encode`] makes them.
pub fn record_of_fact(sent: Vec<u8>) -> Option<Vec<u8>> {
    proposal::record_of_fact(sent)
}

/// What these bytes hold.
pub fn read(bytes: &[u8]) -> Content {
    match proposal::decode(bytes) {
        Ok(batch) => Content::Batch(batch),
        Err(BatchFault::Foreign) => Content::Foreign,
        Err(fault @ (BatchFault::Newer { .. } | BatchFault::Unknown(_))) => {
            Content::NotUnderstood(fault.to_string().into())
        }
    }
}

/// CRC-32 of a message.
pub fn checksum(bytes: &[u8]) -> u32 {
    proposal::checksum(bytes)
}

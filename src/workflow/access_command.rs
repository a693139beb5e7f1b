//! What the engine asks of the sequencer about people, the audit log and notes.

use crate::domain::access::{AuditDraft, AuditEntry, AuditHead, Person, PersonDraft};
use crate::domain::api_key::{ApiKey, KeyChange};
use crate::domain::entity::EntityRef;
use crate::domain::erasure::Erased;
use crate::domain::note::Note;
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::workflow::access_ledger::PersonKey;
use crate::workflow::command::Reply;

/// A question or a step; each is answered with the journal position that it rests on.
#[derive(Debug)]
pub enum AccessCommand {
    /// List everybody.
    People {
        /// Where they go.
        reply: Reply<(Vec<Person>, u64)>,
    },
    /// Find one of them.
    Find {
        /// By what.
        key: PersonKey,
        /// Where they go.
        reply: Reply<(Option<Person>, u64)>,
    },
    /// Add or change somebody.
    Change {
        /// As they are to be.
        draft: PersonDraft,
        /// Who wants it, when and why.
        signature: Signature,
        /// Where the person goes as they are then.
        reply: Reply<(Person, u64)>,
    },
    /// List every API key.
    Keys {
        /// Where they go.
        reply: Reply<(Vec<ApiKey>, u64)>,
    },
    /// Make, rotate or revoke an API key.
    ChangeKey {
        /// What is to be so.
        change: KeyChange,
        /// Who wants it, when and why.
        signature: Signature,
        /// Where the key goes as it is then.
        reply: Reply<(ApiKey, u64)>,
    },
    /// Erase an identifier.
    Erase {
        /// Which one, sealed.
        entity: EntityRef,
        /// Who wants it, when and why.
        signature: Signature,
        /// Where the answer goes: what is shown instead.
        reply: Reply<(Erased, u64)>,
    },
    /// Add an entry to the audit log.
    Audit {
        /// What was done.
        draft: AuditDraft,
        /// When.
        at: Timestamp,
        /// Where the entry goes.
        reply: Reply<(AuditEntry, u64)>,
    },
    /// Tell where the audit log ends.
    Head {
        /// Where the answer goes.
        reply: Reply<(AuditHead, u64)>,
    },
    /// Add a note.
    Note {
        /// The note.
        note: Note,
        /// Where the answer goes: the id was new, or told before.
        reply: Reply<(Noting, u64)>,
    },
}

/// What became of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noting {
    /// It is recorded.
    New,
    /// A note with its id was recorded before.
    Before,
}

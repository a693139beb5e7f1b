//! What the doors ask about people, the audit log and notes.

use std::future::Future;

use crate::domain::access::{AuditDraft, AuditEntry, AuditQuery, AuditReport, Person, PersonDraft};
use crate::domain::decision::DecisionId;
use crate::domain::note::{Note, NoteDraft};
use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;

/// Knows who may do what, and remembers what was done.
///
/// It does not ask who is asking: a door signs people in and looks at [`Person::may`] first.
/// Every step is durable before it is answered. Every method may also be refused with
/// `Exhausted` or `Unavailable`.
pub trait AccessService: Send + Sync + 'static {
    /// Everybody who is known, by sign-in name; those who have left as well.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_people(&self) -> impl Future<Output = Result<Vec<Person>, Error>> + Send;

    /// The person with a sign-in name, also when they have left.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn find_person(
        &self,
        person_id: &str,
    ) -> impl Future<Output = Result<Option<Person>, Error>> + Send;

    /// The active person who holds the key with this hash, 64 lower-case hex digits; nobody
    /// for an empty one.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn find_person_by_key(
        &self,
        key_hash: &str,
    ) -> impl Future<Output = Result<Option<Person>, Error>> + Send;

    /// Adds or changes a person, and tells the audit log so in the same record. Who is so
    /// already is answered without a record.
    ///
    /// # Errors
    /// `Invalid` with every wrong field; `Refused` when it would leave nobody who is an active
    /// admin (`LAST_ADMIN`), or when somebody else holds the key (`KEY_TAKEN`).
    fn change_person(
        &self,
        draft: PersonDraft,
        by: Signer,
        received: Timestamp,
    ) -> impl Future<Output = Result<Person, Error>> + Send;

    /// Adds an entry at the end of the audit log.
    ///
    /// # Errors
    /// `Invalid` with every wrong field.
    fn audit(
        &self,
        draft: AuditDraft,
        received: Timestamp,
    ) -> impl Future<Output = Result<AuditEntry, Error>> + Send;

    /// Entries of the audit log, newest first.
    ///
    /// # Errors
    /// `Unavailable` when the records cannot be read.
    fn list_audit(
        &self,
        query: AuditQuery,
    ) -> impl Future<Output = Result<Vec<AuditEntry>, Error>> + Send;

    /// Reads the whole journal and says whether the chain holds, and ends as remembered.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read.
    fn verify_audit(&self) -> impl Future<Output = Result<AuditReport, Error>> + Send;

    /// Adds a note about a decision; the same note again is answered with the first one.
    ///
    /// # Errors
    /// `Invalid` with every wrong field, `NotFound` for an unknown decision, `Conflict` when
    /// the note id was used for another note.
    fn add_note(
        &self,
        draft: NoteDraft,
        received: Timestamp,
    ) -> impl Future<Output = Result<Note, Error>> + Send;

    /// Notes about a decision, oldest first; of very many the newest.
    ///
    /// # Errors
    /// `Unavailable` when the records cannot be read.
    fn list_notes(
        &self,
        decision_id: DecisionId,
    ) -> impl Future<Output = Result<Vec<Note>, Error>> + Send;
}

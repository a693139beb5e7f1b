//! The engine's part for people, the audit log and notes.

use crate::domain::access::{AuditDraft, AuditEntry, Person, PersonDraft, check_signer};
use crate::domain::audit_query::{AUDIT_PAGE_MAX, AuditQuery, AuditReport};
use crate::domain::decision::DecisionId;
use crate::domain::note::{NOTES_MAX, Note, NoteDraft};
use crate::domain::record::Record;
use crate::domain::strategy_version::{Signature, Signer};
use crate::domain::time::Timestamp;
use crate::workflow::access_command::{AccessCommand, Noting};
use crate::workflow::access_ledger::PersonKey;
use crate::workflow::access_service::AccessService;
use crate::workflow::audit_log::verify_audit;
use crate::workflow::command::{Command, Reply};
use crate::workflow::engine::{Engine, block};
use crate::workflow::engine_experiments::check;
use crate::workflow::error::Error;

impl Engine {
    /// Asks, and waits until what the answer rests on is durable.
    pub(super) async fn ask_access<T>(
        &self,
        command: impl FnOnce(Reply<(T, u64)>) -> AccessCommand,
    ) -> Result<T, Error> {
        let asked = |reply| Command::Access(Box::new(command(reply)));
        let (told, position) = self.ask(asked).await?;
        self.reached(position).await?;
        Ok(told)
    }

    /// The first note with an id that is used again.
    async fn note_again(&self, note: Note, position: u64) -> Result<Note, Error> {
        self.reached(position).await?;
        let Record::Noted(before) = self.record_at(position).await? else {
            return Err(Error::Unavailable(format!("no note at {position}").into()));
        };
        let fields = [
            ("by", before.by == note.by),
            ("decision_id", before.decision_id == note.decision_id),
            ("kind", before.kind == note.kind),
            ("text", before.text == note.text),
        ];
        let differing = fields.iter().filter(|(_, is_same)| !is_same);
        let fields: Vec<Box<str>> = differing.map(|(name, _)| (*name).into()).collect();
        if fields.is_empty() {
            Ok(before)
        } else {
            Err(Error::IdReused { id: note.note_id, fields })
        }
    }
}

impl AccessService for Engine {
    async fn list_people(&self) -> Result<Vec<Person>, Error> {
        self.ask_access(|reply| AccessCommand::People { reply }).await
    }

    async fn find_person(&self, person_id: &str) -> Result<Option<Person>, Error> {
        let key = PersonKey::Id(person_id.into());
        self.ask_access(|reply| AccessCommand::Find { key, reply }).await
    }

    async fn find_person_by_key(&self, key_hash: &str) -> Result<Option<Person>, Error> {
        let key = PersonKey::KeyHash(key_hash.into());
        self.ask_access(|reply| AccessCommand::Find { key, reply }).await
    }

    async fn change_person(
        &self,
        draft: PersonDraft,
        by: Signer,
        received: Timestamp,
    ) -> Result<Person, Error> {
        check(|note| {
            draft.check(note);
            check_signer(&by, note);
        })?;
        let signature = Signature { by: by.by, at: received, note: by.note };
        self.ask_access(|reply| AccessCommand::Change { draft, signature, reply }).await
    }

    async fn audit(&self, draft: AuditDraft, received: Timestamp) -> Result<AuditEntry, Error> {
        check(|note| draft.check(note))?;
        self.ask_access(|reply| AccessCommand::Audit { draft, at: received, reply }).await
    }

    async fn list_audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, Error> {
        self.records_caught_up().await?;
        let query = AuditQuery { n_max: query.n_max.min(AUDIT_PAGE_MAX), ..query };
        let records = self.records.clone();
        block(move || {
            records
                .list_audit(&query)
                .map_err(|error| Error::unread("listing the audit log", error))
        })
        .await
    }

    async fn verify_audit(&self) -> Result<AuditReport, Error> {
        let asked = |reply| Command::Access(Box::new(AccessCommand::Head { reply }));
        let (head, position) = self.ask(asked).await?;
        self.reached(position).await?;
        let reader = self.journal_reader();
        block(move || verify_audit(&reader, position, Some(&head))).await
    }

    async fn add_note(&self, draft: NoteDraft, received: Timestamp) -> Result<Note, Error> {
        check(|note| draft.check(note))?;
        let note = draft.written(received);
        let kept = note.clone();
        let asked = |reply| Command::Access(Box::new(AccessCommand::Note { note: kept, reply }));
        let (noting, position) = self.ask(asked).await?;
        match noting {
            Noting::New => Ok(note),
            Noting::Before => self.note_again(note, position).await,
        }
    }

    async fn list_notes(&self, decision_id: DecisionId) -> Result<Vec<Note>, Error> {
        self.records_caught_up().await?;
        let records = self.records.clone();
        block(move || {
            records
                .list_notes(decision_id, NOTES_MAX)
                .map_err(|error| Error::unread("listing notes", error))
        })
        .await
    }
}

//! People, keys and audit log of the fake: the real ledger, in memory.

use std::sync::Arc;

use orderlens::domain::access::{AuditDraft, AuditEntry, Person, PersonDraft};
use orderlens::domain::api_key::{ApiKey, KeyChange};
use orderlens::domain::audit_query::{AuditQuery, AuditReport};
use orderlens::domain::decision::DecisionId;
use orderlens::domain::entity::EntityRef;
use orderlens::domain::erasure::{Erased, IdentifierErased};
use orderlens::domain::note::{Note, NoteDraft};
use orderlens::domain::strategy_version::{Signature, Signer};
use orderlens::domain::time::Timestamp;
use orderlens::workflow::access_ledger::{PersonKey, PersonStep};
use orderlens::workflow::access_service::AccessService;
use orderlens::workflow::erasure_service::ErasureService;
use orderlens::workflow::error::Error;
use orderlens::workflow::key_ledger::KeyStep;
use orderlens::workflow::key_ring::KeyRing;
use orderlens::workflow::key_service::KeyService;

use crate::fake::Fake;

impl AccessService for Fake {
    async fn list_people(&self) -> Result<Vec<Person>, Error> {
        Ok(self.state().access.people().cloned().collect())
    }

    async fn find_person(&self, person_id: &str) -> Result<Option<Person>, Error> {
        Ok(self.state().access.find(&PersonKey::Id(person_id.into())).cloned())
    }

    async fn find_person_by_key(&self, key_hash: &str) -> Result<Option<Person>, Error> {
        Ok(self.state().access.find(&PersonKey::KeyHash(key_hash.into())).cloned())
    }

    async fn change_person(
        &self,
        draft: PersonDraft,
        by: Signer,
        received: Timestamp,
    ) -> Result<Person, Error> {
        let mut state = self.state();
        let signature = Signature { by: by.by, at: received, note: by.note };
        let changed = match state.access.change(draft, signature)? {
            PersonStep::Before(person) => return Ok(person),
            PersonStep::New(changed) => changed,
        };
        state.access.changed(&changed);
        self.keys.publish(state.access.keys_in_use());
        Ok(changed.person)
    }

    async fn audit(&self, draft: AuditDraft, received: Timestamp) -> Result<AuditEntry, Error> {
        let mut state = self.state();
        let entry = AuditEntry::next(state.access.head(), draft, received);
        state.access.audited(&entry);
        Ok(entry)
    }

    async fn list_audit(&self, _: AuditQuery) -> Result<Vec<AuditEntry>, Error> {
        Err(Error::Unavailable("the fake keeps no entries".into()))
    }

    async fn verify_audit(&self) -> Result<AuditReport, Error> {
        let head = self.state().access.head().clone();
        Ok(AuditReport { n_entries: head.sequence, head_hash: head.hash, broken: None })
    }

    async fn add_note(&self, draft: NoteDraft, _: Timestamp) -> Result<Note, Error> {
        Err(Error::UnknownDecision(draft.decision_id))
    }

    async fn list_notes(&self, _: DecisionId) -> Result<Vec<Note>, Error> {
        Ok(Vec::new())
    }
}

impl ErasureService for Fake {
    async fn erase(
        &self,
        entities: Vec<EntityRef>,
        by: Signer,
        received: Timestamp,
    ) -> Result<Vec<Erased>, Error> {
        let mut state = self.state();
        let mut erased = Vec::new();
        for entity in entities {
            let signature = Signature { by: by.by.clone(), at: received, note: by.note.clone() };
            let record =
                IdentifierErased::new((entity, Vec::new()), state.access.head(), signature);
            state.access.audited(&record.audited);
            erased.push(Erased { position: 1, at: received, shown: record.shown() });
        }
        Ok(erased)
    }
}

impl KeyService for Fake {
    fn key_ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys)
    }

    async fn list_keys(&self) -> Result<Vec<ApiKey>, Error> {
        Ok(self.state().access.keys().cloned().collect())
    }

    async fn change_key(
        &self,
        change: KeyChange,
        by: Signer,
        received: Timestamp,
    ) -> Result<ApiKey, Error> {
        let mut state = self.state();
        let signature = Signature { by: by.by, at: received, note: by.note };
        let changed = match state.access.change_key(change, signature)? {
            KeyStep::Before(key) => return Ok(key),
            KeyStep::New(changed) => changed,
        };
        state.access.key_changed(&changed);
        self.keys.publish(state.access.keys_in_use());
        Ok(changed.key)
    }
}

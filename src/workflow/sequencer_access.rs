//! The sequencer's part for people, audit log and notes: it makes the chain.

use std::collections::BTreeSet;

use crate::domain::access::{AuditDraft, AuditEntry, Person, PersonDraft};
use crate::domain::api_key::{ApiKey, KeyChange};
use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::erasure::{Erased, IdentifierErased};
use crate::domain::note::Note;
use crate::domain::record::{Record, ScoreRequest};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::workflow::access_command::{AccessCommand, Noting};
use crate::workflow::access_ledger::PersonStep;
use crate::workflow::command::Reply;
use crate::workflow::error::Error;
use crate::workflow::key_ledger::KeyStep;
use crate::workflow::sequencer::{Sequencer, answer};
use crate::workflow::state::{Digest, State, event_digest, request_digest};
use crate::workflow::told_fact::ToldFact;

impl Sequencer {
    pub(super) fn access(&mut self, asked: AccessCommand) {
        let (access, position) = (&self.state.access, self.state.position);
        match asked {
            AccessCommand::People { reply } => {
                answer(reply, Ok((access.people().cloned().collect(), position)));
            }
            AccessCommand::Find { key, reply } => {
                answer(reply, Ok((access.find(&key).cloned(), position)));
            }
            AccessCommand::Head { reply } => answer(reply, Ok((access.head().clone(), position))),
            AccessCommand::Change { draft, signature, reply } => {
                self.change_person(draft, signature, reply);
            }
            AccessCommand::Keys { reply } => {
                answer(reply, Ok((access.keys().cloned().collect(), position)));
            }
            AccessCommand::ChangeKey { change, signature, reply } => {
                self.change_key(change, signature, reply);
            }
            AccessCommand::Erase { entity, signature, reply } => {
                self.erase(entity, signature, reply);
            }
            AccessCommand::Audit { draft, at, reply } => self.audit(draft, at, reply),
            AccessCommand::Note { note, reply } => self.note(note, reply),
        }
    }

    fn change_person(
        &mut self,
        draft: PersonDraft,
        signature: Signature,
        reply: Reply<(Person, u64)>,
    ) {
        match self.state.access.change(draft, signature) {
            Ok(PersonStep::New(changed)) => {
                let person = changed.person.clone();
                self.add(&Record::PersonChanged(changed), person, reply);
            }
            Ok(PersonStep::Before(person)) => answer(reply, Ok((person, self.state.position))),
            Err(error) => answer(reply, Err(error)),
        }
    }

    fn change_key(&mut self, change: KeyChange, signature: Signature, reply: Reply<(ApiKey, u64)>) {
        match self.state.access.change_key(change, signature) {
            Ok(KeyStep::New(changed)) => {
                let key = changed.key.clone();
                self.add(&Record::ApiKeyChanged(changed), key, reply);
            }
            Ok(KeyStep::Before(key)) => answer(reply, Ok((key, self.state.position))),
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Puts what doors and reads look at in place, when a record changed it.
    pub(super) fn publish(&self, record: &Record) {
        if matches!(record, Record::ApiKeyChanged(_) | Record::PersonChanged(_)) {
            self.outlets.keys.publish(self.state.access.keys_in_use());
        }
        if matches!(record, Record::IdentifierErased(_)) {
            self.outlets.erased.publish(&self.state.erasures);
        }
    }

    fn erase(&mut self, mut entity: EntityRef, signature: Signature, reply: Reply<(Erased, u64)>) {
        let asked = entity.key.hashes();
        self.recognize(&mut entity, signature.at);
        let State { erasures, graph, access, position, pseudonyms, .. } = &self.state;
        if let Some(before) = erasures.get(&entity)
            && !graph.knows(&entity)
        {
            return answer(reply, Ok((before.clone(), *position)));
        }
        let (at, position) = (signature.at, position + 1);
        let own = entity.key.hashes();
        let others = own.iter().flat_map(|hash| pseudonyms.others(*hash)).chain(asked);
        let others: BTreeSet<u128> = others.filter(|hash| !own.contains(hash)).collect();
        let other = |hash| EntityRef { kind: entity.kind, key: EntityKey::Hashed(hash) };
        let others = others.into_iter().map(other).collect();
        let record = IdentifierErased::new((entity, others), access.head(), signature);
        let erased = Erased { position, at, shown: record.shown() };
        self.add(&Record::IdentifierErased(record), erased, reply);
    }

    /// True when a request asks what one asked that was answered before, perhaps without what
    /// was erased since, or when nobody was known by the identity secret of now: `former` is the
    /// digest that it had then.
    pub(super) fn is_same_request(
        &self,
        (content, former): (Digest, Option<Digest>),
        request: &ScoreRequest,
    ) -> bool {
        let State { erasures, .. } = &self.state;
        let is_same_left = || {
            let mut left = request.clone();
            erasures.strip_order(&mut left.order, left.event_time);
            content == request_digest(&left)
        };
        content == request_digest(request)
            || former == Some(content)
            || !erasures.is_empty() && is_same_left()
    }

    /// True when a fact says what one said that was told before, perhaps without what was
    /// erased since, or when nobody was known by the identity secret of now.
    pub(super) fn is_same_fact(
        &self,
        (content, former): (Digest, Option<Digest>),
        told: &ToldFact,
    ) -> bool {
        let State { erasures, .. } = &self.state;
        let is_same_left = || {
            let mut left = told.received.event.clone();
            erasures.strip(&mut left);
            content == event_digest(&left)
        };
        content == told.digests.content
            || former == Some(content)
            || !erasures.is_empty() && is_same_left()
    }

    /// Entries follow on each other in the order of the journal, since nobody else writes it.
    fn audit(&mut self, draft: AuditDraft, at: Timestamp, reply: Reply<(AuditEntry, u64)>) {
        let entry = AuditEntry::next(self.state.access.head(), draft, at);
        self.add(&Record::Audited(entry.clone()), entry, reply);
    }

    fn note(&mut self, note: Note, reply: Reply<(Noting, u64)>) {
        if self.state.decision_position(note.decision_id).is_none() {
            return answer(reply, Err(Error::UnknownDecision(note.decision_id)));
        }
        if let Some(position) = self.state.noted(&note.note_id) {
            return answer(reply, Ok((Noting::Before, position)));
        }
        self.add(&Record::Noted(note), Noting::New, reply);
    }

    /// Records and folds; the answer leaves once it is durable.
    fn add<T: Send + 'static>(&mut self, record: &Record, told: T, reply: Reply<(T, u64)>) {
        let told = (told, self.state.position + 1);
        if self.submit(record, reply, told).is_some() {
            self.fold(record);
        }
    }
}

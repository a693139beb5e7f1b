//! Who may do what, and where the audit log ends: a fold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::access::{
    AuditDraft, AuditEntry, AuditHead, PERSON_CHANGED, Person, PersonDraft, Role,
};
use crate::domain::api_key::ApiKey;
use crate::domain::record::PersonChanged;
use crate::domain::strategy_version::Signature;
use crate::workflow::error::Error;

/// Most people that are known, those who have left among them.
pub const PEOPLE_MAX: usize = 10_000;

/// Everybody who is known, and the end of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLedger {
    people: BTreeMap<Box<str>, Person>,
    pub(super) keys: BTreeMap<Box<str>, ApiKey>,
    head: AuditHead,
}

/// By what a person is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonKey {
    /// Their sign-in name.
    Id(Box<str>),
    /// BLAKE3 of the sign-in key that they hold, 64 hex digits.
    KeyHash(Box<str>),
}

/// What a change of a person comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonStep {
    /// It is recorded so.
    New(PersonChanged),
    /// They are so already.
    Before(Person),
}

impl AccessLedger {
    /// Folds a change of a person.
    pub fn changed(&mut self, changed: &PersonChanged) {
        let PersonChanged { person, audited } = changed;
        self.people.insert(person.person_id.clone(), person.clone());
        self.audited(audited);
    }

    /// Folds an entry of the audit log, whether or not it holds: the log goes on behind it.
    pub fn audited(&mut self, entry: &AuditEntry) {
        self.head = entry.head();
    }

    /// Everybody who is known, by sign-in name.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// The person that is meant; by a key only somebody who is still here.
    pub fn find(&self, key: &PersonKey) -> Option<&Person> {
        match key {
            PersonKey::Id(id) => self.people.get(id),
            PersonKey::KeyHash(hash) => {
                self.holder(hash).filter(|person| person.is_active && !hash.is_empty())
            }
        }
    }

    /// The person with a sign-in name, also when they have left.
    pub(super) fn person(&self, id: &str) -> Option<&Person> {
        self.people.get(id)
    }

    /// The end of the chain.
    pub fn head(&self) -> &AuditHead {
        &self.head
    }

    /// The record of a change, or the person who is so already.
    ///
    /// # Errors
    /// `Refused` when it takes the last admin away, or gives a key that somebody else holds.
    pub fn change(&self, draft: PersonDraft, signature: Signature) -> Result<PersonStep, Error> {
        let before = self.people.get(&draft.person_id);
        let person = draft.applied_to(before);
        if before == Some(&person) {
            return Ok(PersonStep::Before(person));
        }
        let Signature { by, at, note } = signature;
        let was_admin = before.is_some_and(is_admin);
        if was_admin && !is_admin(&person) && self.n_admins() == 1 {
            let why =
                format!("`{}` is the last active admin: name another first", person.person_id);
            return Err(Error::Refused { reason: "LAST_ADMIN", why: why.into() });
        }
        let holder = self.holder(&person.key_hash);
        let is_taken = holder.is_some_and(|holder| holder.person_id != person.person_id);
        if is_taken && !person.key_hash.is_empty() {
            let why = "somebody holds this key already: make another".into();
            return Err(Error::Refused { reason: "KEY_TAKEN", why });
        }
        if before.is_none() && PEOPLE_MAX <= self.people.len() {
            let why = format!("{PEOPLE_MAX} people are known already").into();
            return Err(Error::Refused { reason: "PEOPLE_FULL", why });
        }
        let told = person.description();
        let detail = if note.is_empty() { told } else { format!("{told}; {note}") };
        let draft = AuditDraft {
            actor: by,
            action: PERSON_CHANGED.into(),
            subject: person.person_id.clone(),
            detail: detail.into(),
        };
        let audited = AuditEntry::next(&self.head, draft, at);
        Ok(PersonStep::New(PersonChanged { person, audited }))
    }

    fn holder(&self, key_hash: &str) -> Option<&Person> {
        self.people().find(|person| *person.key_hash == *key_hash)
    }

    fn n_admins(&self) -> usize {
        self.people().filter(|person| is_admin(person)).count()
    }
}

fn is_admin(person: &Person) -> bool {
    person.is_active && person.roles.contains(&Role::Admin)
}

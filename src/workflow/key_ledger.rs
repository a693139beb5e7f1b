//! API keys among those who may do what: a part of the access ledger.

use std::collections::BTreeMap;

use crate::domain::access::{AuditDraft, AuditEntry};
use crate::domain::api_key::{API_KEY_CHANGED, ApiKey, ApiKeyDraft, KeyChange};
use crate::domain::record::ApiKeyChanged;
use crate::domain::strategy_version::Signature;
use crate::workflow::access_ledger::AccessLedger;
use crate::workflow::error::Error;

/// Most keys that are remembered, revoked ones among them.
pub const KEYS_MAX: usize = 10_000;

/// What a change of a key comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// It is recorded so.
    New(ApiKeyChanged),
    /// It is so already.
    Before(ApiKey),
}

impl AccessLedger {
    /// Folds a change of a key.
    pub fn key_changed(&mut self, changed: &ApiKeyChanged) {
        let ApiKeyChanged { key, audited } = changed;
        self.keys.insert(key.name.clone(), key.clone());
        self.audited(audited);
    }

    /// Every key there ever was, by name.
    pub fn keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys.values()
    }

    /// The keys that open something: not revoked, and their owner has not left.
    pub fn keys_in_use(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys().filter(|key| {
            let is_here = self.person(&key.owner).is_none_or(|person| person.is_active);
            key.is_active && is_here
        })
    }

    /// The record of a change, or the key that is so already.
    ///
    /// # Errors
    /// `NotFound`, or `Refused` as `KeyService::change_key` says.
    pub fn change_key(&self, change: KeyChange, signature: Signature) -> Result<KeyStep, Error> {
        let key = match change {
            KeyChange::Create { draft, key_hash } => created(&self.keys, draft, key_hash)?,
            KeyChange::Rotate { name, key_hash } => {
                let before = find(&self.keys, &name)?;
                if !before.is_active {
                    let why = format!("`{name}` is revoked: make another key");
                    return Err(Error::Refused { reason: "KEY_REVOKED", why: why.into() });
                }
                ApiKey { key_hash, ..before.clone() }
            }
            KeyChange::Revoke { name } => {
                let before = find(&self.keys, &name)?;
                if !before.is_active {
                    return Ok(KeyStep::Before(before.clone()));
                }
                return Ok(self.told(ApiKey { is_active: false, ..before.clone() }, signature));
            }
        };
        if self.keys().any(|other| other.key_hash == key.key_hash) {
            let why = "a key has this secret already: make another".into();
            return Err(Error::Refused { reason: "KEY_TAKEN", why });
        }
        Ok(self.told(key, signature))
    }

    fn told(&self, key: ApiKey, signature: Signature) -> KeyStep {
        let Signature { by, at, note } = signature;
        let told = key.description();
        let detail = if note.is_empty() { told } else { format!("{told}; {note}") };
        let draft = AuditDraft {
            actor: by,
            action: API_KEY_CHANGED.into(),
            subject: key.name.clone(),
            detail: detail.into(),
        };
        let audited = AuditEntry::next(self.head(), draft, at);
        KeyStep::New(ApiKeyChanged { key, audited })
    }
}

fn created(
    keys: &BTreeMap<Box<str>, ApiKey>,
    draft: ApiKeyDraft,
    key_hash: Box<str>,
) -> Result<ApiKey, Error> {
    let ApiKeyDraft { name, owner, scopes, calls_per_second, expires } = draft;
    if keys.contains_key(&name) {
        let why = format!("there is, or was, a key `{name}`: take another name");
        return Err(Error::Refused { reason: "KEY_NAME_USED", why: why.into() });
    }
    if KEYS_MAX <= keys.len() {
        let why = format!("{KEYS_MAX} keys are remembered already").into();
        return Err(Error::Refused { reason: "KEYS_FULL", why });
    }
    Ok(ApiKey { name, owner, scopes, calls_per_second, is_active: true, expires, key_hash })
}

fn find<'k>(keys: &'k BTreeMap<Box<str>, ApiKey>, name: &str) -> Result<&'k ApiKey, Error> {
    keys.get(name).ok_or_else(|| Error::UnknownApiKey(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{PersonDraft, Role};
    use crate::domain::api_key::Scope;
    use crate::domain::time::Timestamp;
    use crate::workflow::access_ledger::PersonStep;

    fn signature() -> Signature {
        Signature { by: "root".into(), at: Timestamp(1), note: "why".into() }
    }

    fn hash(digit: char) -> Box<str> {
        digit.to_string().repeat(64).into()
    }

    fn create(name: &str, digit: char) -> KeyChange {
        let draft = ApiKeyDraft {
            name: name.into(),
            owner: "lin".into(),
            scopes: [Scope::Score].into(),
            calls_per_second: None,
            expires: None,
        };
        KeyChange::Create { draft, key_hash: hash(digit) }
    }

    fn step(ledger: &mut AccessLedger, change: KeyChange) -> Result<(), &'static str> {
        match ledger.change_key(change, signature()) {
            Ok(KeyStep::New(changed)) => {
                assert!(changed.key.is_told_by(&changed.audited));
                ledger.key_changed(&changed);
                Ok(())
            }
            Ok(KeyStep::Before(_)) => Err("it is so already"),
            Err(error) => Err(error.reason()),
        }
    }

    #[test]
    fn a_name_is_given_once_and_a_secret_to_one_key() {
        let mut ledger = AccessLedger::default();
        let revoke = || KeyChange::Revoke { name: "a".into() };
        let rotate = |digit| KeyChange::Rotate { name: "a".into(), key_hash: hash(digit) };
        assert_eq!(step(&mut ledger, revoke()), Err("API_KEY_UNKNOWN"));
        assert_eq!(step(&mut ledger, create("a", '1')), Ok(()));
        assert_eq!(step(&mut ledger, create("a", '2')), Err("KEY_NAME_USED"));
        assert_eq!(step(&mut ledger, create("b", '1')), Err("KEY_TAKEN"));
        assert_eq!(step(&mut ledger, rotate('1')), Err("KEY_TAKEN"), "it is the same secret");
        assert_eq!(step(&mut ledger, rotate('2')), Ok(()));
        assert_eq!(step(&mut ledger, revoke()), Ok(()));
        assert_eq!(step(&mut ledger, revoke()), Err("it is so already"));
        assert_eq!(step(&mut ledger, rotate('3')), Err("KEY_REVOKED"));
        assert_eq!(step(&mut ledger, create("a", '4')), Err("KEY_NAME_USED"));
        assert_eq!(ledger.head().sequence, 3);
    }

    #[test]
    fn the_keys_of_somebody_who_has_left_open_nothing_until_they_are_back() {
        let mut ledger = AccessLedger::default();
        step(&mut ledger, create("a", '1')).unwrap();
        let mut is_used_while = |is_active| {
            let draft = PersonDraft {
                person_id: "lin".into(),
                name: "Lin".into(),
                roles: [Role::Analyst].into(),
                is_active,
                key_hash: None,
            };
            let PersonStep::New(changed) = ledger.change(draft, signature()).unwrap() else {
                panic!("it is another state");
            };
            ledger.changed(&changed);
            ledger.keys_in_use().count() == 1
        };
        assert!(is_used_while(true));
        assert!(!is_used_while(false));
        assert!(is_used_while(true));
    }
}

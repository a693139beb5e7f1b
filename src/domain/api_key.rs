//! Keys by which programs speak to the service, and what each of them may do.
//!
//! A caller speaks as the owner of its key: steps are signed so whatever the caller says, so two
//! keys of one owner are one signer, and nobody approves what they have written themselves.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::access::{
    AuditEntry, KEY_HASH_DIGITS, PERSON_ID_CHARS_MAX, hash_of_key, is_hex, is_plain_id,
};
use crate::domain::time::Timestamp;

/// What every secret begins with, so that scanners of leaks can tell one.
pub const SECRET_PREFIX: &str = "ol_";
/// Most calls and items of streams per second that a limit may allow.
pub const CALLS_PER_SECOND_MAX: u32 = 1_000_000;
/// Action of an entry that tells a change of a key.
pub const API_KEY_CHANGED: &str = "api_key.changed";
/// Digits of a secret's hash that the audit log shows.
const KEY_DIGITS_SHOWN: usize = 16;

/// What a key may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Ask about orders and tell events.
    Score,
    /// See decisions, cases, the graph and the queue.
    Review,
    /// Tell choices and outcomes.
    Feedback,
    /// Write strategies and run experiments.
    StrategyAuthor,
    /// Let strategies and models judge.
    StrategyApprove,
    /// Read the audit log and follow its chain.
    AuditRead,
    /// Make and revoke keys, and erase.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::Score,
        Self::Review,
        Self::Feedback,
        Self::StrategyAuthor,
        Self::StrategyApprove,
        Self::AuditRead,
        Self::Admin,
    ];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Review => "review",
            Self::Feedback => "feedback",
            Self::StrategyAuthor => "strategy.author",
            Self::StrategyApprove => "strategy.approve",
            Self::AuditRead => "audit.read",
            Self::Admin => "admin",
        }
    }

    /// The scope with a stable name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A key as it is kept: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name: 1 to 64 of `a` to `z`, digits, `.`, `_` and `-`; never given twice.
    pub name: Box<str>,
    /// Who answers for what is done with it, and signs it: a person's sign-in name or a system.
    pub owner: Box<str>,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// Most calls and items of streams per second; `None` is no limit.
    pub calls_per_second: Option<u32>,
    /// False once it is revoked, for good.
    pub is_active: bool,
    /// It is good for nothing from then on; `None` is never.
    pub expires: Option<Timestamp>,
    /// BLAKE3 of the secret, 64 hex digits.
    pub key_hash: Box<str>,
}

impl ApiKey {
    /// True while it opens anything at all.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.is_active && self.expires.is_none_or(|end| now < end)
    }

    /// All that is kept of it as the audit log tells it; of the hash only the first digits.
    pub fn description(&self) -> String {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.as_str()).collect();
        let life = if self.is_active { "active" } else { "revoked" };
        let pace = self.calls_per_second.map_or_else(
            || "any number of calls".to_owned(),
            |limit| format!("{limit} calls a second"),
        );
        let end = self.expires.map_or_else(|| "no end".to_owned(), |end| format!("until {end}"));
        let shown = self.key_hash.get(..KEY_DIGITS_SHOWN).unwrap_or_default();
        format!("of {}; {}; {pace}; {end}; {life}; key {shown}", self.owner, scopes.join(", "))
    }

    /// True when an entry of the audit log tells exactly this of it.
    pub fn is_told_by(&self, entry: &AuditEntry) -> bool {
        let rest = entry.detail.strip_prefix(&*self.description());
        let is_whole = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("; "));
        is_whole && *entry.subject == *self.name && *entry.action == *API_KEY_CHANGED
    }
}

/// A key that somebody wants to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyDraft {
    /// Its name.
    pub name: Box<str>,
    /// Who answers for it; the same alphabet as a name.
    pub owner: Box<str>,
    /// What it may do; at least one scope.
    pub scopes: BTreeSet<Scope>,
    /// Most calls and items of streams per second; `None` is no limit.
    pub calls_per_second: Option<u32>,
    /// When it ends; `None` is never.
    pub expires: Option<Timestamp>,
}

impl ApiKeyDraft {
    /// Tells everything that is wrong with it: field, then what is wrong.
    pub fn check(&self, now: Timestamp, note: &mut dyn FnMut(&str, String)) {
        for (field, id) in [("name", &self.name), ("owner", &self.owner)] {
            if !is_plain_id(id) {
                let allowed = "of a to z, 0 to 9, `.`, `_` and `-`";
                note(field, format!("must have 1 to {PERSON_ID_CHARS_MAX} {allowed}"));
            }
        }
        if self.scopes.is_empty() {
            note("scopes", "must name at least one".into());
        }
        let is_pace = |limit: u32| (1..=CALLS_PER_SECOND_MAX).contains(&limit);
        if self.calls_per_second.is_some_and(|limit| !is_pace(limit)) {
            note("calls_per_second", format!("must be 1 to {CALLS_PER_SECOND_MAX}"));
        }
        if self.expires.is_some_and(|end| end <= now) {
            note("expires", "must be in the future".into());
        }
    }
}

/// What somebody does with keys. Nothing widens a key that is out there: for other scopes one
/// makes another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyChange {
    /// Make one.
    Create {
        /// As it is to be.
        draft: ApiKeyDraft,
        /// BLAKE3 of its secret.
        key_hash: Box<str>,
    },
    /// Give it another secret; the one before ends at once.
    Rotate {
        /// Which one.
        name: Box<str>,
        /// BLAKE3 of the new secret.
        key_hash: Box<str>,
    },
    /// End it for good.
    Revoke {
        /// Which one.
        name: Box<str>,
    },
}

impl KeyChange {
    /// Tells everything that is wrong with it: field, then what is wrong.
    pub fn check(&self, now: Timestamp, note: &mut dyn FnMut(&str, String)) {
        match self {
            Self::Create { draft, key_hash } => {
                draft.check(now, note);
                check_hash(key_hash, note);
            }
            Self::Rotate { name, key_hash } => {
                check_name(name, note);
                check_hash(key_hash, note);
            }
            Self::Revoke { name } => check_name(name, note),
        }
    }
}

fn check_name(name: &str, note: &mut dyn FnMut(&str, String)) {
    if !is_plain_id(name) {
        note("name", "is the name of no key".into());
    }
}

fn check_hash(hash: &str, note: &mut dyn FnMut(&str, String)) {
    if hash.len() != KEY_HASH_DIGITS || !hash.chars().all(is_hex) {
        note("key_hash", format!("must be {KEY_HASH_DIGITS} hexadecimal digits"));
    }
}

/// The secret of a key: whoever has it is its owner. It is shown once and never kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret(String);

impl KeySecret {
    /// A secret of random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(format!("{SECRET_PREFIX}{}", blake3::Hash::from_bytes(random).to_hex()))
    }

    /// The secret, for its owner's eyes only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> Box<str> {
        hash_of_key(&self.0)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{AuditDraft, AuditHead};

    fn draft() -> ApiKeyDraft {
        ApiKeyDraft {
            name: "checkout".into(),
            owner: "lin".into(),
            scopes: [Scope::Score, Scope::StrategyAuthor].into(),
            calls_per_second: Some(100),
            expires: Some(Timestamp(2_000_000)),
        }
    }

    fn mistakes(draft: &ApiKeyDraft) -> Vec<String> {
        let mut fields = Vec::new();
        draft.check(Timestamp(1_000_000), &mut |field, _| fields.push(field.to_owned()));
        fields
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        assert_eq!(mistakes(&draft()), [""; 0]);
        let wrong = ApiKeyDraft {
            name: "Check out".into(),
            owner: "".into(),
            scopes: BTreeSet::new(),
            calls_per_second: Some(0),
            expires: Some(Timestamp(1_000_000)),
        };
        let all = ["name", "owner", "scopes", "calls_per_second", "expires"];
        assert_eq!(mistakes(&wrong), all);
        let slash = ApiKeyDraft { owner: "lin/wang".into(), ..draft() };
        assert_eq!(mistakes(&slash), ["owner"], "a slash stands between owner and operator");
    }

    #[test]
    fn a_scope_is_found_by_its_name_alone() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::parse("strategy"), None);
    }

    #[test]
    fn a_secret_says_what_it_is_and_prints_as_nothing() {
        let secret = KeySecret::new([7; 32]);
        assert_eq!(secret.expose().len(), SECRET_PREFIX.len() + 64);
        assert!(secret.expose().starts_with(SECRET_PREFIX));
        assert_eq!(format!("{secret:?}"), "KeySecret(***)");
        assert_eq!(secret.hash(), hash_of_key(secret.expose()));
        assert_ne!(secret.hash(), KeySecret::new([8; 32]).hash());
    }

    #[test]
    fn an_entry_tells_one_key_and_no_other() {
        let key = ApiKey {
            name: "checkout".into(),
            owner: "lin".into(),
            scopes: [Scope::Score].into(),
            calls_per_second: None,
            is_active: true,
            expires: None,
            key_hash: "ab".repeat(32).into(),
        };
        let told = AuditDraft {
            actor: "wang".into(),
            action: API_KEY_CHANGED.into(),
            subject: "checkout".into(),
            detail: format!("{}; for the shop", key.description()).into(),
        };
        let entry = AuditEntry::next(&AuditHead::default(), told, Timestamp(1));
        assert!(key.is_told_by(&entry));
        let wider = ApiKey { scopes: [Scope::Score, Scope::Admin].into(), ..key.clone() };
        assert!(!wider.is_told_by(&entry));
        assert!(!ApiKey { is_active: false, ..key.clone() }.is_told_by(&entry));
        assert!(!ApiKey { name: "other".into(), ..key.clone() }.is_told_by(&entry));
        let is_valid = |expires, now| ApiKey { expires, ..key.clone() }.is_valid(Timestamp(now));
        assert!(is_valid(Some(Timestamp(5)), 4) && !is_valid(Some(Timestamp(5)), 5));
    }
}

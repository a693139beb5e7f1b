//! Who may do what, and the chain of everything that was done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::plain_text::check_line;
use crate::domain::strategy_version::{NOTE_CHARS_MAX, SIGNER_CHARS_MAX, Signer};
use crate::domain::time::Timestamp;

/// Longest sign-in name, characters.
pub const PERSON_ID_CHARS_MAX: usize = 64;
/// Longest name of a person, characters.
pub const PERSON_NAME_CHARS_MAX: usize = 120;
/// Digits of the BLAKE3 hash of a sign-in key.
pub const KEY_HASH_DIGITS: usize = 64;
/// Digits of a key's hash that the audit log shows.
const KEY_DIGITS_SHOWN: usize = 16;
/// Longest code of an action, characters.
pub const ACTION_CHARS_MAX: usize = 64;
/// Longest subject of an action, characters.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Longest detail of an action, characters: a note, and what it is about.
pub const DETAIL_CHARS_MAX: usize = NOTE_CHARS_MAX + 500;
/// Action of an entry that tells a change of a person.
pub const PERSON_CHANGED: &str = "person.changed";

/// What somebody does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Chooses about orders.
    Analyst,
    /// Writes strategies and compares them.
    Strategist,
    /// Lets strategies and models judge.
    Approver,
    /// Says who may do what, and reads what was done.
    Admin,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See orders, decisions, strategies, experiments and models.
    Read,
    /// Choose about orders, claim them and write notes.
    Decide,
    /// Propose strategies and start experiments.
    Author,
    /// Approve, activate and revert strategies, promote and roll back models.
    Approve,
    /// Change people and read the audit log.
    Administer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Analyst, Self::Strategist, Self::Approver, Self::Admin];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Strategist => "strategist",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }

    /// The role with a stable name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// True when somebody in this role may do it; everybody may look.
    pub fn allows(self, permission: Permission) -> bool {
        match permission {
            Permission::Read => true,
            Permission::Decide => self == Self::Analyst,
            Permission::Author => self == Self::Strategist,
            Permission::Approve => self == Self::Approver,
            Permission::Administer => self == Self::Admin,
        }
    }
}

/// Somebody who works here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they sign in as: 1 to 64 of `a` to `z`, digits, `.`, `_` and `-`.
    pub person_id: Box<str>,
    /// What they are called.
    pub name: Box<str>,
    /// What they do.
    pub roles: BTreeSet<Role>,
    /// False once they have left.
    pub is_active: bool,
    /// BLAKE3 of their random sign-in key, 64 hex digits; empty while they have none.
    pub key_hash: Box<str>,
}

impl Person {
    /// True when one of their roles allows it and they are still here.
    pub fn may(&self, permission: Permission) -> bool {
        self.is_active && self.roles.iter().any(|role| role.allows(permission))
    }

    /// All that is known of them as the audit log tells it; of the key only the first digits of
    /// its hash.
    pub fn description(&self) -> String {
        let roles: Vec<&str> = self.roles.iter().map(|role| role.as_str()).collect();
        let life = if self.is_active { "active" } else { "inactive" };
        let shown = self.key_hash.get(..KEY_DIGITS_SHOWN);
        let key = shown.map_or_else(|| "no key".to_owned(), |digits| format!("key {digits}"));
        format!("{}; {}; {life}; {key}", self.name, roles.join(", "))
    }

    /// True when an entry of the audit log tells exactly this of them.
    pub fn is_told_by(&self, entry: &AuditEntry) -> bool {
        let rest = entry.detail.strip_prefix(&*self.description());
        let is_whole = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("; "));
        is_whole && *entry.subject == *self.person_id && *entry.action == *PERSON_CHANGED
    }
}

/// A person as somebody wants them to be from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDraft {
    /// What they sign in as.
    pub person_id: Box<str>,
    /// What they are called.
    pub name: Box<str>,
    /// What they do; at least one role.
    pub roles: BTreeSet<Role>,
    /// False once they have left.
    pub is_active: bool,
    /// BLAKE3 of a new sign-in key, 64 hex digits; empty takes the key away, `None` leaves it.
    pub key_hash: Option<Box<str>>,
}

impl PersonDraft {
    /// Tells everything that is wrong with it: field, then what is wrong.
    pub fn check(&self, note: &mut dyn FnMut(&str, String)) {
        if !is_plain_id(&self.person_id) {
            let allowed = "of a to z, 0 to 9, `.`, `_` and `-`";
            note("person_id", format!("must have 1 to {PERSON_ID_CHARS_MAX} {allowed}"));
        }
        check_line(("name", &self.name), &(1..=PERSON_NAME_CHARS_MAX), note);
        if self.roles.is_empty() {
            note("roles", "must name at least one".into());
        }
        let is_hash = |hash: &str| hash.len() == KEY_HASH_DIGITS && hash.chars().all(is_hex);
        let has_bad_hash = self.key_hash.as_ref().is_some_and(|it| !it.is_empty() && !is_hash(it));
        if has_bad_hash {
            note("key_hash", format!("must be empty or {KEY_HASH_DIGITS} hexadecimal digits"));
        }
    }

    /// The person after this change of `before`, who may be nobody yet.
    pub fn applied_to(self, before: Option<&Person>) -> Person {
        let kept = || before.map(|person| person.key_hash.clone()).unwrap_or_default();
        Person {
            person_id: self.person_id,
            name: self.name,
            roles: self.roles,
            is_active: self.is_active,
            key_hash: self.key_hash.unwrap_or_else(kept),
        }
    }
}

/// What is kept of a sign-in key: BLAKE3 of its text, 64 hex digits. A key is random and long, so
/// nothing slower is needed to keep it from being guessed.
pub fn hash_of_key(key: &str) -> Box<str> {
    blake3::hash(key.as_bytes()).to_hex().as_str().into()
}

/// True for 1 to 64 of `a` to `z`, digits, `.`, `_` and `-`.
pub fn is_plain_id(id: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    (1..=PERSON_ID_CHARS_MAX).contains(&id.len())
        && id.chars().all(|it| is_plain(it) || matches!(it, '.' | '_' | '-'))
}

/// Lower case alone, so that a hash is written in one way.
pub fn is_hex(digit: char) -> bool {
    matches!(digit, '0'..='9' | 'a'..='f')
}

/// Tells everything that is wrong with who signs a step.
pub fn check_signer(signer: &Signer, note: &mut dyn FnMut(&str, String)) {
    check_line(("by", &signer.by), &(1..=SIGNER_CHARS_MAX), note);
    check_line(("note", &signer.note), &(0..=NOTE_CHARS_MAX), note);
}

/// Something that was done, before it has its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    /// Who did it: a person's sign-in name, or a system.
    pub actor: Box<str>,
    /// What was done, a dotted stable code: `strategy.approved`.
    pub action: Box<str>,
    /// To what: an id; may be empty.
    pub subject: Box<str>,
    /// More about it; may be empty.
    pub detail: Box<str>,
}

impl AuditDraft {
    /// Tells everything that is wrong with it: field, then what is wrong.
    pub fn check(&self, note: &mut dyn FnMut(&str, String)) {
        check_line(("actor", &self.actor), &(1..=SIGNER_CHARS_MAX), note);
        let is_letter = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
        let is_word = |word: &str| !word.is_empty() && word.chars().all(is_letter);
        let is_code = self.action.contains('.') && self.action.split('.').all(is_word);
        if ACTION_CHARS_MAX < self.action.len() || !is_code {
            let example = "words with dots between, as in `strategy.approved`";
            note("action", format!("must be at most {ACTION_CHARS_MAX} characters: {example}"));
        }
        check_line(("subject", &self.subject), &(0..=SUBJECT_CHARS_MAX), note);
        check_line(("detail", &self.detail), &(0..=DETAIL_CHARS_MAX), note);
    }
}

/// The end of the chain: what the next entry follows on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Entries so far.
    pub sequence: u64,
    /// Hash of the last one; empty before the first.
    pub hash: Box<str>,
}

/// Something that was done, in its place in the chain: whoever changes, removes or moves an
/// entry has to write all later ones anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// 1, 2, 3 … over the whole log.
    pub sequence: u64,
    /// When, by our clock.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Box<str>,
    /// What was done.
    pub action: Box<str>,
    /// To what.
    pub subject: Box<str>,
    /// More about it.
    pub detail: Box<str>,
    /// Hash of the entry before; empty in the first.
    pub previous_hash: Box<str>,
    /// BLAKE3 of all of the above, 64 hex digits.
    pub hash: Box<str>,
}

impl AuditEntry {
    /// The entry that follows on the end of the chain.
    pub fn next(previous: &AuditHead, draft: AuditDraft, at: Timestamp) -> Self {
        let AuditDraft { actor, action, subject, detail } = draft;
        let mut entry = Self {
            sequence: previous.sequence.saturating_add(1),
            at,
            actor,
            action,
            subject,
            detail,
            previous_hash: previous.hash.clone(),
            hash: Box::default(),
        };
        entry.hash = entry.sealed();
        entry
    }

    /// The end of the chain behind it.
    pub fn head(&self) -> AuditHead {
        AuditHead { sequence: self.sequence, hash: self.hash.clone() }
    }

    /// What its hash has to be. Every text is led by its length in bytes, and numbers are
    /// little-endian, so that no two entries are the same bytes.
    fn sealed(&self) -> Box<str> {
        let mut hasher = blake3::Hasher::new();
        add_text(&mut hasher, &self.previous_hash);
        hasher.update(&self.sequence.to_le_bytes());
        hasher.update(&self.at.0.to_le_bytes());
        for text in [&self.actor, &self.action, &self.subject, &self.detail] {
            add_text(&mut hasher, text);
        }
        hasher.finalize().to_hex().as_str().into()
    }
}

fn add_text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// The first place where the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("the audit chain breaks at entry {sequence}: {fault}")]
pub struct BrokenLink {
    /// Number of the entry that belongs there.
    pub sequence: u64,
    /// What was found.
    pub fault: LinkFault,
}

/// What is wrong with a place of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum LinkFault {
    /// Another entry is there: some are missing, doubled or moved.
    #[error("another entry is in its place")]
    OtherSequence,
    /// The entry follows on something else than the one before it.
    #[error("it does not follow on the entry before it")]
    OtherPast,
    /// The entry does not say what it said when it was written.
    #[error("it was changed")]
    Changed,
    /// The change of a person is not the one that the entry tells.
    #[error("the recorded person is not the one that it tells")]
    OtherPerson,
    /// The change of an API key is not the one that the entry tells.
    #[error("the recorded API key is not the one that it tells")]
    OtherApiKey,
    /// The identifier is not the one whose erasure the entry tells.
    #[error("the recorded identifier is not the one that it tells")]
    OtherIdentifier,
    /// The service remembers another end of the chain.
    #[error("the service remembers another end of the log")]
    OtherEnd,
}

impl AuditHead {
    /// The end of the chain behind an entry that follows here.
    ///
    /// # Errors
    /// [`BrokenLink`] when it does not follow, or is not what it was.
    pub fn followed_by(&self, entry: &AuditEntry) -> Result<Self, BrokenLink> {
        let sequence = self.sequence.saturating_add(1);
        let fault = if entry.sequence != sequence {
            LinkFault::OtherSequence
        } else if entry.previous_hash != self.hash {
            LinkFault::OtherPast
        } else if entry.hash != entry.sealed() {
            LinkFault::Changed
        } else {
            return Ok(entry.head());
        };
        Err(BrokenLink { sequence, fault })
    }
}

/// The end of a chain that begins with the first of these entries.
///
/// # Errors
/// [`BrokenLink`] names the first entry that does not hold. That the last ones are missing is
/// seen by the head alone.
pub fn verify<'e>(
    entries: impl IntoIterator<Item = &'e AuditEntry>,
) -> Result<AuditHead, BrokenLink> {
    let mut head = AuditHead::default();
    for entry in entries {
        head = head.followed_by(entry)?;
    }
    Ok(head)
}

#[cfg(test)]
#[path = "access_laws.rs"]
mod laws;

//! Questions about the audit log: some of its entries, or whether it holds.

use serde::Serialize;

use crate::domain::access::{AuditEntry, BrokenLink};

/// Most entries of one list.
pub const AUDIT_PAGE_MAX: u32 = 500;

/// Which entries of the audit log to list, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only entries before this one.
    pub before: Option<u64>,
    /// Only what this actor did.
    pub actor: Option<Box<str>>,
    /// Only this action, or all whose code begins with these words: `strategy` finds
    /// `strategy.approved`.
    pub action: Option<Box<str>>,
    /// How many at most; a list has [`AUDIT_PAGE_MAX`] at most anyway.
    pub n_max: u32,
}

impl AuditQuery {
    /// True when an entry is asked for.
    pub fn matches(&self, entry: &AuditEntry) -> bool {
        let is_before = self.before.is_none_or(|before| entry.sequence < before);
        let is_actor = self.actor.as_ref().is_none_or(|actor| *actor == entry.actor);
        let is_action = self.action.as_ref().is_none_or(|action| {
            let rest = entry.action.strip_prefix(&**action);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        is_before && is_actor && is_action
    }
}

/// What reading the whole chain showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Entries that hold, from the first on.
    pub n_entries: u64,
    /// Hash of the last one that holds; empty without any.
    pub head_hash: Box<str>,
    /// Where it breaks; `None` when all of it holds.
    pub broken: Option<BrokenLink>,
}

//! The life of a strategy text: proposed, approved, judging, tried on a share.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// Longest name of a person or system that signs a step, characters.
pub const SIGNER_CHARS_MAX: usize = 200;
/// Longest note beside a step, characters.
pub const NOTE_CHARS_MAX: usize = 2_000;

/// Who took a step, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The person or system, as the caller names it.
    pub by: Box<str>,
    /// When, by our clock.
    pub at: Timestamp,
    /// Why; may be empty.
    pub note: Box<str>,
}

/// Who asks for a step, and why; the service adds when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The person or system.
    pub by: Box<str>,
    /// Why; may be empty.
    pub note: Box<str>,
}

/// One text of a strategy that the service knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyVersion {
    /// Name that the text gives itself.
    pub name: Box<str>,
    /// BLAKE3 of the text, 64 hex digits: what identifies it.
    pub hash: Box<str>,
    /// The text.
    pub toml: Arc<str>,
    /// Who proposed it; `None` when it came with the strategy file.
    pub proposed: Option<Signature>,
    /// Who approved it, never its author; `None` while nobody has.
    pub approved: Option<Signature>,
    /// Who made it judge last; an empty name is the strategy file. `None` when it never has.
    pub activated: Option<Signature>,
}

/// A strategy that judges a share of the accounts beside the active one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedStrategy {
    /// Its hash.
    pub hash: Box<str>,
    /// Percent of the accounts, 1 to 99.
    pub percent: u32,
}

/// What is wrong with a strategy text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyMistake {
    /// What is wrong, with key and value.
    pub message: Box<str>,
    /// Line of the text, from 1.
    pub line: u32,
    /// First byte of the wrong part, from 0.
    pub start: u32,
    /// The byte after it.
    pub end: u32,
    /// What to do about it, if that is known.
    pub suggestion: Option<Box<str>>,
}

impl StrategyVersion {
    /// True when it may judge: a second person approved it, or it came with the file.
    pub fn may_judge(&self) -> bool {
        self.approved.is_some() || self.proposed.is_none()
    }
}

impl fmt::Display for StrategyMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", self.message, self.line)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

//! Which bundle judged from when on, and who wanted it so.

use serde::{Deserialize, Serialize};

use crate::domain::strategy_version::Signature;

/// A bundle that judges from an instant on, until the next one does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Bundle name and version, `risk/1`.
    pub name: Box<str>,
    /// BLAKE3 of its manifest, 64 hex digits.
    pub hash: Box<str>,
    /// Journal position of the record that says so.
    pub position: u64,
    /// Who wanted it, when and why; an empty name is the start of the service.
    pub signature: Signature,
    /// BLAKE3 of the report that the promotion rests on; empty without one.
    pub report_hash: Box<str>,
}

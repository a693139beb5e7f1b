//! How the service does: how far it is, who judges, and what its data take.

use serde::Serialize;

/// How the service does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SystemStatus {
    /// The last journal position that is on disk.
    pub journal_position: u64,
    /// The last one that the records hold.
    pub records_position: u64,
    /// Journal records that the records still lack.
    pub records_lag: u64,
    /// Why the records could not be filled when it was tried last.
    pub records_failure: Option<Box<str>>,
    /// Version of this program.
    pub build: Box<str>,
    /// The bundle that judges what no experiment covers.
    pub model: NamedHash,
    /// The strategy that judges what neither an experiment nor a trial covers.
    pub strategy: NamedHash,
    /// What the data folder takes.
    pub data: DiskUse,
}

/// A version by its name and the hash of its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedHash {
    /// Name.
    pub name: Box<str>,
    /// Hash.
    pub hash: Box<str>,
}

/// What a data folder takes, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiskUse {
    /// Files of the journal, which are made in advance and fill up.
    pub journal: u64,
    /// Saved states.
    pub snapshots: u64,
    /// The records with their log or indexes; `None` while their database is away.
    pub records: Option<u64>,
}

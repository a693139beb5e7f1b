//! What the records ask of a database, and what it may answer.
//!
//! Rows and their meaning are the same in every database; each has a folder of its own for
//! connections, its own words of SQL, and how it is made anew.

use std::collections::BTreeSet;
use std::fmt::Debug;

use postgres::error::SqlState;

use crate::domain::record::Record;
use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::records::value::{Row, Value};

/// Why a database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The embedded database.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The database server, or the way to it.
    #[error("{}", told_by(.0))]
    Postgres(#[from] postgres::Error),
    /// The certificates to trust do not read.
    #[error("no certificates: {0}")]
    Certificates(Box<str>),
    /// A cell holds what this build does not know.
    #[error("column {column} holds nothing that this build knows")]
    Unknown {
        /// Counted from 0.
        column: usize,
    },
    /// A cell that should hold JSON does not.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The database cannot be asked now; later it can.
    #[error("{0}")]
    Away(Box<str>),
}

/// A table that rows are only added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    /// Decisions.
    Decisions,
    /// Steps of orders.
    OrderEvents,
    /// What operators chose.
    Choices,
    /// What the world did.
    Outcomes,
    /// Versions that began to judge.
    Activations,
    /// The audit log.
    Audit,
    /// Notes.
    Notes,
}

/// Statements of one transaction.
pub(super) trait Statements {
    /// Adds a row; one whose key is there is passed over.
    fn put(&mut self, table: Table, row: Vec<Value>) -> Result<(), DatabaseError>;

    /// Adds events by id and position, and tells the positions of those that are new.
    fn put_events(&mut self, events: &[(&str, u64)]) -> Result<BTreeSet<u64>, DatabaseError>;

    /// Changes rows. Parameters are written `?1`, `?2` … in every database.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), DatabaseError>;

    /// Reads rows, what was put before included.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError>;
}

/// Whose turn it is to fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// This process fills.
    Fill,
    /// Another one does, or there is nothing to fill yet.
    Follow,
}

/// Changes the records.
pub(super) trait Filling: Debug + Send {
    /// Position of the last journal record that is in the records, as far as is known here.
    fn position(&self) -> u64;

    /// Gets ready: afterwards [`Self::position`] says where to go on.
    fn take_turn(&mut self, journal: &JournalReader) -> Result<Turn, Error>;

    /// Adds journal records, which follow on the position; older ones are passed over. All
    /// of them and the position of the last, or nothing.
    fn apply(&mut self, batch: &[(u64, Record)]) -> Result<(), DatabaseError>;

    /// The journal has nothing more at the moment.
    fn caught_up(&mut self) -> Result<(), DatabaseError>;
}

/// Answers questions.
pub(super) trait Answering: Debug + Send + Sync {
    /// Reads rows. Parameters are written `?1`, `?2` … in every database.
    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError>;

    /// What the records take on a disk, bytes.
    fn bytes(&self) -> Result<u64, Error>;
}

impl DatabaseError {
    /// True when the database cannot be reached or does not answer now: trying again later
    /// may help, and nothing is wrong with what was asked.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Postgres(error) => error.code().is_none_or(is_passing),
            Self::Sqlite(_) | Self::Certificates(_) | Self::Unknown { .. } | Self::Json(_) => false,
        }
    }

    /// True when the cause is a full disk.
    pub fn is_full_disk(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Postgres(error) => error.code() == Some(&SqlState::DISK_FULL),
            Self::Certificates(_) | Self::Unknown { .. } | Self::Json(_) | Self::Away(_) => false,
        }
    }
}

/// Classes of codes: connections, resources, intervention of an operator, locks, and what a
/// standby refuses.
fn is_passing(code: &SqlState) -> bool {
    let classes = ["08", "53", "57", "40", "55"];
    classes.iter().any(|class| code.code().starts_with(class))
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// The driver's sentence and the server's; none of them holds a password.
fn told_by(error: &postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{}: {}", db.severity(), db.message());
    }
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

//! The records: what the journal says, laid out for questions, in a database.
//!
//! A projection: filled from the journal behind its back, resumed where it
//! stopped, thrown away and filled anew when it does not fit. Losing it loses
//! nothing, so it need not be as durable as the journal.
//!
//! What rows mean and how they are asked is here; each database has a folder.

mod access;
#[cfg(test)]
mod access_samples;
mod cases;
pub mod database;
#[cfg(test)]
mod databases;
mod erase;
#[cfg(test)]
mod erase_tests;
pub mod fill;
pub mod follow;
#[cfg(test)]
mod history;
pub mod postgres;
pub mod postgres_url;
pub mod query;
pub mod sqlite;
mod story;
#[cfg(test)]
mod story_tests;
pub mod tail;
#[cfg(test)]
mod tests;
mod value;

use std::path::Path;

use crate::store::error::Error;
use crate::store::records::fill::RecordsWriter;
use crate::store::records::postgres_url::PostgresUrl;
use crate::store::records::query::Records;

/// Counts changes of the tables and of what is written into them, in every database.
const SCHEMA_VERSION: i64 = 3;

/// Which database has the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordsPlace {
    /// A file of the data folder.
    Embedded,
    /// A PostgreSQL server.
    Postgres(PostgresUrl),
}

/// Who else appends to the journal that the records follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: records that are ahead of it belong to another past of it.
    Alone,
    /// Every replica has a copy of it, and some copies are behind others.
    Replicas,
}

/// Why the records are filled from the first journal record on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// There were none.
    New,
    /// They were made by another version of the schema.
    OtherSchema(i64),
    /// They hold more than the journal, so they belong to another one.
    AheadOfJournal(u64),
    /// At this position they hold another record than the journal.
    OtherPast(u64),
    /// The file is damaged or no database.
    Unreadable(String),
}

/// Opens the records of a journal, wherever they are; `file` is where embedded ones are.
///
/// A database server need not be up: the records come once it is. The third value tells why
/// embedded records are filled anew; those of a server tell it once they are.
///
/// # Errors
/// Those of [`sqlite::open`]; [`Error::Database`] when the certificates to trust do not read.
pub fn open(
    place: &RecordsPlace,
    file: &Path,
    (journal_end, sharing): (u64, Sharing),
) -> Result<(RecordsWriter, Records, Option<Rebuild>), Error> {
    match place {
        RecordsPlace::Embedded => sqlite::open(file, journal_end),
        RecordsPlace::Postgres(url) => {
            let (writer, records) = postgres::open(url, sharing)?;
            Ok((writer, records, None))
        }
    }
}

/// Opens the records of a journal that another process may be filling, to ask and to change
/// nothing.
///
/// # Errors
/// [`Error::Database`] when there are none, they are not whole, or they are of another version
/// of the schema.
pub fn open_to_read(
    place: &RecordsPlace,
    file: &Path,
    journal_dir: &Path,
) -> Result<Records, Error> {
    match place {
        RecordsPlace::Embedded => sqlite::open_to_read(file),
        RecordsPlace::Postgres(url) => postgres::open_to_read(url, journal_dir),
    }
}

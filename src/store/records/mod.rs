//! The records: what the journal says, laid out for questions, in SQLite.
//!
//! A projection: filled from the journal behind its back, resumed where it
//! stopped, thrown away and filled anew when it does not fit. Losing it loses
//! nothing, so it need not be as durable as the journal.

mod access;
#[cfg(test)]
mod access_samples;
mod cases;
pub mod fill;
pub mod follow;
pub mod query;
mod story;
#[cfg(test)]
mod story_tests;
pub mod tail;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::error::Error;
use crate::store::records::fill::RecordsWriter;
use crate::store::records::query::Records;

/// Tables and indexes.
const SCHEMA: &str = include_str!("schema.sql");
/// Counts changes of `schema.sql` and of what is written into it.
const SCHEMA_VERSION: i64 = 3;

/// Why the records are filled from the first journal record on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// There were none.
    New,
    /// They were made by another version of the schema.
    OtherSchema(i64),
    /// They hold more than the journal, so they belong to another one.
    AheadOfJournal(u64),
    /// The file is damaged or no database.
    Unreadable(String),
}

/// Opens the records in a file: one handle that fills them, one that answers.
///
/// `journal_end` is the position of the journal's last record. A file that does
/// not fit is deleted; the third value tells why.
///
/// # Errors
/// [`Error::Database`] when the file cannot be opened or made, [`Error::Io`] when
/// an unfit one cannot be deleted.
pub fn open(
    path: &Path,
    journal_end: u64,
) -> Result<(RecordsWriter, Records, Option<Rebuild>), Error> {
    let rebuild = why_rebuild(path, journal_end)?;
    if rebuild.is_some() {
        delete(path)?;
    }
    let connection = connect(path).map_err(Error::database("open", path))?;
    if rebuild.is_some() {
        let script = format!("BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;");
        connection.execute_batch(&script).map_err(Error::database("make", path))?;
    }
    let position = progress(&connection).map_err(Error::database("open", path))?;
    let writer = RecordsWriter::new(path, connection, position);
    let reading = connect(path).map_err(Error::database("open", path))?;
    reading.pragma_update(None, "query_only", true).map_err(Error::database("open", path))?;
    Ok((writer, Records::new(path, reading), rebuild))
}

/// Opens the records of a folder that another process may be filling, to ask and to change
/// nothing.
///
/// # Errors
/// [`Error::Database`] when there are none, or they are of another version of the schema.
pub fn open_to_read(path: &Path) -> Result<Records, Error> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        let version =
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        if version != SCHEMA_VERSION {
            return Err(rusqlite::Error::InvalidQuery);
        }
        Ok(connection)
    };
    Ok(Records::new(path, open().map_err(Error::database("open", path))?))
}

fn why_rebuild(path: &Path, journal_end: u64) -> Result<Option<Rebuild>, Error> {
    if !path.exists() {
        return Ok(Some(Rebuild::New));
    }
    let fit = connect(path).and_then(|connection| {
        let version =
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        if version != SCHEMA_VERSION {
            return Ok(Some(Rebuild::OtherSchema(version)));
        }
        let position = progress(&connection)?;
        Ok((journal_end < position).then_some(Rebuild::AheadOfJournal(position)))
    });
    fit.or_else(|error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            Ok(Some(Rebuild::Unreadable(error.to_string())))
        }
        Some(_) | None => Err(Error::database("open", path)(error)),
    })
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    // Write-ahead log: questions never wait for filling. After a crash the last
    // transactions may be missing, and with them the progress they noted.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn progress(connection: &Connection) -> Result<u64, rusqlite::Error> {
    connection.query_row("SELECT position FROM progress", [], |row| row.get(0))
}

fn delete(path: &Path) -> Result<(), Error> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("remove", &file)(error)),
        }
    }
    Ok(())
}

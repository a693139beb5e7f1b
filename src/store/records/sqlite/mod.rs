//! Records in a file of the data folder: SQLite, inside this process.

mod session;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::domain::record::Record;
use crate::store::disk_use::bytes_in;
use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::records::database::{Answering, DatabaseError, Filling, Turn};
use crate::store::records::fill::{RecordsWriter, fill, fresh};
use crate::store::records::query::Records;
use crate::store::records::sqlite::session::{Session, ask};
use crate::store::records::value::{Row, Value};
use crate::store::records::{Rebuild, SCHEMA_VERSION};

/// Tables and indexes.
const SCHEMA: &str = include_str!("schema.sql");

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
    let place = place(path);
    let rebuild = why_rebuild(path, journal_end)?;
    if rebuild.is_some() {
        delete(path)?;
    }
    let connection = connect(path).map_err(Error::database("open", &place))?;
    if rebuild.is_some() {
        let script = format!("BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;");
        connection.execute_batch(&script).map_err(Error::database("make", &place))?;
    }
    let position = progress(&connection).map_err(Error::database("open", &place))?;
    let reading = connect(path).map_err(Error::database("open", &place))?;
    reading.pragma_update(None, "query_only", true).map_err(Error::database("open", &place))?;
    let writer = RecordsWriter::new(place.clone(), Filler { connection, position });
    Ok((writer, Records::new(place, Answers::new(path, reading)), rebuild))
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
    let connection = open().map_err(Error::database("open", &place(path)))?;
    Ok(Records::new(place(path), Answers::new(path, connection)))
}

/// Fills the file.
#[derive(Debug)]
struct Filler {
    connection: Connection,
    position: u64,
}

impl Filling for Filler {
    fn position(&self) -> u64 {
        self.position
    }

    fn take_turn(&mut self, _: &JournalReader) -> Result<Turn, Error> {
        Ok(Turn::Fill)
    }

    fn apply(&mut self, batch: &[(u64, Record)]) -> Result<(), DatabaseError> {
        let Some((records, last)) = fresh(batch, self.position) else { return Ok(()) };
        let mut session = Session(self.connection.transaction()?);
        fill(&mut session, records)?;
        let Session(transaction) = session;
        transaction.prepare_cached("UPDATE progress SET position = ?1")?.execute([last])?;
        transaction.commit()?;
        self.position = last;
        Ok(())
    }

    fn caught_up(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }
}

/// Answers from the file, one question at a time.
#[derive(Debug)]
struct Answers {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Answers {
    fn new(path: &Path, connection: Connection) -> Self {
        Self { path: path.to_owned(), connection: Mutex::new(connection) }
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering for Answers {
    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, DatabaseError> {
        ask(&self.lock(), sql, values)
    }

    fn bytes(&self) -> Result<u64, Error> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(0);
        };
        bytes_in(folder, &name.to_string_lossy())
    }
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
        Some(_) | None => Err(Error::database("open", &place(path))(error)),
    })
}

fn place(path: &Path) -> Box<str> {
    path.display().to_string().into()
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

//! Fills a schema of a PostgreSQL server, one process at a time.

use std::sync::Arc;

use postgres::Client;
use tracing::info;

use crate::domain::record::Record;
use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::log::bytes_of;
use crate::store::records::database::{DatabaseError, Filling, Statements as _, Turn};
use crate::store::records::fill::{fill, fresh};
use crate::store::records::postgres::schema::{
    self, Progress, SchemaName, drop_older, make, progress,
};
use crate::store::records::postgres::server::{Readable, Server};
use crate::store::records::postgres::session::{Prepared, Session};
use crate::store::records::value::Value;
use crate::store::records::{Rebuild, Sharing};

/// Every so many idle looks into the journal, the server is asked whether it is there.
const LOOK_EVERY: u32 = 50;
/// What a crash of the server takes back of the records it takes back of the position as well,
/// so nothing waits for its disk.
const SET_UP: &str = "SET synchronous_commit = off";
const SET_PROGRESS: &str = "UPDATE progress SET position = ?1, digest = ?2";
const LOCK_PROGRESS: &str = "SELECT position FROM progress FOR UPDATE";

/// Fills a schema.
#[derive(Debug)]
pub(super) struct Filler {
    server: Arc<Server>,
    readable: Arc<Readable>,
    sharing: Sharing,
    /// Known once the journal has a first record.
    schema: Option<SchemaName>,
    line: Option<Line>,
    /// Tells what a record was written as.
    journal: Option<JournalReader>,
    position: u64,
    n_idle: u32,
}

struct Line {
    client: Client,
    prepared: Prepared,
    hold: Hold,
    is_whole: bool,
}

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Another process fills.
    Nothing,
    /// It holds the lock; whether the records fit the journal is not known yet.
    Lock,
    /// It fills.
    Fitting,
}

impl Filler {
    pub(super) fn new(server: Arc<Server>, readable: Arc<Readable>, sharing: Sharing) -> Self {
        Self {
            server,
            readable,
            sharing,
            schema: None,
            line: None,
            journal: None,
            position: 0,
            n_idle: 0,
        }
    }

    fn turn(&mut self, journal: &JournalReader) -> Result<Turn, Error> {
        if self.schema.is_none() {
            let Some(first) = journal.read_at(1)? else { return Ok(Turn::Follow) };
            self.schema = Some(SchemaName::of_journal(&first));
            self.journal = Some(journal.clone());
        }
        let Some(schema) = self.schema.clone() else { return Ok(Turn::Follow) };
        let place = self.server.place();
        let reach = || Error::database("reach", &place);
        let line = match &mut self.line {
            Some(line) => line,
            none => none.insert(Line::open(&self.server, &schema).map_err(reach())?),
        };
        if line.hold == Hold::Nothing && schema.try_lock(&mut line.client).map_err(reach())? {
            line.hold = Hold::Lock;
        }
        if line.hold == Hold::Fitting && self.n_idle < LOOK_EVERY {
            return Ok(Turn::Fill);
        }
        self.n_idle = 0;
        let found = progress(&mut line.client).map_err(reach())?;
        if line.hold == Hold::Nothing {
            self.follow(&schema, found.as_ref());
            return Ok(Turn::Follow);
        }
        let rebuild = match &found {
            None => Some(Rebuild::New),
            Some(found) => misfit(found, journal, self.sharing)?,
        };
        let end = journal.durable_position();
        if let Some(rebuild) = rebuild {
            info!(?rebuild, place = %place, "filling the records from the whole journal");
            self.readable.set(Err("the records are filled anew from the journal".into()));
            make(&mut line.client, &schema).map_err(Error::database("make", &place))?;
            line.prepared.clear();
            (line.hold, line.is_whole, self.position) = (Hold::Fitting, false, 0);
            return Ok(Turn::Fill);
        }
        self.follow(&schema, found.as_ref());
        if end < self.position {
            return Ok(Turn::Follow);
        }
        if let (Some(line), Some(found)) = (&mut self.line, found) {
            (line.hold, line.is_whole) = (Hold::Fitting, found.is_whole);
        }
        Ok(Turn::Fill)
    }

    /// Takes over how far the records are, and whether they may be read.
    fn follow(&mut self, schema: &SchemaName, found: Option<&Progress>) {
        self.position = found.map_or(0, |found| found.position);
        self.readable.set(match found {
            Some(found) if found.is_whole => Ok(schema.name()),
            Some(_) | None => Err("the records are filled anew from the journal".into()),
        });
    }
}

impl Filling for Filler {
    fn position(&self) -> u64 {
        self.position
    }

    fn take_turn(&mut self, journal: &JournalReader) -> Result<Turn, Error> {
        let turn = self.turn(journal);
        if turn.is_err() {
            self.line = None;
        }
        turn
    }

    fn apply(&mut self, batch: &[(u64, Record)]) -> Result<(), DatabaseError> {
        let Some((records, last)) = fresh(batch, self.position) else { return Ok(()) };
        let Some(line) = &mut self.line else {
            return Err(DatabaseError::Away("there is no connection".into()));
        };
        self.n_idle = 0;
        let written = match (&self.journal, records.last()) {
            (Some(journal), Some((_, record))) => written(journal, last, record),
            (None, _) | (_, None) => Vec::new(),
        };
        let outcome = line.apply(records, self.position, schema::digest(&written));
        if outcome.is_ok() {
            self.position = last;
        } else {
            // Whether it was committed is read when the next connection is there.
            self.line = None;
        }
        outcome
    }

    fn caught_up(&mut self) -> Result<(), DatabaseError> {
        self.n_idle = self.n_idle.saturating_add(1);
        let (Some(line), Some(schema)) = (&mut self.line, &self.schema) else { return Ok(()) };
        if line.is_whole || line.hold != Hold::Fitting {
            return Ok(());
        }
        line.client.execute("UPDATE progress SET is_whole = TRUE", &[])?;
        line.is_whole = true;
        self.readable.set(Ok(schema.name()));
        drop_older(&mut line.client, schema)
    }
}

impl Line {
    fn open(server: &Server, schema: &SchemaName) -> Result<Self, DatabaseError> {
        let client = server.connect(&schema.name(), SET_UP)?;
        Ok(Self { client, prepared: Prepared::new(), hold: Hold::Nothing, is_whole: false })
    }

    /// Adds records and their position, if the records are where they are thought to be.
    fn apply(
        &mut self,
        records: &[(u64, Record)],
        from: u64,
        digest: Vec<u8>,
    ) -> Result<(), DatabaseError> {
        let Some((last, _)) = records.last() else { return Ok(()) };
        let mut session = Session::begin(&mut self.client, &mut self.prepared)?;
        let stored: Option<u64> =
            session.query(LOCK_PROGRESS, &[])?.first().map(|row| row.get(0)).transpose()?;
        if stored != Some(from) {
            return Err(DatabaseError::Away("another process has filled in between".into()));
        }
        fill(&mut session, records)?;
        session.execute(SET_PROGRESS, &[(*last).into(), Value::Bytes(digest)])?;
        session.commit()
    }
}

/// What the journal has of a record; records may come before their journal is read.
fn written(journal: &JournalReader, position: u64, record: &Record) -> Vec<u8> {
    let written = journal.read_at(position).ok().flatten();
    written.unwrap_or_else(|| bytes_of(record))
}

/// Why the records are not those of the journal.
fn misfit(
    found: &Progress,
    journal: &JournalReader,
    sharing: Sharing,
) -> Result<Option<Rebuild>, Error> {
    let position = found.position;
    if position == 0 {
        return Ok(None);
    }
    if journal.durable_position() < position {
        return Ok(match sharing {
            Sharing::Alone => Some(Rebuild::AheadOfJournal(position)),
            // This copy of the journal has not come so far yet.
            Sharing::Replicas => None,
        });
    }
    let written = journal.read_at(position)?;
    let is_same = written.is_some_and(|written| schema::digest(&written) == found.digest);
    Ok((!is_same).then_some(Rebuild::OtherPast(position)))
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("hold", &self.hold).finish_non_exhaustive()
    }
}

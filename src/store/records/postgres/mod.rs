//! Records on a PostgreSQL server, one schema for each journal.
//!
//! A batch of journal records and the position it stands for are one transaction, so what
//! was applied is known after any failure: by reading the position again. Of all processes
//! that fold the same journal one fills, by an advisory lock; the others look how far it is.

mod answers;
#[cfg(test)]
#[path = "../../../../tests/shared/postgres_cluster.rs"]
pub(super) mod cluster;
#[cfg(test)]
mod crash_tests;
mod filler;
mod schema;
mod server;
mod session;
#[cfg(test)]
mod tls_tests;
mod words;

use std::path::Path;
use std::sync::Arc;

use crate::store::error::Error;
use crate::store::journal::reader::JournalReader;
use crate::store::records::Sharing;
use crate::store::records::database::DatabaseError;
use crate::store::records::fill::RecordsWriter;
use crate::store::records::postgres::answers::Answers;
use crate::store::records::postgres::filler::Filler;
use crate::store::records::postgres::schema::{SchemaName, progress};
use crate::store::records::postgres::server::{Readable, Server};
use crate::store::records::postgres_url::PostgresUrl;
use crate::store::records::query::Records;

/// Opens the records on a server, which need not be up yet.
///
/// Questions are answered once the filler has found or made the schema of its journal, and
/// nothing is missing in it.
///
/// # Errors
/// [`Error::Database`] when the certificates to trust do not read.
pub fn open(url: &PostgresUrl, sharing: Sharing) -> Result<(RecordsWriter, Records), Error> {
    let place: Box<str> = url.to_string().into();
    let server = Arc::new(Server::new(url).map_err(Error::database("open", &place))?);
    let readable = Arc::new(Readable::not_yet());
    let filler = Filler::new(server.clone(), readable.clone(), sharing);
    let answers = Answers::new(server, readable);
    Ok((RecordsWriter::new(place.clone(), filler), Records::new(place, answers)))
}

/// Opens the records of a journal that another process may be filling, to ask and to change
/// nothing.
///
/// # Errors
/// [`Error::Database`] when the server does not answer, or has no whole records of the journal.
pub fn open_to_read(url: &PostgresUrl, journal_dir: &Path) -> Result<Records, Error> {
    let place: Box<str> = url.to_string().into();
    let first = JournalReader::open(journal_dir)?.read_at(1)?.unwrap_or_default();
    let open = || {
        let server = Server::new(url)?;
        let name = SchemaName::of_journal(&first).name();
        let found = progress(&mut server.connect(&name, "")?)?;
        if !found.is_some_and(|found| found.is_whole) {
            return Err(DatabaseError::Away("it has no whole records of this journal".into()));
        }
        let readable = Readable::not_yet();
        readable.set(Ok(name));
        Ok(Answers::new(Arc::new(server), Arc::new(readable)))
    };
    let answers = open().map_err(Error::database("open", &place))?;
    Ok(Records::new(place, answers))
}

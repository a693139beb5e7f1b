//! Every database that the laws of the records hold in.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use crate::store::journal::reader::JournalReader;
use crate::store::records::database::Turn;
use crate::store::records::fill::RecordsWriter;
use crate::store::records::history::journal_of;
use crate::store::records::postgres::cluster::Cluster;
use crate::store::records::postgres_url::PostgresUrl;
use crate::store::records::query::Records;
use crate::store::records::{RecordsPlace, Sharing, open};

/// Tables whose rows say the same in every database.
const TABLES: [&str; 11] = [
    "decisions",
    "events",
    "order_events",
    "event_counts",
    "choices",
    "outcomes",
    "closed_cases",
    "case_facets",
    "activations",
    "audit",
    "notes",
];

/// One of them, empty.
#[derive(Debug)]
pub(super) enum Database {
    /// A file in the folder of the test.
    Sqlite,
    /// A database of its own on the server of this process.
    Postgres(PostgresUrl),
}

/// The server that the tests of this process share, if PostgreSQL is installed.
pub(super) fn server() -> Option<&'static Cluster> {
    static SERVER: OnceLock<Option<Cluster>> = OnceLock::new();
    SERVER.get_or_init(Cluster::start).as_ref()
}

/// All of them.
pub(super) fn databases() -> Vec<Database> {
    let url = server().map(|server| PostgresUrl::parse(&server.database()).unwrap());
    [Database::Sqlite].into_iter().chain(url.map(Database::Postgres)).collect()
}

impl Database {
    /// Opens the records of the only journal in it.
    pub(super) fn open(&self, dir: &Path, journal_end: u64) -> (RecordsWriter, Records) {
        let place = match self {
            Self::Sqlite => RecordsPlace::Embedded,
            Self::Postgres(url) => RecordsPlace::Postgres(url.clone()),
        };
        fs::create_dir_all(dir).unwrap();
        let file = dir.join("records.db");
        let (writer, records, _) = open(&place, &file, (journal_end, Sharing::Alone)).unwrap();
        (writer, records)
    }

    /// Empty records that are read and filled by hand.
    pub(super) fn by_hand(&self, dir: &Path) -> (RecordsWriter, Records) {
        let (mut writer, records) = self.open(dir, 1 << 40);
        ready(&mut writer, &journal_of(dir, 1).reader());
        (writer, records)
    }
}

/// Waits for the turn to fill: a server may notice late that the one before is gone.
pub(super) fn filling(writer: &mut RecordsWriter, journal: &JournalReader) {
    for _ in 0..10_000 {
        if writer.take_turn(journal).unwrap() == Turn::Fill {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("somebody else fills");
}

/// Waits for nothing more: what is there may be read.
pub(super) fn ready(writer: &mut RecordsWriter, journal: &JournalReader) {
    filling(writer, journal);
    writer.caught_up().unwrap();
}

/// Every row of every table as text, in order.
pub(super) fn content(records: &Records) -> Vec<String> {
    let rows = TABLES.iter().flat_map(|table| {
        let sql = format!("SELECT * FROM {table} ORDER BY 1, 2");
        let rows = records.ask("read", &sql, &[], |row| Ok(format!("{row:?}"))).unwrap();
        let mut rows: Vec<_> = rows.iter().map(|row| format!("{table} {row}")).collect();
        // Tables whose key has more columns have no order yet.
        rows.sort();
        rows
    });
    rows.collect()
}

//! Do journal segments of our own earn their keep against SQLite?
//!
//! Durable appends of 2.5 KB records, in batches of 1, 16 and 64 that become
//! durable together: our journal beside SQLite (WAL, synchronous=FULL, one
//! transaction per batch), same disk, same run. Run: `cargo bench --bench journal`.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::path::Path;
use std::sync::mpsc;

use divan::Bencher;
use divan::counter::ItemsCount;
use orderlens::store::journal::recovery::DamagedTail;
use orderlens::store::journal::{Journal, JournalSettings};
use rusqlite::Connection;
use tempfile::TempDir;

const RECORD_BYTES: usize = 2_500;
const BATCHES: [usize; 3] = [1, 16, 64];

fn main() {
    divan::main();
}

#[divan::bench(args = BATCHES, sample_count = 1000, sample_size = 1)]
fn journal(bencher: Bencher<'_, '_>, n_records: usize) {
    let dir = target_dir();
    let settings = JournalSettings {
        segment_bytes: 64 << 20,
        record_bytes_max: 1 << 20,
        queue_bytes_max: 16 << 20,
        damaged_tail: DamagedTail::Refuse,
    };
    let (journal, _) = Journal::open(dir.path(), settings).unwrap();
    let writer = journal.writer();
    bencher.counter(ItemsCount::new(n_records)).with_inputs(|| records(n_records)).bench_values(
        |records| {
            let (told, durable) = mpsc::channel();
            for record in records {
                let told = told.clone();
                writer.submit(record, move |result| told.send(result.is_ok()).unwrap()).unwrap();
            }
            drop(told);
            assert!(durable.iter().all(|is_durable| is_durable));
        },
    );
}

#[divan::bench(args = BATCHES, sample_count = 1000, sample_size = 1)]
fn sqlite_full(bencher: Bencher<'_, '_>, n_records: usize) {
    let dir = target_dir();
    let mut connection = Connection::open(dir.path().join("log.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection.pragma_update(None, "synchronous", "full").unwrap();
    connection
        .execute_batch("CREATE TABLE log (position INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
        .unwrap();
    bencher
        .counter(ItemsCount::new(n_records))
        .with_inputs(|| records(n_records))
        .bench_local_values(|records| {
            let transaction = connection.transaction().unwrap();
            for record in &records {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO log (payload) VALUES (?)").unwrap();
                insert.execute([record]).unwrap();
            }
            transaction.commit().unwrap();
        });
}

fn records(n_records: usize) -> Vec<Vec<u8>> {
    let byte = |at: usize| u8::try_from(at * 31 % 251).unwrap();
    (0..n_records).map(|n| (n..n + RECORD_BYTES).map(byte).collect()).collect()
}

/// A folder on the disk of the build, which `/tmp` may not be.
fn target_dir() -> TempDir {
    tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("target")).unwrap()
}

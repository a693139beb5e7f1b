//! What the journal promises, with and without a disk that obeys.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::sample::Index;
use proptest::{prop_assert_eq, proptest};

use super::*;
use crate::store::medium::Unsynced;

const SETTINGS: JournalSettings = JournalSettings {
    segment_bytes: 1 << 16,
    record_bytes_max: 8 << 10,
    queue_bytes_max: 1 << 20,
    damaged_tail: DamagedTail::Refuse,
};

pub(super) fn payload(n: u64) -> Vec<u8> {
    format!("record {n} {}", "x".repeat(usize::try_from(n % 700).unwrap())).into_bytes()
}

pub(super) fn open(dir: &Path) -> (Journal, Opened) {
    open_with(dir, SETTINGS).unwrap()
}

fn open_with(dir: &Path, settings: JournalSettings) -> Result<(Journal, Opened), Error> {
    Journal::open_on(Arc::new(Unsynced), dir, settings)
}

pub(super) fn read_all(journal: &Journal) -> Vec<(u64, Vec<u8>)> {
    journal.reader().read_from(1).map(Result::unwrap).collect()
}

#[test]
fn positions_go_on_after_a_restart_and_over_segments() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for round in 0..4 {
        let (journal, opened) = open(dir.path());
        assert_eq!(opened.last_position, round * 150);
        assert_eq!(opened.torn, None);
        for n in round * 150 + 1..=round * 150 + 150 {
            assert_eq!(journal.writer().append(payload(n)).unwrap(), n);
            expected.push((n, payload(n)));
        }
        assert_eq!(read_all(&journal), expected);
        journal.close().unwrap();
    }
    let (journal, opened) = open(dir.path());
    assert_eq!(opened.last_position, 600);
    assert!(3 <= opened.n_segments, "{opened:?}");
    assert_eq!(read_all(&journal), expected);
}

#[test]
fn a_real_disk_keeps_the_same_promise() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("new");
    let (journal, _) = Journal::open(&dir, SETTINGS).unwrap();
    for n in 1..=200 {
        journal.writer().submit(payload(n), |result| assert!(result.is_ok())).unwrap();
    }
    journal.close().unwrap();
    let (journal, opened) = Journal::open(&dir, SETTINGS).unwrap();
    assert_eq!((opened.last_position, opened.torn), (200, None));
    assert_eq!(read_all(&journal).len(), 200);
}

#[test]
fn any_record_is_found_by_its_position_and_none_beyond_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for n in 1..=400 {
        journal.writer().append(payload(n)).unwrap();
    }
    // The first look decides how much of an old segment is indexed: the lowest and the highest.
    let check = |journal: &Journal, is_rising: bool| {
        let reader = journal.reader();
        for n in (1..=400).map(|n| if is_rising { n } else { 401 - n }) {
            assert_eq!(reader.read_at(n).unwrap(), Some(payload(n)));
            let first = reader.read_from(n).next().unwrap().unwrap();
            assert_eq!(first, (n, payload(n)));
        }
        assert_eq!(reader.read_at(0).unwrap(), None);
        assert_eq!(reader.read_at(401).unwrap(), None);
        assert!(reader.read_from(401).next().is_none());
    };
    check(&journal, true);
    drop(journal);
    for is_rising in [false, true] {
        check(&open(dir.path()).0, is_rising);
    }
}

#[test]
fn concurrent_submitters_get_every_position_once_and_find_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let told = Arc::new(Mutex::new(Vec::new()));
    let submit_all = |submitter: u64| {
        let mut last = 0;
        for n in 0..200 {
            let bytes = format!("{submitter}/{n}").into_bytes();
            let (told, kept) = (told.clone(), bytes.clone());
            let done = move |result: Result<u64, _>| {
                told.lock().unwrap().push((result.unwrap(), kept));
            };
            let promised = journal.writer().submit_when_room(bytes, done).unwrap();
            assert!(last < promised);
            last = promised;
        }
    };
    thread::scope(|scope| {
        for submitter in 0..8 {
            let submit_all = &submit_all;
            scope.spawn(move || submit_all(submitter));
        }
    });
    journal.close().unwrap();
    let told = told.lock().unwrap();
    let order: Vec<u64> = told.iter().map(|(position, _)| *position).collect();
    assert_eq!(order, (1..=1600).collect::<Vec<_>>(), "callbacks run in order, without a gap");
    assert_eq!(read_all(&open(dir.path()).0), *told);
}

#[test]
fn records_that_wait_are_written_together() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for n in 1..=1000 {
        journal.writer().submit_when_room(vec![7; 16], move |r| assert_eq!(r.unwrap(), n)).unwrap();
    }
    let writer = journal.writer();
    writer.append(Vec::new()).unwrap();
    assert!(journal.n_commits() < 500, "{} commits", journal.n_commits());
}

#[test]
fn a_second_opener_is_kept_out_until_the_first_lets_go() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    assert!(matches!(open_with(dir.path(), SETTINGS), Err(Error::Locked { .. })));
    drop(journal);
    open(dir.path());
}

#[test]
fn a_folder_that_was_let_go_is_free_though_a_child_has_a_copy_of_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let lock = lock_dir(dir.path()).unwrap();
    let copy = lock.0.try_clone().unwrap();
    drop(lock);
    open(dir.path());
    drop(copy);
}

#[test]
fn limits_are_kept_at_and_just_beyond_them() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let writer = journal.writer();
    assert_eq!(writer.append(vec![1; SETTINGS.record_bytes_max]).unwrap(), 1);
    let too_large = writer.append(vec![1; SETTINGS.record_bytes_max + 1]);
    assert!(matches!(too_large, Err(Error::TooLarge { bytes: 8193, bytes_max: 8192 })));
    assert_eq!(writer.append(Vec::new()).unwrap(), 2, "a refused record takes no position");
    let settings = JournalSettings { segment_bytes: 4096, ..SETTINGS };
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        open_with(dir.path(), settings),
        Err(Error::Setting { name: "segment_bytes", value: 4096, min: 8248 })
    ));
}

#[test]
fn a_full_queue_refuses_and_a_closed_journal_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let medium = Arc::new(FaultyDisk::default());
    let settings = JournalSettings { queue_bytes_max: 100, ..SETTINGS };
    let (journal, _) = Journal::open_on(medium.clone(), dir.path(), settings).unwrap();
    let writer = journal.writer();
    let gate = medium.gate.lock().unwrap();
    writer.submit(vec![0; 50], |_| {}).unwrap();
    let refused = (0..3).find_map(|_| writer.submit(vec![0; 50], |_| {}).err());
    assert!(matches!(refused, Some(Error::Exhausted { queue_bytes_max: 100, .. })), "{refused:?}");
    drop(gate);
    journal.close().unwrap();
    assert!(matches!(writer.append(vec![]), Err(Error::Closed)));
}

/// A disk on which one kind of call fails after so many.
#[derive(Debug, Default)]
struct FaultyDisk {
    fault: Option<Fault>,
    calls_left: AtomicI64,
    /// Writes wait while a test holds it.
    gate: Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    ShortWrite,
    FullDisk,
    Sync,
    FullDiskOnRoll,
    Publish,
}

impl FaultyDisk {
    fn strikes(&self, fault: Fault) -> bool {
        self.fault == Some(fault) && self.calls_left.fetch_sub(1, Ordering::SeqCst) <= 0
    }
}

impl Medium for FaultyDisk {
    fn allocate(&self, path: &Path, bytes: u64) -> io::Result<File> {
        if self.strikes(Fault::FullDiskOnRoll) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Unsynced.allocate(path, bytes)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let _open = self.gate.lock().unwrap();
        if self.strikes(Fault::FullDisk) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.strikes(Fault::ShortWrite) {
            Unsynced.write_at(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::WriteZero.into());
        }
        Unsynced.write_at(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.strikes(Fault::Sync) {
            return Err(io::Error::other("the device reported an error"));
        }
        Unsynced.sync(file)
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.strikes(Fault::Publish) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Unsynced.publish(from, to)
    }
}

#[test]
fn nothing_is_acknowledged_after_a_failed_write_and_nothing_acknowledged_is_lost() {
    for (fault, calls_left, is_full_disk) in [
        (Fault::ShortWrite, 20, false),
        (Fault::FullDisk, 20, true),
        (Fault::Sync, 20, false),
        // The first segment was allocated and published while opening.
        (Fault::FullDiskOnRoll, 1, true),
        (Fault::Publish, 1, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let medium = FaultyDisk {
            fault: Some(fault),
            calls_left: AtomicI64::new(calls_left),
            gate: Mutex::default(),
        };
        let (journal, _) = Journal::open_on(Arc::new(medium), dir.path(), SETTINGS).unwrap();
        let writer = journal.writer();
        let mut acknowledged = Vec::new();
        let first_error = (1..).find_map(|n| match writer.append(payload(n)) {
            Ok(position) => {
                acknowledged.push((position, payload(n)));
                None
            }
            Err(error) => Some(error),
        });
        let first_error = first_error.unwrap();
        assert_eq!(first_error.is_full_disk(), is_full_disk, "{fault:?}: {first_error}");
        let later = writer.append(vec![]).unwrap_err();
        assert!(matches!(later, Error::Stopped { .. }), "{fault:?}: {later}");
        assert!(writer.failure().is_some());
        assert_eq!(read_all(&journal), acknowledged, "{fault:?}: readers see what is durable");
        assert!(journal.close().is_err());
        let (journal, _) = open(dir.path());
        let found = read_all(&journal);
        assert_eq!(found[..acknowledged.len()], acknowledged, "{fault:?}");
        assert_eq!(journal.writer().append(vec![]).unwrap(), found.len() as u64 + 1);
    }
}

#[test]
fn a_callback_that_panics_does_not_leave_submitters_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let writer = journal.writer();
    writer.submit(vec![1], |_| panic!("a test's own panic")).unwrap();
    while writer.append(vec![2]).is_ok() {}
    drop(journal);
    assert!(1 <= open(dir.path()).1.last_position);
}

#[test]
fn a_missing_segment_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for n in 1..=500 {
        journal.writer().append(payload(n)).unwrap();
    }
    drop(journal);
    let names: BTreeSet<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .collect();
    fs::remove_file(names.iter().nth(1).unwrap()).unwrap();
    let (journal, _) = open(dir.path());
    let error = journal.reader().read_from(1).find_map(Result::err).unwrap();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("00000000000000000001.log"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_payloads_come_back_as_they_were_told(
        payloads in vec(vec(any::<u8>(), 0..3000), 1..60),
        cut in any::<Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let settings = JournalSettings { segment_bytes: 12 << 10, ..SETTINGS };
        let cut = cut.index(payloads.len());
        for part in [&payloads[..cut], &payloads[cut..]] {
            let (journal, _) = open_with(dir.path(), settings).unwrap();
            for payload in part {
                journal.writer().submit(payload.clone(), |result| { result.unwrap(); }).unwrap();
            }
            journal.close().unwrap();
        }
        let (journal, opened) = open_with(dir.path(), settings).unwrap();
        prop_assert_eq!(opened.last_position, payloads.len() as u64);
        let found: Vec<_> = read_all(&journal).into_iter().map(|(_, payload)| payload).collect();
        prop_assert_eq!(found, payloads);
    }
}

//! What readers see that do not write: by the first byte, and beside a writer.

use std::fs;
use std::ops::ControlFlow;

use super::*;
use crate::store::journal::tests::{open, payload, read_all};

#[test]
fn records_are_found_back_by_their_first_byte_as_a_full_reading_finds_them() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    let mut expected = Vec::new();
    for n in 1..=400_u64 {
        let mut payload = payload(n);
        if n.is_multiple_of(7) {
            payload[0] = b'!';
            expected.push(n);
        }
        if n.is_multiple_of(31) {
            payload.clear();
            expected.retain(|position| *position != n);
        }
        journal.writer().append(payload).unwrap();
    }
    let reader = journal.reader();
    for (before, n_max) in [(u64::MAX, 400), (401, 3), (200, 400), (7, 400), (8, 1), (1, 1)] {
        let mut found = Vec::new();
        reader
            .visit_back(
                before,
                |first| first == b'!',
                |position| {
                    found.push(position);
                    let is_enough = found.len() == n_max;
                    let (stop, go_on) = (ControlFlow::Break(()), ControlFlow::Continue(()));
                    Ok(if is_enough { stop } else { go_on })
                },
            )
            .unwrap();
        let earlier = expected.iter().rev().filter(|position| **position < before);
        let wanted: Vec<u64> = earlier.copied().take(n_max).collect();
        assert_eq!(found, wanted, "before {before}");
    }
}

#[test]
fn a_reader_looks_on_while_somebody_writes_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(JournalReader::open(dir.path()), Err(Error::Empty { .. })));
    let (journal, _) = open(dir.path());
    for n in 1..=300 {
        journal.writer().append(payload(n)).unwrap();
        if n % 50 == 0 {
            let view = JournalReader::open(dir.path()).unwrap();
            assert_eq!(view.durable_position(), n);
            let read: Vec<_> = view.read_from(1).map(Result::unwrap).collect();
            assert_eq!(read, read_all(&journal));
        }
    }
    let view = JournalReader::open(dir.path()).unwrap();
    journal.writer().append(payload(301)).unwrap();
    assert_eq!((view.durable_position(), journal.durable_position()), (300, 301));
    journal.close().unwrap();
    // The lock was never taken, and nothing was cut off or written.
    let (journal, opened) = open(dir.path());
    assert_eq!((opened.last_position, opened.torn), (301, None));
    drop(journal);
}

#[test]
fn a_reader_stops_before_a_half_written_end_and_refuses_a_damaged_middle() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for n in 1..=20 {
        journal.writer().append(payload(n)).unwrap();
    }
    journal.close().unwrap();
    let path = dir.path().join(format!("{:020}.log", 1));
    let whole = fs::read(&path).unwrap();
    let at = |text: &[u8]| whole.windows(text.len()).position(|it| it == text).unwrap();
    let (tenth, last) = (at(b"record 10 "), at(b"record 20 "));
    let mut torn = whole.clone();
    torn[last + 3..].fill(0);
    fs::write(&path, &torn).unwrap();
    assert_eq!(JournalReader::open(dir.path()).unwrap().durable_position(), 19);
    assert_eq!(fs::read(&path).unwrap(), torn);
    let mut damaged = whole.clone();
    damaged[tenth] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let error = JournalReader::open(dir.path()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { position: 10, .. }), "{error}");
}

#[test]
fn single_records_of_an_older_segment_are_found_in_any_order_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path());
    for n in 1..=600 {
        journal.writer().append(payload(n)).unwrap();
    }
    journal.close().unwrap();
    let (journal, opened) = open(dir.path());
    assert!(3 <= opened.n_segments, "{opened:?}");
    for readers in [journal.reader(), JournalReader::open(dir.path()).unwrap()] {
        for n in [17, 3, 60, 150, 200, 599, 100, 600] {
            assert_eq!(readers.read_at(n).unwrap(), Some(payload(n)), "record {n}");
        }
    }
}

//! The records against the journal they come from, in every database.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::*;
use crate::domain::decision::{ActionKind, DecisionState};
use crate::domain::head::HeadId;
use crate::domain::risk::{Probability, RiskBand};
use crate::domain::time::Timestamp;
use crate::store::journal::Journal;
use crate::store::log;
use crate::store::records::databases::{Database, content, databases, filling, ready};
use crate::store::records::follow::{FollowSettings, RecordsFollower, Source, catch_up};
use crate::store::records::history::{choice, decision_id, journal_of, outcome, record};
use crate::store::records::query::{DecisionFilter, PageCursor};
use crate::store::records::tail::RecordTail;

fn filled(database: &Database, dir: &Path, journal: &Journal) -> Records {
    let (mut writer, records) = database.open(dir, journal.durable_position());
    catch_up(&journal.reader(), &mut writer, 64).unwrap();
    records
}

#[test]
fn filling_in_parts_over_crashes_gives_the_same_rows_as_filling_at_once_in_any_database() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 500);
    let (mut writer, records) = Database::Sqlite.open(&dir.path().join("at_once"), 500);
    catch_up(&journal.reader(), &mut writer, 1000).unwrap();
    let at_once = content(&records);
    assert!(500 < at_once.len(), "{}", at_once.len());
    for batch_records_max in [13, 100] {
        for database in databases() {
            let dir = dir.path().join(format!("in_parts_{batch_records_max}"));
            let mut position = 0;
            while position < 500 {
                let (mut writer, _) = database.open(&dir, 500);
                filling(&mut writer, &journal.reader());
                assert_eq!(writer.position(), position);
                let entries = log::read_from(&journal.reader(), position + 1);
                let batch: Vec<_> =
                    entries.take(batch_records_max).collect::<Result<_, _>>().unwrap();
                writer.apply(&batch).unwrap();
                // Told again, as after a crash between filling and noting it elsewhere.
                writer.apply(&batch).unwrap();
                position = writer.position();
            }
            let (mut writer, records) = database.open(&dir, 500);
            ready(&mut writer, &journal.reader());
            assert_eq!(content(&records), at_once, "{database:?}, {batch_records_max} at a time");
            assert_eq!(records.position().unwrap(), 500);
            assert!(0 < records.bytes().unwrap());
        }
    }
}

#[test]
fn pages_are_newest_first_and_together_hold_every_match_once() {
    databases().iter().for_each(check_pages_lists);
}

fn check_pages_lists(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 500);
    let records = filled(database, dir.path(), &journal);
    let all = DecisionFilter::default();
    let check = |filter: &DecisionFilter, keep: fn(u64) -> bool| {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = records.list_decisions(filter, after, 17).unwrap();
            let Some(last) = page.last() else { break };
            let (received_time, decision_id) = (last.received_time, last.decision_id);
            after = Some(PageCursor { received_time, decision_id });
            found.extend(page.iter().map(|row| row.position));
        }
        let mut expected: Vec<u64> = (1..=500).filter(|n| 5 <= n % 10 && keep(*n)).collect();
        expected.sort_by_key(|&n| std::cmp::Reverse((n / 4, n)));
        assert_eq!(found, expected, "{filter:?}");
    };
    check(&all, |_| true);
    check(&DecisionFilter { channel: Some("web".into()), ..all.clone() }, |_| true);
    check(&DecisionFilter { channel: Some("app".into()), ..all.clone() }, |_| false);
    check(&DecisionFilter { order_id: Some("o7".into()), ..all.clone() }, |n| n % 40 == 7);
    let first_action = Some(ActionKind::Hold);
    check(&DecisionFilter { first_action, ..all.clone() }, |n| n % 2 == 1);
    let band_at_least = Some(RiskBand::Elevated);
    check(&DecisionFilter { band_at_least, ..all.clone() }, |n| 1 <= n % 3);
    let state = Some(DecisionState::Degraded);
    check(&DecisionFilter { state, ..all.clone() }, |_| false);
    let top_head = Some(HeadId("payment_fraud".into()));
    let fraud_leads = |n: u64| n.is_multiple_of(3) && (n % 7) as f64 / 10.0 <= n as f64 / 1000.0;
    check(&DecisionFilter { top_head, ..all.clone() }, fraud_leads);
    let probability_at_least = Some(Probability::clamped(0.6));
    check(&DecisionFilter { probability_at_least, ..all.clone() }, |n| n % 7 == 6);
    let (received_from, received_until) = (Some(Timestamp(20)), Some(Timestamp(40)));
    let span = DecisionFilter { received_from, received_until, ..all };
    check(&span, |n| (20..40).contains(&(n / 4)));
}

#[test]
fn what_was_asked_about_is_found_where_the_journal_has_it() {
    databases().iter().for_each(check_places);
}

fn check_places(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 500);
    let records = filled(database, dir.path(), &journal);
    assert_eq!(records.decision_position(decision_id(107)).unwrap(), Some(107));
    assert_eq!(records.decision_position(decision_id(104)).unwrap(), None);
    assert_eq!(records.decision_by_order("web", "o7").unwrap(), Some(487));
    assert_eq!(records.decision_by_order("web", "o1").unwrap(), None);
    assert_eq!(records.request_position("r8").unwrap(), Some(8));
    assert_eq!(records.request_position("r1").unwrap(), None);
    assert_eq!(records.event_position("e2").unwrap(), Some(40));
    assert_eq!(records.event_position("e99").unwrap(), None);
    assert_eq!(records.strategy_position("s33").unwrap(), Some(33));
    assert_eq!(records.strategy_position("m").unwrap(), None);
    let stored = log::read_at(&journal.reader(), 107).unwrap();
    assert_eq!(stored, Some(record(107)));
    assert_eq!(records.choices(decision_id(106)).unwrap(), [choice(106)]);
    assert_eq!(records.choices(decision_id(107)).unwrap(), []);
    assert_eq!(records.outcomes(decision_id(106)).unwrap(), [outcome(106)]);
    let of_order: Vec<_> = (17..500).step_by(40).map(outcome).collect();
    assert_eq!(records.outcomes(decision_id(57)).unwrap(), of_order);
    assert_eq!(records.outcomes(decision_id(58)).unwrap(), []);
    let counts = records.event_counts().unwrap();
    let count = |kind: &str| counts.iter().find(|(name, _)| name == kind).map(|(_, n)| *n);
    assert_eq!(count("choice"), Some(50));
    assert_eq!(count("order_shipped"), Some(26), "an event told twice counts once");
}

#[test]
fn a_file_that_does_not_fit_is_filled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.db");
    let journal = journal_of(dir.path(), 50);
    let whole = content(&filled(&Database::Sqlite, dir.path(), &journal));
    let check = |spoil: &dyn Fn(), journal_end, expected: fn(&Rebuild) -> bool| {
        spoil();
        let (mut writer, records, rebuild) = sqlite::open(&path, journal_end).unwrap();
        assert!(rebuild.as_ref().is_some_and(expected), "{rebuild:?}");
        assert_eq!(writer.position(), 0);
        catch_up(&journal.reader(), &mut writer, 64).unwrap();
        assert_eq!(content(&records), whole);
    };
    check(&|| {}, 49, |why| *why == Rebuild::AheadOfJournal(50));
    let other = || {
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    };
    check(&other, 50, |why| *why == Rebuild::OtherSchema(999));
    let garbage = || fs::write(&path, [7; 9000]).unwrap();
    check(&garbage, 50, |why| matches!(why, Rebuild::Unreadable(_)));
    check(&|| fs::remove_file(&path).unwrap(), 50, |why| *why == Rebuild::New);
    let (writer, _, rebuild) = sqlite::open(&path, 50).unwrap();
    assert_eq!((writer.position(), rebuild), (50, None));
}

#[test]
fn the_follower_reaches_the_end_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 300);
    for database in databases() {
        let (writer, records) = database.open(dir.path(), 300);
        let settings = FollowSettings { pause: Duration::from_millis(1), batch_records_max: 50 };
        let tail = RecordTail::new(2);
        let source = Source { journal: journal.reader(), tail, is_held: Arc::default() };
        let follower = RecordsFollower::start(source, writer, settings).unwrap();
        while follower.position() < 300 || records.position().is_err() {
            assert!(follower.failure().is_none());
            thread::yield_now();
        }
        assert_eq!(records.position().unwrap(), 300);
    }
}

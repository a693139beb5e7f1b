//! Records on a server that dies, hangs, or belongs to another past.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ::postgres::{Client, NoTls};

use crate::domain::record::Record;
use crate::store::error::Error;
use crate::store::journal::Journal;
use crate::store::log;
use crate::store::records::Sharing;
use crate::store::records::database::Turn;
use crate::store::records::databases::{Database, content, filling, server};
use crate::store::records::fill::RecordsWriter;
use crate::store::records::follow::{FollowSettings, RecordsFollower, Source, catch_up};
use crate::store::records::history::{journal_of, record};
use crate::store::records::postgres;
use crate::store::records::postgres::answers::CONNECTIONS_MAX;
use crate::store::records::postgres::cluster::Cluster;
use crate::store::records::postgres_url::PostgresUrl;
use crate::store::records::query::{DecisionFilter, Records};
use crate::store::records::tail::RecordTail;

const PACE: FollowSettings =
    FollowSettings { pause: Duration::from_millis(2), batch_records_max: 25 };
/// Records of the history under which the server dies.
const N_RECORDS: u64 = 8_000;
const N_DEATHS: u64 = 4;

fn url(server: &Cluster) -> PostgresUrl {
    PostgresUrl::parse(&server.database()).unwrap()
}

fn opened(url: &PostgresUrl, sharing: Sharing) -> (RecordsWriter, Records) {
    postgres::open(url, sharing).unwrap()
}

/// What SQLite has of the same journal.
fn expected(dir: &Path, journal: &Journal) -> Vec<String> {
    let (mut writer, records) = Database::Sqlite.open(dir, journal.durable_position());
    catch_up(&journal.reader(), &mut writer, 1000).unwrap();
    content(&records)
}

fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..90_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("it did not happen within three minutes");
}

#[test]
fn a_server_that_dies_under_filling_ends_with_every_row_once() {
    let Some(mut server) = Cluster::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), N_RECORDS);
    let (writer, records) = opened(&url(&server), Sharing::Alone);
    let source =
        Source { journal: journal.reader(), tail: RecordTail::new(0), is_held: Arc::default() };
    let follower = RecordsFollower::start(source, writer, PACE).unwrap();
    for death in 1..=N_DEATHS {
        until(|| death * N_RECORDS / (N_DEATHS + 2) <= follower.position());
        if death % 2 == 0 {
            server.tell("kill");
        } else {
            server.tell("quit");
        }
        until(|| follower.failure().is_some());
        let failure = follower.failure().unwrap();
        assert!(failure.is_away(), "{failure:?}");
        let unread = records.list_decisions(&DecisionFilter::default(), None, 1).unwrap_err();
        assert!(unread.is_away(), "{unread:?}");
        assert!(follower.position() < N_RECORDS, "death {death} came too late");
        server.start_again();
        until(|| follower.failure().is_none());
    }
    until(|| follower.position() == N_RECORDS && records.position().is_ok());
    assert_eq!(content(&records), expected(dir.path(), &journal));
}

#[test]
fn a_server_that_hangs_is_told_from_one_that_answers_and_nothing_waits_for_ever() {
    let Some(mut server) = Cluster::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 200);
    let (mut writer, records) = opened(&url(&server), Sharing::Alone);
    catch_up(&journal.reader(), &mut writer, 100).unwrap();
    assert_eq!(records.position().unwrap(), 200);
    server.tell("freeze");
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        for _ in 0..2 * CONNECTIONS_MAX {
            let (tell, records) = (tell.clone(), &records);
            scope.spawn(move || tell.send(records.position()));
        }
        // All connections hang with the server; who waits for one is refused.
        let refused: Vec<_> = told.iter().take(CONNECTIONS_MAX).collect();
        server.tell("thaw");
        for refused in refused {
            assert!(refused.unwrap_err().is_away());
        }
        for _ in 0..CONNECTIONS_MAX {
            let answer = told.recv().unwrap();
            assert!(answer.as_ref().map_or_else(Error::is_away, |at| *at == 200), "{answer:?}");
        }
    });
    assert_eq!(records.position().unwrap(), 200);
}

#[test]
fn journals_do_not_mix_and_each_finds_its_own_again() {
    let Some(server) = server() else { return };
    let url = url(server);
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journals = [journal_of(one.path(), 300), journal_from(other.path(), 40, 300)];
    for (journal, dir) in journals.iter().zip([&one, &other]) {
        let (mut writer, records) = opened(&url, Sharing::Alone);
        catch_up(&journal.reader(), &mut writer, 100).unwrap();
        assert_eq!(content(&records), expected(dir.path(), journal));
    }
    let (mut writer, records) = opened(&url, Sharing::Alone);
    filling(&mut writer, &journals[0].reader());
    assert_eq!(writer.position(), 300);
    assert_eq!(records.position().unwrap(), 300);
    let read = postgres::open_to_read(&url, &other.path().join("journal")).unwrap();
    assert_eq!(content(&read), expected(other.path(), &journals[1]));
}

/// A journal of other records of the history, the first of which is another one.
fn journal_from(dir: &Path, from: u64, n_records: u64) -> Journal {
    let journal = journal_of(dir, 0);
    append(&journal, (from..).take(usize::try_from(n_records).unwrap()).map(record));
    journal
}

fn append(journal: &Journal, records: impl Iterator<Item = Record>) {
    for record in records {
        log::append(&journal.writer(), &record).unwrap();
    }
}

#[test]
fn one_replica_fills_and_the_next_goes_on_where_it_ended() {
    let Some(server) = server() else { return };
    let url = url(server);
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    // Copies of one journal, one of which is behind the other.
    let (first, second) = (journal_of(dirs[0].path(), 400), journal_of(dirs[1].path(), 250));
    let (mut filling, _) = opened(&url, Sharing::Replicas);
    catch_up(&first.reader(), &mut filling, 100).unwrap();
    assert_eq!(filling.position(), 400);
    let (mut waiting, records) = opened(&url, Sharing::Replicas);
    assert_eq!(waiting.take_turn(&second.reader()).unwrap(), Turn::Follow);
    assert_eq!((waiting.position(), records.position().unwrap()), (400, 400));
    // The one that fills is gone: the other one holds the lock, and waits for its copy.
    drop(filling);
    until(|| waiting.take_turn(&second.reader()).is_ok() && n_fillers(&url) == 1);
    assert_eq!(waiting.take_turn(&second.reader()).unwrap(), Turn::Follow);
    assert_eq!(waiting.position(), 400);
    append(&second, (251..=500).map(record));
    assert_eq!(waiting.take_turn(&second.reader()).unwrap(), Turn::Fill);
    catch_up(&second.reader(), &mut waiting, 100).unwrap();
    assert_eq!(content(&records), expected(dirs[1].path(), &second));
}

/// How many fillers hold their lock.
fn n_fillers(url: &PostgresUrl) -> i64 {
    let sql = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
        WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted";
    client(url).query_one(sql, &[]).unwrap().get(0)
}

fn client(url: &PostgresUrl) -> Client {
    url.config.connect(NoTls).unwrap()
}

#[test]
fn records_of_another_past_are_filled_anew() {
    let Some(server) = server() else { return };
    let url = url(server);
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let journal = journal_of(dirs[0].path(), 300);
    let fill = |journal: &Journal| {
        let (mut writer, records) = opened(&url, Sharing::Alone);
        filling(&mut writer, &journal.reader());
        catch_up(&journal.reader(), &mut writer, 64).unwrap();
        records
    };
    drop(fill(&journal));
    // A copy from before, which went on in another way and is longer by now.
    let longer = journal_of(dirs[1].path(), 200);
    append(&longer, (0..300).map(|n| record(1_000 + n)));
    assert_eq!(content(&fill(&longer)), expected(dirs[1].path(), &longer));
    // A copy from before that has not gone on.
    let shorter = journal_of(dirs[2].path(), 100);
    assert_eq!(content(&fill(&shorter)), expected(dirs[2].path(), &shorter));
}

#[test]
fn half_filled_records_are_not_read_and_a_late_filler_changes_nothing() -> Result<(), Error> {
    let Some(server) = server() else { return Ok(()) };
    let url = url(server);
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 100);
    let (mut writer, records) = opened(&url, Sharing::Alone);
    assert!(records.position().unwrap_err().is_away());
    assert_eq!(writer.take_turn(&journal.reader())?, Turn::Fill);
    let batch: Vec<_> = log::read_from(&journal.reader(), 1).take(50).collect::<Result<_, _>>()?;
    writer.apply(&batch)?;
    assert!(records.position().unwrap_err().is_away(), "half of it");
    // Somebody fills over another connection, whatever the lock says.
    let mut client = client(&url);
    let schema: String = client
        .query_one("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'orderlens%'", &[])
        .expect("a schema")
        .get(0);
    client.execute(&format!("UPDATE {schema}.progress SET position = 60"), &[]).expect("a row");
    let rest: Vec<_> = log::read_from(&journal.reader(), 51).collect::<Result<_, _>>()?;
    assert!(writer.apply(&rest).unwrap_err().is_away());
    let n: i64 = client
        .query_one(&format!("SELECT count(*) FROM {schema}.decisions WHERE 50 < position"), &[])
        .expect("a count")
        .get(0);
    assert_eq!(n, 0);
    // At 60 is another record than the one that was noted with 50.
    catch_up(&journal.reader(), &mut writer, 30)?;
    assert_eq!(content(&records), expected(dir.path(), &journal));
    Ok(())
}

#[test]
fn what_an_older_program_made_goes_once_the_new_records_are_whole() {
    let Some(server) = server() else { return };
    let url = url(server);
    let dir = tempfile::tempdir().unwrap();
    let journal = journal_of(dir.path(), 100);
    let (mut writer, _) = opened(&url, Sharing::Alone);
    assert_eq!(writer.take_turn(&journal.reader()).unwrap(), Turn::Fill);
    let mut client = client(&url);
    let names = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'orderlens%' ORDER BY 1";
    let schema: String = client.query_one(names, &[]).unwrap().get(0);
    let older = schema.replace("_v3", "_v2");
    assert_ne!(older, schema);
    client
        .batch_execute(&format!("CREATE SCHEMA {older}; CREATE TABLE {older}.x (y INT)"))
        .unwrap();
    catch_up(&journal.reader(), &mut writer, 64).unwrap();
    let left: Vec<String> =
        client.query(names, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(left, [schema]);
}

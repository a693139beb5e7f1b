//! People, the audit log and notes in a running engine, and over restarts.

use std::collections::BTreeSet;

use crate::domain::access::{
    AuditDraft, AuditEntry, AuditHead, BrokenLink, LinkFault, Permission, Person, PersonDraft,
    Role, verify,
};
use crate::domain::audit_query::AuditQuery;
use crate::domain::decision::DecisionId;
use crate::domain::note::{Note, NoteDraft, NoteKind};
use crate::domain::record::{PersonChanged, Record};
use crate::domain::strategy_version::Signer;
use crate::domain::time::Timestamp;
use crate::store::journal::Journal;
use crate::store::log::{append, read_audited};
use crate::workflow::access_service::AccessService;
use crate::workflow::audit_log::{newest_entries, verify_audit};
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{open, past, score, settings};
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::fixtures::{at, bundle, new_id};
use crate::workflow::past::Past;

fn person(id: &str, roles: &[Role]) -> PersonDraft {
    PersonDraft {
        person_id: id.into(),
        name: format!("{id} 王").into(),
        roles: roles.iter().copied().collect(),
        is_active: true,
        key_hash: None,
    }
}

fn key(digit: char) -> Box<str> {
    digit.to_string().repeat(64).into()
}

fn by(name: &str) -> Signer {
    Signer { by: name.into(), note: Box::default() }
}

fn done(n: i64) -> AuditDraft {
    AuditDraft {
        actor: if n % 2 == 0 { "wang" } else { "lin" }.into(),
        action: if n % 3 == 0 { "strategy.approved" } else { "decision.chosen" }.into(),
        subject: format!("subject {n}").into(),
        detail: Box::default(),
    }
}

async fn change(engine: &Engine, draft: PersonDraft) -> Result<Person, Error> {
    engine.change_person(draft, by("lin"), at(9)).await
}

fn reason(result: Result<Person, Error>) -> &'static str {
    result.unwrap_err().reason()
}

const EVERYTHING: AuditQuery = AuditQuery { before: None, actor: None, action: None, n_max: 500 };

async fn log(engine: &Engine) -> Vec<AuditEntry> {
    let mut entries = engine.list_audit(EVERYTHING).await.unwrap();
    entries.reverse();
    entries
}

/// The last active admin is neither deactivated nor given other roles; a second one frees both.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_admin_stays() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let admin = person("lin", &[Role::Admin]);
    change(&engine, admin.clone()).await.unwrap();
    let end = engine.durable_position();
    let demoted = person("lin", &[Role::Viewer, Role::Approver]);
    let left = PersonDraft { is_active: false, ..admin.clone() };
    for refused in [demoted.clone(), left.clone()] {
        assert_eq!(reason(change(&engine, refused).await), "LAST_ADMIN");
    }
    // An admin who has left does not count.
    let gone = PersonDraft { is_active: false, ..person("gone", &[Role::Admin]) };
    change(&engine, gone).await.unwrap();
    assert_eq!(reason(change(&engine, left.clone()).await), "LAST_ADMIN");
    assert_eq!(engine.durable_position(), end + 1, "what is refused is not recorded");
    change(&engine, person("wang", &[Role::Admin, Role::Analyst])).await.unwrap();
    let lin = change(&engine, demoted).await.unwrap();
    assert!(lin.may(Permission::Approve) && !lin.may(Permission::Administer));
    assert_eq!(reason(change(&engine, person("wang", &[Role::Analyst])).await), "LAST_ADMIN");
    // Another name is no matter of roles.
    let renamed = PersonDraft { name: "王".into(), ..person("wang", &[Role::Admin]) };
    assert_eq!(&*change(&engine, renamed).await.unwrap().name, "王");
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_once_and_the_same_again_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let draft = PersonDraft { key_hash: Some(key('a')), ..person("wang", &[Role::Analyst]) };
    let signer = Signer { by: "lin".into(), note: "first day".into() };
    let wang = engine.change_person(draft.clone(), signer, at(9)).await.unwrap();
    let end = engine.durable_position();
    assert_eq!(change(&engine, draft).await.unwrap(), wang);
    assert_eq!(change(&engine, person("wang", &[Role::Analyst])).await.unwrap(), wang);
    assert_eq!(engine.durable_position(), end);
    let [entry] = &log(&engine).await[..] else { panic!("another number of entries") };
    assert_eq!((entry.sequence, &*entry.actor, entry.at), (1, "lin", at(9)));
    assert_eq!((&*entry.action, &*entry.subject), ("person.changed", "wang"));
    let detail = "wang 王; analyst; active; key aaaaaaaaaaaaaaaa; first day";
    assert_eq!(&*entry.detail, detail);
    let wrong = PersonDraft { name: Box::default(), ..person("Wang", &[]) };
    let error = engine.change_person(wrong, by(""), at(9)).await.unwrap_err();
    let Error::InvalidFields(mistakes) = error else { panic!("{error}") };
    let fields: Vec<&str> = mistakes.iter().map(|it| &*it.field).collect();
    assert_eq!(fields, ["person_id", "name", "roles", "by"]);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_person_who_is_still_here() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let with_key = |id, hash| PersonDraft { key_hash: Some(hash), ..person(id, &[Role::Viewer]) };
    let found = |hash: Box<str>| {
        let engine = &engine;
        async move {
            let person = engine.find_person_by_key(&hash).await.unwrap();
            person.map(|person| person.person_id)
        }
    };
    change(&engine, person("lin", &[Role::Viewer])).await.unwrap();
    change(&engine, with_key("wang", key('a'))).await.unwrap();
    assert_eq!(found(key('a')).await.as_deref(), Some("wang"));
    assert_eq!(found(key('b')).await, None);
    assert_eq!(found("".into()).await, None, "no key opens nothing, though lin has none");
    assert_eq!(reason(change(&engine, with_key("lin", key('a'))).await), "KEY_TAKEN");
    change(&engine, with_key("wang", key('b'))).await.unwrap();
    assert_eq!(found(key('a')).await, None);
    let left = PersonDraft { is_active: false, ..person("wang", &[Role::Viewer]) };
    change(&engine, left).await.unwrap();
    assert_eq!(found(key('b')).await, None);
    assert!(!engine.find_person("wang").await.unwrap().unwrap().is_active);
    assert_eq!(engine.find_person("nobody").await.unwrap(), None);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_told_at_the_same_time_are_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let told = (0..20).map(|n| engine.audit(done(n), at(n)));
    let told = futures_util::future::join_all(told).await;
    let mut told: Vec<AuditEntry> = told.into_iter().map(Result::unwrap).collect();
    told.sort_by_key(|entry| entry.sequence);
    let head = verify(&told).unwrap();
    assert_eq!(head.sequence, 20);
    assert_eq!(log(&engine).await, told);
    let report = engine.verify_audit().await.unwrap();
    assert_eq!((report.n_entries, report.head_hash, report.broken), (20, head.hash, None));
    let error = engine.audit(AuditDraft { action: "x".into(), ..done(1) }, at(1)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_listed_newest_first_by_actor_action_and_page() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for n in 1..=12 {
        engine.audit(done(n), at(n)).await.unwrap();
    }
    let listed = async |query: AuditQuery| -> Vec<u64> {
        let entries = engine.list_audit(query.clone()).await.unwrap();
        let read = newest_entries(&engine.journal_reader(), &query).unwrap();
        assert_eq!(read, entries, "records and journal list alike");
        entries.iter().map(|entry| entry.sequence).collect()
    };
    let action = |code: &str| AuditQuery { action: Some(code.into()), ..EVERYTHING };
    assert_eq!(listed(AuditQuery { n_max: 3, ..EVERYTHING }).await, [12, 11, 10]);
    let page = AuditQuery { before: Some(10), n_max: 2, ..EVERYTHING };
    assert_eq!(listed(page).await, [9, 8]);
    let of_wang = AuditQuery { actor: Some("wang".into()), ..EVERYTHING };
    assert_eq!(listed(of_wang).await, [12, 10, 8, 6, 4, 2]);
    assert_eq!(listed(action("strategy.approved")).await, [12, 9, 6, 3]);
    assert_eq!(listed(action("strategy")).await, [12, 9, 6, 3]);
    assert_eq!(listed(action("strategy.app")).await, [0; 0], "words are whole");
    assert_eq!(listed(action("%")).await, [0; 0]);
    let both = AuditQuery { actor: Some("lin".into()), before: Some(9), ..action("strategy") };
    assert_eq!(listed(both).await, [3]);
    engine.stop();
}

fn note(id: &str, decision_id: DecisionId, text: &str) -> NoteDraft {
    let (note_id, by, text) = (id.into(), "wang".into(), text.into());
    NoteDraft { note_id, decision_id, by, kind: NoteKind::Note, text }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_written_once_about_a_decision_that_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let (first, second) = (score(&engine, 1).await, score(&engine, 2).await);
    let add = |draft, minute| engine.add_note(draft, at(minute));
    let draft = note("n1", first.decision_id, "a family\nabroad");
    let kept = add(draft.clone(), 10).await.unwrap();
    assert_eq!(kept.at, at(10));
    assert_eq!(add(draft, 99).await.unwrap(), kept, "the first one, with its time");
    let other = NoteDraft { kind: NoteKind::Exemplar, ..note("n1", first.decision_id, "x") };
    let error = add(other, 11).await.unwrap_err();
    let Error::IdReused { fields, .. } = &error else { panic!("{error}") };
    assert_eq!(fields[..], ["kind".into(), "text".into()]);
    let unknown = add(note("n2", new_id(at(0)), "x"), 12).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let empty = add(note("n2", first.decision_id, " "), 12).await.unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::Invalid);
    add(note("n2", second.decision_id, "another"), 13).await.unwrap();
    let later = add(note("n0", first.decision_id, "called"), 14).await.unwrap();
    assert_eq!(engine.list_notes(first.decision_id).await.unwrap(), [kept, later]);
    assert_eq!(engine.list_notes(new_id(at(0))).await.unwrap(), []);
    engine.stop();
}

/// What a restart must bring back.
async fn seen(engine: &Engine, id: DecisionId) -> (Vec<Person>, Vec<AuditEntry>, Vec<Note>) {
    let notes = engine.list_notes(id).await.unwrap();
    (engine.list_people().await.unwrap(), log(engine).await, notes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_people_chain_and_notes_with_and_without_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let id = score(&engine, 1).await.decision_id;
    change(&engine, person("lin", &[Role::Admin])).await.unwrap();
    engine.audit(done(1), at(1)).await.unwrap();
    engine.add_note(note("n1", id, "one"), at(2)).await.unwrap();
    let saved = engine.save_snapshot().await.unwrap();
    change(&engine, person("wang", &[Role::Analyst])).await.unwrap();
    engine.audit(done(2), at(3)).await.unwrap();
    engine.add_note(note("n2", id, "two"), at(4)).await.unwrap();
    let before = seen(&engine, id).await;
    let end = engine.durable_position();
    assert!(saved < end);
    engine.stop();

    let (with, journal) = past(dir.path(), "snapshots", bundle());
    let state = with.state_at(end).unwrap();
    let without = Past { snapshot_dir: dir.path().join("none"), ..with };
    let folded = without.state_at(end).unwrap();
    assert_eq!(folded.access, state.access);
    assert_eq!(*state.access.head(), before.1.last().unwrap().head());
    drop((without, journal));

    let engine = open(dir.path());
    assert_eq!(seen(&engine, id).await, before);
    let ids: BTreeSet<&str> = before.0.iter().map(|person| &*person.person_id).collect();
    assert_eq!(ids, ["lin", "wang"].into());
    // The chain goes on where it ended, and ids of notes are still used up.
    let next = engine.audit(done(3), at(5)).await.unwrap();
    assert_eq!(next.previous_hash, before.1.last().unwrap().hash);
    assert_eq!(engine.add_note(note("n1", id, "one"), at(99)).await.unwrap(), before.2[0]);
    assert_eq!(engine.verify_audit().await.unwrap().n_entries, 5);
    engine.stop();
}

/// Appends records to the journal of a stopped engine.
fn smuggle(dir: &std::path::Path, records: &[Record]) {
    let engine = settings(dir);
    let (journal, _) = Journal::open(&dir.join("journal"), engine.journal).unwrap();
    for record in records {
        append(&journal.writer(), record).unwrap();
    }
}

fn recorded(dir: &std::path::Path) -> Vec<Record> {
    let (journal, _) = Journal::open(&dir.join("journal"), settings(dir).journal).unwrap();
    read_audited(&journal.reader()).map(|entry| entry.unwrap().1).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_the_journal_is_named_by_its_number_and_the_log_goes_on() {
    let honest = tempfile::tempdir().unwrap();
    let engine = open(honest.path());
    for id in ["lin", "wang"] {
        change(&engine, person(id, &[Role::Admin])).await.unwrap();
    }
    for n in 3..=5 {
        engine.audit(done(n), at(n)).await.unwrap();
    }
    engine.stop();
    let honest = recorded(honest.path());
    let check = async |sequence, fault, forge: &dyn Fn(&mut Vec<Record>)| {
        let mut records = honest.clone();
        forge(&mut records);
        let dir = tempfile::tempdir().unwrap();
        smuggle(dir.path(), &records);
        let engine = open(dir.path());
        let broken = Some(BrokenLink { sequence, fault });
        let report = engine.verify_audit().await.unwrap();
        assert_eq!((report.n_entries, report.broken.clone()), (sequence - 1, broken.clone()));
        // Damage neither stops the service nor heals.
        let next = engine.audit(done(9), at(9)).await.unwrap();
        assert_eq!(log(&engine).await.last(), Some(&next));
        assert_eq!(engine.verify_audit().await.unwrap().broken, broken);
        engine.stop();
    };
    let changed = |records: &mut Vec<Record>| {
        if let Record::Audited(entry) = &mut records[3] {
            entry.subject = "another order".into();
        }
    };
    check(4, LinkFault::Changed, &changed).await;
    check(3, LinkFault::OtherSequence, &|records| drop(records.remove(2))).await;
    check(3, LinkFault::OtherSequence, &|records| records.swap(2, 3)).await;
    let promoted = |records: &mut Vec<Record>| {
        if let Record::PersonChanged(PersonChanged { person, .. }) = &mut records[1] {
            person.roles.insert(Role::Approver);
        }
    };
    check(2, LinkFault::OtherPerson, &promoted).await;
    // The entry is made to fit, those behind it are not.
    let rewritten = |records: &mut Vec<Record>| {
        let head = records[2].audited().unwrap().head();
        records[3] = Record::Audited(AuditEntry::next(&head, done(7), at(4)));
    };
    check(5, LinkFault::OtherPast, &rewritten).await;
}

#[test]
fn a_chain_that_is_whole_but_ends_elsewhere_is_not_the_one_that_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let mut heads = vec![AuditHead::default()];
    let mut records = Vec::new();
    for n in 0..3 {
        let entry = AuditEntry::next(&heads[heads.len() - 1], done(n), Timestamp(n));
        heads.push(entry.head());
        records.push(Record::Audited(entry));
    }
    smuggle(dir.path(), &records[..2]);
    let (journal, _) =
        Journal::open(&dir.path().join("journal"), settings(dir.path()).journal).unwrap();
    let verified = |until, known| verify_audit(&journal.reader(), until, Some(known)).unwrap();
    assert_eq!(verified(2, &heads[2]).broken, None);
    assert_eq!(verified(1, &heads[1]).broken, None);
    let other_end = |sequence| Some(BrokenLink { sequence, fault: LinkFault::OtherEnd });
    assert_eq!(verified(2, &heads[3]).broken, other_end(3), "the last entry is cut off");
    let rewritten = AuditHead { sequence: 2, hash: heads[1].hash.clone() };
    assert_eq!(verified(2, &rewritten).broken, other_end(2));
}

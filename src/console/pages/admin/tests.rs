//! The forms and the log of Admin.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Form, Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::HOST;

use super::log::{LogFilters, LogView, export, verify};
use super::people::{self, Life, add, change, draft, end_sessions, give_key, give_link};
use crate::console::failure::Failure;
use crate::console::fixtures::{LANGUAGES, check, console, known, now, visit};
use crate::console::parts::Console;
use crate::console::session::Token;
use crate::domain::access::{
    AuditDraft, AuditEntry, AuditHead, Role, hash_of_key, verify as verify_entries,
};
use crate::domain::audit_query::{AUDIT_PAGE_MAX, AuditQuery};
use crate::domain::text::Language;
use crate::domain::time::{Span, Timestamp};
use crate::workflow::access_service::AccessService as _;
use crate::workflow::error::Error;

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_form_with_several_boxes_is_a_person_with_several_roles() {
    let form = pairs(&[("name", " Li "), ("roles", "analyst"), ("roles", "approver")]);
    let person = draft("li", &form, Life::Left).unwrap();
    assert_eq!(person.roles.into_iter().collect::<Vec<_>>(), [Role::Analyst, Role::Approver]);
    assert_eq!((&*person.name, person.is_active, person.key_hash), ("Li", false, None));
}

#[test]
fn every_wrong_field_of_a_person_is_named() {
    let form = pairs(&[("name", ""), ("roles", "king")]);
    let Err(Failure::Fields(mistakes)) = draft("L i", &form, Life::Active) else {
        panic!("it was taken");
    };
    let fields: Vec<&str> = mistakes.iter().map(|it| &*it.field).collect();
    assert_eq!(fields, ["roles", "person_id", "name", "roles"]);
}

fn entries(n: u64) -> Vec<AuditEntry> {
    let mut head = AuditHead::default();
    let mut entries = Vec::new();
    for _ in 0..n {
        let draft = AuditDraft {
            actor: "li".into(),
            action: "decision.chosen".into(),
            subject: "x".into(),
            detail: "hold".into(),
        };
        let entry = AuditEntry::next(&head, draft, Timestamp(1_767_225_601_000_000));
        head = entry.head();
        entries.insert(0, entry);
    }
    entries
}

#[test]
fn a_page_of_the_log_leads_to_the_older_ones_under_the_same_filters() {
    let filters = LogFilters::default();
    let all = LogView::new(&filters, &entries(3));
    assert_eq!((all.rows.len(), all.older.as_str(), all.newest.as_str()), (3, "", ""));
    assert_eq!((all.rows[0].sequence, all.rows[0].at.as_str()), (3, "2026-01-01 00:00:01"));
    assert_eq!(all.rows[0].hash.len(), 12);
    let first = LogView::new(&filters, &entries(41));
    assert_eq!(first.rows.len(), 40);
    assert_eq!(first.older, "/admin?actor=&action=&before=2#log");
}

async fn log_of(console: &Arc<Console>) -> Vec<String> {
    let query = AuditQuery { before: None, actor: None, action: None, n_max: 100 };
    let entries = console.engine.list_audit(query).await.unwrap();
    let told = entries.iter().rev().map(|it| format!("{} {}", it.action, it.subject));
    told.collect()
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, "lens.example:8443".parse().unwrap());
    headers
}

fn filters() -> Query<LogFilters> {
    Query(LogFilters::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_lets_people_in_and_out_and_all_of_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let console = console(dir.path());
    known(&console, "ann", &[Role::Admin]).await;
    let ann = || visit(Language::English, &[Role::Admin]);
    let it = || State(console.clone());
    let form = pairs(&[("person_id", "bo"), ("name", "<b>Bo"), ("roles", "analyst")]);
    let added = add(it(), headers(), ann(), Form(form.clone())).await.unwrap().0;
    check(&added);
    let token = Token::new([7; 32]);
    let link = format!("http://lens.example:8443/sign-in?link={}", token.expose());
    assert!(added.contains(&format!("data-link>{link}<")), "{added}");
    assert_eq!(console.sessions.accept(&token, now()), Some("bo".into()));
    assert!(matches!(add(it(), headers(), ann(), Form(form)).await, Err(Failure::Fields(_))));

    let given = give_key(it(), Path("bo".into()), ann()).await.unwrap().0;
    assert!(given.contains(&format!("data-secret>{}<", token.expose())), "{given}");
    let found = console.engine.find_person_by_key(&hash_of_key(token.expose())).await.unwrap();
    assert_eq!(&*found.unwrap().person_id, "bo");

    console.sessions.start(&token, "bo", now() + Span::HOUR);
    drop(end_sessions(it(), Path("bo".into()), ann()).await.unwrap());
    assert_eq!(console.sessions.person(&token, now()), None);
    console.sessions.start(&token, "bo", now() + Span::HOUR);
    let left = pairs(&[("name", "Bo"), ("roles", "viewer")]);
    drop(change(it(), Path("bo".into()), ann(), Form(left)).await.unwrap());
    assert_eq!(console.sessions.person(&token, now()), None, "who has left is signed out");
    let refused = give_link(it(), Path("bo".into()), headers(), ann()).await;
    assert!(matches!(refused, Err(Failure::Fields(_))));
    let alone = pairs(&[("name", "Ann"), ("roles", "viewer"), ("is_active", "yes")]);
    let Err(Failure::Engine(why)) = change(it(), Path("ann".into()), ann(), Form(alone)).await
    else {
        panic!("nobody would be left to administer");
    };
    assert!(matches!(&*why, Error::Refused { reason: "LAST_ADMIN", .. }));

    let verified = verify(it(), ann()).await.unwrap().0;
    check(&verified);
    let told = [
        "person.changed ann",
        "person.changed bo",
        "session.invited bo",
        "person.changed bo",
        "key.given bo",
        "sessions.ended bo",
        "person.changed bo",
        "audit.verified audit",
    ];
    assert_eq!(log_of(&console).await, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_whole_in_both_languages_and_for_administrators_alone() {
    let dir = tempfile::tempdir().unwrap();
    let console = console(dir.path());
    known(&console, "ann", &[Role::Admin]).await;
    let it = || State(console.clone());
    for language in LANGUAGES {
        let ann = || visit(language, &[Role::Admin]);
        let page = super::show(it(), ann(), filters()).await.unwrap().0;
        check(&page);
        assert!(page.contains("action=\"/admin/people\"") && page.contains("person.changed"));
        check(&people::show(it(), Path("ann".into()), ann()).await.unwrap().0);
        check(&verify(it(), ann()).await.unwrap().0);
        let roles = [Role::Viewer, Role::Analyst, Role::Strategist, Role::Approver];
        let other = || visit(language, &roles);
        assert!(matches!(super::show(it(), other(), filters()).await, Err(Failure::Forbidden(_))));
        let given = give_link(it(), Path("ann".into()), headers(), other()).await;
        assert!(matches!(given, Err(Failure::Forbidden(_))));
        assert!(matches!(export(it(), other()).await, Err(Failure::Forbidden(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_log_is_a_file_that_holds() {
    let dir = tempfile::tempdir().unwrap();
    let console = console(dir.path());
    for n in 0..=AUDIT_PAGE_MAX {
        console.audit("ann", "test.done", &n.to_string(), "").await.unwrap();
    }
    let ann = visit(Language::English, &[Role::Admin]);
    let answer = export(State(console.clone()), ann).await.unwrap();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let read = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut entries: Vec<AuditEntry> = read.collect();
    entries.reverse();
    assert_eq!(entries.len(), AUDIT_PAGE_MAX as usize + 2, "more than a page of it");
    assert_eq!(&*entries.last().unwrap().action, "audit.exported");
    assert_eq!(verify_entries(&entries).unwrap().sequence, entries.len() as u64);
}

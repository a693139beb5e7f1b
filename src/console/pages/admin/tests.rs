//! The forms and the log of Admin.

use super::log::{LogFilters, LogView};
use super::people::{Life, draft};
use crate::console::failure::Failure;
use crate::domain::access::{AuditDraft, AuditEntry, AuditHead, Role};
use crate::domain::time::Timestamp;

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

//! The audit log by command line: read beside a server, broken by a forger.

use std::path::Path;
use std::process::Output;

use orderlens::domain::access::{AuditDraft, AuditEntry, AuditHead};
use orderlens::domain::record::Record;
use orderlens::domain::time::Timestamp;
use orderlens::store::journal::recovery::DamagedTail;
use orderlens::store::journal::{Journal, JournalSettings};
use orderlens::store::log::append;

use crate::server::{Server, orderlens};

fn chain(n_entries: usize) -> Vec<AuditEntry> {
    let mut head = AuditHead::default();
    let entry = |n: usize| {
        let draft = AuditDraft {
            actor: if n.is_multiple_of(2) { "wang" } else { "lin" }.into(),
            action: "decision.chosen".into(),
            subject: format!("order {n}").into(),
            detail: Box::default(),
        };
        let entry = AuditEntry::next(&head, draft, Timestamp(n.try_into().expect("few")));
        head = entry.head();
        entry
    };
    (0..n_entries).map(entry).collect()
}

/// A data folder whose journal holds these entries.
fn write(data: &Path, entries: &[AuditEntry]) {
    let settings = JournalSettings {
        segment_bytes: 1 << 20,
        record_bytes_max: 1 << 18,
        queue_bytes_max: 1 << 20,
        damaged_tail: DamagedTail::Refuse,
    };
    let (journal, _) = Journal::open(&data.join("journal"), settings).expect("a new journal");
    for entry in entries {
        append(&journal.writer(), &Record::Audited(entry.clone())).expect("there is room");
    }
}

fn audit(data: &Path, arguments: &[&str]) -> Output {
    let mut command = orderlens();
    command.arg("audit").args(arguments).arg("--data").arg(data);
    command.output().expect("the built binary starts")
}

fn said(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("--json prints JSON")
}

#[test]
fn the_log_is_read_beside_a_server() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let entries = chain(5);
    write(data.path(), &entries);
    let server = Server::start(data.path());
    let verified = audit(data.path(), &["verify", "--json"]);
    assert_eq!(verified.status.code(), Some(0));
    let report = said(&verified);
    // The sixth tells of the administrator of the first start.
    assert_eq!((&report["n_entries"], &report["broken"]), (&6.into(), &().into()), "{report}");
    assert_ne!(report["head_hash"], *entries[4].hash);
    let of_lin = ["list", "--json", "--actor", "lin", "--action", "decision", "--last", "1"];
    let listed = said(&audit(data.path(), &of_lin));
    assert_eq!(listed, serde_json::json!([entries[3]]));
    let page = audit(data.path(), &["list", "--lang", "zh"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains("order 4"));
    server.kill();
}

#[test]
fn a_chain_that_breaks_ends_with_1_and_the_number_of_the_entry() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut entries = chain(5);
    entries[2].subject = "another order".into();
    write(data.path(), &entries);
    let verified = audit(data.path(), &["verify", "--json"]);
    assert_eq!(verified.status.code(), Some(1));
    let report = said(&verified);
    assert_eq!(report["n_entries"], 2);
    assert_eq!(report["broken"], serde_json::json!({"sequence": 3, "fault": "changed"}));
    let complaint = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(complaint.contains("breaks at entry 3"), "{complaint}");
    let nowhere = audit(&data.path().join("none"), &["verify"]);
    assert_eq!(nowhere.status.code(), Some(1));
}

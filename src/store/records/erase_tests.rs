//! What is left of an identifier in the records, in every database.

use std::sync::Arc;

use crate::domain::access::AuditHead;
use crate::domain::decision::Reason;
use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::erasure::IdentifierErased;
use crate::domain::head::RiskType;
use crate::domain::pseudonym::PseudonymLinked;
use crate::domain::record::{Record, ScoredOrder};
use crate::domain::strategy_version::Signature;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::store::records::databases::{Database, content, databases};
use crate::store::records::history::decided;

/// Pseudonyms of one person by three secrets, and of somebody else.
const PSEUDONYMS: [u128; 4] =
    [0x111_111 << 104, 0x222_222 << 104, 0x333_333 << 104, 0x444_444 << 104];

fn account(n: usize) -> EntityRef {
    EntityRef { kind: EntityKind::Account, key: EntityKey::Hashed(PSEUDONYMS[n]) }
}

/// A decision about an order of an account, which the first reason names.
fn about(n: u64, account: &EntityRef) -> Record {
    let Record::Decision(mut scored) = decided(n) else { panic!("a decision") };
    let ScoredOrder { request, decision } = Arc::make_mut(&mut scored);
    request.order.entities = vec![account.clone()];
    let text = Text::new(format!("orders of {}", account.label()), "");
    let reason =
        Reason { code: "f".into(), head: RiskType::PromoAbuse.head(), arguments: Vec::new(), text };
    Arc::make_mut(decision).reasons = vec![reason];
    Record::Decision(scored)
}

#[test]
fn every_pseudonym_of_who_is_erased_leaves_the_rows_before_and_nobody_elses_does() {
    databases().iter().for_each(check_erasure);
}

fn check_erasure(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, records) = database.by_hand(dir.path());
    let signature = Signature { by: "wang".into(), at: Timestamp(9), note: Box::default() };
    let all = (account(0), vec![account(1), account(2)]);
    let erased = IdentifierErased::new(all, &AuditHead::default(), signature);
    let shown = erased.shown().label();
    let mut told: Vec<_> =
        (0..4).map(|n| (n as u64 + 1, about(n as u64 + 1, &account(n)))).collect();
    told.push((5, Record::IdentifierErased(erased)));
    // The person comes again, and is somebody new.
    told.push((6, about(6, &account(0))));
    writer.apply(&told).unwrap();

    let rows: Vec<_> =
        content(&records).into_iter().filter(|row| row.starts_with("decisions ")).collect();
    let naming = |text: &str| rows.iter().filter(|row| row.contains(text)).count();
    let n_naming = [0, 1, 2, 3].map(|n| {
        let account = account(n);
        (naming(&account.key.to_string()), naming(&account.label()))
    });
    assert_eq!(n_naming, [(1, 1), (0, 0), (0, 0), (1, 1)], "{database:?}: {rows:#?}");
    assert_eq!(naming(&shown), 3, "{database:?}: {rows:#?}");
}

#[test]
fn who_is_known_otherwise_is_found_under_the_name_of_now() {
    databases().iter().for_each(check_link);
}

fn check_link(database: &Database) {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, records) = database.by_hand(dir.path());
    let (pseudonym, known_as) = (account(0), account(1));
    let linked = PseudonymLinked { pseudonym, known_as, at: Timestamp(3) };
    let told = [
        (1, about(1, &account(0))),
        (2, about(2, &account(3))),
        (3, Record::PseudonymLinked(linked)),
    ];
    writer.apply(&told).unwrap();
    let rows = content(&records);
    let naming = |n: usize| {
        let key = account(n).key.to_string();
        rows.iter().filter(|row| row.contains(&key)).count()
    };
    assert_eq!([0, 1, 3].map(naming), [0, 1, 1], "{database:?}: {rows:#?}");
}

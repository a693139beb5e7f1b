//! Entries of the audit log and notes of the made-up history of the tests.

use uuid::Uuid;

use crate::domain::access::{AuditDraft, AuditEntry, AuditHead};
use crate::domain::decision::DecisionId;
use crate::domain::note::{Note, NoteKind};
use crate::domain::record::Record;
use crate::domain::time::Timestamp;

/// An entry for every second number, and a note for the others, each told twice.
pub(super) fn access_record(n: u64) -> Record {
    let at = Timestamp(n.cast_signed());
    if n % 40 == 4 {
        let head = AuditHead { sequence: n, hash: Box::default() };
        let draft = AuditDraft {
            actor: "wang".into(),
            action: "session.started".into(),
            subject: Box::default(),
            detail: Box::default(),
        };
        return Record::Audited(AuditEntry::next(&head, draft, at));
    }
    Record::Noted(Note {
        note_id: format!("n{}", n / 80).into(),
        decision_id: DecisionId(Uuid::from_u128(u128::from(n))),
        by: "wang".into(),
        at,
        kind: NoteKind::Note,
        text: "seen before".into(),
    })
}

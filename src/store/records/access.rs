//! The audit log and notes among the records.

use uuid::Uuid;

use crate::domain::access::AuditEntry;
use crate::domain::audit_query::AuditQuery;
use crate::domain::decision::DecisionId;
use crate::domain::note::{Note, NoteKind};
use crate::domain::time::Timestamp;
use crate::store::error::Error;
use crate::store::records::database::{DatabaseError, Statements, Table};
use crate::store::records::query::Records;
use crate::store::records::value::{Row, Value, known};

/// Adds an entry; one whose number is there already as well, since the chain is not judged here.
pub(super) fn put_audit(
    to: &mut dyn Statements,
    position: u64,
    entry: &AuditEntry,
) -> Result<(), DatabaseError> {
    let row = vec![
        position.into(),
        entry.sequence.into(),
        entry.at.0.into(),
        (&entry.actor).into(),
        (&entry.action).into(),
        (&entry.subject).into(),
        (&entry.detail).into(),
        (&entry.previous_hash).into(),
        (&entry.hash).into(),
    ];
    to.put(Table::Audit, row)
}

/// Adds a note.
pub(super) fn put_note(
    to: &mut dyn Statements,
    position: u64,
    note: &Note,
) -> Result<(), DatabaseError> {
    let row = vec![
        (&note.note_id).into(),
        position.into(),
        note.decision_id.0.as_bytes().as_slice().into(),
        (&note.by).into(),
        note.at.0.into(),
        note.kind.as_str().into(),
        (&note.text).into(),
    ];
    to.put(Table::Notes, row)
}

impl Records {
    /// Entries of the audit log, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, Error> {
        let (mut sql, mut values) = (String::new(), Vec::<Value>::new());
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            sql.push_str(if values.len() == 1 { " WHERE " } else { " AND " });
            sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
        };
        if let Some(before) = query.before {
            add("sequence < ?", i64::try_from(before).unwrap_or(i64::MAX).into());
        }
        if let Some(actor) = &query.actor {
            add("actor = ?", actor.into());
        }
        if let Some(action) = &query.action {
            // The code itself, and all that begin with its words.
            add("substr(action || '.', 1, length(?)) = ?", format!("{action}.").into());
        }
        values.push(query.n_max.into());
        let sql = format!(
            "SELECT sequence, at_us, actor, action, subject, detail, previous_hash, hash \
             FROM audit{sql} ORDER BY sequence DESC, position DESC LIMIT ?{}",
            values.len()
        );
        self.ask("list", &sql, &values, audit_row)
    }

    /// The newest notes about a decision, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list_notes(&self, id: DecisionId, limit: u32) -> Result<Vec<Note>, Error> {
        let sql = "SELECT note_id, decision_id, author, at_us, kind, body FROM notes \
                   WHERE decision_id = ?1 ORDER BY position DESC LIMIT ?2";
        let values = [id.0.as_bytes().as_slice().into(), limit.into()];
        let mut notes = self.ask("list", sql, &values, note_row)?;
        notes.reverse();
        Ok(notes)
    }
}

fn audit_row(row: &Row) -> Result<AuditEntry, DatabaseError> {
    Ok(AuditEntry {
        sequence: row.get(0)?,
        at: Timestamp(row.get(1)?),
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
        previous_hash: row.get(6)?,
        hash: row.get(7)?,
    })
}

fn note_row(row: &Row) -> Result<Note, DatabaseError> {
    Ok(Note {
        note_id: row.get(0)?,
        decision_id: DecisionId(Uuid::from_bytes(row.get(1)?)),
        by: row.get(2)?,
        at: Timestamp(row.get(3)?),
        kind: known(4, NoteKind::parse(&row.get::<String>(4)?))?,
        text: row.get(5)?,
    })
}

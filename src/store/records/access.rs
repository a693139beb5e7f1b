//! The audit log and notes among the records.

use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params};
use uuid::Uuid;

use crate::domain::access::{AuditEntry, AuditQuery};
use crate::domain::decision::DecisionId;
use crate::domain::note::{Note, NoteKind};
use crate::domain::time::Timestamp;
use crate::store::error::Error;
use crate::store::records::query::{Records, known};

const INSERT_AUDIT: &str = "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const INSERT_NOTE: &str =
    "INSERT INTO notes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";

/// Adds an entry; one whose number is there already as well, since the chain is not judged here.
pub(super) fn insert_audit(
    transaction: &Transaction<'_>,
    position: u64,
    entry: &AuditEntry,
) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached(INSERT_AUDIT)?.execute(params![
        position,
        // The number of a damaged entry may be larger than any that a database holds.
        entry.sequence.cast_signed(),
        entry.at.0,
        entry.actor,
        entry.action,
        entry.subject,
        entry.detail,
        entry.previous_hash,
        entry.hash,
    ])?;
    Ok(())
}

/// Adds a note.
pub(super) fn insert_note(
    transaction: &Transaction<'_>,
    position: u64,
    note: &Note,
) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached(INSERT_NOTE)?.execute(params![
        note.note_id,
        position,
        note.decision_id.0.as_bytes().as_slice(),
        note.by,
        note.at.0,
        note.kind.as_str(),
        note.text,
    ])?;
    Ok(())
}

impl Records {
    /// Entries of the audit log, newest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, Error> {
        let (mut sql, mut values) = (String::new(), Vec::<Value>::new());
        let mut add = |condition, value: Value| {
            sql.push_str(if values.is_empty() { " WHERE " } else { " AND " });
            sql.push_str(condition);
            values.push(value);
        };
        if let Some(before) = query.before {
            add("sequence < ?", i64::try_from(before).unwrap_or(i64::MAX).into());
        }
        if let Some(actor) = &query.actor {
            add("actor = ?", actor.to_string().into());
        }
        if let Some(action) = &query.action {
            // The code itself, and all that begin with its words.
            add("instr(action || '.', ?) = 1", format!("{action}.").into());
        }
        values.push(query.n_max.into());
        let sql = format!(
            "SELECT sequence, at_us, actor, action, subject, detail, previous_hash, hash \
             FROM audit{sql} ORDER BY sequence DESC, position DESC LIMIT ?"
        );
        self.ask("list", &sql, values, audit_row)
    }

    /// The newest notes about a decision, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn list_notes(&self, id: DecisionId, limit: u32) -> Result<Vec<Note>, Error> {
        let sql = "SELECT note_id, decision_id, author, at_us, kind, body FROM notes \
                   WHERE decision_id = ? ORDER BY position DESC LIMIT ?";
        let values = vec![id.0.as_bytes().to_vec().into(), limit.into()];
        let mut notes = self.ask("list", sql, values, note_row)?;
        notes.reverse();
        Ok(notes)
    }
}

fn text(row: &Row<'_>, column: usize) -> Result<Box<str>, rusqlite::Error> {
    row.get::<_, String>(column).map(String::into_boxed_str)
}

fn audit_row(row: &Row<'_>) -> Result<AuditEntry, rusqlite::Error> {
    Ok(AuditEntry {
        sequence: row.get::<_, i64>(0)?.cast_unsigned(),
        at: Timestamp(row.get(1)?),
        actor: text(row, 2)?,
        action: text(row, 3)?,
        subject: text(row, 4)?,
        detail: text(row, 5)?,
        previous_hash: text(row, 6)?,
        hash: text(row, 7)?,
    })
}

fn note_row(row: &Row<'_>) -> Result<Note, rusqlite::Error> {
    Ok(Note {
        note_id: text(row, 0)?,
        decision_id: DecisionId(Uuid::from_bytes(row.get(1)?)),
        by: text(row, 2)?,
        at: Timestamp(row.get(3)?),
        kind: known(4, NoteKind::parse(&row.get::<_, String>(4)?))?,
        text: text(row, 5)?,
    })
}

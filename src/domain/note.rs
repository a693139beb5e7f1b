//! What people write about a decision, for themselves and for the next one.

use serde::{Deserialize, Serialize};

use crate::domain::decision::DecisionId;
use crate::domain::plain_text::{check_line, check_lines};
use crate::domain::strategy_version::{NOTE_CHARS_MAX, SIGNER_CHARS_MAX};
use crate::domain::time::Timestamp;

/// Longest id of a note, characters.
pub const NOTE_ID_CHARS_MAX: usize = 64;

/// Most notes about a decision that are listed, the newest.
pub const NOTES_MAX: u32 = 200;

/// What a note is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A remark about this order.
    Note,
    /// This order is an example to learn from.
    Exemplar,
}

impl NoteKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Note, Self::Exemplar];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Exemplar => "exemplar",
        }
    }

    /// The kind with a stable name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something that was written about a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The caller's id.
    pub note_id: Box<str>,
    /// Which decision.
    pub decision_id: DecisionId,
    /// Who wrote it.
    pub by: Box<str>,
    /// When, by our clock.
    pub at: Timestamp,
    /// What it is for.
    pub kind: NoteKind,
    /// What it says; lines end with a line feed. Must not hold personal data.
    pub text: Box<str>,
}

/// A note as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteDraft {
    /// The caller's id; handing in the same note again is harmless.
    pub note_id: Box<str>,
    /// Which decision.
    pub decision_id: DecisionId,
    /// Who writes it.
    pub by: Box<str>,
    /// What it is for.
    pub kind: NoteKind,
    /// What it says.
    pub text: Box<str>,
}

impl NoteDraft {
    /// Tells everything that is wrong with it: field, then what is wrong.
    pub fn check(&self, note: &mut dyn FnMut(&str, String)) {
        check_line(("note_id", &self.note_id), &(1..=NOTE_ID_CHARS_MAX), note);
        check_line(("by", &self.by), &(1..=SIGNER_CHARS_MAX), note);
        check_lines(("text", &self.text), &(1..=NOTE_CHARS_MAX), note);
        if self.text.trim().is_empty() && !self.text.is_empty() {
            note("text", "must say something".into());
        }
    }

    /// The note, written at an instant.
    pub fn written(self, at: Timestamp) -> Note {
        let Self { note_id, decision_id, by, kind, text } = self;
        Note { note_id, decision_id, by, at, kind, text }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn draft(text: &str) -> NoteDraft {
        NoteDraft {
            note_id: "n1".into(),
            decision_id: DecisionId(Uuid::from_u128(7)),
            by: "wang".into(),
            kind: NoteKind::Exemplar,
            text: text.into(),
        }
    }

    fn faults(draft: &NoteDraft) -> Vec<String> {
        let mut fields = Vec::new();
        draft.check(&mut |field, _| fields.push(field.to_owned()));
        fields
    }

    #[test]
    fn a_draft_tells_every_wrong_field_at_once() {
        assert_eq!(faults(&draft("one\ntwo")), [""; 0]);
        assert_eq!(faults(&draft(&"留".repeat(NOTE_CHARS_MAX))), [""; 0]);
        for text in ["", " \n", "a\u{1b}[2J", &"留".repeat(NOTE_CHARS_MAX + 1)] {
            assert_eq!(faults(&draft(text)), ["text"], "{text:?}");
        }
        let wrong = NoteDraft {
            note_id: "n".repeat(NOTE_ID_CHARS_MAX + 1).into(),
            by: "wang\nlin".into(),
            ..draft("")
        };
        assert_eq!(faults(&wrong), ["note_id", "by", "text"]);
    }

    #[test]
    fn a_kind_is_known_by_its_name() {
        for kind in NoteKind::ALL {
            assert_eq!(NoteKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(NoteKind::parse("remark"), None);
    }
}

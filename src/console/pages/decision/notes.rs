//! What people write about a decision.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::decision_id;
use crate::console::format::minute;
use crate::console::guard::Visit;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::domain::note::{Note, NoteDraft, NoteKind};
use crate::workflow::access_service::AccessService as _;

/// A note on a page.
#[derive(Clone, Debug)]
pub struct NoteLine {
    /// Who wrote it.
    pub by: String,
    /// When.
    pub at: String,
    /// What it says.
    pub text: String,
    /// True when the order is an example to learn from.
    pub is_exemplar: bool,
    /// Name of that.
    pub kind: String,
}

impl NoteLine {
    /// A note in a language.
    pub fn new(words: Words, note: &Note) -> Self {
        let (key, is_exemplar) = match note.kind {
            NoteKind::Note => ("why-note-plain", false),
            NoteKind::Exemplar => ("why-note-exemplar", true),
        };
        Self {
            by: note.by.to_string(),
            at: minute(note.at),
            text: note.text.to_string(),
            is_exemplar,
            kind: words.t(key),
        }
    }
}

/// The form of a note.
#[derive(Clone, Debug, Deserialize)]
pub struct Written {
    #[serde(default)]
    text: String,
    /// `on` when the order is an example.
    #[serde(default)]
    exemplar: String,
}

/// Writes a note and shows the page again.
///
/// # Errors
/// `Forbidden`, `Fields`, `NoPage`, or as the engine's.
pub async fn write(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    Form(written): Form<Written>,
) -> Result<Response, Failure> {
    visit.need(Permission::Decide)?;
    let id = decision_id(&id)?;
    let kind = if written.exemplar.is_empty() { NoteKind::Note } else { NoteKind::Exemplar };
    let draft = NoteDraft {
        note_id: format!("console-{}", &console.token().expose()[..32]).into(),
        decision_id: id,
        by: visit.person.person_id.clone(),
        kind,
        // Browsers end lines of a form with two characters.
        text: written.text.replace("\r\n", "\n").trim().into(),
    };
    let note = console.engine.add_note(draft, console.now()).await?;
    let (actor, subject) = (&visit.person.person_id, id.to_string());
    console.audit(actor, "decision.noted", &subject, note.kind.as_str()).await?;
    Ok(Redirect::to(&format!("/decisions/{id}#notes")).into_response())
}

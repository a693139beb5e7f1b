//! What people do about a decision: choose, undo, let go, bulk.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::{action, decision_id, override_reason};
use crate::console::guard::Visit;
use crate::console::pages::queue::next_waiting;
use crate::console::parts::Console;
use crate::console::pending::hold;
use crate::domain::access::Permission;
use crate::domain::decision::{Decision, DecisionId};
use crate::domain::feedback::OperatorChoice;
use crate::domain::query::DecisionKey;
use crate::domain::review_trace::{Explanation, ReviewTrace};
use crate::domain::time::Timestamp;
use crate::workflow::service::OrderService as _;

/// Microseconds of a millisecond.
const MICROS_PER_MILLI: i64 = 1_000;
/// Longest note, characters.
const NOTE_CHARS_MAX: usize = 2_000;

/// The form of a choice.
#[derive(Clone, Debug, Deserialize)]
pub struct Chosen {
    action: String,
    #[serde(default)]
    override_reason: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    opened_at: String,
    #[serde(default)]
    first_input_at: String,
    #[serde(default)]
    active_ms: String,
}

impl Chosen {
    /// An action for an order that nobody opened: nothing is told of how it was looked at.
    pub fn unseen(action: String, override_reason: String, note: String) -> Self {
        Self {
            action,
            override_reason,
            note,
            opened_at: String::new(),
            first_input_at: String::new(),
            active_ms: String::new(),
        }
    }
}

/// Takes a choice, lets the order go and shows the next one.
///
/// # Errors
/// `Forbidden`, `Fields`, `NoPage`, or as the engine's.
pub async fn choose(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Failure> {
    visit.need(Permission::Decide)?;
    let id = decision_id(&id)?;
    make(&console, &visit, id, &chosen).await?;
    let next = next_waiting(&console, &visit, Some(id)).await?;
    let place = next.map_or_else(|| "/queue".to_owned(), |next| format!("/decisions/{next}"));
    Ok(Redirect::to(&place).into_response())
}

/// Takes one choice; it is recorded when the time to undo it is over.
///
/// # Errors
/// `Fields`, or as the engine's for a decision that is not there.
pub async fn make(
    console: &Arc<Console>,
    visit: &Visit,
    id: DecisionId,
    chosen: &Chosen,
) -> Result<(), Failure> {
    let decision = console.engine.get_decision(DecisionKey::Id(id)).await?;
    let (now, action) = (console.now(), action(&chosen.action)?);
    let note = chosen.note.trim();
    if NOTE_CHARS_MAX < note.chars().count() {
        return Err(Failure::field("note", format!("has more than {NOTE_CHARS_MAX} characters")));
    }
    // A clock of the browser's never says that somebody decided before they opened.
    let opened_at = instant("opened_at", &chosen.opened_at)?.map(|at| at.min(now));
    let first_input_at = instant("first_input_at", &chosen.first_input_at)?;
    let shown = decision.actions.iter().find(|it| it.action == action);
    // Of a blind decision nothing was shown, so nothing was agreed with or overridden.
    let chosen_rank = shown.filter(|_| !decision.is_blind).map(|it| it.rank);
    let choice = OperatorChoice {
        choice_id: format!("console-{}", &console.token().expose()[..32]).into(),
        decision_id: id,
        operator_id: visit.person.person_id.clone(),
        action,
        chosen_rank,
        override_reason: override_reason(&chosen.override_reason)?,
        note: (!note.is_empty()).then(|| note.into()),
        opened_at,
        decided_at: now,
        review: trace(&decision, opened_at, first_input_at, (&chosen.active_ms, now)),
    };
    console.claims.release(id, &visit.person.person_id);
    hold(console, choice);
    Ok(())
}

/// How the order was looked at; `None` without a script, which alone can tell.
fn trace(
    decision: &Decision,
    opened_at: Option<Timestamp>,
    first_input_at: Option<Timestamp>,
    (active_ms, now): (&str, Timestamp),
) -> Option<ReviewTrace> {
    let (opened_at, active_ms) = (opened_at?, active_ms.parse::<u64>().ok()?);
    // Nobody looked for longer than the page was open, whatever a browser's clock says.
    let open_ms = u64::try_from((now - opened_at).0 / MICROS_PER_MILLI).unwrap_or_default();
    Some(ReviewTrace {
        first_input_at: first_input_at.map(|at| at.clamp(opened_at, now)),
        active_ms: active_ms.min(open_ms),
        explanation: if decision.is_blind { Explanation::EvidenceOnly } else { Explanation::Full },
        alert_worth: None,
        reason_codes: Vec::new(),
    })
}

fn instant(field: &str, text: &str) -> Result<Option<Timestamp>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = Timestamp::parse(text);
    read.map(Some).map_err(|error| Failure::field(field, error.to_string()))
}

/// Takes a choice back that is not recorded yet, and shows its order again.
///
/// # Errors
/// `Refused` when it is recorded by now.
pub async fn undo(
    State(console): State<Arc<Console>>,
    Path(choice_id): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    let person_id = &visit.person.person_id;
    let Some(choice) = console.pending.undo(&choice_id, person_id) else {
        return Err(Failure::Recorded);
    };
    let subject = choice.decision_id.to_string();
    console.audit(person_id, "decision.undone", &subject, choice.action.as_str()).await?;
    Ok(Redirect::to(&format!("/decisions/{}", choice.decision_id)).into_response())
}

/// Lets an order go without a choice.
///
/// # Errors
/// `NoPage` for what is no id.
pub async fn release(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    console.claims.release(decision_id(&id)?, &visit.person.person_id);
    Ok(Redirect::to("/queue").into_response())
}

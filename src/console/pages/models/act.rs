//! Letting another bundle judge, and taking that back.

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::guard::Visit;
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::strategy_version::Signer;
use crate::workflow::model_service::ModelService as _;

/// The form of a promotion.
#[derive(Debug, Deserialize)]
pub struct Promotion {
    name: String,
    #[serde(default)]
    report_hash: String,
    note: String,
}

/// Lets a bundle judge.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's.
pub async fn promote(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(asked): Form<Promotion>,
) -> Result<Response, Failure> {
    visit.need(Permission::Approve)?;
    let (signer, name) = (signer(&visit, &asked.note)?, asked.name.trim());
    let report_hash = asked.report_hash.trim().into();
    console.engine.promote_model(name.into(), report_hash, signer, console.now()).await?;
    console.audit(&visit.person.person_id, "model.promoted", name, asked.note.trim()).await?;
    Ok(Redirect::to("/models").into_response())
}

/// The form of a rollback.
#[derive(Debug, Deserialize)]
pub struct Rollback {
    expected: String,
    note: String,
}

/// Lets the bundle judge again that did before.
///
/// # Errors
/// `Forbidden`, `Fields`, or as the engine's.
pub async fn roll_back(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Form(asked): Form<Rollback>,
) -> Result<Response, Failure> {
    visit.need(Permission::Approve)?;
    let (signer, expected) = (signer(&visit, &asked.note)?, asked.expected.as_str());
    console.engine.roll_back_model(Some(expected.into()), signer, console.now()).await?;
    let note = asked.note.trim();
    console.audit(&visit.person.person_id, "model.rolled_back", expected, note).await?;
    Ok(Redirect::to("/models").into_response())
}

/// Whoever lets another model judge says why.
fn signer(visit: &Visit, note: &str) -> Result<Signer, Failure> {
    let note = note.trim();
    if note.is_empty() {
        return Err(Failure::field("note", "must say why"));
    }
    Ok(Signer { by: visit.person.person_id.clone(), note: note.into() })
}

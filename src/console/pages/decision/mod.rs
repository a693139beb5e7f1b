//! The decision page: one screen, three layers.

pub mod act;
pub mod number;
pub mod verdict;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::console::failure::Failure;
use crate::console::form::decision_id;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::decision::verdict::Verdict;
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::query::DecisionKey;
use crate::workflow::dossier_service::{Dossier, DossierService as _};

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/decisions/{id}", get(show))
        .route("/decisions/{id}/choice", post(act::choose))
        .route("/decisions/{id}/release", post(act::release))
        .route("/choices/{id}/undo", post(act::undo))
}

#[derive(Template)]
#[template(path = "decision.html", config = ".config/askama.toml")]
struct DecisionPage {
    frame: Frame,
    id: String,
    verdict: Verdict,
    is_blind: bool,
    is_chosen: bool,
    may_decide: bool,
    opened_at: String,
    /// Who else has it open.
    claimed_by: Option<String>,
}

async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Response, Failure> {
    if let Some(id) = id.strip_suffix(".json") {
        return json(&console, id).await;
    }
    let id = decision_id(&id)?;
    let dossier = console.engine.get_dossier(DecisionKey::Id(id)).await?;
    Ok(html(&console, &visit, &dossier)?.into_response())
}

fn html(console: &Arc<Console>, visit: &Visit, dossier: &Dossier) -> Result<Html<String>, Failure> {
    let (decision, order) = (&*dossier.scored.decision, &dossier.scored.request.order);
    let (words, now, id) = (visit.preferences.words, console.now(), decision.decision_id);
    let is_chosen = !dossier.choices.is_empty() || console.pending.is_chosen(id);
    // Whoever chose may see what was recommended.
    let is_blind = decision.is_blind && !is_chosen;
    let may_decide = visit.may(Permission::Decide) && !is_chosen;
    let claim = may_decide
        .then(|| console.claims.claim(id, &visit.person.person_id, now, console.settings.claim));
    let others = claim.filter(|claim| claim.person_id != visit.person.person_id);
    let verdict = if is_blind {
        Verdict::blind(words, decision, order)
    } else {
        Verdict::open(words, decision, order)
    };
    let decision_page = DecisionPage {
        frame: Frame::new(console, visit, Place::Queue),
        id: id.to_string(),
        verdict,
        is_blind,
        is_chosen,
        may_decide,
        opened_at: now.to_string(),
        claimed_by: others.map(|claim| claim.person_id.to_string()),
    };
    page(&decision_page)
}

/// The decision and its order as JSON; what a page shows is read off it.
async fn json(console: &Console, id: &str) -> Result<Response, Failure> {
    let dossier = console.engine.get_dossier(DecisionKey::Id(decision_id(id)?)).await?;
    let (decision, order) = (&*dossier.scored.decision, &dossier.scored.request.order);
    let body = serde_json::json!({ "decision": decision, "order": order });
    Ok(([(CONTENT_TYPE, "application/json")], body.to_string()).into_response())
}

//! The decision page: one screen, three layers.

pub mod act;
pub mod again;
pub mod contributions;
pub mod evidence;
pub mod facts;
pub mod glance;
pub mod impacts;
pub mod layers;
pub mod notes;
pub mod number;
pub mod paper;
pub mod provenance;
pub mod ring;
pub mod similar;
pub mod story;
pub mod turns;
pub mod why;

#[cfg(test)]
pub mod page_tests;

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
use crate::console::pages::decision::glance::Glance;
use crate::console::pages::decision::layers::{Layers, Medium, Sight, Told, features_of};
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::note::Note;
use crate::domain::query::DecisionKey;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::dossier_service::{Dossier, DossierService as _};

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/decisions/{id}", get(show))
        .route("/decisions/{id}/choice", post(act::choose))
        .route("/decisions/{id}/release", post(act::release))
        .route("/decisions/{id}/similar", get(similar::show))
        .route("/decisions/{id}/ring", get(ring::show).post(ring::act))
        .route("/decisions/{id}/notes", post(notes::write))
        .route("/decisions/{id}/replay", post(again::replay))
        .route("/choices/{id}/undo", post(act::undo))
}

#[derive(Template)]
#[template(path = "decision.html", config = ".config/askama.toml")]
struct DecisionPage {
    frame: Frame,
    id: String,
    glance: Glance,
    is_chosen: bool,
    may_decide: bool,
    opened_at: String,
    /// Who else has it open.
    claimed_by: Option<String>,
    layers: Layers,
    may_note: bool,
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
    let notes = console.engine.list_notes(id).await?;
    Ok(html(&console, &visit, &dossier, &notes)?.into_response())
}

/// What of a decision may be seen: whoever chose may see what was recommended.
pub fn sight_of(console: &Console, dossier: &Dossier) -> Sight {
    let decision = &dossier.scored.decision;
    let is_chosen = !dossier.choices.is_empty() || console.pending.is_chosen(decision.decision_id);
    if decision.is_blind && !is_chosen { Sight::Blind } else { Sight::Open }
}

fn html(
    console: &Arc<Console>,
    visit: &Visit,
    dossier: &Dossier,
    notes: &[Note],
) -> Result<Html<String>, Failure> {
    let (decision, order) = (&*dossier.scored.decision, &dossier.scored.request.order);
    let (words, now, id) = (visit.preferences.words, console.now(), decision.decision_id);
    let is_chosen = !dossier.choices.is_empty() || console.pending.is_chosen(id);
    let sight = sight_of(console, dossier);
    let may_decide = visit.may(Permission::Decide) && !is_chosen;
    let claim = may_decide
        .then(|| console.claims.claim(id, &visit.person.person_id, now, console.settings.claim));
    let others = claim.filter(|claim| claim.person_id != visit.person.person_id);
    let glance = match sight {
        Sight::Blind => Glance::blind(words, decision, order),
        Sight::Open => Glance::open(words, decision, order),
    };
    let specs = console.engine.feature_specs(&features_of(decision));
    let told = Told { words, dossier, notes, specs: &specs, sight, medium: Medium::Page };
    let decision_page = DecisionPage {
        frame: Frame::new(console, visit, Place::Queue),
        id: id.to_string(),
        glance,
        is_chosen,
        may_decide,
        opened_at: now.to_string(),
        claimed_by: others.map(|claim| claim.person_id.to_string()),
        layers: Layers::new(&told),
        may_note: visit.may(Permission::Decide),
    };
    page(&decision_page)
}

/// The decision and its order as JSON; what a page shows is read off it.
async fn json(console: &Console, id: &str) -> Result<Response, Failure> {
    let dossier = console.engine.get_dossier(DecisionKey::Id(decision_id(id)?)).await?;
    if sight_of(console, &dossier) == Sight::Blind {
        return Err(Failure::ChooseFirst);
    }
    let (decision, order) = (&*dossier.scored.decision, &dossier.scored.request.order);
    let body = serde_json::json!({ "decision": decision, "order": order });
    Ok(([(CONTENT_TYPE, "application/json")], body.to_string()).into_response())
}

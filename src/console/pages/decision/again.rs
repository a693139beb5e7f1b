//! Judges a recorded order again and tells whether the same came out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;

use crate::console::failure::Failure;
use crate::console::form::decision_id;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::decision::layers::Sight;
use crate::console::pages::decision::sight_of;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::query::{DecisionKey, FieldDifference};
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::service::OrderService as _;

#[derive(Template)]
#[template(path = "decision_again.html", config = ".config/askama.toml")]
struct AgainPage {
    frame: Frame,
    words: Words,
    id: String,
    order_id: String,
    differences: Vec<FieldDifference>,
}

/// Judges the order of a decision again; changes nothing.
///
/// # Errors
/// `ChooseFirst` for a blind decision, `NoPage`, or as the engine's.
pub async fn replay(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    let id = decision_id(&id)?;
    let dossier = console.engine.get_dossier(DecisionKey::Id(id)).await?;
    // A difference would show what was recommended.
    if sight_of(&console, &dossier) == Sight::Blind {
        return Err(Failure::ChooseFirst);
    }
    let differences = console.engine.replay_decision(id).await?;
    let (actor, subject) = (&visit.person.person_id, id.to_string());
    let found = if differences.is_empty() { "identical" } else { "differing" };
    console.audit(actor, "decision.replayed", &subject, found).await?;
    page(&AgainPage {
        frame: Frame::new(&console, &visit, Place::Queue),
        words: visit.preferences.words,
        id: subject,
        order_id: dossier.scored.decision.order.order_id.to_string(),
        differences,
    })
}

//! Models: which one judges, how good it is, promotion and rollback.

pub mod act;
pub mod view;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use axum::routing::{get, post};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::models::view::{
    DriftRow, HeadView, LedgerRow, ThemeRow, drift_row, head_view, ledger_row, themes,
};
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::time::Timestamp;
use crate::workflow::model_ledger::ModelLedger;
use crate::workflow::model_service::ModelService as _;
use crate::workflow::score_drift::ScoreSamples;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/models", get(show))
        .route("/models/live", get(live))
        .route("/models/promote", post(act::promote))
        .route("/models/rollback", post(act::roll_back))
        .route("/models/{hash}", get(one))
}

#[derive(Template)]
#[template(path = "models.html", config = ".config/askama.toml")]
struct ModelsPage {
    frame: Frame,
    ledger: Vec<LedgerRow>,
    active: Option<LedgerRow>,
    /// What a rollback brings back, if there is anything.
    before: Option<String>,
    /// Digits of the hash of the bundle that judges, for the rollback's form.
    expected: String,
    drift: Vec<DriftRow>,
    themes: Vec<ThemeRow>,
    n_now: usize,
    n_before: usize,
    may_approve: bool,
    live: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "model.html", config = ".config/askama.toml")]
struct ModelPage {
    frame: Frame,
    name: String,
    hash: String,
    is_synthetic: bool,
    window: String,
    n_rows: String,
    n_features: usize,
    heads: Vec<HeadView>,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Failure> {
    let ledger = console.engine.list_models().await?;
    overview(&console, &visit, &ledger, None).await
}

#[derive(Deserialize)]
struct At {
    at: String,
}

/// What judged at an instant.
async fn live(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(asked): Query<At>,
) -> Result<Html<String>, Failure> {
    let at = Timestamp::parse(asked.at.trim())
        .map_err(|error| Failure::field("at", error.to_string()))?;
    let ledger = console.engine.list_models().await?;
    let name = ledger.live_at(at).map_or_else(|| "–".to_owned(), |it| it.name.to_string());
    overview(&console, &visit, &ledger, Some((asked.at, name))).await
}

async fn overview(
    console: &Arc<Console>,
    visit: &Visit,
    ledger: &ModelLedger,
    live: Option<(String, String)>,
) -> Result<Html<String>, Failure> {
    let words = visit.preferences.words;
    let samples = ScoreSamples::read(&*console.engine, console.now()).await?;
    let models_page = ModelsPage {
        frame: Frame::new(console, visit, Place::Models),
        ledger: ledger.deployments().iter().rev().map(ledger_row).collect(),
        active: ledger.active().map(ledger_row),
        before: ledger.before().map(|it| it.name.to_string()),
        expected: ledger.active_hash().to_owned(),
        drift: samples.drift().iter().map(|it| drift_row(words, it)).collect(),
        themes: themes(words, &samples.now),
        n_now: samples.now.len(),
        n_before: samples.before.len(),
        may_approve: visit.may(Permission::Approve),
        live,
    };
    page(&models_page)
}

async fn one(
    State(console): State<Arc<Console>>,
    Path(hash): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    let model = console.engine.describe_model(hash.into()).await?;
    let words = visit.preferences.words;
    let model_page = ModelPage {
        frame: Frame::new(&console, &visit, Place::Models),
        name: model.name.to_string(),
        hash: model.hash.to_string(),
        is_synthetic: model.is_synthetic,
        window: view::window(&model),
        n_rows: crate::console::format::count(model.n_rows),
        n_features: model.n_features,
        heads: model.heads.iter().map(|head| head_view(words, head)).collect(),
    };
    page(&model_page)
}

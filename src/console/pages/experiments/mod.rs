//! Experiments: what is compared, what it has shown, and what to do about it.

pub mod act;
pub mod names;
pub mod pictures;
pub mod view;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::{get, post};

use crate::console::failure::Failure;
use crate::console::form::encoded;
use crate::console::format::{count, minute};
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::experiments::names::{end, harm, percents, short};
use crate::console::pages::experiments::view::ReportView;
use crate::console::parts::Console;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::domain::experiment::{
    HOLDOUT_PERCENT_MAX, HORIZON_DAYS_MAX, Harm, NAME_BYTES_MAX, ORDERS_MIN_USUAL,
};
use crate::domain::experiment_draft::{ExperimentSummary, ReportAt};
use crate::workflow::experiment_service::ExperimentService as _;
use crate::workflow::model_service::ModelService as _;
use crate::workflow::strategy_service::StrategyService as _;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/experiments", get(list).post(act::start))
        .route("/experiments/{id}", get(show))
        .route("/experiments/{id}/ramp", post(act::ramp))
        .route("/experiments/{id}/end", post(act::end))
}

/// An experiment in the list.
struct Row {
    href: String,
    id: String,
    is_running: bool,
    state: String,
    percents: String,
    arms: Vec<(String, String)>,
    by: String,
    started: String,
}

/// Something to choose: its value in the form, and what it is called.
type Choice = (String, String);

/// What the form to start one offers.
struct StartForm {
    strategies: Vec<Choice>,
    models: Vec<Choice>,
    harms: Vec<(&'static str, String)>,
    name_max: usize,
    holdout_max: u32,
    horizon_max: u32,
    orders_min: u64,
}

#[derive(Template)]
#[template(path = "experiments.html", config = ".config/askama.toml")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    may_start: bool,
    /// The one that runs; another one has to wait for its end.
    running: Option<String>,
    form: StartForm,
}

#[derive(Template)]
#[template(path = "experiment.html", config = ".config/askama.toml")]
struct ReportPage {
    frame: Frame,
    /// Where its forms are sent.
    here: String,
    report: ReportView,
    may_author: bool,
    may_kill: bool,
}

async fn list(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Failure> {
    visit.need(Permission::Read)?;
    let words = visit.preferences.words;
    let mut listed = console.engine.list_experiments().await?;
    listed.reverse();
    let running = listed.iter().find(|it| it.ended.is_none());
    let list_page = ListPage {
        frame: Frame::new(&console, &visit, Place::Experiments),
        may_start: visit.may(Permission::Author),
        running: running.map(|it| it.id.to_string()),
        rows: listed.iter().map(|summary| row(words, summary)).collect(),
        form: start_form(&console, words).await?,
    };
    page(&list_page)
}

fn row(words: Words, summary: &ExperimentSummary) -> Row {
    let arms = summary.arms.iter().zip(&summary.units);
    Row {
        href: address(&summary.id),
        id: summary.id.to_string(),
        is_running: summary.ended.is_none(),
        state: match &summary.ended {
            None => words.t("experiments-runs"),
            Some((why, _)) => end(words, why),
        },
        percents: percents(&summary.epochs),
        arms: arms.map(|(name, units)| (name.to_string(), count(*units))).collect(),
        by: summary.started.by.to_string(),
        started: minute(summary.started.at),
    }
}

/// Where an experiment is; its name may hold anything.
fn address(id: &str) -> String {
    format!("/experiments/{}", encoded(id))
}

async fn start_form(console: &Console, words: Words) -> Result<StartForm, Failure> {
    let (ledger, models) =
        (console.engine.list_strategies().await?, console.engine.list_models().await?);
    let active = |name: &str| words.t1("experiments-active", "name", name);
    let mut strategies = vec![(String::new(), active(ledger.active().map_or("–", |it| &it.name)))];
    let approved = ledger.versions().iter().rev().filter(|version| version.may_judge());
    strategies.extend(
        approved.map(|it| (it.hash.to_string(), format!("{} · {}", it.name, short(&it.hash)))),
    );
    let mut bundles = vec![(String::new(), active(models.active().map_or("–", |it| &it.name)))];
    for deployment in models.deployments().iter().rev() {
        let name = deployment.name.to_string();
        // A bundle that came back judged more than once.
        if bundles.iter().all(|(value, _)| *value != name) {
            bundles.push((name.clone(), name));
        }
    }
    Ok(StartForm {
        strategies,
        models: bundles,
        harms: Harm::ALL.map(|it| (it.as_str(), harm(words, it))).into(),
        name_max: NAME_BYTES_MAX,
        holdout_max: HOLDOUT_PERCENT_MAX,
        horizon_max: HORIZON_DAYS_MAX,
        orders_min: ORDERS_MIN_USUAL,
    })
}

async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Read)?;
    let listed = console.engine.list_experiments().await?;
    let summary = listed.into_iter().find(|it| *it.id == *id).ok_or(Failure::NoPage)?;
    let at = ReportAt::Now(console.now());
    let report = console.engine.report_experiment(id.into(), at).await?;
    let (may_author, is_running) = (visit.may(Permission::Author), report.ended.is_none());
    let report_page = ReportPage {
        frame: Frame::new(&console, &visit, Place::Experiments),
        here: address(&report.id),
        report: ReportView::new(visit.preferences.words, &summary, &report),
        may_author: may_author && is_running,
        may_kill: (may_author || visit.may(Permission::Approve)) && is_running,
    };
    page(&report_page)
}

#[cfg(test)]
mod tests;

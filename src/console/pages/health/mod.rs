//! How the service does.

pub mod deliveries;
pub mod sources;
pub mod view;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;

use crate::console::failure::Failure;
use crate::console::format::count;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::health::deliveries::SinkRow;
use crate::console::pages::health::sources::SourcesView;
use crate::console::pages::health::view::{Facts, Problem, ReloadView, WorkView, problems};
use crate::console::parts::Console;
use crate::domain::graph_status::GraphStatus;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::recent_work::RECENT_DECISIONS_MAX;
use crate::workflow::service::OrderService as _;
use crate::workflow::system_status::SystemStatus;
use crate::workflow::watch_service::WatchService as _;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/health", get(show))
        .route("/livez", get(live))
        .route("/readyz", get(ready))
}

#[derive(Template)]
#[template(path = "health.html", config = ".config/askama.toml")]
struct HealthPage {
    frame: Frame,
    problems: Vec<Problem>,
    facts: Facts,
    status: SystemStatus,
    graph: GraphStatus,
    work: WorkView,
    reload: Option<ReloadView>,
    sources: SourcesView,
    sinks: Vec<SinkRow>,
    n_pending: String,
    /// Since the pages were opened.
    uptime: String,
}

/// How the service does.
///
/// # Errors
/// As the engine's.
pub async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    let words = visit.preferences.words;
    let status = console.engine.get_system_status().await?;
    let work =
        console.engine.recent_work(u32::try_from(RECENT_DECISIONS_MAX).unwrap_or(u32::MAX)).await?;
    let graph = console.engine.get_graph_status().await?.status;
    let reload = console.last_reload.get();
    let now = console.now();
    let told = console.events.report(now);
    let mut problems = problems(words, &status, &graph, &work, reload.as_ref());
    problems.extend(sources::problems(words, &told));
    let delivered = console.deliveries.report();
    problems.extend(deliveries::problems(words, &delivered, now));
    problems.extend(deliveries::aside(words, &console.deliveries.aside()));
    page(&HealthPage {
        frame: Frame::new(&console, &visit, Place::Health),
        problems,
        facts: Facts::new(&status, &graph),
        work: WorkView::new(words, &work),
        reload: reload.as_ref().map(|it| ReloadView::new(words, it)),
        sources: SourcesView::new(words, &told, console.events.objective(), now),
        sinks: deliveries::rows(words, &delivered, now),
        n_pending: count(console.pending.n_waiting() as u64),
        uptime: words.span(now - console.opened_at),
        status,
        graph,
    })
}

/// This process answers.
async fn live() -> &'static str {
    "alive\n"
}

/// The engine answers. Without its records it judges all the same, so that is only told.
pub async fn ready(State(console): State<Arc<Console>>) -> (StatusCode, &'static str) {
    // Whoever asks has not signed in: the reason is on the page and in the log.
    if console.engine.plumbing().await.is_ok_and(|it| it.journal_failure.is_some()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the journal takes nothing more\n");
    }
    let Ok(_) = console.engine.get_graph_status().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the engine does not answer\n");
    };
    match console.engine.get_system_status().await {
        Ok(status) if status.records_failure.is_none() => (StatusCode::OK, "ready\n"),
        Ok(_) => (StatusCode::OK, "degraded: the records do not follow\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the data folder does not read\n"),
    }
}

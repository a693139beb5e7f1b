//! The graph: who met whom, movable, as of any instant.

pub mod ask;
pub mod view;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::graph::ask::Asked;
use crate::console::pages::graph::view::GraphView;
use crate::console::parts::Console;
use crate::domain::decision_short::DecisionShort;
use crate::domain::order::OrderKey;
use crate::domain::query::DecisionKey;
use crate::domain::review_queue::QueueQuery;
use crate::domain::time::Span;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::review_service::ReviewService as _;
use crate::workflow::service::OrderService as _;

/// Waiting orders that a view may start from.
const STARTS: usize = 10;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/graph", get(show)).route("/graph/find", get(find))
}

#[derive(Template)]
#[template(path = "graph.html", config = ".config/askama.toml")]
struct GraphPage {
    frame: Frame,
    asked: Asked,
    view: GraphView,
}

#[derive(Template)]
#[template(path = "graph_start.html", config = ".config/askama.toml")]
struct StartPage {
    frame: Frame,
    waiting: Vec<DecisionShort>,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let asked = asked.within_limits();
    let decision = match asked.decision() {
        Some(id) => Some(console.engine.get_dossier(DecisionKey::Id(id?)).await?.scored),
        None => None,
    };
    let Some(query) = asked.query(decision.as_deref(), console.now())? else {
        return start(&console, &visit).await;
    };
    let answer = console.engine.get_neighborhood(query, console.now()).await?;
    let view = GraphView::new(visit.preferences.words, &asked, &answer, decision.as_deref());
    page(&GraphPage { frame: Frame::new(&console, &visit, Place::Graph), asked, view })
}

/// Where to begin: an order by its number, or one that waits.
async fn start(console: &Arc<Console>, visit: &Visit) -> Result<Html<String>, Failure> {
    let now = console.now();
    let query = QueueQuery { minutes: None, placed_from: now - Span::days(30), orders_max: STARTS };
    let queue = console.engine.get_review_queue(query, now).await?;
    let ids: Vec<_> = queue.orders.iter().map(|order| order.decision_id).collect();
    let waiting = console.engine.decisions_in_short(&ids).await?;
    page(&StartPage { frame: Frame::new(console, visit, Place::Graph), waiting })
}

#[derive(Deserialize)]
struct Order {
    channel: String,
    order_id: String,
}

/// The graph of the newest decision about the first version of an order.
async fn find(
    State(console): State<Arc<Console>>,
    _visit: Visit,
    Query(order): Query<Order>,
) -> Result<Response, Failure> {
    let (channel, order_id) = (order.channel.trim().into(), order.order_id.trim().into());
    let key = DecisionKey::Order(OrderKey { channel, order_id, revision: 0 });
    let decision = console.engine.get_decision(key).await?;
    Ok(Redirect::to(&format!("/graph?decision={}", decision.decision_id)).into_response())
}

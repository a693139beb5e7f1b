//! The graph: who met whom, movable, as of any instant.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::parts::Console;

/// Routes of this file.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/graph", get(show))
}

#[derive(Template)]
#[template(path = "graph.html", config = ".config/askama.toml")]
struct GraphPage {
    frame: Frame,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Failure> {
    page(&GraphPage { frame: Frame::new(&console, &visit, Place::Graph) })
}

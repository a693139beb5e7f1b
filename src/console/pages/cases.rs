//! Closed cases: what was chosen and what followed.

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
    Router::new().route("/cases", get(show))
}

#[derive(Template)]
#[template(path = "cases.html", config = ".config/askama.toml")]
struct CasesPage {
    frame: Frame,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Failure> {
    page(&CasesPage { frame: Frame::new(&console, &visit, Place::Cases) })
}

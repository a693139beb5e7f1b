//! How people choose: seconds, overrides, agreement.

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
    Router::new().route("/reviews", get(show))
}

#[derive(Template)]
#[template(path = "reviews.html", config = ".config/askama.toml")]
struct ReviewsPage {
    frame: Frame,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Failure> {
    page(&ReviewsPage { frame: Frame::new(&console, &visit, Place::Reviews) })
}

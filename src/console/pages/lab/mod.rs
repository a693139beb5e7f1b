//! The strategy lab: move levers, see what it changes, have it approved.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::console::parts::Console;

pub mod board;
pub mod draft;
pub mod findings;
pub mod orders;
pub mod preview;
pub mod steps;
pub mod version;
pub mod versions;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/lab", get(board::show))
        .route("/lab/preview", post(preview::preview))
        .route("/lab/propose", post(steps::propose))
        .route("/lab/revert", post(steps::revert))
        .route("/lab/versions/{hash}", get(version::show))
        .route("/lab/versions/{hash}/preview", get(version::preview))
        .route("/lab/versions/{hash}/approve", post(steps::approve))
        .route("/lab/versions/{hash}/activate", post(steps::activate))
}

//! How people choose: seconds, overrides, agreement.
//!
//! It measures and does not claim: published studies found no effect of explanations on the
//! time of a review. An estimate is printed as one, apart from what was measured.

pub mod estimate;
pub mod view;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::reviews::estimate::{BY_KEY, BY_POINTER, Estimate};
use crate::console::pages::reviews::view::{ExplorationView, OperatorRow, Variant};
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::review_times::REVIEWS_MIN;
use crate::workflow::review_service::ReviewService as _;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/reviews", get(show))
}

#[derive(Template)]
#[template(path = "reviews.html", config = ".config/askama.toml")]
struct ReviewsPage {
    frame: Frame,
    n_min: usize,
    variants: Vec<Variant>,
    estimates: [Estimate; 2],
    operators: Vec<OperatorRow>,
    /// True when everybody's lines are shown, not only the visitor's own.
    is_everybody: bool,
    exploration: ExplorationView,
}

/// How people choose.
///
/// # Errors
/// As the engine's.
pub async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    let words = visit.preferences.words;
    let times = console.engine.review_times().await?;
    let mut operators = console.engine.list_operators().await?;
    let is_everybody = visit.may(Permission::Administer);
    // How somebody works is for themselves and for who is responsible for people.
    operators.retain(|it| is_everybody || it.operator_id == visit.person.person_id);
    let exploration = console.engine.exploration_report().await?;
    page(&ReviewsPage {
        frame: Frame::new(&console, &visit, Place::Reviews),
        n_min: REVIEWS_MIN,
        variants: times.iter().map(|it| Variant::new(words, it)).collect(),
        estimates: [Estimate::new(words, &BY_KEY), Estimate::new(words, &BY_POINTER)],
        operators: operators.iter().map(|it| OperatorRow::new(words, it)).collect(),
        is_everybody,
        exploration: ExplorationView::new(words, &exploration),
    })
}

//! The closed cases that are most like an order, and what followed them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use crate::console::failure::Failure;
use crate::console::form::decision_id;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::cases::view::NearView;
use crate::console::pages::decision::layers::Sight;
use crate::console::pages::decision::sight_of;
use crate::console::parts::Console;
use crate::domain::order::OrderKey;
use crate::domain::query::DecisionKey;
use crate::domain::similar::SimilarQuery;
use crate::workflow::case_service::CaseService as _;
use crate::workflow::dossier_service::DossierService as _;
use crate::workflow::error::ErrorKind;

/// Cases to name.
const CASES_MAX: u32 = 10;
/// Days in which what followed is counted.
const DAYS: u32 = 90;

/// Like which order: a decision, or the newest one about an order.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    decision: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    order_id: String,
}

impl Asked {
    /// Which decision is meant; `None` when the form is empty.
    fn key(&self) -> Result<Option<DecisionKey>, Failure> {
        let [decision, channel, order_id] =
            [&self.decision, &self.channel, &self.order_id].map(|it| it.trim());
        if !decision.is_empty() {
            let id = decision_id(decision);
            let id = id.map_err(|_| Failure::field("decision", "is not the id of a decision"))?;
            return Ok(Some(DecisionKey::Id(id)));
        }
        if order_id.is_empty() {
            return Ok(None);
        }
        let order = OrderKey { channel: channel.into(), order_id: order_id.into(), revision: 0 };
        Ok(Some(DecisionKey::Order(order)))
    }
}

#[derive(Template)]
#[template(path = "cases_near.html", config = ".config/askama.toml")]
struct NearPage {
    frame: Frame,
    asked: Asked,
    found: Option<NearView>,
    /// True when another search runs.
    is_busy: bool,
}

/// Shows the cases like an order.
///
/// # Errors
/// `Fields`, or as the engine's but for a search that runs already: that is a page of its own.
pub async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let words = visit.preferences.words;
    let (mut found, mut is_busy) = (None, false);
    if let Some(key) = asked.key()? {
        let dossier = console.engine.get_dossier(key.clone()).await?;
        // What is near depends on the score's parts, and says what others did.
        if sight_of(&console, &dossier) == Sight::Blind {
            return Err(Failure::ChooseFirst);
        }
        let query = SimilarQuery { key, n_max: CASES_MAX, days: DAYS };
        match console.engine.find_similar_cases(query, console.now()).await {
            Ok(cases) => found = Some(NearView::new(words, &cases)),
            Err(error) if error.kind() == ErrorKind::Exhausted => is_busy = true,
            Err(error) => return Err(error.into()),
        }
    }
    let frame = Frame::new(&console, &visit, Place::Cases);
    let html: Html<String> = page(&NearPage { frame, asked, found, is_busy })?;
    let status = if is_busy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok((status, html).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_named_by_its_id_or_by_its_order() {
        let by_order = Asked { channel: " web".into(), order_id: "7 ".into(), ..Asked::default() };
        let order = OrderKey { channel: "web".into(), order_id: "7".into(), revision: 0 };
        assert_eq!(by_order.key().unwrap(), Some(DecisionKey::Order(order)));
        assert_eq!(Asked::default().key().unwrap(), None);
        let id = "01930000-0000-7000-8000-000000000007";
        let by_id = Asked { decision: id.into(), ..by_order };
        assert!(matches!(by_id.key(), Ok(Some(DecisionKey::Id(it))) if it.to_string() == id));
        let wrong = Asked { decision: "7".into(), ..Asked::default() };
        assert!(matches!(wrong.key(), Err(Failure::Fields(_))));
    }
}

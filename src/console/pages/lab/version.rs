//! The page of one version: its text, its way, what it would change.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::lab::draft::{Fault, LAST};
use crate::console::pages::lab::preview::{Preview, is_part, of_choice, part};
use crate::console::pages::lab::versions::{Diff, Reversal, VersionRow};
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::domain::query::{DecisionFilter, DecisionQuery, StrategyChoice};
use crate::domain::strategy_version::StrategyVersion;
use crate::workflow::service::OrderService as _;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_service::StrategyService as _;

/// Most orders since an approval that are judged again.
const SHADOW_MAX: u32 = 500;

#[derive(Template)]
#[template(path = "lab_version.html", config = ".config/askama.toml")]
struct VersionPage {
    frame: Frame,
    version: VersionRow,
    text: String,
    is_active: bool,
    is_approved: bool,
    reversal: Option<Reversal>,
    preview: Preview,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Path(hash): Path<String>,
    visit: Visit,
) -> Result<Html<String>, Failure> {
    let ledger = console.engine.list_strategies().await?;
    let version = ledger.find(&hash)?;
    html(&console, &visit, (&ledger, version, Preview::Nothing))
}

/// The orders since its approval under a version; before it, the newest ones.
pub(super) async fn preview(
    State(console): State<Arc<Console>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, Failure> {
    let ledger = console.engine.list_strategies().await?;
    let version = ledger.find(&hash)?;
    let last = match &version.approved {
        Some(approved) => {
            let received_from = Some(approved.at);
            let filter = DecisionFilter { received_from, ..DecisionFilter::default() };
            let query = DecisionQuery { filter, older_than: None, n_max: SHADOW_MAX };
            let since = console.engine.list_decisions(query).await?;
            u64::try_from(since.decisions.len()).unwrap_or(u64::MAX)
        }
        None => LAST[0],
    };
    let words = visit.preferences.words;
    let shown = if last == 0 {
        Preview::NoOrders
    } else {
        let choice = StrategyChoice::Known(version.hash.clone());
        of_choice(&console, words, (choice, last, Diff::default())).await?
    };
    if is_part(&headers) {
        return part(words, shown);
    }
    Ok(html(&console, &visit, (&ledger, version, shown))?.into_response())
}

fn html(
    console: &Arc<Console>,
    visit: &Visit,
    (ledger, version, preview): (&StrategyLedger, &StrategyVersion, Preview),
) -> Result<Html<String>, Failure> {
    let words = visit.preferences.words;
    let is_active = *version.hash == *ledger.active_hash();
    let is_staged = ledger.staged().is_some_and(|staged| staged.hash == version.hash);
    let may_revert = visit.may(Permission::Approve) && (is_active || is_staged);
    page(&VersionPage {
        frame: Frame::new(console, visit, Place::Lab),
        version: VersionRow::of(words, &visit.person, (ledger, version)),
        text: version.toml.to_string(),
        is_active,
        is_approved: version.approved.is_some(),
        reversal: Reversal::of(words, ledger).filter(|it| may_revert && it.takes == *version.hash),
        preview,
    })
}

//! Admin: people and programs, what they may do, and the log of it all.

pub mod erase;
pub mod keys;
pub mod log;
pub mod people;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::{get, post};

use crate::console::failure::Failure;
use crate::console::frame::{Frame, Place, page};
use crate::console::guard::Visit;
use crate::console::pages::admin::erase::KindChoice;
use crate::console::pages::admin::keys::{KeyRow, KeyState, ScopeChoice};
use crate::console::pages::admin::log::{LogFilters, LogView};
use crate::console::pages::admin::people::{PersonRow, RoleChoice};
use crate::console::parts::Console;
use crate::domain::access::Permission;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::key_service::KeyService as _;

/// Routes of this folder.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/admin", get(show))
        .route("/admin/people", post(people::add))
        .route("/admin/people/{id}", get(people::show).post(people::change))
        .route("/admin/people/{id}/link", post(people::give_link))
        .route("/admin/people/{id}/key", post(people::give_key))
        .route("/admin/people/{id}/end", post(people::end_sessions))
        .route("/admin/keys", post(keys::create))
        .route("/admin/keys/{name}/rotate", post(keys::rotate))
        .route("/admin/keys/{name}/revoke", post(keys::revoke))
        .route("/admin/erase", post(erase::ask))
        .route("/admin/erase/sure", post(erase::erase))
        .route("/admin/verify", post(log::verify))
        .route("/admin/audit.jsonl", get(log::export))
}

#[derive(Template)]
#[template(path = "admin.html", config = ".config/askama.toml")]
struct AdminPage {
    frame: Frame,
    people: Vec<PersonRow>,
    roles: Vec<RoleChoice>,
    keys: Vec<KeyRow>,
    scopes: Vec<ScopeChoice>,
    kinds: Vec<KindChoice>,
    log: LogView,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    Query(filters): Query<LogFilters>,
) -> Result<Html<String>, Failure> {
    visit.need(Permission::Administer)?;
    let words = visit.preferences.words;
    let people = console.engine.list_people().await?;
    let keys = console.engine.list_keys().await?;
    let admin_page = AdminPage {
        frame: Frame::new(&console, &visit, Place::Admin),
        people: people.iter().map(|person| PersonRow::new(words, person)).collect(),
        roles: RoleChoice::all(words, None),
        keys: keys.iter().map(|key| KeyRow::new(words, key, console.now())).collect(),
        scopes: ScopeChoice::all(words),
        kinds: KindChoice::all(words),
        log: LogView::read(&console, &filters).await?,
    };
    page(&admin_page)
}

/// The frame of an answer to a form: there is no page at its own address to come back to.
fn answer_frame(console: &Arc<Console>, visit: &Visit) -> Frame {
    let frame = Frame::new(console, visit, Place::Admin);
    Frame { path: "/admin".to_owned(), ..frame }
}

#[cfg(test)]
mod tests;

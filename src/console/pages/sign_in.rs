//! Signing in, by a one-time link or by one's own key, and signing out.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::console::assets::version;
use crate::console::failure::Failure;
use crate::console::form::{local, scheme};
use crate::console::frame::page;
use crate::console::guard::{SESSION_COOKIE, Visit};
use crate::console::parts::Console;
use crate::console::preferences::Preferences;
use crate::console::session::Token;
use crate::console::words::Words;
use crate::domain::access::{Person, hash_of_key};
use crate::domain::time::Span;
use crate::workflow::access_service::AccessService as _;

/// Routes of this file.
pub fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(async || Redirect::to("/queue")))
        .route("/sign-in", get(ask).post(enter))
        .route("/sign-out", post(leave))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    link: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    back: String,
}

#[derive(Template)]
#[template(path = "sign_in.html", config = ".config/askama.toml")]
struct SignInPage {
    words: Words,
    preferences: Preferences,
    style: &'static str,
    /// The one-time link, when it is good.
    link: String,
    /// Who it is for.
    invited: String,
    /// True when a link was given that is not good any more.
    is_used_up: bool,
    is_wrong_key: bool,
    back: String,
    path: String,
}

/// A link is only looked at here: a preview that opens it must not use it up.
async fn ask(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let invited = console.sessions.invited(&Token::given(&asked.link), console.now());
    let name = match &invited {
        Some(person_id) => find(&console, person_id).await?.map(|it| it.name),
        None => None,
    };
    let sign_in = SignInPage {
        is_used_up: !asked.link.is_empty() && name.is_none(),
        invited: name.unwrap_or_default().to_string(),
        ..form(&headers, asked)
    };
    page(&sign_in)
}

fn form(headers: &HeaderMap, asked: Asked) -> SignInPage {
    let preferences = Preferences::of(headers);
    SignInPage {
        words: preferences.words,
        preferences,
        style: version("app.css"),
        link: asked.link,
        invited: String::new(),
        is_used_up: false,
        is_wrong_key: false,
        back: local(&asked.back).to_owned(),
        path: "/sign-in".to_owned(),
    }
}

async fn enter(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Result<Response, Failure> {
    let now = console.now();
    let person = if asked.link.is_empty() {
        console.engine.find_person_by_key(&hash_of_key(asked.key.trim())).await?
    } else {
        match console.sessions.accept(&Token::given(&asked.link), now) {
            Some(person_id) => find(&console, &person_id).await?,
            None => None,
        }
    };
    let Some(person) = person.filter(|person| person.is_active) else {
        let is_wrong_key = asked.link.is_empty();
        let again = SignInPage { is_wrong_key, is_used_up: !is_wrong_key, ..form(&headers, asked) };
        return Ok((axum::http::StatusCode::FORBIDDEN, page(&again)?).into_response());
    };
    let (token, life) = (console.token(), console.settings.session);
    console.audit(&person.person_id, "session.started", "console", "").await?;
    console.sessions.start(&token, &person.person_id, now + life);
    let cookie = session_cookie(&headers, token.expose(), life);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(local(&asked.back))).into_response())
}

async fn leave(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, Failure> {
    console.sessions.end(&visit.session);
    console.audit(&visit.person.person_id, "session.ended", "console", "").await?;
    let cookie = session_cookie(&headers, "", Span(0));
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

async fn find(console: &Console, person_id: &str) -> Result<Option<Person>, Failure> {
    let people = console.engine.list_people().await?;
    Ok(people.into_iter().find(|person| &*person.person_id == person_id))
}

/// Scripts never see the cookie, other sites never send it; behind TLS it stays there.
fn session_cookie(headers: &HeaderMap, token: &str, life: Span) -> String {
    let secure = if scheme(headers) == "https" { "; Secure" } else { "" };
    let seconds = life.0 / Span::SECOND.0;
    format!(
        "{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )
}

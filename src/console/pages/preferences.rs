//! What a browser is to remember: language, colors, single keys.

use std::sync::Arc;

use axum::Router;
use axum::extract::Form;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::post;
use serde::Deserialize;

use crate::console::form::local;
use crate::console::parts::Console;
use crate::console::preferences::{KEYS_COOKIE, LANGUAGE_COOKIE, THEME_COOKIE};

/// Routes of this file.
pub fn routes() -> Router<Arc<Console>> {
    Router::new().route("/preferences", post(keep))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    back: String,
    language: Option<String>,
    theme: Option<String>,
    keys: Option<String>,
}

/// Anybody may choose how pages look: signing in has a language, too.
async fn keep(Form(asked): Form<Asked>) -> Response {
    let known = |value: Option<String>, all: &[&str]| value.filter(|it| all.contains(&it.as_str()));
    let wanted = [
        (LANGUAGE_COOKIE, known(asked.language, &["en", "zh-CN"])),
        (THEME_COOKIE, known(asked.theme, &["system", "light", "dark"])),
        (KEYS_COOKIE, known(asked.keys, &["on", "off"])),
    ];
    let cookies = wanted.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some((SET_COOKIE, format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Strict")))
    });
    let cookies: Vec<_> = cookies.collect();
    (AppendHeaders(cookies), Redirect::to(local(&asked.back))).into_response()
}

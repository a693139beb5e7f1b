//! Why a page could not be shown or a form not taken, as a page.
//!
//! It says what to do.

use std::sync::Arc;

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::console::assets::version;
use crate::console::form::encoded;
use crate::console::preferences::Preferences;
use crate::console::words::Words;
use crate::domain::access::Permission;
use crate::workflow::error::{Error, ErrorKind, FieldMistake};

/// Why a page could not be shown or a form not taken.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Somebody has to sign in first.
    SignIn {
        /// Where they wanted to go.
        back: String,
    },
    /// The person may not do it.
    Forbidden(Permission),
    /// There is no such page.
    NoPage,
    /// Fields of a form are wrong; all of them are listed.
    Fields(Vec<FieldMistake>),
    /// What should be undone is recorded by now.
    Recorded,
    /// A decision is judged blind: what was worked out is shown once somebody has chosen.
    ChooseFirst,
    /// The engine could not do it.
    Engine(Arc<Error>),
    /// A page could not be written: a fault of this program.
    Page(Arc<askama::Error>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(Arc::new(error))
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Page(Arc::new(error))
    }
}

impl Failure {
    /// One wrong field of a form.
    pub fn field(field: &str, description: impl Into<Box<str>>) -> Self {
        Self::Fields(vec![FieldMistake { field: field.into(), description: description.into() }])
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } => StatusCode::SEE_OTHER,
            Self::Forbidden(_) | Self::ChooseFirst => StatusCode::FORBIDDEN,
            Self::NoPage => StatusCode::NOT_FOUND,
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Recorded => StatusCode::CONFLICT,
            Self::Engine(error) => match error.kind() {
                ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::Conflict | ErrorKind::Refused => StatusCode::CONFLICT,
                ErrorKind::Late | ErrorKind::Exhausted | ErrorKind::Unavailable => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::Page(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Keys of the title and of what to do.
    fn keys(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignIn { .. } => ("sign-in", "sign-in-hint"),
            Self::Forbidden(_) => ("failure-forbidden", "failure-forbidden-hint"),
            Self::NoPage => ("failure-not-found", "failure-not-found-hint"),
            Self::Fields(_) => ("failure-invalid", "failure-invalid-hint"),
            Self::Recorded => ("failure-recorded", "failure-recorded-hint"),
            Self::ChooseFirst => ("why-choose-first", "why-choose-first-hint"),
            Self::Engine(error) => match error.kind() {
                ErrorKind::Invalid => ("failure-invalid", "failure-invalid-hint"),
                ErrorKind::NotFound => ("failure-not-found", "failure-not-found-hint"),
                ErrorKind::Conflict | ErrorKind::Refused => {
                    ("failure-refused", "failure-refused-hint")
                }
                ErrorKind::Late | ErrorKind::Exhausted => ("failure-busy", "failure-busy-hint"),
                ErrorKind::Unavailable => ("failure-away", "failure-away-hint"),
                ErrorKind::Internal => ("failure-internal", "failure-internal-hint"),
            },
            Self::Page(_) => ("failure-internal", "failure-internal-hint"),
        }
    }

    /// What exactly, in the program's own words.
    fn details(&self) -> Vec<String> {
        match self {
            // What a template could not do is for the log.
            Self::SignIn { .. }
            | Self::NoPage
            | Self::Recorded
            | Self::ChooseFirst
            | Self::Page(_) => Vec::new(),
            Self::Forbidden(permission) => vec![format!("{permission:?}")],
            Self::Fields(mistakes) => {
                mistakes.iter().map(|it| format!("{}: {}", it.field, it.description)).collect()
            }
            Self::Engine(error) => {
                if let Error::InvalidStrategy(mistakes) = &**error {
                    return mistakes.iter().map(ToString::to_string).collect();
                }
                vec![error.to_string()]
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Self::SignIn { back } = &self {
            return Redirect::to(&format!("/sign-in?back={}", encoded(back))).into_response();
        }
        if let Self::Page(error) = &self {
            tracing::error!(%error, "a page could not be written");
        }
        let mut response = self.status().into_response();
        // Only the layer below knows the language of the browser.
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "failure.html", config = ".config/askama.toml")]
struct FailurePage {
    words: Words,
    preferences: Preferences,
    title: String,
    hint: String,
    details: Vec<String>,
    style: &'static str,
}

/// Writes the page of a failure in the language of the browser.
pub async fn show_failures(request: Request, next: Next) -> Response {
    let preferences = Preferences::of(request.headers());
    let mut response = next.run(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    let (title, hint) = failure.keys();
    let words = preferences.words;
    let page = FailurePage {
        words,
        preferences,
        title: words.t(title),
        hint: words.t(hint),
        details: failure.details(),
        style: version("app.css"),
    };
    match page.render() {
        Ok(html) => (failure.status(), Html(html)).into_response(),
        Err(_) => response,
    }
}

/// The answer to a path that leads nowhere.
pub async fn no_page() -> Failure {
    Failure::NoPage
}

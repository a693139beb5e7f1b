//! Style and scripts, compiled in; a change is a new address.
//!
//! So browsers keep each for as long as they like.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::console::failure::Failure;

/// A file: name, type, text.
type Asset = (&'static str, &'static str, &'static str);

const FILES: [Asset; 5] = [
    ("app.css", "text/css; charset=utf-8", include_str!("assets/app.css")),
    ("app.js", "text/javascript; charset=utf-8", include_str!("assets/app.js")),
    ("graph.js", "text/javascript; charset=utf-8", include_str!("assets/graph.js")),
    ("plot.css", "text/css; charset=utf-8", include_str!("assets/plot.css")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// First digits of each file's hash.
static VERSIONS: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let short = |text: &str| blake3::hash(text.as_bytes()).to_hex()[..12].to_owned();
    FILES.iter().map(|(name, _, text)| (*name, short(text))).collect()
});

/// What tells this state of a file from others; empty for a name that is none.
pub fn version(name: &str) -> &'static str {
    VERSIONS.get(name).map_or("", String::as_str)
}

/// The text of a file that is compiled in; empty for a name that is none.
pub fn text(name: &str) -> &'static str {
    FILES.iter().find(|(it, _, _)| *it == name).map_or("", |(_, _, text)| text)
}

/// Serves a file.
///
/// # Errors
/// `NoPage` when there is no such file.
pub async fn serve(Path(name): Path<String>) -> Result<Response, Failure> {
    let (_, kind, text) = FILES.iter().find(|(it, _, _)| *it == name).ok_or(Failure::NoPage)?;
    // The address has the version in it: what is kept for a year is never old.
    let headers = [(CONTENT_TYPE, *kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, *text).into_response())
}

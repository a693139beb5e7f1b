//! The console's HTTP server: pages, safety headers, an orderly end.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;

use crate::console::assets;
use crate::console::failure::{no_page, show_failures};
use crate::console::listener::{Entrance, PageListener};
use crate::console::pages::{
    admin, cases, decision, experiments, graph, health, help, lab, models, preferences, queue,
    reviews, sign_in,
};
use crate::console::parts::Console;
use crate::console::pending::record_all;

/// Largest form, bytes: a strategy file is some 30 kB.
const FORM_BYTES_MAX: usize = 1 << 20;
/// What pages may load: what this server gives, nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Serves pages until `stop`; then records the choices that wait.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    listener: TcpListener,
    entrance: Entrance,
    console: Arc<Console>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let pages = match &entrance.tls {
        Some(_) => router(console.clone()).layer(from_fn(mark_as_tls)),
        None => router(console.clone()),
    };
    let listener = PageListener::start(listener, entrance)?;
    let served = axum::serve(listener, pages).with_graceful_shutdown(stop).await;
    record_all(&console).await;
    served
}

/// Every page and action.
pub fn router(console: Arc<Console>) -> Router {
    Router::new()
        .merge(sign_in::routes())
        .merge(preferences::routes())
        .merge(queue::routes())
        .merge(decision::routes())
        .merge(graph::routes())
        .merge(cases::routes())
        .merge(lab::routes())
        .merge(experiments::routes())
        .merge(models::routes())
        .merge(reviews::routes())
        .merge(health::routes())
        .merge(admin::routes())
        .merge(help::routes())
        .route("/assets/{name}", get(assets::serve))
        .fallback(no_page)
        .layer(from_fn(show_failures))
        .layer(from_fn(safety_headers))
        .layer(CsrfLayer::new())
        .layer(CompressionLayer::new())
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(console)
}

/// Says, as a proxy in front would, that the browser came over TLS.
async fn mark_as_tls(mut request: Request, next: Next) -> Response {
    request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
    next.run(request).await
}

async fn safety_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "same-origin");
    // Pages are about orders: no browser and no proxy keeps them.
    set(CACHE_CONTROL, "no-store");
    response
}

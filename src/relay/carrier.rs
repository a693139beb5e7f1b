//! Takes a letter to a sink once: over HTTP, signed, or to a subject of NATS.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use axum::http::uri::InvalidUri;
use axum::http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring::default_provider;

use crate::domain::time::Timestamp;
use crate::relay::outbox::Letter;
use crate::relay::signature::{Claim, ID, SIGNATURE, Secret, TIME};
use crate::stream::publisher::Publisher;

/// Most bytes of an answer that are read, so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 65_536;
/// Longest pause that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// How long a connection without use is kept.
const IDLE: Duration = Duration::from_secs(30);

/// Why a try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What people read; says nothing of what was to be told.
    pub why: Box<str>,
    /// How long the receiver wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Fault {
    fn new(why: impl Into<Box<str>>) -> Self {
        Self { why: why.into(), retry_after: None }
    }
}

/// The way to a sink.
#[derive(Debug)]
pub enum Carrier {
    /// Signed requests.
    Webhook(Box<WebhookCarrier>),
    /// Messages of a subject each kind.
    Nats(Box<Publisher>),
}

/// The way to a receiver of webhooks.
#[derive(Debug)]
pub struct WebhookCarrier {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    secret: Secret,
    within: Duration,
}

impl WebhookCarrier {
    /// To an address; each try may take this long.
    ///
    /// # Errors
    /// When it is no address, or the machine has no list of authorities.
    pub fn new(url: &str, secret: Secret, within: Duration) -> io::Result<Self> {
        let url =
            url.parse().map_err(|error: InvalidUri| io::Error::new(ErrorKind::InvalidInput, error));
        let url: Uri = url?;
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(Arc::new(default_provider()))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, url, secret, within })
    }

    async fn send(&self, letter: &Letter, now: Timestamp) -> Result<(), Fault> {
        let claim = Claim { id: &letter.id, seconds: now.0.div_euclid(1_000_000) };
        let request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("orderlens/", env!("CARGO_PKG_VERSION")))
            .header(ID, claim.id)
            .header(TIME, claim.seconds)
            .header(SIGNATURE, self.secret.sign(claim, letter.body.as_bytes()))
            .body(Full::new(Bytes::from(letter.body.clone())))
            .map_err(|_| Fault::new("no request can be made of it"))?;
        let asked = timeout(self.within, self.client.request(request)).await;
        let response = match asked {
            Err(_) => return Err(Fault::new("no answer in time")),
            Ok(Err(error)) if error.is_connect() => return Err(Fault::new("no connection")),
            Ok(Err(_)) => return Err(Fault::new("the connection broke")),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        let retry_after = retry_after(response.headers());
        // What is said is not looked at: that a status came is what counts.
        let rest = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        drop(timeout(self.within, rest).await);
        if status.is_success() {
            return Ok(());
        }
        Err(Fault { why: format!("answered {}", status.as_u16()).into(), retry_after })
    }
}

/// Whole seconds; a date is passed over, as our own pause does as well.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

impl Carrier {
    /// Tries once.
    ///
    /// # Errors
    /// [`Fault`] unless the sink has it.
    pub async fn send(&self, letter: &Letter, now: Timestamp) -> Result<(), Fault> {
        match self {
            Self::Webhook(webhook) => webhook.send(letter, now).await,
            Self::Nats(publisher) => {
                let sent = publisher.publish(letter.kind.as_str(), &letter.id, &letter.body).await;
                sent.map_err(|error| Fault::new(error.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_ask_for_a_pause_but_not_for_ever() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("3"), Some(Duration::from_secs(3)));
        assert_eq!(asked("999999999"), Some(RETRY_AFTER_MAX));
        for odd in ["-1", "Wed, 21 Oct 2026 07:28:00 GMT", "", "1.5"] {
            assert_eq!(asked(odd), None, "{odd}");
        }
    }
}

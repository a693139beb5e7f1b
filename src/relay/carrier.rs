//! Takes a letter to a sink once: over HTTP, signed, or to a subject of NATS.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::Path;
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
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError, RootCertStore};

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

/// Reads the address of a receiver.
///
/// # Errors
/// When it is none, or names no host.
pub fn address(url: &str) -> io::Result<Uri> {
    let wrong = |error: InvalidUri| io::Error::new(ErrorKind::InvalidInput, error);
    let url: Uri = url.parse().map_err(wrong)?;
    if url.host().is_none_or(str::is_empty) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it names no host"));
    }
    Ok(url)
}

/// Reads the authorities of a file.
///
/// # Errors
/// When it does not read or holds no certificate.
pub fn authorities(path: &Path) -> io::Result<RootCertStore> {
    let wrong = |why: &dyn Display| {
        io::Error::new(ErrorKind::InvalidInput, format!("{}: {why}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|it| wrong(&it))? {
        let certificate = certificate.map_err(|it| wrong(&it))?;
        roots.add(certificate).map_err(|it| wrong(&it))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    Ok(roots)
}

impl WebhookCarrier {
    /// To an address; each try may take this long. Certificates are trusted that one of the
    /// authorities has signed; without any, those of the machine.
    ///
    /// # Errors
    /// When it is no address, or the machine has no list of authorities.
    pub fn new(
        url: &str,
        authorities: Option<RootCertStore>,
        secret: Secret,
        within: Duration,
    ) -> io::Result<Self> {
        let url = address(url)?;
        let (builder, provider) = (HttpsConnectorBuilder::new(), Arc::new(default_provider()));
        let builder = match authorities {
            None => builder.with_provider_and_native_roots(provider)?,
            Some(roots) => builder.with_tls_config(
                ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(io::Error::other)?
                    .with_root_certificates(roots)
                    .with_no_client_auth(),
            ),
        };
        let connector = builder.https_or_http().enable_http1().build();
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
            Ok(Err(error)) if error.is_connect() => return Err(Fault::new(unconnected(&error))),
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

/// Why there is no connection, where somebody can do something about it.
fn unconnected(error: &(dyn Error + 'static)) -> &'static str {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(TlsError::InvalidCertificate(_)) = error.downcast_ref::<TlsError>() {
            return "no connection: its certificate is not trusted";
        }
        // Errors of the system pass over the one that they were made of, one in another.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = inner.map_or_else(|| error.source(), |inner| Some(inner));
    }
    "no connection"
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
    use tokio_rustls::rustls::CertificateError;

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

    #[test]
    fn a_certificate_that_is_not_trusted_is_named_however_deep_it_is() {
        let of_tls = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        let nested = io::Error::other(io::Error::new(ErrorKind::InvalidData, of_tls));
        assert!(unconnected(&nested).ends_with("its certificate is not trusted"));
        assert_eq!(unconnected(&io::Error::from(ErrorKind::ConnectionRefused)), "no connection");
        assert_eq!(unconnected(&io::Error::other(TlsError::DecryptError)), "no connection");
    }
}

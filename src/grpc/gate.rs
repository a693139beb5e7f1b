//! Who may call what: looks at the key of a call before anything else.
//!
//! A look is one hash of the secret and one look into a table in memory: no lock is held and
//! nothing is waited for.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::Either;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::domain::api_key::Scope;
use crate::grpc::methods::{Need, need_of};
use crate::grpc::shared::Clock;
use crate::grpc::status::DOMAIN;
use crate::workflow::key_ring::{Caller, KeyRing, Stop};

/// How a key is shown, before the secret.
const SCHEME: &[u8] = b"Bearer ";

/// Whether programs must show a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    /// Nobody is answered without one.
    Required,
    /// Who shows none may do everything but what always needs one; who shows one is held to it.
    Optional,
}

/// Looks at keys.
#[derive(Clone, Debug)]
pub struct Gate {
    ring: Arc<KeyRing>,
    rule: KeyRule,
    clock: Clock,
}

impl Gate {
    /// A gate that opens for the keys of a ring.
    pub fn new(ring: Arc<KeyRing>, rule: KeyRule, clock: Clock) -> Self {
        Self { ring, rule, clock }
    }

    /// A service behind this gate.
    pub fn guard<S>(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }

    /// Who calls; nobody in particular where no key is required and none is shown.
    fn check(&self, path: &str, shown: Option<&[u8]>) -> Result<Option<Arc<Caller>>, Status> {
        let need = need_of(path);
        let Some(shown) = shown else {
            return match (self.rule, need) {
                (KeyRule::Optional, Need::AnyKey | Need::OneOf(_)) => Ok(None),
                (KeyRule::Required, _) | (KeyRule::Optional, Need::Always(_)) => {
                    Err(unauthenticated("KEY_MISSING", "show an API key: `Bearer ol_…`"))
                }
            };
        };
        let secret = shown.strip_prefix(SCHEME).unwrap_or_default();
        let caller = self.ring.find(secret).ok_or_else(key_invalid)?;
        admit(&caller, (self.clock)())?;
        let scopes = match need {
            Need::AnyKey => return Ok(Some(caller)),
            Need::OneOf(scopes) => scopes,
            Need::Always(ref scope) => std::slice::from_ref(scope),
        };
        if scopes.iter().any(|scope| caller.key.scopes.contains(scope)) {
            return Ok(Some(caller));
        }
        Err(scope_missing(scopes, path))
    }
}

/// Counts a call, or an item of a stream, of a caller.
///
/// # Errors
/// `UNAUTHENTICATED` when the key has ended, `RESOURCE_EXHAUSTED` when it is used up for now.
pub fn admit(caller: &Caller, now: crate::domain::time::Timestamp) -> Result<(), Status> {
    caller.admit(now).map_err(|stop| match stop {
        Stop::Ended => key_invalid(),
        Stop::TooFast(wait) => {
            let mut details = ErrorDetails::with_retry_info(Some(wait));
            details.set_error_info("KEY_RATE_LIMITED", DOMAIN, []);
            let message = "the calls per second of this key are used up";
            Status::with_error_details(Code::ResourceExhausted, message, details)
        }
    })
}

/// The status of a call whose key lacks a scope; any of `scopes` would do.
pub fn scope_missing(scopes: &[Scope], method: &str) -> Status {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let wanted = names.join(" or ");
    let message = format!("the key has not the scope {wanted}");
    let metadata =
        [("scope", wanted), ("method", method.to_owned())].map(|(k, v)| (k.to_owned(), v));
    let details = ErrorDetails::with_error_info("SCOPE_MISSING", DOMAIN, metadata);
    Status::with_error_details(Code::PermissionDenied, message, details)
}

/// One answer for what was never given, has ended and was revoked: it tells nobody which.
fn key_invalid() -> Status {
    unauthenticated("KEY_INVALID", "the API key is not, or no longer, valid")
}

fn unauthenticated(reason: &str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    Status::with_error_details(Code::Unauthenticated, message, details)
}

/// A service behind the gate.
#[derive(Clone, Debug)]
pub struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S: NamedService> NamedService for Gated<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for Gated<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<http::Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        // Taken out: behind the gate nobody has a secret that they could log.
        let shown = request.headers_mut().remove(http::header::AUTHORIZATION);
        let shown = shown.as_ref().map(http::HeaderValue::as_bytes);
        match self.gate.check(request.uri().path(), shown) {
            Ok(caller) => {
                if let Some(caller) = caller {
                    request.extensions_mut().insert(caller);
                }
                Either::Left(self.inner.call(request))
            }
            Err(refusal) => Either::Right(ready(Ok(refusal.into_http()))),
        }
    }
}

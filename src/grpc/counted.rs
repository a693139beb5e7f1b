//! Counts the calls of a service, whoever refuses or ends them.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::BodyExt as _;
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;

use crate::domain::decision::DecisionId;
use crate::grpc::call_counts::{CallCounts, CallExample, CallKind, Ended, ServiceCounts};
use crate::grpc::message_count::MessageCount;
use crate::grpc::shared::Clock;

/// Counts calls of `inner`; the outermost layer, so that refusals count, too.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    inner: S,
    counts: Arc<ServiceCounts>,
    clock: Clock,
}

impl<S: NamedService> Counted<S> {
    /// Calls of `inner` are counted among `counts`.
    pub fn new(inner: S, counts: &CallCounts, clock: Clock) -> Self {
        Self { inner, counts: counts.service(S::NAME), clock }
    }
}

impl<S: NamedService> NamedService for Counted<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Counted<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let Some((at, kind)) = self.counts.method_at(request.uri().path()) else {
            return Box::pin(self.inner.call(request));
        };
        let mut running = Running::start(self, at, trace_id(request.headers()));
        if kind == CallKind::Unary {
            let call = self.inner.call(request);
            return Box::pin(async move {
                let answer = call.await?;
                running.decision_id = answer.extensions().get().copied();
                // An answer without a status in its head has one at its end, and it is good.
                running.end(status_of(answer.headers()).unwrap_or(Code::Ok));
                Ok(answer)
            });
        }
        let received = running.counts.clone();
        let mut messages = MessageCount::default();
        let request = request.map(|body| {
            Body::new(body.map_frame(move |frame| {
                if let Some(bytes) = frame.data_ref() {
                    received.received(at, messages.see(bytes));
                }
                frame
            }))
        });
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = call.await?;
            if let Some(code) = status_of(answer.headers()) {
                running.end(code);
                return Ok(answer);
            }
            Ok(answer.map(|body| running.until_end_of(body)))
        })
    }
}

/// A call that runs. One that is dropped before its end was given up by its caller.
#[derive(Debug)]
struct Running {
    counts: Arc<ServiceCounts>,
    at: usize,
    started: Instant,
    clock: Clock,
    trace_id: Option<Box<str>>,
    decision_id: Option<DecisionId>,
    is_over: bool,
}

impl Running {
    fn start<S>(counted: &Counted<S>, at: usize, trace_id: Option<Box<str>>) -> Self {
        counted.counts.started(at);
        Self {
            counts: counted.counts.clone(),
            at,
            started: Instant::now(),
            clock: counted.clock,
            trace_id,
            decision_id: None,
            is_over: false,
        }
    }

    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let ended = Ended { code, took: self.started.elapsed() };
        let (trace_id, decision_id) = (self.trace_id.take(), self.decision_id);
        let clock = self.clock;
        self.counts.ended(self.at, &ended, |seconds| CallExample {
            seconds,
            at: clock(),
            trace_id,
            decision_id,
        });
    }

    /// The same body, which counts its messages and ends the call with its trailers.
    fn until_end_of(mut self, body: Body) -> Body {
        let mut messages = MessageCount::default();
        Body::new(body.map_frame(move |frame| {
            if let Some(bytes) = frame.data_ref() {
                self.counts.sent(self.at, messages.see(bytes));
            }
            if let Some(trailers) = frame.trailers_ref() {
                self.end(status_of(trailers).unwrap_or(Code::Unknown));
            }
            frame
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

fn status_of(headers: &http::HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
}

/// The trace id of a `traceparent`, 32 hex digits.
///
/// Source: W3C Trace Context, section 3.2: `version-traceid-parentid-flags`.
pub fn trace_id(headers: &http::HeaderMap) -> Option<Box<str>> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let id = text.split('-').nth(1)?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_id = id.len() == 32 && id.bytes().all(is_hex) && id.bytes().any(|byte| byte != b'0');
    is_id.then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_is_taken_over() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let cases = [
            (format!("00-{id}-b7ad6b7169203331-01"), Some(id)),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None),
            (format!("00-{}-b7ad6b7169203331-01", "A".repeat(32)), None),
            ("00-alice@example.com-1-01".to_owned(), None),
            ("junk".to_owned(), None),
        ];
        for (text, expected) in cases {
            let mut headers = http::HeaderMap::new();
            headers.insert("traceparent", text.parse().unwrap());
            assert_eq!(trace_id(&headers).as_deref(), expected, "{text}");
        }
        assert_eq!(trace_id(&http::HeaderMap::new()), None);
    }
}

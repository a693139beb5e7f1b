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

use crate::grpc::call_counts::{CallExample, Ended, ServiceCounts};
use crate::grpc::call_names::{CallKind, code_name};
use crate::grpc::message_count::MessageCount;
use crate::grpc::shared::Clock;
use crate::grpc::spans::{CallSpan, ParentSpan, ScoredCall, SpanSink, parent_span};
use crate::grpc::watch::Watch;

/// Counts calls of `inner`; the outermost layer, so that refusals count, too.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    inner: S,
    counts: Arc<ServiceCounts>,
    spans: Option<Arc<dyn SpanSink>>,
    clock: Clock,
}

impl<S: NamedService> Counted<S> {
    /// Calls of `inner` are counted where those who watch look.
    pub fn new(inner: S, watch: &Watch, clock: Clock) -> Self {
        let (counts, spans) = (watch.calls.service(S::NAME), watch.spans.clone());
        Self { inner, counts, spans, clock }
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
        let mut running = Running::start(self, at, parent_span(request.headers()));
        if kind == CallKind::Unary {
            let call = self.inner.call(request);
            return Box::pin(async move {
                let answer = call.await?;
                running.scored = answer.extensions().get().cloned();
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
    parent: Option<ParentSpan>,
    scored: Option<ScoredCall>,
    spans: Option<Arc<dyn SpanSink>>,
    is_over: bool,
}

impl Running {
    fn start<S>(counted: &Counted<S>, at: usize, parent: Option<ParentSpan>) -> Self {
        counted.counts.started(at);
        Self {
            counts: counted.counts.clone(),
            at,
            started: Instant::now(),
            clock: counted.clock,
            parent,
            scored: None,
            spans: counted.spans.clone(),
            is_over: false,
        }
    }

    fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let ended = Ended { code, took: self.started.elapsed() };
        self.counts.ended(self.at, &ended, |seconds| CallExample {
            seconds,
            at: (self.clock)(),
            trace_id: self.parent.as_ref().map(|parent| parent.trace_id.clone()),
            decision_id: self.scored.as_ref().map(|scored| scored.decision_id),
        });
        if let Some(spans) = &self.spans {
            spans.ended(&CallSpan {
                name: self.counts.name_of(self.at),
                ended: (self.clock)(),
                took: ended.took,
                code: code_name(code),
                parent: self.parent.take(),
                scored: self.scored.take(),
            });
        }
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

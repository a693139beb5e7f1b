//! A deadline around a service, answered with `DEADLINE_EXCEEDED`.
//!
//! tonic has its own, at the server and in callers, but that one says `CANCELLED` and
//! ends a little later: this one keeps [`MARGIN`] so that it speaks first, unless the
//! machine stalls for longer than that.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;

use crate::domain::time::Span;
use crate::grpc::status;

/// Time left for the answer to travel, at most half of the budget.
const MARGIN: Duration = Duration::from_millis(5);

/// When the caller of a call stops waiting.
#[derive(Clone, Copy, Debug)]
pub struct Due(Instant);

impl Due {
    /// Time that is left.
    pub fn left(self) -> Span {
        let left = self.0.saturating_duration_since(Instant::now());
        Span(i64::try_from(left.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Ends calls in time: the caller's `grpc-timeout`, but no more than our own.
///
/// What is called learns from [`Due`] how long that is. A stream is only held to it until its
/// answer begins, and what it carries is not.
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    inner: S,
    longest: Duration,
}

impl<S> Deadline<S> {
    /// Calls of `inner` end after `longest` or when their caller says.
    pub fn new(inner: S, longest: Duration) -> Self {
        Self { inner, longest }
    }
}

impl<S: NamedService> NamedService for Deadline<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for Deadline<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let header = request.headers().get("grpc-timeout").and_then(|text| text.to_str().ok());
        let asked =
            header.and_then(parse_timeout).map(|asked| asked.saturating_sub(MARGIN.min(asked / 2)));
        let budget = asked.unwrap_or(self.longest).min(self.longest);
        let until = Instant::now() + budget;
        request.extensions_mut().insert(Due(until));
        let call = self.inner.call(request);
        Box::pin(async move {
            match tokio::time::timeout_at(until.into(), call).await {
                Ok(answer) => answer,
                Err(_) => Ok(status::of_deadline(budget).into_http()),
            }
        })
    }
}

/// Reads a `grpc-timeout`: at most eight digits and a unit.
///
/// Source: "gRPC over HTTP2", section Requests, rule Timeout.
pub fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if 8 < digits.len() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(n * 3_600)),
        "M" => Some(Duration::from_secs(n * 60)),
        "S" => Some(Duration::from_secs(n)),
        "m" => Some(Duration::from_millis(n)),
        "u" => Some(Duration::from_micros(n)),
        "n" => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    /// A service that takes every call and never answers.
    #[derive(Clone)]
    struct Never;

    impl Service<http::Request<()>> for Never {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<Self::Response, Infallible>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<()>) -> Self::Future {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_call_ends_when_its_caller_says_so() {
        let mut request = http::Request::new(());
        request.headers_mut().insert("grpc-timeout", http::HeaderValue::from_static("20m"));
        let answer = Deadline::new(Never, Duration::from_mins(10)).call(request).await.unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
    }

    #[test]
    fn a_timeout_reads_as_the_grpc_specification_says() {
        let cases = [
            ("1H", Some(Duration::from_hours(1))),
            ("20m", Some(Duration::from_millis(20))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("123456789S", None),
            ("5", None),
            ("m", None),
            ("", None),
            ("+5S", None),
            ("5秒", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_timeout(text), expected, "{text}");
        }
    }
}

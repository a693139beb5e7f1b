//! A bound on calls in flight, over all connections.
//!
//! tonic's own bound counts per connection, which many callers add up to none.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::NamedService;

use crate::grpc::status;

/// Methods that hold no place: a stream bounds its own items in flight.
const STREAMS: [&str; 2] = ["/ScoreOrders", "/IngestEvents"];

/// Refuses calls with `RESOURCE_EXHAUSTED` while every place is taken.
#[derive(Clone, Debug)]
pub struct InFlightLimit<S> {
    inner: S,
    places: Arc<Places>,
}

/// The places that all services of a server share.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    n_max: usize,
}

impl Places {
    /// So many calls may be in flight at a time.
    pub fn new(n_max: usize) -> Arc<Self> {
        Arc::new(Self { free: Arc::new(Semaphore::new(n_max)), n_max })
    }

    /// Share of the last quarter of places that others than the caller have taken, in [0, 1];
    /// 0 while more are free.
    pub fn pressure(&self) -> f64 {
        let quarter = (self.n_max as f64 / 4.0).max(1.0);
        let free = self.free.available_permits() as f64 + 1.0;
        (1.0 - free / quarter).clamp(0.0, 1.0)
    }

    /// Takes places until what is given back is dropped.
    #[cfg(test)]
    pub fn hold(&self, n: u32) -> Option<tokio::sync::OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(n).ok()
    }
}

impl<S> InFlightLimit<S> {
    /// Calls of `inner` take one of the `places` each.
    pub fn new(inner: S, places: Arc<Places>) -> Self {
        Self { inner, places }
    }
}

impl<S: NamedService> NamedService for InFlightLimit<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for InFlightLimit<S>
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

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let path = request.uri().path();
        if STREAMS.iter().any(|stream| path.ends_with(stream)) {
            return Box::pin(self.inner.call(request));
        }
        let Ok(place) = Arc::clone(&self.places.free).try_acquire_owned() else {
            let refusal = status::of_overload(self.places.n_max).into_http();
            return Box::pin(async { Ok(refusal) });
        };
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = call.await;
            drop(place);
            answer
        })
    }
}

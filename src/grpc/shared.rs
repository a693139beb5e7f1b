//! What every door of the server holds.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::domain::entity::IdentityKey;
use crate::domain::time::Timestamp;
use crate::grpc::admission::Admission;
use crate::grpc::watch::Watch;
use crate::wire::check::Door;

/// Reads our clock; passed in, because only `cli` may read it.
pub type Clock = fn() -> Timestamp;

/// What every door of the server holds; cheap to clone.
#[derive(Debug)]
pub struct Shared<S> {
    /// The engine.
    pub service: Arc<S>,
    /// Seals personal identifiers.
    pub identity: Arc<IdentityKey>,
    /// Our clock.
    pub clock: Clock,
    /// Cancelled when streams must come to an end.
    pub stopping: CancellationToken,
    /// Most items of one stream that are worked on at a time.
    pub stream_items_max: usize,
    /// What the doors tell those who watch.
    pub watch: Watch,
    /// Which orders are taken when places run out.
    pub admission: Arc<Admission>,
}

impl<S> Shared<S> {
    /// What a reader of messages needs, now.
    pub fn door(&self) -> Door<'_> {
        Door { identity: &self.identity, now: (self.clock)() }
    }
}

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            identity: Arc::clone(&self.identity),
            clock: self.clock,
            stopping: self.stopping.clone(),
            stream_items_max: self.stream_items_max,
            watch: self.watch.clone(),
            admission: Arc::clone(&self.admission),
        }
    }
}

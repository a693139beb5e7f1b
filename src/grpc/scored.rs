//! Judges an order while somebody watches: counted, logged, followed.

use std::time::{Duration, Instant};

use tonic::Status;
use tracing::{Level, debug, enabled};

use crate::domain::decision::Decision;
use crate::domain::time::Timestamp;
use crate::grpc::decision_door::{Asked, Scored, score};
use crate::grpc::shared::Shared;
use crate::grpc::spans::{ParentSpan, ScoredCall};
use crate::grpc::watch::Teller;
use crate::wire::answer::Origin;
use crate::workflow::service::{Ack, OrderService};

/// Judges an order; `parent` is the caller's span, for the log.
///
/// # Errors
/// The status of the refusal.
pub async fn watched<S: OrderService>(
    shared: &Shared<S>,
    asked: Asked,
    parent: Option<&ParentSpan>,
) -> Result<Scored, Status> {
    let request = &asked.request;
    let teller = Teller::of_order(request);
    let event_time = request.event_time.map(micros);
    // A text is only made for a line that somebody reads.
    let request_id = enabled!(Level::DEBUG).then(|| request.request_id.clone());
    let started = Instant::now();
    let scored = score(shared, asked).await;
    let (took, now) = (started.elapsed(), (shared.clock)());
    let told = match scored.as_ref().map(|it| it.origin) {
        // A dry run tells nothing.
        Ok(Origin::DryRun) => None,
        Ok(Origin::Replayed) => Some(Ok(Ack::Duplicate)),
        Ok(Origin::New) => Some(Ok(Ack::Accepted)),
        Err(status) => Some(Err(status)),
    };
    if let (Ok(scored), Some(Ok(Ack::Accepted))) = (&scored, &told) {
        shared.watch.calls.waited(took.saturating_sub(worked(&scored.decision)));
    }
    if let Some(told) = told {
        shared.watch.event(&teller, told, event_time.unwrap_or(now), now);
    }
    if let Some(request_id) = request_id {
        tell(&request_id, parent.map(|it| &*it.trace_id).unwrap_or_default(), &scored);
    }
    scored
}

/// What was decided, for whoever gives examples of calls or follows them.
pub fn scored_call<S>(shared: &Shared<S>, decision: &Decision) -> ScoredCall {
    let stages = match &shared.watch.spans {
        Some(_) => ScoredCall::stages_of(decision),
        None => Box::default(),
    };
    ScoredCall { decision_id: decision.decision_id, stages }
}

/// How long the stages took; the rest of the time was waiting.
fn worked(decision: &Decision) -> Duration {
    Duration::from_nanos(decision.stage_timings.iter().map(|stage| stage.nanos).sum())
}

fn tell(request_id: &str, trace_id: &str, scored: &Result<Scored, Status>) {
    match scored {
        Ok(scored) => {
            let (decision_id, origin) = (scored.decision.decision_id, scored.origin);
            debug!(request_id, %decision_id, trace_id, ?origin, "scored an order");
        }
        Err(status) => {
            debug!(request_id, trace_id, code = ?status.code(), "refused an order");
        }
    }
}

fn micros(time: prost_types::Timestamp) -> Timestamp {
    let seconds = time.seconds.saturating_mul(1_000_000);
    Timestamp(seconds.saturating_add(i64::from(time.nanos / 1_000)))
}

//! An order that is judged while somebody watches: counted, logged, and given its id.

use std::time::{Duration, Instant};

use tonic::{Response, Status};
use tracing::{Level, debug, enabled};
use uuid::Uuid;

use crate::domain::decision::DecisionId;
use crate::domain::time::Timestamp;
use crate::grpc::decision_door::score;
use crate::grpc::shared::Shared;
use crate::grpc::spans::{ParentSpan, ScoredCall};
use crate::grpc::watch::Teller;
use crate::wire::pb::v1 as pb;
use crate::workflow::service::{Ack, OrderService};

/// Judges an order; `parent` is the caller's span, for the log.
///
/// # Errors
/// The status of the refusal.
pub async fn watched<S: OrderService>(
    shared: &Shared<S>,
    request: pb::ScoreOrderRequest,
    parent: Option<&ParentSpan>,
) -> Result<pb::ScoreOrderResponse, Status> {
    let teller = Teller::of_order(&request);
    let event_time = request.event_time.map(micros);
    // A text is only made for a line that somebody reads.
    let request_id = enabled!(Level::DEBUG).then(|| request.request_id.clone());
    let started = Instant::now();
    let scored = score(shared, request).await;
    let (took, now) = (started.elapsed(), (shared.clock)());
    if let Ok(answer) = &scored
        && !answer.replayed
        && !answer.dry_run
    {
        shared.watch.calls.waited(took.saturating_sub(worked(answer)));
    }
    let told = match &scored {
        // A dry run tells nothing.
        Ok(answer) if answer.dry_run => None,
        Ok(answer) if answer.replayed => Some(Ok(Ack::Duplicate)),
        Ok(_) => Some(Ok(Ack::Accepted)),
        Err(status) => Some(Err(status)),
    };
    if let Some(told) = told {
        shared.watch.event(&teller, told, event_time.unwrap_or(now), now);
    }
    if let Some(request_id) = request_id {
        tell(&request_id, parent.map(|it| &*it.trace_id).unwrap_or_default(), &scored);
    }
    scored
}

/// The response to an order, and beside it, for those who watch calls, what was decided.
pub fn answered<S>(
    shared: &Shared<S>,
    answer: pb::ScoreOrderResponse,
) -> Response<pb::ScoreOrderResponse> {
    let scored = answer.decision.as_ref().and_then(|decision| {
        let decision_id = DecisionId(Uuid::try_parse(&decision.decision_id).ok()?);
        let stages = match &shared.watch.spans {
            Some(_) => ScoredCall::stages_of(decision),
            None => Box::default(),
        };
        Some(ScoredCall { decision_id, stages })
    });
    let mut response = Response::new(answer);
    if let Some(scored) = scored {
        response.extensions_mut().insert(scored);
    }
    response
}

/// How long the stages took; the rest of the time was waiting.
fn worked(answer: &pb::ScoreOrderResponse) -> Duration {
    let stages = answer.decision.iter().flat_map(|decision| &decision.stage_timings);
    Duration::from_nanos(stages.map(|stage| stage.nanos).sum())
}

fn tell(request_id: &str, trace_id: &str, scored: &Result<pb::ScoreOrderResponse, Status>) {
    match scored {
        Ok(answer) => {
            let decision = answer.decision.as_ref();
            let decision_id = decision.map(|it| it.decision_id.as_str()).unwrap_or_default();
            let replayed = answer.replayed;
            debug!(request_id, decision_id, trace_id, replayed, "scored an order");
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

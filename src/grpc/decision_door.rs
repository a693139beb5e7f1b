//! `DecisionService`: messages in, the engine's answers out.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::domain::decision::Decision;
use crate::domain::order::TEXT_BYTES_MAX;
use crate::domain::query::{FieldDifference, WhatIfSubject};
use crate::grpc::attribution::CalledBy;
use crate::grpc::call_names::ItemStream;
use crate::grpc::deadline::Due;
use crate::grpc::scored::{scored_call, watched};
use crate::grpc::shared::Shared;
use crate::grpc::spans::parent_span;
use crate::grpc::status;
use crate::wire::answer::{Answer, Answered, Origin};
use crate::wire::decision::Explain;
use crate::wire::pb::answered::decision_service_server::DecisionService;
use crate::wire::pb::v1 as pb;
use crate::wire::request::Recording;
use crate::wire::{counterfactual, decision, difference, request, what_if};
use crate::workflow::service::OrderService;

/// Serves `orderlens.v1.DecisionService`.
#[derive(Debug)]
pub struct DecisionDoor<S>(pub Shared<S>);

impl<S> Clone for DecisionDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: OrderService> DecisionService for DecisionDoor<S> {
    type ScoreOrdersStream = BoxStream<Answer>;

    async fn score_order(
        &self,
        request: Request<pb::ScoreOrderRequest>,
    ) -> Result<Response<Answer>, Status> {
        let parent = parent_span(request.metadata().as_ref());
        let due = request.extensions().get().copied();
        let asked = Asked { request: request.into_inner(), due };
        let scored = watched(&self.0, asked, parent.as_ref()).await?;
        let mut response = Response::new(Answer::new(scored.answered()));
        response.extensions_mut().insert(scored_call(&self.0, &scored.decision));
        Ok(response)
    }

    async fn score_orders(
        &self,
        request: Request<Streaming<pb::ScoreOrdersRequest>>,
    ) -> Result<Response<Self::ScoreOrdersStream>, Status> {
        let stopping = self.0.stopping.clone();
        let shared = self.0.clone();
        let caller = CalledBy::of(&request);
        let answers = request
            .into_inner()
            .take_until(self.0.stopping.clone().cancelled_owned())
            .map(move |item| {
                let (shared, caller) = (shared.clone(), caller.clone());
                async move { Ok(score_item(&shared, &caller, item?).await) }
            })
            .buffer_unordered(self.0.stream_items_max)
            .chain(end_of_stream(stopping));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_decision(
        &self,
        request: Request<pb::GetDecisionRequest>,
    ) -> Result<Response<pb::GetDecisionResponse>, Status> {
        let (key, explain) = request::get_decision(request.into_inner(), self.0.door())
            .map_err(|error| status::of_invalid(&error))?;
        let found = self.0.service.get_decision(key).await;
        let found = found.map_err(|error| status::of_error(&error))?;
        let decision = Some(decision::to_pb(&found, explain));
        Ok(Response::new(pb::GetDecisionResponse { decision }))
    }

    async fn list_decisions(
        &self,
        request: Request<pb::ListDecisionsRequest>,
    ) -> Result<Response<pb::ListDecisionsResponse>, Status> {
        let request = request.into_inner();
        let filter = request.filter.clone();
        let (query, explain) = request::list_decisions(request, self.0.door())
            .map_err(|error| status::of_invalid(&error))?;
        let page = self.0.service.list_decisions(query).await;
        let page = page.map_err(|error| status::of_error(&error))?;
        let next = page.decisions.last().filter(|_| page.has_more);
        Ok(Response::new(pb::ListDecisionsResponse {
            decisions: page.decisions.iter().map(|it| decision::to_pb(it, explain)).collect(),
            next_page_token: next
                .map(|last| request::page_token(filter.as_ref(), last.decision_id))
                .unwrap_or_default(),
        }))
    }

    async fn what_if(
        &self,
        request: Request<pb::WhatIfRequest>,
    ) -> Result<Response<pb::WhatIfResponse>, Status> {
        let door = self.0.door();
        let (question, explain) = what_if::what_if(request.into_inner(), door)
            .map_err(|error| status::of_invalid(&error))?;
        let is_recorded = matches!(question.subject, WhatIfSubject::Decision(_));
        let answer = self.0.service.what_if(question, door.now).await;
        let answer = answer.map_err(|error| status::of_error(&error))?;
        let baseline = decision::to_pb(&answer.baseline, explain);
        Ok(Response::new(pb::WhatIfResponse {
            baseline: Some(pb::Decision { is_hypothetical: !is_recorded, ..baseline }),
            changed: Some(hypothetical(&answer.changed, explain)),
            counterfactuals: answer.counterfactuals.iter().map(counterfactual::to_pb).collect(),
            difference: Some(difference::to_pb(&answer.difference)),
        }))
    }

    async fn replay_decision(
        &self,
        request: Request<pb::ReplayDecisionRequest>,
    ) -> Result<Response<pb::ReplayDecisionResponse>, Status> {
        let id = request::replay_decision(request.get_ref(), self.0.door())
            .map_err(|error| status::of_invalid(&error))?;
        let differences = self.0.service.replay_decision(id).await;
        let differences = differences.map_err(|error| status::of_error(&error))?;
        Ok(Response::new(pb::ReplayDecisionResponse {
            identical: differences.is_empty(),
            differences: differences.into_iter().map(difference_to_pb).collect(),
        }))
    }
}

/// A judged order, and what is told of it.
#[derive(Debug)]
pub struct Scored {
    /// What was decided.
    pub decision: Arc<Decision>,
    explain: Explain,
    /// Whether it was judged now.
    pub origin: Origin,
}

impl Scored {
    fn answered(&self) -> Answered<'_> {
        Answered { decision: &self.decision, explain: self.explain, origin: self.origin }
    }
}

/// A request to judge an order.
#[derive(Debug)]
pub struct Asked {
    /// As it came.
    pub request: pb::ScoreOrderRequest,
    /// When its caller stops waiting; `None` for one of a stream, which has no such time.
    pub due: Option<Due>,
}

/// Judges an order and says what is to be told of it.
///
/// # Errors
/// The status of the refusal.
pub async fn score<S: OrderService>(shared: &Shared<S>, asked: Asked) -> Result<Scored, Status> {
    let Asked { request, due } = asked;
    let door = shared.door();
    let score = request::score_order(request, door).map_err(|error| status::of_invalid(&error))?;
    if score.strategy.is_some_and(|name| *name != *shared.service.active_strategy()) {
        let description = "is not the active strategy; use WhatIf to try another one";
        return Err(status::of_field("strategy_ref", description));
    }
    shared.admission.admit(score.request.order.amount)?;
    let (decision, origin) = match score.recording {
        Recording::Recorded => {
            let left = due.map(Due::left);
            let answer = shared.service.score_in_time(score.request, door.now, left).await;
            let answer = answer.map_err(|error| status::of_error(&error))?;
            let origin = if answer.is_replayed { Origin::Replayed } else { Origin::New };
            (answer.decision, origin)
        }
        Recording::DryRun => {
            let decided = shared.service.dry_run(score.request, door.now).await;
            (decided.map_err(|error| status::of_error(&error))?, Origin::DryRun)
        }
    };
    Ok(Scored { decision, explain: score.explain, origin })
}

/// A decision that was never recorded, marked so: nobody shall store it as if it were.
fn hypothetical(decided: &Decision, explain: Explain) -> pb::Decision {
    pb::Decision { is_hypothetical: true, ..decision::to_pb(decided, explain) }
}

async fn score_item<S: OrderService>(
    shared: &Shared<S>,
    caller: &CalledBy,
    item: pb::ScoreOrdersRequest,
) -> Answer {
    let scored = match item.request {
        _ if TEXT_BYTES_MAX < item.item_id.len() => {
            Err(status::of_field("item_id", "has more than 256 bytes"))
        }
        Some(request) => match caller.admit((shared.clock)()) {
            Ok(()) => watched(shared, Asked { request, due: None }, None).await,
            Err(stopped) => Err(stopped),
        },
        None => Err(status::of_field("request", "is required")),
    };
    shared.watch.item(ItemStream::ScoreOrders, scored.as_ref().err());
    match scored {
        Ok(scored) => Answer::of_item(&item.item_id, scored.answered()),
        Err(failed) => Answer::of_failed_item(&item.item_id, &status::to_pb(&failed)),
    }
}

/// Says why, when a stream ended because the service stops.
pub fn end_of_stream<T>(
    stopping: tokio_util::sync::CancellationToken,
) -> impl stream::Stream<Item = Result<T, Status>> {
    stream::iter([()]).filter_map(move |()| {
        let end = stopping.is_cancelled().then(|| Err(status::of_stop()));
        async move { end }
    })
}

fn difference_to_pb(difference: FieldDifference) -> pb::FieldDifference {
    pb::FieldDifference {
        path: difference.path.into_string(),
        recorded: difference.recorded.into_string(),
        replayed: difference.replayed.into_string(),
    }
}

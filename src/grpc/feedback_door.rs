//! `FeedbackService`: what people chose and what happened later.

use tonic::{Request, Response, Status, async_trait};

use crate::grpc::attribution::CalledBy;
use crate::grpc::event_door::ack_to_pb;
use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::grpc::watch::Teller;
use crate::wire::check::{Check, Path};
use crate::wire::feedback::{read_choice, read_outcome};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::feedback_service_server::FeedbackService;
use crate::workflow::error::Error;
use crate::workflow::service::OrderService;

/// Serves `orderlens.v1.FeedbackService`.
#[derive(Debug)]
pub struct FeedbackDoor<S>(pub Shared<S>);

impl<S> Clone for FeedbackDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: OrderService> FeedbackService for FeedbackDoor<S> {
    async fn record_choice(
        &self,
        request: Request<pb::RecordChoiceRequest>,
    ) -> Result<Response<pb::RecordChoiceResponse>, Status> {
        let (door, teller) = (self.0.door(), Teller::of_choice());
        let mut check = Check::at_door(door);
        let path = Path::Root.field("choice");
        let caller = CalledBy::of(&request);
        let mut told = request.into_inner().choice;
        if let Some(choice) = &mut told {
            caller.attribute(choice);
        }
        let read = check.required(&path, told, read_choice);
        let (event_time, told) = match check.finish(read) {
            Ok(choice) => {
                let event_time = choice.decided_at;
                (event_time, self.0.service.record_choice(choice, door.now).await.map_err(failed))
            }
            Err(error) => (door.now, Err(status::of_invalid(&error))),
        };
        self.0.watch.event(&teller, told.as_ref().copied(), event_time, door.now);
        told.map(|ack| Response::new(pb::RecordChoiceResponse { status: ack_to_pb(ack).into() }))
    }

    async fn record_outcome(
        &self,
        request: Request<pb::RecordOutcomeRequest>,
    ) -> Result<Response<pb::RecordOutcomeResponse>, Status> {
        let caller = CalledBy::of(&request);
        let (door, mut told) = (self.0.door(), request.into_inner().outcome);
        let teller = Teller::of_outcome(told.as_ref());
        let mut check = Check::at_door(door);
        let path = Path::Root.field("outcome");
        if let Some(outcome) = &mut told {
            caller.attribute_outcome(outcome);
        }
        let read = check.required(&path, told, read_outcome);
        let (event_time, told) = match check.finish(read) {
            Ok(outcome) => {
                let event_time = outcome.occurred_at;
                (event_time, self.0.service.record_outcome(outcome, door.now).await.map_err(failed))
            }
            Err(error) => (door.now, Err(status::of_invalid(&error))),
        };
        self.0.watch.event(&teller, told.as_ref().copied(), event_time, door.now);
        told.map(|ack| Response::new(pb::RecordOutcomeResponse { status: ack_to_pb(ack).into() }))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn failed(error: Error) -> Status {
    status::of_error(&error)
}

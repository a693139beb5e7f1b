//! `EventService`: facts in, one acknowledgement each, in order.

use futures_util::StreamExt as _;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::grpc::attribution::CalledBy;
use crate::grpc::call_names::ItemStream;
use crate::grpc::decision_door::end_of_stream;
use crate::grpc::shared::Shared;
use crate::grpc::status;
use crate::grpc::watch::Teller;
use crate::wire::check::{Check, Path};
use crate::wire::event;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::event_service_server::EventService;
use crate::workflow::service::{Ack, OrderService};

/// Named where a fact needs a scope of its own.
const METHOD: &str = "/orderlens.v1.EventService/IngestEvents";

/// Serves `orderlens.v1.EventService`.
#[derive(Debug)]
pub struct EventDoor<S>(pub Shared<S>);

impl<S> Clone for EventDoor<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[async_trait]
impl<S: OrderService> EventService for EventDoor<S> {
    type IngestEventsStream = BoxStream<pb::IngestEventsResponse>;

    async fn ingest_events(
        &self,
        request: Request<Streaming<pb::IngestEventsRequest>>,
    ) -> Result<Response<Self::IngestEventsStream>, Status> {
        let stopping = self.0.stopping.clone();
        let shared = self.0.clone();
        let caller = CalledBy::of(&request);
        // Ordered: facts are handed to the engine, and acknowledged, as they came.
        let acks = request
            .into_inner()
            .take_until(self.0.stopping.clone().cancelled_owned())
            .map(move |item| {
                let (shared, caller) = (shared.clone(), caller.clone());
                async move { Ok(ingest(&shared, &caller, item?).await) }
            })
            .buffered(self.0.stream_items_max)
            .chain(end_of_stream(stopping));
        Ok(Response::new(Box::pin(acks)))
    }
}

async fn ingest<S: OrderService>(
    shared: &Shared<S>,
    caller: &CalledBy,
    request: pb::IngestEventsRequest,
) -> pb::IngestEventsResponse {
    let Some(mut message) = request.event else {
        let missing = status::of_field("event", "is required");
        shared.watch.item(ItemStream::IngestEvents, Some(&missing));
        return rejected(String::new(), &missing);
    };
    let (event_id, teller) = (message.event_id.clone(), Teller::of_event(&message));
    let admitted = caller.admit((shared.clock)());
    if let Err(why) = admitted.and_then(|()| caller.attribute_event(&mut message, METHOD)) {
        shared.watch.item(ItemStream::IngestEvents, Some(&why));
        return rejected(event_id, &why);
    }
    let told = tell(shared, &teller, message).await;
    shared.watch.item(ItemStream::IngestEvents, told.as_ref().err());
    match told {
        Ok(ack) => {
            pb::IngestEventsResponse { event_id, status: ack_to_pb(ack).into(), error: None }
        }
        Err(failed) => rejected(event_id, &failed),
    }
}

/// Tells a fact to the engine: checked, sealed, and durable when it was taken.
///
/// # Errors
/// The status of the refusal.
pub async fn tell<S: OrderService>(
    shared: &Shared<S>,
    teller: &Teller,
    message: pb::Event,
) -> Result<Ack, Status> {
    let door = shared.door();
    let mut check = Check::at_door(door);
    let read = event::read(&mut check, &Path::Root.field("event"), message);
    let (event_time, told) = match check.finish(read) {
        Ok(event) => {
            let event_time = event.event_time;
            let told = shared.service.ingest_event(event, door.now).await;
            (event_time, told.map_err(|error| status::of_error(&error)))
        }
        Err(error) => (door.now, Err(status::of_invalid(&error))),
    };
    shared.watch.event(teller, told.as_ref().copied(), event_time, door.now);
    told
}

fn rejected(event_id: String, why: &Status) -> pb::IngestEventsResponse {
    pb::IngestEventsResponse {
        event_id,
        status: pb::IngestStatus::Rejected.into(),
        error: Some(status::to_pb(why)),
    }
}

/// The message for an acknowledgement.
pub fn ack_to_pb(ack: Ack) -> pb::IngestStatus {
    match ack {
        Ack::Accepted => pb::IngestStatus::Accepted,
        Ack::Duplicate => pb::IngestStatus::Duplicate,
    }
}

//! What the doors tell those who watch: calls, items, events.

use std::sync::Arc;

use tonic::{Code, Status};

use crate::domain::time::Timestamp;
use crate::grpc::call_counts::CallCounts;
use crate::grpc::call_names::ItemStream;
use crate::grpc::spans::SpanSink;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::event::Fact;
use crate::workflow::deliveries::DeliveryBoard;
use crate::workflow::event_health::{EventBoard, EventKind, Fate, Refusal};
use crate::workflow::service::Ack;

/// Numbers that the doors move and others read; cheap to clone.
#[derive(Clone, Debug)]
pub struct Watch {
    /// What became of calls.
    pub calls: Arc<CallCounts>,
    /// How the sources of events do.
    pub events: Arc<EventBoard>,
    /// How deliveries to other systems do.
    pub deliveries: Arc<DeliveryBoard>,
    /// Who follows calls; `None` = nobody.
    pub spans: Option<Arc<dyn SpanSink>>,
}

/// Which source told what kind of event: read before the message is taken apart.
#[derive(Clone, Debug)]
pub struct Teller {
    source: Box<str>,
    kind: EventKind,
}

impl Watch {
    /// Takes in that an item of a stream was answered.
    pub fn item(&self, stream: ItemStream, failed: Option<&Status>) {
        self.calls.item(stream, failed.map_or(Code::Ok, Status::code));
    }

    /// Takes in what became of an event; one that was taken happened at `event_time`.
    pub fn event(
        &self,
        teller: &Teller,
        told: Result<Ack, &Status>,
        event_time: Timestamp,
        now: Timestamp,
    ) {
        let fate = match told {
            Ok(Ack::Accepted) => Fate::Taken(event_time),
            Ok(Ack::Duplicate) => Fate::Repeated,
            Err(status) => Fate::Refused(refusal(status.code())),
        };
        self.events.hear(&teller.source, teller.kind, fate, now);
    }
}

impl Teller {
    /// Of an event.
    pub fn of_event(event: &pb::Event) -> Self {
        let key = |key: &Option<pb::OrderKey>| key.as_ref().map(|key| key.channel.as_str().into());
        let (kind, source) = match &event.fact {
            None => (EventKind::Unreadable, None),
            Some(Fact::OrderPlaced(it)) => (EventKind::OrderPlaced, key(&it.key)),
            Some(Fact::OrderPaid(it)) => (EventKind::OrderPaid, key(&it.order)),
            Some(Fact::OrderCancelled(it)) => (EventKind::OrderCancelled, key(&it.order)),
            Some(Fact::StockReserved(it)) => (EventKind::StockReserved, key(&it.order)),
            Some(Fact::OrderShipped(it)) => (EventKind::OrderShipped, key(&it.order)),
            Some(Fact::OrderDelivered(it)) => (EventKind::OrderDelivered, key(&it.order)),
            Some(Fact::OrderReturned(it)) => (EventKind::OrderReturned, key(&it.order)),
            Some(Fact::OrderRefunded(it)) => (EventKind::OrderRefunded, key(&it.order)),
            Some(Fact::OrderChargedBack(it)) => (EventKind::OrderChargedBack, key(&it.order)),
            Some(Fact::AccountCreated(_)) => (EventKind::AccountCreated, None),
            Some(Fact::StockLevel(_)) => (EventKind::StockLevel, None),
            Some(Fact::MarketPrice(_)) => (EventKind::MarketPrice, None),
            Some(Fact::Label(it)) => (EventKind::Label, key(&it.order)),
            Some(Fact::Choice(_)) => (EventKind::Choice, None),
            Some(Fact::Outcome(it)) => (EventKind::Outcome, key(&it.order)),
        };
        Self { source: source.unwrap_or_default(), kind }
    }

    /// The same, under a name of its own when the message names no source.
    #[must_use]
    pub fn or_named(self, name: &str) -> Self {
        if self.source.is_empty() { Self { source: name.into(), ..self } } else { self }
    }

    /// What kind of event is told.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Of an order to be judged.
    pub fn of_order(request: &pb::ScoreOrderRequest) -> Self {
        let key = request.order.as_ref().and_then(|order| order.key.as_ref());
        let source = key.map(|key| key.channel.as_str().into()).unwrap_or_default();
        Self { source, kind: EventKind::ScoreOrder }
    }

    /// Of what an operator chose.
    pub fn of_choice() -> Self {
        Self { source: Box::default(), kind: EventKind::Choice }
    }

    /// Of what the world did.
    pub fn of_outcome(outcome: Option<&pb::Outcome>) -> Self {
        let key = outcome.and_then(|outcome| outcome.order.as_ref());
        let source = key.map(|key| key.channel.as_str().into()).unwrap_or_default();
        Self { source, kind: EventKind::Outcome }
    }
}

/// Why something was refused, by the code that its teller saw.
fn refusal(code: Code) -> Refusal {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::Unauthenticated => Refusal::Invalid,
        Code::AlreadyExists | Code::FailedPrecondition | Code::PermissionDenied | Code::Aborted => {
            Refusal::Conflict
        }
        Code::NotFound => Refusal::NotFound,
        Code::ResourceExhausted => Refusal::Overloaded,
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => Refusal::Unavailable,
        Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            Refusal::Internal
        }
    }
}

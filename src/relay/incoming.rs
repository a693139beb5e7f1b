//! The body of a webhook: events and orders as JSON, told as gRPC tells them.

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::domain::event::Event;
use crate::domain::order::Order;
use crate::domain::time::Timestamp;
use crate::grpc::decision_door::Asked;
use crate::grpc::event_door::tell;
use crate::grpc::scored::watched;
use crate::grpc::shared::Shared;
use crate::grpc::watch::Teller;
use crate::relay::json_place::violation;
use crate::relay::notice::decided;
use crate::relay::sender::Sender;
use crate::wire::check::{Check, Door, Path, time_to_pb};
use crate::wire::error::{Error as WireError, FieldViolation};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::event::Fact;
use crate::wire::{event, order, request};
use crate::workflow::event_health::EventKind;
use crate::workflow::service::{Ack, OrderService};

/// Most events, and most orders, of one message.
const ITEMS_MAX: usize = 1_000;

/// What a message tells and asks.
#[derive(Debug, Default)]
pub struct Told {
    events: Vec<pb::Event>,
    orders: Vec<pb::ScoreOrderRequest>,
}

/// What becomes of a message.
#[derive(Debug)]
pub struct Answer {
    /// The worst of all items; `Ok` when each was taken.
    pub code: Code,
    /// What is said of each.
    pub body: Value,
}

/// An order to be judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderToJudge {
    #[serde(default)]
    request_id: String,
    event_time: Timestamp,
    order: Order,
    #[serde(default)]
    max_actions: u32,
}

/// Reads a body: one event, or `events` and `orders`. An event without an id gets one that is
/// made of the message's, so that the message told again tells nothing new.
///
/// # Errors
/// Every place that does not read.
pub fn read(sender: &str, message_id: &str, body: &[u8]) -> Result<Told, Vec<FieldViolation>> {
    let one = |field: &str, description: &str| {
        vec![FieldViolation { field: field.to_owned(), description: description.to_owned() }]
    };
    let text = str::from_utf8(body).map_err(|_| one("", "is not UTF-8"))?;
    let value = serde_json::from_str::<Value>(text);
    let value = value.map_err(|error| vec![violation("", text, &error)])?;
    let Value::Object(mut fields) = value else { return Err(one("", "is not a JSON object")) };
    if fields.contains_key("fact") {
        let alone = std::mem::take(&mut fields);
        fields.insert("events".to_owned(), Value::Array(vec![Value::Object(alone)]));
    }
    let mut wrong = Vec::new();
    let events = list(&mut fields, "events", &mut wrong);
    let orders = list(&mut fields, "orders", &mut wrong);
    if !fields.is_empty() {
        wrong.extend(one("", "has an unknown field: expected `events` or `orders`"));
    }
    if events.is_empty() && orders.is_empty() && wrong.is_empty() {
        wrong.extend(one("", "holds no event and no order"));
    }
    let mut told = Told::default();
    for (idx, mut it) in events.into_iter().enumerate() {
        if let Value::Object(event) = &mut it {
            let id = || Value::String(format!("{sender}:{message_id}:{idx}"));
            event.entry("event_id").or_insert_with(id);
        }
        let event = item::<Event>(&format!("events[{idx}]"), &it, &mut wrong);
        told.events.extend(event.as_ref().map(event::to_pb));
    }
    for (idx, it) in orders.iter().enumerate() {
        let asked = item::<OrderToJudge>(&format!("orders[{idx}]"), it, &mut wrong);
        told.orders.extend(asked.map(|asked| pb::ScoreOrderRequest {
            request_id: asked.request_id,
            event_time: Some(time_to_pb(asked.event_time)),
            order: Some(order::to_pb(&asked.order)),
            max_actions: asked.max_actions,
            ..Default::default()
        }));
    }
    if wrong.is_empty() { Ok(told) } else { Err(wrong) }
}

fn list(
    fields: &mut Map<String, Value>,
    name: &str,
    wrong: &mut Vec<FieldViolation>,
) -> Vec<Value> {
    let description = match fields.remove(name) {
        None => return Vec::new(),
        Some(Value::Array(items)) if items.len() <= ITEMS_MAX => return items,
        Some(Value::Array(_)) => format!("has more than {ITEMS_MAX} elements"),
        Some(_) => "is not a list".to_owned(),
    };
    wrong.push(FieldViolation { field: name.to_owned(), description });
    Vec::new()
}

fn item<T: for<'de> Deserialize<'de>>(
    root: &str,
    value: &Value,
    wrong: &mut Vec<FieldViolation>,
) -> Option<T> {
    let text = value.to_string();
    let read = serde_json::from_str(&text);
    read.map_err(|error| wrong.push(violation(root, &text, &error))).ok()
}

impl Told {
    /// What of it the sender may not tell, by kind.
    pub fn beyond(&self, kinds: &[EventKind]) -> Option<EventKind> {
        let told = self.events.iter().map(|event| Teller::of_event(event).kind());
        let asked = self.orders.iter().map(|_| EventKind::ScoreOrder);
        told.chain(asked).find(|kind| !kinds.contains(kind))
    }

    /// Every field of it that breaks the contract; nothing is told yet.
    pub fn violations(&self, door: Door<'_>) -> Vec<FieldViolation> {
        let mut wrong = Vec::new();
        let mut take = |found: Result<(), WireError>| {
            if let Err(WireError::Invalid(found)) = found {
                wrong.extend(found);
            }
        };
        let (events, orders) = (Path::Root.field("events"), Path::Root.field("orders"));
        for (idx, event) in self.events.iter().enumerate() {
            let mut check = Check::at_door(door);
            let read = event::read(&mut check, &events.index(idx), event.clone());
            take(check.finish(read).map(drop));
        }
        for (idx, order) in self.orders.iter().enumerate() {
            let mut check = Check::at_door(door);
            let read = request::read_score_order(&mut check, &orders.index(idx), order.clone());
            take(check.finish(read).map(drop));
        }
        wrong
    }

    /// Tells and asks all of it, events first and in their order; durable when it returns.
    pub async fn tell<S: OrderService>(self, shared: &Shared<S>, sender: &Sender) -> Answer {
        let depth = shared.stream_items_max;
        let events: Vec<_> = stream::iter(self.events)
            .map(|event| tell_one(shared, sender, event))
            .buffered(depth)
            .collect()
            .await;
        let decisions: Vec<_> = stream::iter(self.orders)
            .map(|order| async move {
                match watched(shared, Asked { request: order, due: None }, None).await {
                    Ok(scored) => (Code::Ok, decided(&scored.decision)),
                    Err(status) => (status.code(), json!({ "error": refusal(&status) })),
                }
            })
            .buffered(depth)
            .collect()
            .await;
        let codes = events.iter().chain(&decisions).map(|(code, _)| *code);
        let code = codes.max_by_key(|code| gravity(*code)).unwrap_or(Code::Ok);
        let said = |items: Vec<(Code, Value)>| items.into_iter().map(|(_, it)| it).collect();
        let (events, decisions): (Vec<Value>, Vec<Value>) = (said(events), said(decisions));
        Answer { code, body: json!({ "events": events, "decisions": decisions }) }
    }
}

async fn tell_one<S: OrderService>(
    shared: &Shared<S>,
    sender: &Sender,
    mut event: pb::Event,
) -> (Code, Value) {
    // Who says it stays known, as with the owner of a key.
    if let Some(Fact::Choice(choice)) = &mut event.fact {
        choice.operator_id = format!("{}/{}", sender.name, choice.operator_id);
    } else if let Some(Fact::Outcome(outcome)) = &mut event.fact {
        outcome.told_by = Some(sender.name.to_string());
    }
    let teller = Teller::of_event(&event).or_named(&sender.name);
    let event_id = event.event_id.clone();
    match tell(shared, &teller, event).await {
        Ok(ack) => {
            let status = match ack {
                Ack::Accepted => "accepted",
                Ack::Duplicate => "duplicate",
            };
            (Code::Ok, json!({ "event_id": event_id, "status": status }))
        }
        Err(why) => {
            let error = refusal(&why);
            (why.code(), json!({ "event_id": event_id, "status": "rejected", "error": error }))
        }
    }
}

/// A refusal as JSON: a stable code, a sentence, the fields.
pub fn refusal(status: &Status) -> Value {
    let details = status.get_error_details();
    let code = details.error_info().map_or("INTERNAL", |info| &info.reason);
    let violations = details.bad_request().map(|it| it.field_violations.as_slice());
    let fields: Vec<_> = violations
        .unwrap_or_default()
        .iter()
        .map(|it| json!({ "field": it.field, "description": it.description }))
        .collect();
    json!({ "code": code, "message": status.message(), "fields": fields })
}

/// Whose code stands for a message: what sending again may mend comes first.
fn gravity(code: Code) -> u8 {
    match code {
        Code::Ok => 0,
        Code::InvalidArgument | Code::OutOfRange => 1,
        Code::NotFound => 2,
        Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::PermissionDenied
        | Code::Unauthenticated => 3,
        Code::Unknown | Code::Internal | Code::DataLoss | Code::Unimplemented => 4,
        Code::ResourceExhausted => 5,
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Vec<String> {
        match read("shop", "m1", body.as_bytes()) {
            Ok(told) => told.events.into_iter().map(|it| format!("id {}", it.event_id)).collect(),
            Err(wrong) => {
                wrong.into_iter().map(|it| format!("{} {}", it.field, it.description)).collect()
            }
        }
    }

    #[test]
    fn one_event_or_lists_are_read_and_every_item_that_is_wrong_is_named() {
        let fact = r#""event_time":"2026-01-01T00:00:00Z","fact":{"stock_reserved":{"order":{"channel":"a","order_id":"1"}}}"#;
        assert_eq!(fields(&format!("{{{fact}}}")), ["id shop:m1:0"]);
        let both = format!(r#"{{"events":[{{{fact}}},{{"event_id":"e2",{fact}}}]}}"#);
        assert_eq!(fields(&both), ["id shop:m1:0", "id e2"]);
        let wrong =
            format!(r#"{{"events":[{{"event_id":1,{fact}}},{{{fact}}},7],"orders":[{{}}]}}"#);
        let wrong = fields(&wrong);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert_eq!(wrong[0], "events[0].event_id does not fit: expected a string");
        assert!(wrong[1].starts_with("events[2] "), "{wrong:?}");
        assert_eq!(wrong[2], "orders[0] lacks the field `event_time`");
        assert_eq!(fields("[]"), [" is not a JSON object"]);
        assert_eq!(fields("{}"), [" holds no event and no order"]);
        assert_eq!(fields(r#"{"events":{}}"#), ["events is not a list"]);
        assert_eq!(
            fields(r#"{"alice":1}"#),
            [" has an unknown field: expected `events` or `orders`"]
        );
    }
}

//! The question that an event of a simulated stream asks.

use orderlens::domain::event::{Event, Fact};
use orderlens::domain::record::ScoreRequest;

/// The question whether to release an order, if that is what happened.
pub(crate) fn request(event: &Event) -> Option<ScoreRequest> {
    let Fact::OrderPlaced(order) = &event.fact else { return None };
    Some(ScoreRequest {
        request_id: event.event_id.clone(),
        event_time: event.event_time,
        order: order.clone(),
        max_actions: 3,
        max_contributions: 12,
    })
}

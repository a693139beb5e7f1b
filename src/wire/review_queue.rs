//! The queue of reviews, and operators, at the door.

use crate::domain::operators::{Habit, OperatorReport};
use crate::domain::review_queue::{Place, QueueQuery, QueuedOrder, ReviewQueue};
use crate::domain::time::Span;
use crate::wire::check::{Check, Door, Path, order_key_to_pb, time_to_pb};
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;

/// Hours to look back when the caller names none: a week.
const HOURS: u32 = 168;
const HOURS_MAX: u32 = 8_760;
/// Orders to name when the caller tells no number.
const ORDERS: u32 = 100;
const ORDERS_MAX: u32 = 1_000;
/// More minutes than all people have.
const MINUTES_MAX: f64 = 1e9;

/// Which orders are asked for.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_queue(
    request: &pb::GetReviewQueueRequest,
    door: Door<'_>,
) -> Result<QueueQuery, Error> {
    let mut check = Check::at_door(door);
    let path = Path::Root.field("minutes");
    let minutes = request.minutes.and_then(|minutes| check.not_negative(&path, minutes));
    if minutes.is_some_and(|minutes| MINUTES_MAX < minutes) {
        check.note(&path, "is more than 1,000,000,000");
    }
    let mut at_most = |name, asked: u32, usual: u32, most: u32| {
        if most < asked {
            check.note(&Path::Root.field(name), format!("{asked} is more than {most}"));
        }
        if asked == 0 { usual } else { asked }
    };
    let hours = at_most("placed_within_hours", request.placed_within_hours, HOURS, HOURS_MAX);
    let orders_max = at_most("max_orders", request.max_orders, ORDERS, ORDERS_MAX);
    let placed_from = door.now - Span::hours(i64::from(hours));
    check.finish(Some(QueueQuery { minutes, placed_from, orders_max: orders_max as usize }))
}

/// The message for a queue.
pub fn queue_to_pb(queue: &ReviewQueue) -> pb::GetReviewQueueResponse {
    pb::GetReviewQueueResponse {
        orders: queue.orders.iter().map(order_to_pb).collect(),
        minutes: queue.minutes,
        n_waiting: queue.n_waiting,
        waiting_minutes: queue.waiting_minutes,
        n_looked_at: queue.n_looked_at,
        strategy_hash: queue.strategy_hash.to_string(),
    }
}

fn order_to_pb(queued: &QueuedOrder) -> pb::QueuedOrder {
    let place = match queued.place {
        Place::Ranked => pb::QueuePlace::Ranked,
        Place::Drawn => pb::QueuePlace::Drawn,
        Place::Waits => pb::QueuePlace::Waits,
    };
    let waiting = &queued.waiting;
    pb::QueuedOrder {
        decision_id: queued.decision_id.to_string(),
        order: Some(order_key_to_pb(&waiting.order)),
        event_time: Some(time_to_pb(waiting.event_time)),
        gain_minor: waiting.gain_minor,
        currency_code: waiting.currency.as_str().to_owned(),
        minutes: waiting.minutes,
        place: place.into(),
        propensity: queued.propensity,
    }
}

/// The message for operators.
pub fn operators_to_pb(operators: &[OperatorReport]) -> pb::ListOperatorsResponse {
    pb::ListOperatorsResponse { operators: operators.iter().map(operator_to_pb).collect() }
}

fn operator_to_pb(operator: &OperatorReport) -> pb::OperatorReport {
    let habit = match operator.habit {
        Habit::NotEnoughData => pb::OperatorHabit::NotEnoughData,
        Habit::Attentive => pb::OperatorHabit::Attentive,
        Habit::RubberStamp => pb::OperatorHabit::RubberStamp,
    };
    pb::OperatorReport {
        operator_id: operator.operator_id.to_string(),
        n_choices: operator.n_choices,
        n_recent: operator.same_action.of,
        n_took_first: operator.took_first.count,
        n_same_action: operator.same_action.count,
        usual_action: operator.usual_action.to_wire(),
        median_seconds: operator.median_seconds,
        habit: habit.into(),
        n_blind: operator.blind_same.of,
        n_blind_same: operator.blind_same.count,
    }
}

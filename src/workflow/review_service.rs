//! What the doors ask about orders that wait for a person.

use std::future::Future;

use crate::decision::queue::{QueueRule, Waiting, give_out_in_sequence};
use crate::decision::strategy::Strategy;
use crate::domain::decision::DecisionId;
use crate::domain::exploration::ExplorationReport;
use crate::domain::operators::OperatorReport;
use crate::domain::review_queue::{Place, QueueQuery, QueuedOrder, ReviewQueue, WaitingOrder};
use crate::domain::review_times::ReviewTimesReport;
use crate::domain::time::Timestamp;
use crate::workflow::error::Error;
use crate::workflow::undecided::Reviews;

/// Minutes in an hour.
const MINUTES: f64 = 60.0;

/// Says which orders people should look at.
pub trait ReviewService: Send + Sync + 'static {
    /// The orders that wait, in the order in which to take them on the day of `now`.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn get_review_queue(
        &self,
        query: QueueQuery,
        now: Timestamp,
    ) -> impl Future<Output = Result<ReviewQueue, Error>> + Send;

    /// How operators choose; those who do not look come first.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn list_operators(&self) -> impl Future<Output = Result<Vec<OperatorReport>, Error>> + Send;

    /// How long people look at orders and whether they are right, by what they saw of the answer.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn review_times(&self) -> impl Future<Output = Result<Vec<ReviewTimesReport>, Error>> + Send;

    /// What releasing declined orders to learn cost and showed.
    ///
    /// # Errors
    /// `Exhausted` or `Unavailable`.
    fn exploration_report(&self) -> impl Future<Output = Result<ExplorationReport, Error>> + Send;
}

/// Gives out the minutes of a day among the orders that wait.
pub fn queue(
    waiting: &Reviews,
    strategy: &Strategy,
    query: &QueueQuery,
    now: Timestamp,
) -> ReviewQueue {
    let minutes = query.minutes.unwrap_or(strategy.reviewers.hours_per_day * MINUTES);
    // A key per day, so that nobody is drawn every day for the number of an id.
    let key = blake3::hash(format!("{} {}", strategy.hash, now.day_number()).as_bytes());
    let random_share = strategy.reviewers.random_share;
    let rule = QueueRule { minutes, random_share, key: key.as_bytes() };
    let of = |(decision_id, it): &(DecisionId, WaitingOrder)| Waiting {
        decision_id: *decision_id,
        gain_minor: it.gain_minor,
        minutes: it.minutes,
    };
    let waiting = waiting.iter().filter(|(_, order)| query.placed_from <= order.event_time);
    let waiting: Vec<&(DecisionId, WaitingOrder)> = waiting.collect();
    let asked: Vec<Waiting> = waiting.iter().copied().map(of).collect();
    let (placed, sequence) = give_out_in_sequence(&asked, &rule);
    let orders = sequence.into_iter().take(query.orders_max);
    ReviewQueue {
        orders: orders
            .map(|idx| QueuedOrder {
                decision_id: waiting[idx].0,
                waiting: waiting[idx].1.clone(),
                place: placed[idx].place,
                propensity: placed[idx].propensity,
            })
            .collect(),
        minutes,
        n_waiting: waiting.len() as u64,
        waiting_minutes: asked.iter().map(|it| it.minutes).sum(),
        n_looked_at: placed.iter().filter(|it| it.place != Place::Waits).count() as u64,
        strategy_hash: strategy.hash.clone(),
    }
}

//! Reviewers' minutes by day, and what their queue would do under the draft.

use std::collections::BTreeMap;

use crate::decision::queue::{QueueRule, Waiting, give_out};
use crate::decision::strategy::Strategy;
use crate::domain::backtest::{QueueLoad, ReviewerLoad};
use crate::domain::decision::ActionKind;
use crate::domain::review_queue::Place;
use crate::workflow::backtest::compare::ComparedOrder;

/// Most days that are told apart; orders of others go to the last one that came.
const DAYS_MAX: usize = 4_000;
/// Most orders of one day that the queue ranks; the others of that day wait.
const QUEUE_MAX: usize = 1 << 17;
/// Minutes in an hour.
const MINUTES: f64 = 60.0;

/// Minutes by day (UTC), and the queue of the day that is being read.
#[derive(Debug)]
pub struct Load {
    capacity_minutes: f64,
    random_share: f64,
    seed: Box<str>,
    days: BTreeMap<i64, DayMinutes>,
    /// False once an order has come whose recorded minutes are not known.
    is_recorded_known: bool,
    open: Option<OpenDay>,
    queue: QueueLoad,
}

#[derive(Clone, Copy, Debug, Default)]
struct DayMinutes {
    recorded: f64,
    draft: f64,
}

/// The day whose orders wait; late orders of earlier days wait with it.
#[derive(Debug)]
struct OpenDay {
    day: i64,
    waiting: Vec<Waiting>,
    /// Of actions other than review.
    other_minutes: f64,
    /// Beyond [`QUEUE_MAX`].
    n_beyond: u64,
    beyond_minutes: f64,
    beyond_gain: f64,
}

impl Load {
    /// No order yet.
    pub fn new(draft: &Strategy) -> Self {
        Self {
            capacity_minutes: draft.reviewers.hours_per_day * MINUTES,
            random_share: draft.reviewers.random_share,
            seed: draft.hash.clone(),
            days: BTreeMap::new(),
            is_recorded_known: true,
            open: None,
            queue: QueueLoad::default(),
        }
    }

    /// Adds an order.
    pub fn add(&mut self, order: &ComparedOrder) {
        let day = self.day_of(order);
        let minutes = self.days.entry(day).or_default();
        minutes.draft += order.draft_minutes;
        match order.recorded_minutes {
            Some(recorded) => minutes.recorded += recorded,
            None => self.is_recorded_known = false,
        }
        if self.open.as_ref().is_none_or(|open| open.day < day) {
            self.close_day();
            self.open = Some(OpenDay::new(day));
        }
        if let Some(open) = &mut self.open {
            open.add(order);
        }
    }

    fn day_of(&self, order: &ComparedOrder) -> i64 {
        let day = order.event_time.day_number();
        let has_room = self.days.len() < DAYS_MAX || self.days.contains_key(&day);
        let last = || self.open.as_ref().map_or(day, |open| open.day);
        if has_room { day } else { last() }
    }

    /// Days (UTC) with an order.
    pub fn n_days(&self) -> usize {
        self.days.len()
    }

    /// What people have to do, over so many days; and the mean squared distance of the
    /// minutes of a day from their mean.
    pub fn report(mut self, days: f64) -> (ReviewerLoad, Option<f64>) {
        self.close_day();
        let minutes = || self.days.values();
        let recorded: f64 = minutes().map(|day| day.recorded).sum();
        let draft: f64 = minutes().map(|day| day.draft).sum();
        let over = minutes().filter(|day| self.capacity_minutes < day.draft).count();
        let load = ReviewerLoad {
            capacity_minutes_per_day: self.capacity_minutes,
            recorded_minutes_per_day: self.is_recorded_known.then_some(recorded / days),
            draft_minutes_per_day: draft / days,
            busiest_day_minutes: minutes().map(|day| day.draft).fold(0.0, f64::max),
            days_over_capacity: over as u64,
            days: self.days.len() as u64,
            queue: self.queue,
        };
        (load, self.day_noise())
    }

    /// Standard error of the mean minutes of a day, the first and the last left out: they
    /// need not be whole.
    fn day_noise(&self) -> Option<f64> {
        let n_days = self.days.len().checked_sub(2).filter(|n| 2 <= *n)?;
        let inner = || self.days.values().skip(1).take(n_days).map(|day| day.draft);
        let mean = inner().sum::<f64>() / n_days as f64;
        let squares: f64 = inner().map(|minutes| (minutes - mean).powi(2)).sum();
        Some((squares / (n_days as f64 - 1.0) / n_days as f64).sqrt())
    }

    fn close_day(&mut self) {
        let Some(open) = self.open.take() else { return };
        // A key per day, so that nobody is drawn every day for the number of an id.
        let key = blake3::hash(format!("{} {}", self.seed, open.day).as_bytes());
        let rule = QueueRule {
            minutes: (self.capacity_minutes - open.other_minutes).max(0.0),
            random_share: self.random_share,
            key: key.as_bytes(),
        };
        let queue = &mut self.queue;
        queue.asked += open.waiting.len() as u64 + open.n_beyond;
        queue.waiting += open.n_beyond;
        queue.waiting_minutes += open.beyond_minutes;
        queue.waiting_gain_minor += open.beyond_gain;
        for (order, placed) in open.waiting.iter().zip(give_out(&open.waiting, &rule)) {
            match placed.place {
                Place::Ranked => queue.ranked += 1,
                Place::Drawn => queue.drawn += 1,
                Place::Waits => {
                    queue.waiting += 1;
                    queue.waiting_minutes += order.minutes;
                    queue.waiting_gain_minor += order.gain_minor;
                    continue;
                }
            }
            queue.used_minutes += order.minutes;
            queue.gained_minor += order.gain_minor;
        }
    }
}

impl OpenDay {
    fn new(day: i64) -> Self {
        let (n_beyond, beyond_minutes, beyond_gain) = (0, 0.0, 0.0);
        Self { day, waiting: Vec::new(), other_minutes: 0.0, n_beyond, beyond_minutes, beyond_gain }
    }

    fn add(&mut self, order: &ComparedOrder) {
        let minutes = order.draft_minutes;
        let gain_minor = order.review_gain.unwrap_or_default();
        if order.draft.action != ActionKind::Review {
            self.other_minutes += minutes;
        } else if QUEUE_MAX <= self.waiting.len() {
            self.n_beyond += 1;
            self.beyond_minutes += minutes;
            self.beyond_gain += gain_minor;
        } else {
            self.waiting.push(Waiting { decision_id: order.decision_id, gain_minor, minutes });
        }
    }
}

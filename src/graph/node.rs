//! All that is remembered about one entity.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::graph::label_log::{LabelLog, Truth};
use crate::graph::meetings::Meetings;
use crate::graph::order_log::{OrderLog, first_after};
use crate::graph::order_table::OrderStepKind;
use crate::graph::rings::MemberIdx;

/// The memory of one entity.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Node {
    /// Its orders.
    pub(super) orders: OrderLog,
    /// Whom it met, a row per order, in the order of [`Node::orders`].
    pub(super) meetings: Meetings,
    /// SKUs it met; a row per SKU of an order.
    pub(super) basket: Option<Box<Basket>>,
    /// Verdicts by head slot.
    pub(super) labels: Vec<(u8, LabelLog)>,
    /// What only few entities have.
    pub(super) facts: Option<Box<Facts>>,
    /// Different accounts ever met.
    pub(super) n_accounts: u32,
    /// Place among the linked accounts.
    pub(super) ring: Option<MemberIdx>,
}

/// SKUs that an entity met, by time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Basket {
    times: Vec<Timestamp>,
    /// Rows of one cell: the SKU.
    pub(super) meetings: Meetings,
}

/// Steps of its orders and sign-ups, by time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    steps: [Vec<Timestamp>; OrderStepKind::COUNT],
    signups: Vec<Timestamp>,
    /// When the account was opened, with the time that became known; earliest known wins.
    created: Option<(Timestamp, Timestamp)>,
}

impl Node {
    /// An entity that nothing is known about.
    pub(super) fn new(n_slots: usize) -> Self {
        Self {
            orders: OrderLog::default(),
            meetings: Meetings::new(n_slots),
            basket: None,
            labels: Vec::new(),
            facts: None,
            n_accounts: 0,
            ring: None,
        }
    }

    /// Adds a verdict of one head.
    pub(super) fn mark(&mut self, head: u8, known_at: Timestamp, verdict: Truth) {
        let known = self.labels.iter().position(|(slot, _)| *slot == head);
        let position = known.unwrap_or_else(|| {
            self.labels.push((head, LabelLog::default()));
            self.labels.len() - 1
        });
        self.labels[position].1.insert(known_at, verdict);
    }

    /// Verdicts of one head.
    pub(super) fn label_log(&self, head: u8) -> Option<&LabelLog> {
        self.labels.iter().find(|(slot, _)| *slot == head).map(|(_, log)| log)
    }

    /// Adds a meeting with a SKU.
    pub(super) fn meet_sku(&mut self, time: Timestamp, sku: u32) {
        let basket = self.basket.get_or_insert_with(Box::default);
        let position = basket.end(time);
        basket.times.insert(position, time);
        basket.meetings.insert(position, &[sku]);
    }

    /// When the account was opened; when it was first seen if nobody told.
    pub(super) fn opened(&self, as_of: Timestamp) -> Option<Timestamp> {
        let told = self.facts.as_deref().and_then(|facts| facts.created(as_of));
        told.or_else(|| self.orders.first_seen(as_of))
    }

    /// The facts, made room for.
    pub(super) fn facts_mut(&mut self) -> &mut Facts {
        self.facts.get_or_insert_with(Box::default)
    }

    /// Forgets what is older than `horizon`.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        let n_orders = self.orders.expire(horizon);
        self.meetings.expire(n_orders);
        if let Some(basket) = &mut self.basket {
            let n = basket.times.partition_point(|&time| time < horizon);
            basket.times.drain(..n);
            basket.meetings.expire(n);
        }
        self.labels.iter_mut().for_each(|(_, log)| log.expire(horizon));
    }
}

impl Basket {
    /// How many meetings happened at or before `time`.
    pub(super) fn end(&self, time: Timestamp) -> usize {
        first_after(&self.times, time)
    }

    /// Time of a meeting.
    pub(super) fn time(&self, position: usize) -> Timestamp {
        self.times[position]
    }
}

impl Default for Basket {
    fn default() -> Self {
        Self { times: Vec::new(), meetings: Meetings::new(1) }
    }
}

impl Facts {
    /// Adds a step of an order.
    pub(super) fn add_step(&mut self, step: OrderStepKind, time: Timestamp) {
        insert_sorted(&mut self.steps[step as usize], time);
    }

    /// Adds an account opened from this entity.
    pub(super) fn add_signup(&mut self, time: Timestamp) {
        insert_sorted(&mut self.signups, time);
    }

    /// Sets when the account was opened; what was known first stays.
    pub(super) fn set_created(&mut self, known_at: Timestamp, created: Timestamp) {
        let told = (known_at, created);
        self.created = Some(self.created.map_or(told, |known| known.min(told)));
    }

    /// When the account was opened, if that was known at `as_of`.
    pub(super) fn created(&self, as_of: Timestamp) -> Option<Timestamp> {
        self.created.filter(|(known_at, _)| *known_at <= as_of).map(|(_, created)| created)
    }

    /// Steps in `(after, as_of]`; `after` of `None` means ever.
    pub(super) fn n_steps(
        &self,
        step: OrderStepKind,
        after: Option<Timestamp>,
        as_of: Timestamp,
    ) -> u64 {
        n_between(&self.steps[step as usize], after, as_of)
    }

    /// Accounts opened from here in `(after, as_of]`.
    pub(super) fn n_signups(&self, after: Option<Timestamp>, as_of: Timestamp) -> u64 {
        n_between(&self.signups, after, as_of)
    }
}

fn insert_sorted(times: &mut Vec<Timestamp>, time: Timestamp) {
    let position = times.partition_point(|&at| at <= time);
    times.insert(position, time);
}

fn n_between(times: &[Timestamp], after: Option<Timestamp>, as_of: Timestamp) -> u64 {
    let end = times.partition_point(|&at| at <= as_of);
    let start = after.map_or(0, |after| times.partition_point(|&at| at <= after));
    end.saturating_sub(start) as u64
}

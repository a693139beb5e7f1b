//! All that is remembered about one entity.

use serde::{Deserialize, Serialize};

use crate::domain::order_step::{LostStep, OrderStepKind};
use crate::domain::time::Timestamp;
use crate::graph::arena::OrderArena;
use crate::graph::label_log::{LabelLog, Truth};
use crate::graph::postings::Postings;
use crate::graph::sharing::Sharing;
use crate::graph::totals::Totals;

/// The memory of one entity.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Node {
    /// Its orders.
    pub(super) postings: Postings,
    /// Verdicts by head slot.
    pub(super) labels: Vec<(u8, LabelLog)>,
    /// What only few entities have.
    pub(super) facts: Option<Box<Facts>>,
    /// What is left of the orders that retention dropped.
    pub(super) dropped: Option<Box<Dropped>>,
    /// Whether it can be part of a ring.
    pub(super) sharing: Sharing,
}

/// What is left of dropped orders.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Dropped {
    pub(super) first_seen: Timestamp,
    pub(super) totals: Totals,
}

/// Steps of its orders and sign-ups, by time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    steps: [Vec<Timestamp>; OrderStepKind::COUNT],
    /// Those of the steps that do not count, by time.
    lost: Vec<LostStep>,
    signups: Vec<Timestamp>,
    /// When the account was opened, with the time that became known; earliest known wins.
    created: Option<(Timestamp, Timestamp)>,
}

impl Node {
    /// Adds a verdict of one head.
    pub(super) fn mark(&mut self, head: u8, known_at: Timestamp, verdict: Truth) {
        self.label_log_mut(head).insert(known_at, verdict);
    }

    /// Verdicts of one head, to change.
    pub(super) fn label_log_mut(&mut self, head: u8) -> &mut LabelLog {
        let known = self.labels.iter().position(|(slot, _)| *slot == head);
        let position = known.unwrap_or_else(|| {
            // Most entities have verdicts of one or two heads, and there are many entities.
            self.labels.reserve_exact(1);
            self.labels.push((head, LabelLog::default()));
            self.labels.len() - 1
        });
        &mut self.labels[position].1
    }

    /// Takes a verdict of one head back.
    pub(super) fn unmark(&mut self, head: u8, known_at: Timestamp, verdict: Truth) {
        if let Some((_, log)) = self.labels.iter_mut().find(|(slot, _)| *slot == head) {
            log.remove(known_at, verdict);
        }
    }

    /// Verdicts of one head.
    pub(super) fn label_log(&self, head: u8) -> Option<&LabelLog> {
        self.labels.iter().find(|(slot, _)| *slot == head).map(|(_, log)| log)
    }

    /// When the entity was first part of an order.
    pub(super) fn first_seen(&self, arena: &OrderArena) -> Option<Timestamp> {
        let (kept, dropped) = (self.postings.oldest(arena), self.dropped.as_deref());
        let dropped = dropped.map(|dropped| dropped.first_seen);
        dropped.into_iter().chain(kept).min()
    }

    /// When the account was opened; when it was first seen if nobody told.
    pub(super) fn opened(&self, arena: &OrderArena, as_of: Timestamp) -> Option<Timestamp> {
        let told = self.facts.as_deref().and_then(|facts| facts.created(as_of));
        told.or_else(|| self.first_seen(arena).filter(|&first| first <= as_of))
    }

    /// Totals of the orders that retention dropped.
    pub(super) fn dropped_totals(&self) -> Totals {
        self.dropped.as_deref().map_or_else(Totals::default, |dropped| dropped.totals)
    }

    /// Keeps what is left of an order that is dropped.
    pub(super) fn remember_dropped(&mut self, time: Timestamp, totals: Totals) {
        let nothing = Dropped { first_seen: time, totals: Totals::default() };
        let dropped = self.dropped.get_or_insert_with(|| Box::new(nothing));
        dropped.first_seen = dropped.first_seen.min(time);
        dropped.totals = dropped.totals.plus(totals);
    }

    /// The facts, made room for.
    pub(super) fn facts_mut(&mut self) -> &mut Facts {
        self.facts.get_or_insert_with(Box::default)
    }

    /// Forgets verdicts that are older than `horizon`, but not how many there were.
    pub(super) fn expire_labels(&mut self, horizon: Timestamp) {
        self.labels.iter_mut().for_each(|(_, log)| log.expire(horizon));
    }
}

impl Facts {
    /// Adds a step of an order, which was said to have happened at another time `before`.
    pub(super) fn move_step(
        &mut self,
        step: OrderStepKind,
        before: Option<Timestamp>,
        time: Timestamp,
    ) {
        let times = &mut self.steps[step as usize];
        let known = before.and_then(|before| times.binary_search(&before).ok());
        if let Some(position) = known {
            times.remove(position);
        }
        insert_sorted(times, time);
    }

    /// Takes a step of an order back that was said to have happened at a time.
    pub(super) fn remove_step(&mut self, step: OrderStepKind, time: Timestamp) {
        let times = &mut self.steps[step as usize];
        if let Ok(position) = times.binary_search(&time) {
            times.remove(position);
        }
    }

    /// A step does not count from when both it and the one that stands are known.
    pub(super) fn lose(&mut self, lost: LostStep) {
        let position = self.lost.partition_point(|known| *known <= lost);
        self.lost.insert(position, lost);
    }

    /// A step counts again.
    pub(super) fn find_again(&mut self, lost: &LostStep) {
        if let Ok(position) = self.lost.binary_search(lost) {
            self.lost.remove(position);
        }
    }

    /// Steps of a span that do not count as of an instant, oldest first.
    pub(super) fn lost(
        &self,
        after: Option<Timestamp>,
        as_of: Timestamp,
    ) -> impl DoubleEndedIterator<Item = &LostStep> {
        let end = self.lost.partition_point(|lost| lost.lost_time <= as_of);
        let lost = &self.lost[..end];
        let start = after.map_or(0, |after| lost.partition_point(|lost| lost.lost_time <= after));
        lost[start.min(end)..].iter().filter(move |lost| lost.known_at() <= as_of)
    }

    /// Takes over the facts of an entity that turned out to be the same.
    pub(super) fn absorb(&mut self, other: Self) {
        for (times, more) in self.steps.iter_mut().zip(other.steps) {
            for time in more {
                insert_sorted(times, time);
            }
        }
        other.lost.into_iter().for_each(|lost| self.lose(lost));
        other.signups.into_iter().for_each(|time| self.add_signup(time));
        if let Some((known_at, created)) = other.created {
            self.set_created(known_at, created);
        }
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

    /// Steps in `(after, as_of]` that count; `after` of `None` means ever.
    pub(super) fn n_steps(
        &self,
        step: OrderStepKind,
        after: Option<Timestamp>,
        as_of: Timestamp,
    ) -> u64 {
        let n_told = n_between(&self.steps[step as usize], after, as_of);
        n_told - self.lost(after, as_of).filter(|lost| lost.lost == step).count() as u64
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

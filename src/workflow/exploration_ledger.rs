//! What releases of declined orders put at risk, and how they ended: a fold.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::decision::strategy::Strategy;
use crate::domain::entity::EntityRef;
use crate::domain::event::{Event, Fact};
use crate::domain::exploration::{Exploration, ExplorationReport, ExplorationRoom};
use crate::domain::feedback::OutcomeKind;
use crate::domain::order::{AnyRevision, Order, OrderKey};
use crate::domain::time::{Span, Timestamp};

/// How long a ring is left alone after a release.
const RING_REST: Span = Span::DAY;
/// Hours in a day and in 30 days.
const DAY_HOURS: i64 = 24;
const MONTH_HOURS: i64 = 30 * DAY_HOURS;
/// How long the end of a release is waited for: chargebacks come up to 120 days later.
const ENDS_WITHIN: Span = Span::days(180);

/// Releases after a prefix of the journal.
///
/// Its clock is the newest decision's arrival and never goes back. What is asked after a pause
/// still sees the money of the hour before it: less room than there is, never more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ExplorationLedger {
    /// Number of the newest hour since 1970.
    now_hour: i64,
    /// Put at risk by hour, minor units; of the newest 30 days.
    hours: BTreeMap<i64, f64>,
    /// The newest released revision of each order, oldest first.
    released: IndexMap<AnyRevision, Release, FxBuildHasher>,
    /// When an order of each account's ring was released.
    rings: IndexMap<EntityRef, (Timestamp, AnyRevision), FxBuildHasher>,
    n_not_drawn: u64,
    n_withheld: [u64; 4],
}

#[derive(Debug, Serialize, Deserialize)]
struct Release {
    at: Timestamp,
    at_risk_minor: f64,
    end: Option<ReleaseEnd>,
}

/// How a released order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ReleaseEnd {
    Good,
    Bad,
}

impl ExplorationLedger {
    /// Forgets an account.
    pub fn erase(&mut self, account: &EntityRef) {
        self.rings.swap_remove(account);
    }

    /// Knows an account under another name.
    pub fn rename(&mut self, account: &EntityRef, known_as: &EntityRef) {
        if let Some(moved) = self.rings.swap_remove(account) {
            let kept = self.rings.entry(known_as.clone()).or_insert_with(|| moved.clone());
            if kept.0 < moved.0 {
                *kept = moved;
            }
        }
    }

    /// What an order would find, placed by one of these accounts.
    pub fn room(&self, order: &Order, accounts: &[EntityRef]) -> ExplorationRoom {
        let own = order.key.any_revision();
        let is_of_another = |account: &EntityRef| {
            self.rings.get(account).is_some_and(|(_, released)| *released != own)
        };
        ExplorationRoom {
            hour_minor: self.spent_within(1),
            day_minor: self.spent_within(DAY_HOURS),
            month_minor: self.spent_within(MONTH_HOURS),
            own_minor: self.released.get(&own).map(|release| release.at_risk_minor),
            is_ring_explored: accounts.iter().any(is_of_another),
        }
    }

    /// Folds what was drawn for an order; `accounts` are those that it joined when it was judged.
    pub fn drew(
        &mut self,
        (order, drawn): (&OrderKey, &Exploration),
        accounts: &[EntityRef],
        received: Timestamp,
    ) {
        self.move_to(received);
        if let Some(limit) = drawn.withheld_by {
            self.n_withheld[limit as usize] += 1;
            return;
        }
        if !drawn.is_released {
            self.n_not_drawn += 1;
            return;
        }
        let key = order.any_revision();
        let before = self.released.shift_remove(&key);
        let before_minor = before.as_ref().map_or(0.0, |release| release.at_risk_minor);
        let more = (drawn.at_risk_minor - before_minor).max(0.0);
        *self.hours.entry(self.now_hour).or_default() += more;
        let at_risk_minor = before_minor + more;
        let end = before.and_then(|release| release.end);
        self.released.insert(key.clone(), Release { at: received, at_risk_minor, end });
        for account in accounts {
            self.rings.insert(account.clone(), (received, key.clone()));
        }
    }

    /// Folds a fact: how a released order ended.
    pub fn told(&mut self, event: &Event) {
        if self.released.is_empty() {
            return;
        }
        let Some((order, end)) = end_of(event) else { return };
        if let Some(release) = self.released.get_mut(&order.any_revision()) {
            // Somebody may praise an order before its chargeback comes, not after it.
            let is_bad = release.end == Some(ReleaseEnd::Bad);
            release.end = Some(if is_bad { ReleaseEnd::Bad } else { end });
        }
    }

    /// What it cost and showed, under a strategy.
    pub fn report(&self, strategy: &Strategy) -> ExplorationReport {
        let policy = strategy.exploration;
        let limit = |most: fn(_) -> f64| policy.map_or(0.0, most);
        let ends = |wanted| self.released.values().filter(move |it| it.end == Some(wanted));
        ExplorationReport {
            is_on: policy.is_some(),
            currency: strategy.currency,
            spent: [
                (self.spent_within(1), limit(|policy| policy.hour_max_minor)),
                (self.spent_within(DAY_HOURS), limit(|policy| policy.day_max_minor)),
                (self.spent_within(MONTH_HOURS), limit(|policy| policy.month_max_minor)),
            ],
            n_released: self.released.len() as u64,
            n_good: ends(ReleaseEnd::Good).count() as u64,
            n_bad: ends(ReleaseEnd::Bad).count() as u64,
            bad_minor: ends(ReleaseEnd::Bad).map(|release| release.at_risk_minor).sum(),
            n_not_drawn: self.n_not_drawn,
            n_withheld: self.n_withheld,
        }
    }

    /// Put at risk in this hour and those before it, so many in all.
    fn spent_within(&self, n_hours: i64) -> f64 {
        self.hours.range(self.now_hour - n_hours + 1..).map(|(_, minor)| minor).sum()
    }

    /// Forgets what no limit and no report looks at any more.
    fn move_to(&mut self, received: Timestamp) {
        let hour = received.0.div_euclid(Span::HOUR.0);
        if hour <= self.now_hour && !self.hours.is_empty() {
            self.forget_rings(received);
            return;
        }
        self.now_hour = self.now_hour.max(hour);
        let oldest = self.now_hour - MONTH_HOURS + 1;
        self.hours.retain(|hour, _| oldest <= *hour);
        self.released.retain(|_, release| received - release.at <= ENDS_WITHIN);
        self.forget_rings(received);
    }

    fn forget_rings(&mut self, received: Timestamp) {
        self.rings.retain(|_, (at, _)| received - *at <= RING_REST);
    }
}

/// The order that a fact ends, and how; `None` when it says neither.
fn end_of(event: &Event) -> Option<(&OrderKey, ReleaseEnd)> {
    let end = match &event.fact {
        Fact::OrderChargedBack(_) => Some(ReleaseEnd::Bad),
        // Labels of other heads are quantities, not verdicts.
        Fact::Label(label) if label.head.risk_type().is_some() && 0.5 <= label.value => {
            Some(ReleaseEnd::Bad)
        }
        Fact::Outcome(outcome) if outcome.retracts.is_none() => {
            let is_kept = outcome.kind == OutcomeKind::DeliveredOk;
            match outcome.kind.shows_bad() {
                Some(true) => Some(ReleaseEnd::Bad),
                Some(false) => Some(ReleaseEnd::Good),
                None => is_kept.then_some(ReleaseEnd::Good),
            }
        }
        Fact::OrderPlaced(_)
        | Fact::OrderPaid(_)
        | Fact::OrderCancelled(_)
        | Fact::StockReserved(_)
        | Fact::OrderShipped(_)
        | Fact::OrderDelivered(_)
        | Fact::OrderReturned(_)
        | Fact::OrderRefunded(_)
        | Fact::AccountCreated(_)
        | Fact::StockLevel(_)
        | Fact::MarketPrice(_)
        | Fact::Choice(_)
        | Fact::Label(_)
        | Fact::Outcome(_) => None,
    };
    Some((event.order_key()?, end?))
}

#[cfg(test)]
#[path = "exploration_ledger_tests.rs"]
mod tests;

//! The accounts that lately ordered with one entity, read together as a cohort.
//!
//! A family and a gang are both many accounts on one network in one hour: counts
//! do not tell them apart. What lies behind the accounts does: how long they have
//! been there, whether they bought before, whether they knew each other, when they
//! signed up, where they send goods, and how alike their purchases are.

use crate::domain::entity::EntityKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::NodeIdx;
use crate::graph::settings::{COHORT_ACCOUNTS_MAX, COHORT_ADDRESSES_MAX, COHORT_PURCHASES_MAX};
use crate::graph::shared_things::{Joined, SharedThings};

/// An account at least this old is settled: sign-ups for one coupon are younger.
const SETTLED_AGE: Span = Span::days(30);
/// Accounts opened within this span of each other were opened in one go.
const SIGNUP_SPAN: Span = Span::hours(6);

/// Ages of the accounts lately seen at an entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccountAges {
    /// Accounts looked at: the most recent ones, at most [`COHORT_ACCOUNTS_MAX`].
    pub n_accounts: u64,
    /// Mean age in days.
    pub mean_days: f64,
    /// Those opened within the last day.
    pub n_fresh: u64,
}

/// What the accounts of the last day at an entity have behind them; of the newest
/// [`COHORT_ACCOUNTS_MAX`] only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cohort {
    /// Accounts looked at.
    pub n_accounts: u64,
    /// Their ages, youngest first: since they were opened, or first seen if nobody told.
    pub ages: Vec<Span>,
    /// Those that had ordered before the last day.
    pub n_customers: u64,
    /// Those that before the last day met this entity, or named a thing that another one of the
    /// cohort named.
    pub n_acquainted: u64,
    /// Customers that now ship to an address they never shipped to before the last day.
    pub n_new_addresses: u64,
}

/// How alike the newest purchases of a span are: one purchase is one item of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurchaseMix {
    /// Purchases looked at, at most [`COHORT_PURCHASES_MAX`].
    pub n_purchases: u64,
    /// Those of the most frequent item.
    pub n_top: u64,
    /// Ordered pairs of purchases of one and the same item.
    pub n_alike: u64,
}

impl History<'_> {
    /// Ages of the accounts seen here in a window, of the most recent ones only.
    pub fn account_ages(&self, window: Window) -> Option<AccountAges> {
        let accounts = self.recent(EntityKind::Account, window, COHORT_ACCOUNTS_MAX);
        let mut ages = AccountAges { n_accounts: 0, mean_days: 0.0, n_fresh: 0 };
        // Whole microseconds: the mean must not depend on the order of the sum.
        let mut sum = Span(0);
        for opened in accounts.into_iter().filter_map(|account| self.opened_at(account)) {
            let age = self.as_of() - opened;
            ages.n_accounts += 1;
            sum.0 = sum.0.saturating_add(age.0);
            ages.n_fresh += u64::from(age <= Span::DAY);
        }
        ages.mean_days = sum.as_days() / ages.n_accounts as f64;
        (0 < ages.n_accounts).then_some(ages)
    }

    /// The accounts of the last day as a cohort.
    pub fn cohort(&self) -> Cohort {
        let accounts = self.recent(EntityKind::Account, Window::Day, COHORT_ACCOUNTS_MAX);
        let before = self.at(self.as_of() - Span::DAY);
        let linked = self.acquaintances(&accounts);
        let is_linked = |who: NodeIdx| linked.iter().any(|it| it.accounts.contains(&who));
        let mut cohort = Cohort::default();
        for &account in &accounts {
            cohort.n_accounts += 1;
            let histories =
                [self.as_of(), before.as_of()].map(|at| self.graph.history(account, at));
            let [Some(now), Some(past)] = histories else { continue };
            cohort.ages.extend(now.opened().map(|opened| self.as_of() - opened));
            let is_customer = past.last_seen().is_some();
            cohort.n_customers += u64::from(is_customer);
            let is_known = before.pair(account, EntityKind::Account).is_some();
            cohort.n_acquainted += u64::from(is_known || is_linked(account));
            cohort.n_new_addresses += u64::from(is_customer && has_new_address(&now, &past));
        }
        cohort.ages.sort_unstable();
        cohort
    }

    /// What those of some accounts have in common whose orders before the last day name the
    /// same thing.
    pub fn acquaintances(&self, accounts: &[NodeIdx]) -> Vec<Joined> {
        let until = self.as_of() - Span::DAY;
        let mut things = SharedThings::default();
        for &account in accounts {
            if let Some(past) = self.graph.history(account, until) {
                things.add_past(account, &past);
            }
        }
        things.joined(self.graph, until)
    }

    /// How alike the newest purchases of a window are.
    pub fn purchase_mix(&self, window: Window) -> PurchaseMix {
        let mut skus: Vec<NodeIdx> =
            self.met(EntityKind::Sku, window, COHORT_PURCHASES_MAX).collect();
        skus.sort_unstable();
        let mut mix = PurchaseMix { n_purchases: skus.len() as u64, ..PurchaseMix::default() };
        for same in skus.chunk_by(|one, other| one == other) {
            let n_same = same.len() as u64;
            mix.n_top = mix.n_top.max(n_same);
            mix.n_alike += n_same * (n_same - 1);
        }
        mix
    }

    fn opened_at(&self, account: NodeIdx) -> Option<Timestamp> {
        self.graph.history(account, self.as_of())?.opened()
    }
}

/// True when an address of an account's last day is not one of its past.
fn has_new_address(now: &History<'_>, past: &History<'_>) -> bool {
    let addresses = now.recent(EntityKind::Address, Window::Day, COHORT_ADDRESSES_MAX);
    addresses.into_iter().any(|address| past.pair(address, EntityKind::Address).is_none())
}

impl Cohort {
    /// Median age of the accounts in days; the older of two middle ones.
    pub fn median_age_days(&self) -> Option<f64> {
        self.ages.get(self.ages.len() / 2).map(|age| age.as_days())
    }

    /// Accounts that are at least [`SETTLED_AGE`] old.
    pub fn n_settled(&self) -> u64 {
        self.ages.iter().filter(|&&age| SETTLED_AGE <= age).count() as u64
    }

    /// Most accounts that were opened within [`SIGNUP_SPAN`] of each other.
    pub fn n_opened_together(&self) -> u64 {
        let since = |(start, youngest): (usize, &Span)| {
            self.ages.partition_point(|&age| age.0 - youngest.0 <= SIGNUP_SPAN.0) - start
        };
        self.ages.iter().enumerate().map(since).max().unwrap_or(0) as u64
    }
}

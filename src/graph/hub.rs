//! Hubs: places that many unrelated people share for a good reason.
//!
//! A carrier's network, a parcel locker, a dormitory, an office, a hotel. They are
//! recognized from behavior, by degrees: a crowd of accounts, on many days, who
//! share no phones, cards or devices, and buy different things. Today is left out,
//! so that no rush makes a hub, and none unmakes one. What a hub was when its day
//! began is remembered: no order of the day changes it.

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::hub_log::HubLog;
use crate::graph::knowledge::{KnowledgeGraph, has_meetings};
use crate::graph::settings::GraphSettings;

/// Score from which an entity is called a hub.
pub const HUB_SCORE_MIN: f64 = 0.5;
/// Days looked back: those of [`Window::Month`].
const HUB_DAYS: i64 = 30;
/// Different items at which the variety of purchases speaks half for a hub.
const ITEMS_HALF: f64 = 4.0;
/// What unrelated people do not share.
const OWN_KINDS: [EntityKind; 3] =
    [EntityKind::Phone, EntityKind::PaymentInstrument, EntityKind::Device];

/// What makes an entity a hub: its orders of the 30 days in UTC before that of reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HubTraits {
    /// Different accounts.
    pub n_accounts: u64,
    /// Days, of 30, on which it was used.
    pub n_active_days: u64,
    /// Mean over phones, payment instruments and devices of how many different ones there
    /// were per account, each at most 1; 1 when orders name none of them.
    pub unrelated: f64,
    /// Different items bought; `None` when orders name none.
    pub n_items: Option<u64>,
}

/// Traits that orders of one day read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TraitsOfDay {
    /// Start of the day.
    day: Timestamp,
    traits: HubTraits,
}

impl TraitsOfDay {
    /// True when an order of that time is one of those looked back on.
    pub(super) fn rest_on(&self, time: Timestamp) -> bool {
        self.day - Span::days(HUB_DAYS) <= time && time < self.day
    }
}

impl KnowledgeGraph {
    /// Works the traits of a hub's day out, if an order placed at `time` is the first to need
    /// them.
    pub(super) fn remember_traits(&mut self, hub: u32, time: Timestamp) {
        let day = time.start_of_day();
        let Some((entity, node)) = self.nodes.get_index(hub as usize) else { return };
        let Some(log) = node.postings.hub().filter(|_| can_be_hub(entity.kind)) else { return };
        let is_known = match log.traits() {
            Some(known) => day <= known.day,
            // Told late; the newest day is worth remembering.
            None => log.newest().is_some_and(|newest| day < newest.time.start_of_day()),
        };
        if is_known || !self.reaches_back_from(day) {
            return;
        }
        let traits = self.history_of(entity, time).traits_before(day);
        if let Some(log) = self.nodes[hub as usize].postings.hub_mut() {
            log.remember_traits(Some(TraitsOfDay { day, traits }));
        }
    }

    /// True when retention cuts nothing off the days before `day` that make hubs.
    fn reaches_back_from(&self, day: Timestamp) -> bool {
        self.horizon() <= day - Span::days(HUB_DAYS)
    }
}

impl History<'_> {
    /// How much this is a hub, in [0, 1); 0 for kinds that cannot be one.
    pub fn hub_score(&self) -> f64 {
        self.hub_traits().map_or(0.0, |traits| traits.score(&self.graph.settings))
    }

    /// True when many unrelated accounts share the entity over a long time.
    pub fn is_hub(&self) -> bool {
        HUB_SCORE_MIN <= self.hub_score()
    }

    /// What speaks for a hub; `None` for kinds that cannot be one.
    pub fn hub_traits(&self) -> Option<HubTraits> {
        if !can_be_hub(self.kind) {
            return None;
        }
        let day = self.as_of.start_of_day();
        let known = self.node.postings.hub().and_then(HubLog::traits);
        let known = known.filter(|known| known.day == day && self.graph.reaches_back_from(day));
        Some(known.map_or_else(|| self.traits_before(day), |known| known.traits))
    }

    /// What speaks for a hub at the start of a day.
    fn traits_before(&self, day: Timestamp) -> HubTraits {
        let past = self.at(Timestamp(day.0 - 1));
        // Fewer accounts than orders: most entities have too few for any score.
        if past.totals(Window::Month).n_orders < 2 {
            return HubTraits::default();
        }
        let n_items = past.n_distinct(EntityKind::Sku, Window::Month);
        HubTraits {
            n_accounts: past.n_distinct(EntityKind::Account, Window::Month),
            n_active_days: past.n_active_days(),
            unrelated: past.unrelated(),
            n_items: (0 < n_items).then_some(n_items),
        }
    }

    /// Days in UTC with orders, of the last 30 that ended.
    fn n_active_days(&self) -> u64 {
        if self.node.postings.hub().is_none() {
            let mut newer = None;
            let days = self.orders(Window::Month).map(|(_, time)| time.day_number());
            return days.filter(|&day| newer.replace(day) != Some(day)).count() as u64;
        }
        let mut n_days = 0;
        let mut until = self.n_orders_until(self.as_of);
        for day in 1..=HUB_DAYS {
            let before = self.n_orders_until(self.as_of - Span::days(day));
            n_days += u64::from(before < until);
            until = before;
        }
        n_days
    }

    fn unrelated(&self) -> f64 {
        let n_accounts = self.n_distinct(EntityKind::Account, Window::Month);
        let (mut sum, mut n_kinds) = (0.0, 0_u8);
        for kind in OWN_KINDS.into_iter().filter(|&kind| kind != self.kind) {
            let n_owned = self.n_distinct(kind, Window::Month);
            if 0 < n_owned && 0 < n_accounts {
                sum += (n_owned as f64 / n_accounts as f64).min(1.0);
                n_kinds += 1;
            }
        }
        if n_kinds == 0 { 1.0 } else { sum / f64::from(n_kinds) }
    }
}

impl HubTraits {
    /// Product of four shares that rise with what speaks for a hub: accounts (half at
    /// `hub_accounts_min`), active days (half at `hub_age_min`), unrelatedness, items
    /// (half at 4). Fewer accounts or days than half therefore never score 0.5.
    pub fn score(&self, settings: &GraphSettings) -> f64 {
        let crowd = rising(self.n_accounts as f64, f64::from(settings.hub_accounts_min));
        let days = rising(self.n_active_days as f64, settings.hub_age_min.as_days());
        let items = self.n_items.map_or(1.0, |n_items| rising(n_items as f64, ITEMS_HALF));
        crowd * days * self.unrelated * items
    }
}

/// Share in [0, 1) that rises with `x` and is one half at `half`: Hill's function (Journal
/// of Physiology 40, 1910) of order 3, flat for few and for many.
fn rising(x: f64, half: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    1.0 / (1.0 + (half / x).powi(3))
}

/// True for kinds that strangers should not share unless they are hubs.
pub fn can_be_hub(kind: EntityKind) -> bool {
    has_meetings(kind)
        && !matches!(kind, EntityKind::Account | EntityKind::Sku | EntityKind::Merchant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn more_accounts_days_strangers_or_items_never_lower_the_score(
            few in (0_u64..200, 0_u64..=30, 0.0_f64..=1.0, 0_u64..60),
            more in (0_u64..200, 0_u64..=30, 0.0_f64..=1.0, 0_u64..60),
        ) {
            let settings = GraphSettings::default();
            let traits = |n_accounts, n_active_days, unrelated, n_items| {
                HubTraits { n_accounts, n_active_days, unrelated, n_items: Some(n_items) }
            };
            let low = traits(few.0, few.1, few.2, few.3).score(&settings);
            let high = traits(
                few.0 + more.0, few.1 + more.1, (few.2 + more.2).min(1.0), few.3 + more.3,
            );
            prop_assert!((0.0..1.0).contains(&low));
            prop_assert!(low <= high.score(&settings));
        }
    }

    #[test]
    fn fewer_accounts_or_days_than_the_settings_ask_for_never_make_a_hub() {
        let settings = GraphSettings::default();
        let ideal =
            HubTraits { n_accounts: 10_000, n_active_days: 30, unrelated: 1.0, n_items: None };
        assert!(HUB_SCORE_MIN < ideal.score(&settings));
        for lacking in
            [HubTraits { n_accounts: 24, ..ideal }, HubTraits { n_active_days: 6, ..ideal }]
        {
            assert!(lacking.score(&settings) < HUB_SCORE_MIN, "{lacking:?}");
        }
    }
}

//! Which behaviors happen on which day, so that their shares come out right.
//!
//! A behavior that comes in campaigns saves up the orders it is due, and starts
//! a campaign whenever it is owed something.

use crate::simulator::brushing::{plan_abuser_order, plan_campaign};
use crate::simulator::gangs::{Gang, plan_burst};
use crate::simulator::groups::{plan_family, plan_group_buy, plan_hub_rush};
use crate::simulator::honest::{
    plan_company_order, plan_drop_fan, plan_newcomers, plan_second_accounts, plan_shoppers,
};
use crate::simulator::resellers::{Hoard, plan_hoard};
use crate::simulator::scene::{Known, Scene};
use crate::simulator::settings::Mixing;
use crate::simulator::thieves::plan_thief;

/// New customers per order, and how many of them order soon.
const NEWCOMERS_SHARE: f64 = 0.10;
const NEWCOMERS_ORDER_SHARE: f64 = 0.7;
/// Share of an abuser's orders that do come back.
const ABUSE_SHARE: f64 = 0.82;
/// How much further ahead a gang may be to meet a family.
const MEETING_ADVANCE_ORDERS: f64 = 40.0;

/// Orders that each behavior is due.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    families: f64,
    groups: f64,
    rushes: f64,
    gangs: f64,
    hoards: f64,
    thieves: f64,
    brushing: f64,
    known_gangs: Known<Gang>,
    known_hoards: Known<Hoard>,
}

impl Calendar {
    /// Plans everything of one day.
    pub fn plan_day(&mut self, scene: &mut Scene<'_>) {
        let n_today = f64::from(scene.settings.orders_per_day) * weekday_factor(scene);
        if scene.day == 0 {
            plan_second_accounts(scene);
        }
        self.plan_groups(scene, n_today);
        self.plan_rings(scene, n_today);
        let shares = scene.settings.shares.clone();
        let repeat = |scene: &mut Scene<'_>, mean: f64, plan: fn(&mut Scene<'_>)| {
            for _ in 0..scene.dice.count(mean) {
                plan(scene);
            }
        };
        repeat(scene, n_today * shares.corporate, plan_company_order);
        repeat(scene, n_today * shares.return_abuse / ABUSE_SHARE, plan_abuser_order);
        let is_release_day = is_release_day(scene);
        // Sixty of a hundred fans come on the day of the release.
        let fan_factor = if is_release_day { 7.0 * 0.6 } else { 7.0 * 0.4 / 6.0 };
        repeat(scene, n_today * shares.drop_fans * fan_factor, plan_drop_fan);
        let n_newcomers = scene.dice.count(n_today * NEWCOMERS_SHARE);
        plan_newcomers(scene, n_newcomers);
        let rest = 1.0 - shares.planned() - NEWCOMERS_SHARE * NEWCOMERS_ORDER_SHARE;
        let n_shoppers = scene.dice.count((n_today * rest).max(0.0));
        plan_shoppers(scene, n_shoppers);
    }

    fn plan_groups(&mut self, scene: &mut Scene<'_>, n_today: f64) {
        let shares = scene.settings.shares.clone();
        self.gangs += n_today * shares.promo_abuse;
        self.families += n_today * shares.families * festival_factor(scene.day);
        self.groups += n_today * shares.group_buyers;
        self.rushes += n_today * shares.hub_rushes;
        while 0.0 < self.families {
            self.families -= f64::from(plan_family(scene));
            match scene.settings.mixing {
                Mixing::SharedNetworks if -MEETING_ADVANCE_ORDERS < self.gangs => {
                    self.gangs -= f64::from(plan_burst(scene, &mut self.known_gangs));
                }
                Mixing::SharedNetworks | Mixing::Separate => {}
            }
            scene.meeting = None;
        }
        while 0.0 < self.groups {
            self.groups -= f64::from(plan_group_buy(scene));
        }
        while 0.0 < self.rushes {
            self.rushes -= f64::from(plan_hub_rush(scene));
        }
    }

    fn plan_rings(&mut self, scene: &mut Scene<'_>, n_today: f64) {
        let shares = scene.settings.shares.clone();
        self.hoards += n_today * shares.reseller_hoarding;
        self.thieves += n_today * shares.payment_fraud;
        self.brushing += n_today * shares.fake_order;
        while 0.0 < self.gangs {
            self.gangs -= f64::from(plan_burst(scene, &mut self.known_gangs));
        }
        while 0.0 < self.thieves {
            self.thieves -= f64::from(plan_thief(scene));
        }
        while 0.0 < self.brushing {
            self.brushing -= f64::from(plan_campaign(scene));
        }
        if let Some(drop) = scene.drop.filter(|_| is_release_day(scene)) {
            while 0.0 < self.hoards {
                self.hoards -= f64::from(plan_hoard(scene, &mut self.known_hoards, drop));
            }
        }
    }
}

fn is_release_day(scene: &Scene<'_>) -> bool {
    scene.drop.is_some_and(|drop| drop.released_at.start_of_day() == scene.midnight)
}

/// More on weekends; 1 on average over a week.
fn weekday_factor(scene: &Scene<'_>) -> f64 {
    // Day 0 of the epoch was a Thursday; 0 is Monday here.
    match (scene.midnight.day_number() + 3).rem_euclid(7) {
        5 | 6 => 1.125,
        _ => 0.95,
    }
}

/// Families buy before the festival: 15 days of 60; 1 on average.
fn festival_factor(day: u32) -> f64 {
    if (20..35).contains(&(day % 60)) { 2.5 } else { 0.5 }
}

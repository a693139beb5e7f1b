//! What every simulated stream obeys, checked on whole streams.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::entity::{EntityKind, IdentityKey};
use crate::domain::event::{Event, Fact};
use crate::domain::head::{HeadId, RiskType};
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::goods::LIMITED_PRICE_MINOR;
use crate::simulator::heads::PRICE_INDEX;
use crate::simulator::rule::IpBurstRule;
use crate::simulator::settings::{Drift, Mixing, SimulationSettings};
use crate::simulator::stream::write_events;
use crate::simulator::truth::{Archetype, Care, OrderTruth};
use crate::simulator::world::Simulation;

fn settings(seed: u64, days: u32, orders_per_day: u32) -> SimulationSettings {
    let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    SimulationSettings::new(seed, start, days, orders_per_day)
}

fn simulation(settings: SimulationSettings) -> Simulation {
    Simulation::new(settings, IdentityKey::from_secret(b"test"))
}

fn placed(settings: SimulationSettings) -> Vec<(Order, OrderTruth)> {
    let pair = |event: Event, truth: Option<OrderTruth>| {
        let Fact::OrderPlaced(order) = event.fact else { return None };
        truth.map(|truth| (order, truth))
    };
    simulation(settings).filter_map(|told| pair(told.event, told.truth)).collect()
}

fn bytes(settings: SimulationSettings) -> (Vec<u8>, Vec<u8>) {
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    let identity = IdentityKey::from_secret(b"test");
    write_events(settings, identity, &mut events, &mut truth, &mut |_| {}).unwrap();
    (events, truth)
}

/// Per archetype: orders, orders stopped by the article's rule.
fn rule_table(orders: &[(Order, OrderTruth)]) -> BTreeMap<(Archetype, Care), (u32, u32)> {
    let mut rule = IpBurstRule::default();
    let mut stopped = BTreeSet::<OrderKey>::new();
    for (order, truth) in orders {
        stopped.extend(rule.observe(order, truth.event_time));
    }
    let mut table = BTreeMap::<_, (u32, u32)>::new();
    for (order, truth) in orders {
        let row = table.entry((truth.archetype, truth.care)).or_default();
        row.0 += 1;
        row.1 += u32::from(stopped.contains(&order.key));
    }
    table
}

#[test]
fn equal_settings_give_equal_bytes_and_another_seed_gives_others() {
    let first = bytes(settings(1, 12, 120));
    assert!(first == bytes(settings(1, 12, 120)));
    assert!(first.0 != bytes(settings(2, 12, 120)).0);
    let lines = first.0.split_inclusive(|byte| *byte == b'\n').take(2_000);
    let mut hasher = blake3::Hasher::new();
    lines.for_each(|line| _ = hasher.update(line));
    insta::assert_snapshot!(hasher.finalize().to_hex().to_string());
}

#[test]
fn every_line_says_that_it_is_synthetic() {
    let (events, truth) = bytes(settings(3, 8, 60));
    let (events, truth) = (String::from_utf8(events).unwrap(), String::from_utf8(truth).unwrap());
    for line in events.lines() {
        assert!(line.starts_with("{\"event_id\":\"synthetic-"), "{line}");
        let event: Event = serde_json::from_str(line).unwrap();
        assert!(event.order_key().is_none_or(|key| key.channel.starts_with("synthetic_")));
    }
    assert!(truth.lines().all(|row| row.starts_with("synthetic,")));
    for raw in ["acct-", "dev-", "ip-0", "addr-", "tel-", "mail-", "pay-"] {
        assert!(!events.contains(raw), "{raw} reached the stream");
    }
}

#[test]
fn events_come_in_event_time_order_within_the_simulated_days() {
    for mixing in [Mixing::Separate, Mixing::SharedNetworks] {
        let settings = SimulationSettings { mixing, ..settings(4, 40, 150) };
        let end = settings.start + Span::days(40);
        let mut last = settings.start;
        let mut ids = BTreeSet::new();
        for told in simulation(settings) {
            assert!(last <= told.event.event_time && told.event.event_time < end);
            last = told.event.event_time;
            assert!(ids.insert(told.event.event_id));
        }
    }
}

#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "the other facts do not matter here")]
fn accounts_are_opened_before_they_order_and_never_twice() {
    let settings = settings(5, 50, 300);
    let start = settings.start;
    let mut opened = BTreeMap::new();
    let mut n_unannounced = 0;
    for told in simulation(settings) {
        match told.event.fact {
            Fact::AccountCreated(created) => {
                let before = opened.insert(created.account.key, told.event.event_time);
                assert_eq!(before, None);
            }
            Fact::OrderPlaced(order) => {
                let created_at = order.account_created_at.unwrap();
                assert!(created_at <= told.event.event_time);
                let account = order.entity(EntityKind::Account).unwrap();
                let is_announced = opened.contains_key(&account.key);
                n_unannounced += u32::from(start <= created_at && !is_announced);
            }
            _ => {}
        }
    }
    assert_eq!(n_unannounced, 0);
}

/// Labels by order and head: known time and maturity.
type Labels = BTreeMap<OrderKey, BTreeMap<HeadId, (Timestamp, Timestamp)>>;

#[test]
#[expect(clippy::wildcard_enum_match_arm, reason = "the other facts do not matter here")]
fn labels_are_known_between_the_order_and_their_maturity_and_early_orders_have_all() {
    let settings = settings(6, 90, 150);
    let start = settings.start;
    let mut placed = BTreeMap::new();
    let mut labels = Labels::new();
    for told in simulation(settings) {
        match told.event.fact {
            Fact::OrderPlaced(order) => _ = placed.insert(order.key, told.event.event_time),
            Fact::Label(label) => {
                let times = (told.event.event_time, label.matures_at.unwrap());
                let heads = labels.entry(label.order).or_default();
                assert_eq!(heads.insert(label.head, times), None, "told twice");
            }
            _ => {}
        }
    }
    for (order, heads) in &labels {
        for (known_at, matures_at) in heads.values() {
            assert!(placed[order] <= *known_at && known_at <= matures_at);
        }
    }
    let early = placed.iter().filter(|(_, at)| **at < start + Span::days(45));
    for (order, _) in early {
        // All but the price index, which is told for some orders only.
        let n_heads = labels[order].keys().filter(|head| &*head.0 != PRICE_INDEX).count();
        assert_eq!(n_heads, 8);
    }
}

#[test]
fn chargebacks_come_as_late_as_they_do_in_the_world() {
    let mut settings = settings(8, 200, 60);
    settings.shares.payment_fraud = 0.3;
    let mut placed = BTreeMap::new();
    let mut days = Vec::new();
    for told in simulation(settings.clone()) {
        let at = told.event.event_time;
        // Orders whose whole tail lies within the simulated time.
        let is_early = at < settings.start + Span::days(60);
        match (told.event.fact, told.truth) {
            (Fact::OrderPlaced(order), Some(truth))
                if is_early && truth.archetype.risk() == Some(RiskType::PaymentFraud) =>
            {
                placed.insert(order.key, at);
            }
            (Fact::OrderChargedBack(step), _) => {
                days.extend(placed.get(&step.order).map(|placed_at| (at - *placed_at).as_days()));
            }
            _ => {}
        }
    }
    let share = |by: f64| days.iter().filter(|day| **day <= by).count() as f64 / days.len() as f64;
    for (by, expected) in [(25.0, 0.5), (30.0, 0.60), (60.0, 0.89), (120.0, 0.987)] {
        assert!((share(by) - expected).abs() < 0.045, "{} by day {by}", share(by));
    }
    assert!(500 < days.len());
}

#[test]
fn every_archetype_lives_and_risks_have_their_base_rates() {
    let orders = placed(settings(9, 60, 800));
    let present: BTreeSet<_> = orders.iter().map(|(_, truth)| truth.archetype).collect();
    assert_eq!(present.len(), Archetype::ALL.len());
    let n = orders.len() as f64;
    assert!((n / (60.0 * 800.0) - 1.0).abs() < 0.05, "{n} orders");
    let count = |test: &dyn Fn(&OrderTruth) -> bool| {
        orders.iter().filter(|(_, truth)| test(truth)).count() as f64 / n
    };
    let rates = [0.006, 0.008, 0.010, 0.008, 0.010];
    for (idx, expected) in rates.into_iter().enumerate() {
        let rate = count(&|truth| truth.labels[idx].1);
        assert!((rate / expected - 1.0).abs() < 0.3, "head {idx}: {rate} against {expected}");
    }
    let is_hub = |truth: &OrderTruth| {
        use Archetype::{DormitoryResident, LockerUser, OfficeWorker};
        matches!(truth.archetype, DormitoryResident | OfficeWorker | LockerUser)
    };
    let hubs = count(&is_hub);
    assert!((0.06..0.10).contains(&hubs), "{hubs}");
    let families = count(&|truth| truth.archetype == Archetype::Family);
    assert!((0.007..0.015).contains(&families), "{families}");
    assert!(orders.iter().all(|(_, t)| t.is_good == t.archetype.risk().is_none()));
}

#[test]
fn the_rule_of_twelve_in_five_minutes_stops_families_and_misses_careful_gangs() {
    let orders = placed(settings(10, 60, 1_000));
    let table = rule_table(&orders);
    let stopped = |archetype, care| {
        let (n, stopped) = table.get(&(archetype, care)).copied().unwrap_or_default();
        f64::from(stopped) / f64::from(n.max(1))
    };
    println!("archetype, careful: orders, share stopped by the rule");
    for ((archetype, care), (n, _)) in &table {
        let share = stopped(*archetype, *care);
        println!("{:20} {care:?} {n:6} {share:.3}", archetype.as_str());
    }
    assert!(0.25 < stopped(Archetype::Family, Care::Open));
    assert!(stopped(Archetype::CouponGang, Care::Careful) < 0.02);
    assert!(stopped(Archetype::ResellerRing, Care::Open) < 0.05);
    assert!(stopped(Archetype::Shopper, Care::Open) < 0.001);
}

#[test]
fn drift_spreads_gangs_over_networks_and_changes_nothing_before_its_day() {
    let calm = settings(11, 50, 400);
    let drifting = SimulationSettings { drift: Drift::From { day: 25 }, ..calm.clone() };
    let turn = calm.start + Span::days(25);
    let (calm, drifting) = (placed(calm), placed(drifting));
    let before = |orders: &[(Order, OrderTruth)]| {
        let early = orders.iter().filter(|(_, truth)| truth.event_time < turn);
        early.map(|(order, _)| order.clone()).collect::<Vec<_>>()
    };
    assert!(before(&calm) == before(&drifting));
    let stopped_after = |orders: Vec<(Order, OrderTruth)>| {
        let late: Vec<_> =
            orders.into_iter().filter(|(_, truth)| turn <= truth.event_time).collect();
        let (n, stopped) = rule_table(&late)[&(Archetype::CouponGang, Care::Open)];
        f64::from(stopped) / f64::from(n)
    };
    let (calm, drifting) = (stopped_after(calm), stopped_after(drifting));
    assert!(drifting < calm / 2.0, "{drifting} against {calm}");
}

#[test]
fn mixed_networks_bring_families_and_gangs_to_one_ip_in_one_hour() {
    let n_shared = |mixing| {
        let orders = placed(SimulationSettings { mixing, ..settings(12, 40, 1_000) });
        let ips = |archetype| -> BTreeSet<_> {
            let own = orders.iter().filter(|(_, truth)| truth.archetype == archetype);
            own.filter_map(|(order, _)| order.entity(EntityKind::Ip).cloned()).collect()
        };
        ips(Archetype::Family).intersection(&ips(Archetype::CouponGang)).count()
    };
    assert_eq!(n_shared(Mixing::Separate), 0);
    assert!(5 < n_shared(Mixing::SharedNetworks), "{}", n_shared(Mixing::SharedNetworks));
}

#[test]
fn hoarding_lifts_the_market_price_and_peace_does_not() {
    let highest = |share: f64| {
        let mut settings = settings(13, 30, 500);
        settings.shares.reseller_hoarding = share;
        let list = LIMITED_PRICE_MINOR as f64;
        let prices = simulation(settings).filter_map(|told| {
            let Fact::MarketPrice(fact) = told.event.fact else { return None };
            Some(fact.price.minor_units as f64 / list)
        });
        prices.fold(0.0, f64::max)
    };
    assert!(2.0 < highest(0.02), "{}", highest(0.02));
    assert!(highest(0.0) < 1.5, "{}", highest(0.0));
}

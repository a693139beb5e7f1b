//! Hubs from behavior: who is called one, and what a gang there still shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::event::Event;
use crate::domain::time::{Span, Timestamp};
use crate::feature::fixtures::{Trace, features, is_near, order, placed, yuan};

/// The place, by IP and by address.
const PLACE: u32 = 1;
/// The instant of the rush: the 1,000th day, noon.
const RUSH: Timestamp = Timestamp(1_000 * Span::DAY.0 + 12 * Span::HOUR.0);
const MINUTE: Span = Span(60_000_000);

fn minutes(n: u32) -> Span {
    Span(i64::from(n) * MINUTE.0)
}

/// Residents moved in and signed up a day after each other, long ago.
fn settled(resident: u32) -> Timestamp {
    RUSH - Span::days(400 - i64::from(resident % 100))
}

fn here(trace: Trace) -> Trace {
    Trace { ip: PLACE, address: PLACE, ..trace }
}

/// 60 residents, each with things of their own, four orders a day in turn over 30 days.
fn residents() -> Vec<Event> {
    let orders = (0..120).map(|n| {
        let trace = Trace { sku: n % 40, ..here(Trace::of(1_000 + n % 60)) };
        let order = order(n, &trace, settled(n % 60), yuan(50));
        placed(RUSH - Span::hours(6 * i64::from(120 - n)), order)
    });
    orders.collect()
}

/// 24 residents in one hour, each for something else.
fn flash_sale() -> Vec<Event> {
    let orders = (0..24).map(|n| {
        let order = order(500 + n, &here(Trace::of(1_000 + n)), settled(n), yuan(30));
        placed(RUSH + minutes(1 + 2 * n), order)
    });
    orders.collect()
}

/// 24 accounts opened in the last hours, with few things among them, for two items.
fn gang() -> Vec<Event> {
    let orders = (0..24).map(|n| {
        let (device, phone, payment, sku) = (n % 3, n % 6, n % 4, n % 2);
        let trace = Trace { device, phone, payment, sku, ..here(Trace::of(2_000 + n)) };
        let order = order(700 + n, &trace, RUSH - minutes(60 + n), yuan(30));
        placed(RUSH + minutes(1 + 2 * n), order)
    });
    orders.collect()
}

/// What the next order at the place sees after a time.
fn seen(parts: &[Vec<Event>], after: Span) -> BTreeMap<Arc<str>, f32> {
    let probe = order(999, &here(Trace::of(1_001)), settled(1), yuan(30));
    features(&parts.concat(), &probe, RUSH + after)
}

#[test]
fn a_dormitory_is_a_hub_before_in_and_after_a_flash_sale() {
    let before = seen(&[residents()], Span::HOUR);
    let rush = seen(&[residents(), flash_sale()], Span::HOUR);
    let after = seen(&[residents(), flash_sale()], Span::days(3));
    for seen in [&before, &rush, &after] {
        for kind in ["ip", "address"] {
            let score = seen[&*format!("{kind}_hub_score")];
            assert!(0.5 < score, "{kind}: {score}");
            assert!(is_near(seen[&*format!("{kind}_is_hub")], 1.0));
        }
    }
    // The rush is not yet part of what makes it a hub, and its accounts count for less.
    assert!(is_near(rush["ip_hub_score"], before["ip_hub_score"]));
    assert!(is_near(rush["ip_accounts_distinct_1d"], 3.0 + 24.0));
    assert!(is_near(rush["ip_accounts_effective_1d"], 27.0 * (1.0 - rush["ip_hub_score"])));
}

#[test]
fn a_gang_of_24_on_a_fresh_network_is_no_hub_however_late_it_is_looked_at() {
    for after in [Span::HOUR, Span::hours(26), Span::days(3), Span::days(20)] {
        let gang = seen(&[gang()], after);
        for kind in ["ip", "address"] {
            let score = gang[&*format!("{kind}_hub_score")];
            assert!(score < 0.1, "{kind} after {after:?}: {score}");
        }
    }
    let gang = seen(&[gang()], Span::HOUR);
    assert!(is_near(gang["ip_accounts_effective_1h"], 24.0));
}

#[test]
fn a_gang_that_comes_back_every_other_day_is_no_hub() {
    let visits = (0..10).map(|visit| {
        let mut events = gang();
        for (n, event) in events.iter_mut().enumerate() {
            let at = event.event_time - Span::days(2 * visit);
            let n = 10_000 + 100 * u32::try_from(visit).unwrap() + u32::try_from(n).unwrap();
            let trace = here(Trace {
                device: n % 3,
                phone: n % 6,
                payment: n % 4,
                sku: n % 2,
                ..Trace::of(n)
            });
            *event = placed(at, order(n, &trace, at - Span::HOUR, yuan(30)));
        }
        events
    });
    let score = seen(&visits.collect::<Vec<_>>(), Span::HOUR)["ip_hub_score"];
    assert!(score < 0.1, "{score}");
}

#[test]
fn a_gang_on_a_hub_differs_from_a_flash_sale_there_though_the_hub_stays_one() {
    let rush = seen(&[residents(), flash_sale()], Span::HOUR);
    let gang = seen(&[residents(), gang()], Span::HOUR);
    assert!(is_near(gang["ip_is_hub"], 1.0));
    for same in ["ip_hub_score", "ip_orders_count_1h", "ip_accounts_distinct_1d"] {
        assert!(is_near(gang[same], rush[same]), "{same}");
    }
    for (higher, lower, names) in [
        (&gang, &rush, &["signup_burst_share", "top_sku_share"][..]),
        (&rush, &gang, &["settled_share", "customers_share", "devices_per_account", "sku_variety"]),
    ] {
        for name in names {
            let id = format!("ip_cohort_{name}_1d");
            let (higher, lower) = (higher[&*id], lower[&*id]);
            assert!(1.5 * lower < higher, "{id}: {lower} and {higher}");
        }
    }
}

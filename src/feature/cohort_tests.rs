//! A family and a gang on the same network in the same hour, told apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::event::Event;
use crate::domain::time::{Span, Timestamp};
use crate::feature::fixtures::{Trace, features, is_near, order, placed, yuan};

/// The hour in which both come to the same network: the 1,000th day.
const MEETING: Timestamp = Timestamp(1_000 * Span::DAY.0);
const N_ACCOUNTS: u32 = 6;
const N_ORDERS: u32 = 12;

/// Two orders of each of six people with things and a past of their own, to the homes of
/// eight relatives; two of them once paid with the same card.
fn family() -> Vec<Event> {
    let mut events = Vec::new();
    let opened = |n: u32| MEETING - Span::days(100 * i64::from(n + 1));
    let at_home =
        |n: u32| Trace { ip: 100 + n, address: 100 + n, payment: n.max(1), ..Trace::of(n) };
    for n in 0..N_ACCOUNTS {
        let order = order(n, &at_home(n), opened(n), yuan(80));
        events.push(placed(MEETING - Span::days(40), order));
    }
    for n in 0..N_ORDERS {
        let member = n % N_ACCOUNTS;
        let trace = Trace { ip: 1, address: n % 8, sku: n, ..at_home(member) };
        let price = yuan(20 * i64::from(n + 1));
        let order = order(100 + n, &trace, opened(member), price);
        events.push(placed(MEETING + Span(i64::from(n) * 300_000_000), order));
    }
    events
}

/// As many orders of as many accounts, opened an hour ago, for one thing at one price.
fn gang() -> Vec<Event> {
    let gang = (0..N_ORDERS).map(|n| {
        let account = n % N_ACCOUNTS;
        let trace = Trace {
            account,
            ip: 1,
            device: account % 2,
            address: 0,
            phone: account % 3,
            payment: account % 2,
            sku: 0,
        };
        let opened = MEETING - Span(i64::from(account) * 600_000_000) - Span::HOUR;
        let order = order(n, &trace, opened, yuan(99));
        placed(MEETING + Span(i64::from(n) * 300_000_000), order)
    });
    gang.collect()
}

/// What one more order of the first account sees.
fn next_sees(events: &[Event]) -> BTreeMap<Arc<str>, f32> {
    let probe = order(999, &Trace { ip: 1, ..Trace::of(0) }, MEETING - Span::days(100), yuan(99));
    features(events, &probe, MEETING + Span::HOUR)
}

#[test]
fn a_family_and_a_gang_of_the_same_counts_on_the_same_ip_differ_in_every_cohort_row() {
    let (family, gang) = (next_sees(&family()), next_sees(&gang()));
    for counted in ["ip_orders_count_1h", "ip_orders_count_1d", "ip_accounts_distinct_1d"] {
        assert!(is_near(family[counted], gang[counted]), "{counted}");
    }
    let expected = [
        ("account_age_median_1d", 400.0 + 1.0 / 24.0, 2.5 / 24.0),
        ("settled_share_1d", 1.0, 0.0),
        ("customers_share_1d", 1.0, 0.0),
        ("acquainted_share_1d", 2.0 / 6.0, 0.0),
        ("signup_burst_share_1d", 1.0 / 6.0, 1.0),
        ("new_address_share_1d", 1.0, f32::NAN),
        ("devices_per_account_1d", 1.0, 2.0 / 6.0),
        ("addresses_per_account_1d", 8.0 / 6.0, 1.0 / 6.0),
        ("phones_per_account_1d", 1.0, 3.0 / 6.0),
        ("payment_instruments_per_account_1d", 5.0 / 6.0, 2.0 / 6.0),
        ("top_sku_share_1d", 1.0 / 12.0, 1.0),
        ("sku_variety_1d", 1.0, 0.0),
        ("amount_spread_1d", 0.7121, 0.0),
    ];
    for (id, of_family, of_gang) in expected {
        let id = format!("ip_cohort_{id}");
        let (found, other) = (family[&*id], gang[&*id]);
        assert!(is_near(found, of_family), "{id} of the family: {found}");
        assert!(is_near(other, of_gang), "{id} of the gang: {other}");
    }
    let rows = gang.keys().filter(|id| id.starts_with("ip_cohort_")).count();
    assert_eq!(rows, expected.len());
}

#[test]
fn an_account_that_is_alone_tells_nothing_about_sign_ups_in_one_go() {
    let alone = next_sees(&gang()[..1]);
    assert!(alone["ip_cohort_signup_burst_share_1d"].is_nan());
    assert!(alone["ip_cohort_sku_variety_1d"].is_nan());
    assert!(alone["ip_cohort_amount_spread_1d"].is_nan());
    assert!(is_near(alone["ip_cohort_settled_share_1d"], 0.0));
}

#[test]
fn who_used_a_network_before_or_shares_a_card_from_before_is_acquainted() {
    let family = next_sees(&family());
    // The card: accounts 0 and 1. Nobody had used the network before that day.
    assert!((family["ip_cohort_acquainted_share_1d"] - 2.0 / 6.0).abs() < 1e-6);
    // Account 0 had used its device before, and it alone orders from it.
    assert!(is_near(family["device_cohort_acquainted_share_1d"], 1.0));
    // A gang's links are as new as its accounts: they do not make it a family.
    assert!(is_near(next_sees(&gang())["device_cohort_acquainted_share_1d"], 0.0));
}

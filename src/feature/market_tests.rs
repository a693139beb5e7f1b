//! The market of a SKU: how fast it sells where, and to whom.

use crate::domain::entity::EntityKind;
use crate::domain::event::{Event, Fact, MarketPrice, StockLevel};
use crate::domain::order::Order;
use crate::domain::time::{Span, Timestamp};
use crate::feature::fixtures::{Trace, entity, features, is_near, order, placed, yuan};

/// The item that everybody buys.
const SKU: u32 = 7;
const HERE: u32 = 1;
const NOW: Timestamp = Timestamp(100 * Span::DAY.0);

/// An order of the item in a region, by an account whose things nobody else has.
fn sold(id: u32, account: u32, region: u32, n_units: u32) -> Order {
    let mut order = order(id, &Trace { sku: SKU, ..Trace::of(account) }, NOW, yuan(90));
    order.entities.push(entity(EntityKind::Region, region));
    order.items[0].quantity = n_units;
    order
}

fn told(hours_ago: i64, fact: Fact) -> Event {
    let event_time = NOW - Span::hours(hours_ago);
    Event { event_id: "e".into(), event_time, ingest_time: None, fact }
}

/// Eight strangers buy one each, four accounts of one device six together, elsewhere one 50.
fn sales() -> Vec<Event> {
    let mut events: Vec<Event> = (0..8)
        .map(|n| placed(NOW - Span::hours(20 * i64::from(n)), sold(n, 100 + n, HERE, 1)))
        .collect();
    // The newest account of the ring bought last.
    for (n, n_units) in (0..).zip([2, 2, 1, 1]) {
        let mut order = sold(20 + n, 200 + n, HERE, n_units);
        order.entities.retain(|entity| entity.kind != EntityKind::Device);
        order.entities.push(entity(EntityKind::Device, 999));
        events.push(placed(NOW - Span::hours(5 - i64::from(n)), order));
    }
    events.push(placed(NOW - Span::hours(1), sold(30, 300, HERE + 1, 50)));
    events
}

fn stock(region: Option<u32>, units: u64) -> Event {
    let region = region.map(|region| entity(EntityKind::Region, region));
    told(3, Fact::StockLevel(StockLevel { sku: entity(EntityKind::Sku, SKU), region, units }))
}

#[test]
fn an_item_sells_by_region_and_the_share_of_rings_is_told() {
    let seen = features(&sales(), &sold(99, 1, HERE, 1), NOW);
    assert!(is_near(seen["sku_region_units_sum_1h_max"], 1.0));
    assert!(is_near(seen["sku_region_units_sum_1d_max"], 2.0 + 6.0));
    assert!(is_near(seen["sku_region_units_sum_7d_max"], 8.0 + 6.0));
    // The four accounts of one device took 6 of 14.
    assert!(is_near(seen["sku_top_rings_share_7d_max"], 6.0 / 14.0));
    let elsewhere = features(&sales(), &sold(99, 1, HERE + 1, 1), NOW);
    assert!(is_near(elsewhere["sku_region_units_sum_7d_max"], 50.0));
    assert!(elsewhere["sku_top_rings_share_7d_max"].is_nan(), "one sale is too few");
    let nowhere = features(&sales(), &sold(99, 1, HERE + 2, 1), NOW);
    assert!(is_near(nowhere["sku_region_units_sum_7d_max"], 0.0));
}

#[test]
fn buyers_who_share_nothing_in_their_orders_of_an_item_are_no_ring_of_it() {
    let mut events = sales();
    // Two of the eight strangers also bought something else from one device.
    for n in 0..2 {
        let mut elsewhere = sold(40 + n, 100 + n, HERE, 1);
        elsewhere.items[0].sku = entity(EntityKind::Sku, SKU + 1);
        elsewhere.entities.retain(|entity| entity.kind != EntityKind::Device);
        elsewhere.entities.push(entity(EntityKind::Device, 998));
        events.push(placed(NOW - Span::hours(2), elsewhere));
    }
    let seen = features(&events, &sold(99, 1, HERE, 1), NOW);
    assert!(is_near(seen["sku_top_rings_share_7d_max"], 6.0 / 14.0));
}

#[test]
fn the_stock_of_a_region_is_covered_by_its_sales_and_that_of_everywhere_by_all() {
    let seen = |stocks: &[Event]| {
        let events = [&sales()[..], stocks].concat();
        features(&events, &sold(99, 1, HERE, 1), NOW)["sku_stock_cover_days_max"]
    };
    assert!(seen(&[]).is_nan());
    assert!(is_near(seen(&[stock(Some(HERE), 28)]), 7.0 * 28.0 / 14.0));
    assert!(is_near(seen(&[stock(None, 128)]), 7.0 * 128.0 / 64.0));
    assert!(is_near(seen(&[stock(None, 128), stock(Some(HERE), 14)]), 7.0));
}

#[test]
fn a_market_price_that_moves_five_percent_a_day_reads_so() {
    let price = |day: i64| {
        let price = if day % 2 == 0 { yuan(100) } else { yuan(105) };
        let sku = entity(EntityKind::Sku, SKU);
        told(24 * day, Fact::MarketPrice(MarketPrice { sku, region: None, price }))
    };
    let events: Vec<Event> = sales().into_iter().chain((0..20).map(price)).collect();
    let seen = features(&events, &sold(99, 1, HERE, 1), NOW);
    // ln 1.05 is 4.879 %.
    assert!(is_near(seen["sku_price_volatility_7d_max"], 4.879));
}

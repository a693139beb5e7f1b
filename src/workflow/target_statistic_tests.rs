//! Does a target statistic tell what a few 0/1 columns cannot?
//!
//! Two hundred referrers, as frequent as each other; half of them bring bad orders. The
//! truth comes out a week later. Sixteen of them have a column of their own.

use std::convert::Infallible;
use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::event::{Event, Fact};
use crate::domain::order::AttributeValue;
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::feature::schema::{CATEGORY_VALUES_MAX, SchemaBuilder};
use crate::graph::settings::GraphSettings;
use crate::training::metrics::ranking::{Ranked, ranking_figures};
use crate::workflow::fixtures::{at, event, head, label, order};
use crate::workflow::play_history::{History, HistoryPlan, Window, play_history};

const REFERRERS: u32 = 200;
const ORDERS: u32 = 6_000;
/// Orders come every twelve minutes: fifty days in all.
const MINUTES_BETWEEN: u32 = 12;

fn orders_and_truths() -> Vec<Event> {
    let mut lot = ChaCha8Rng::seed_from_u64(3);
    let mut events = Vec::new();
    for number in 0..ORDERS {
        let referrer = lot.gen_range(0..REFERRERS);
        let bad_rate = if referrer.is_multiple_of(2) { 0.30 } else { 0.03 };
        let mut placed = order(number);
        let word = AttributeValue::Category(format!("referrer {referrer}").into());
        placed.attributes.insert("referrer".into(), word);
        let minute = i64::from(number * MINUTES_BETWEEN);
        events.push(event(format!("placed {number}"), at(minute), Fact::OrderPlaced(placed)));
        let value = f64::from(u8::from(lot.gen_bool(bad_rate)));
        let truth = label(number, value, minute);
        events.push(Event { event_time: truth.event_time + Span::days(7), ..truth });
    }
    events.sort_by_key(Event::known_at);
    events
}

fn play(events: Vec<Event>) -> History {
    let mut schema = SchemaBuilder::default();
    for event in &events {
        schema.observe(event);
    }
    let always = Window { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };
    let graph = GraphSettings::default();
    let plan = HistoryPlan { windows: vec![always], label_delay: Span(0), graph };
    let events = events.into_iter().map(Ok::<_, Infallible>);
    play_history(events, Catalog::new(&schema.finish()), &plan, &mut |_| {}).unwrap()
}

/// AUC of every column that reads the referrer, by id, over some of the rows.
fn aucs(history: &History, rows: Range<usize>) -> Vec<(&str, f64)> {
    let specs = history.catalog.specs().iter().enumerate();
    let of_referrer = specs.filter(|(_, spec)| spec.id.starts_with("attribute_referrer_"));
    let auc = |at: usize| {
        let ranked = rows.clone().map(|row| Ranked {
            score: f64::from(history.features[[row, at]]),
            is_positive: 0.5 < history.truth(row, &head(), history.end),
        });
        ranking_figures(&ranked.collect::<Vec<_>>(), 0.01, 1).auc.value
    };
    of_referrer.map(|(at, spec)| (&*spec.id, auc(at))).collect()
}

#[test]
fn a_target_statistic_tells_what_the_columns_of_the_frequent_words_cannot() {
    let history = play(orders_and_truths());
    let n_rows = history.rows.len();
    let aucs = aucs(&history, n_rows / 2..n_rows);
    let is_flag = |id: &str| id.starts_with("attribute_referrer_is_");
    assert_eq!(aucs.iter().filter(|(id, _)| is_flag(id)).count(), CATEGORY_VALUES_MAX);
    for &(id, auc) in aucs.iter().filter(|(id, _)| is_flag(id)) {
        assert!((auc - 0.5).abs() < 0.03, "{id}: {auc}");
    }
    // Who knew every referrer's rate would reach 0.745.
    for id in ["known_payment_fraud_share_30d", "known_payment_fraud_share_all"] {
        let id = format!("attribute_referrer_{id}");
        let auc = aucs.iter().find(|(known, _)| **known == *id).unwrap().1;
        assert!((0.65..0.77).contains(&auc), "{id}: {auc}");
    }
}

//! Point in time: what a row may know, and when its truth counts.

use std::convert::Infallible;

use crate::domain::event::{Event, Fact};
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::graph::settings::GraphSettings;
use crate::workflow::fixtures::{at, head, label, order, placed, schema};
use crate::workflow::play_history::{History, HistoryPlan, Window, play_history};

const ALWAYS: Window = Window { from: Timestamp(i64::MIN), to: Timestamp(i64::MAX) };

fn play(events: Vec<Event>, label_delay: Span) -> History {
    let plan = HistoryPlan { windows: vec![ALWAYS], label_delay, graph: GraphSettings::default() };
    let events = events.into_iter().map(Ok::<_, Infallible>);
    play_history(events, Catalog::new(&schema()), &plan, &mut |_| {}).unwrap()
}

/// The same buyer, device and address with another number.
fn placed_again(n: u32, minute: i64) -> Event {
    let mut event = placed(n);
    event.event_time = at(minute);
    if let Fact::OrderPlaced(again) = &mut event.fact {
        again.entities = order(1).entities;
        again.amount = order(1).amount;
    }
    event
}

/// Features of a row; unknown ones as text, so that rows compare.
fn row(history: &History, row: usize) -> Vec<String> {
    history.features.row(row).iter().map(ToString::to_string).collect()
}

fn values_of(history: &History, row: usize, name: &str) -> Vec<f32> {
    let specs = history.catalog.specs().iter().enumerate();
    let named = specs.filter(|(_, spec)| spec.id.contains(name));
    named.map(|(column, _)| history.features[[row, column]]).collect()
}

#[test]
fn an_order_never_counts_itself_but_the_next_one_counts_it() {
    let alone = play(vec![placed_again(1, 0)], Span(0));
    let twice = play(vec![placed_again(1, 0), placed_again(2, 1)], Span(0));
    assert_eq!(row(&alone, 0), row(&twice, 0));
    assert_ne!(row(&twice, 0), row(&twice, 1));
    let counts = values_of(&twice, 0, "account_orders");
    assert!(!counts.is_empty(), "{:?}", twice.catalog.specs().first());
    assert!(counts.iter().all(|count| count.is_nan() || *count == 0.0), "{counts:?}");
    assert!(values_of(&twice, 1, "account_orders").contains(&1.0));
}

#[test]
fn a_label_is_not_seen_before_the_delay_has_passed() {
    let told_at_once =
        || vec![placed_again(1, 0), label(1, 1.0, 1), placed_again(2, 30), placed_again(3, 90)];
    let never_told = play(vec![placed_again(1, 0), placed_again(2, 30)], Span(0));
    let hour = Span::HOUR;
    let held = play(told_at_once(), hour);
    let open = play(told_at_once(), Span(0));
    assert_eq!(row(&held, 1), row(&never_told, 1));
    assert_ne!(row(&open, 1), row(&never_told, 1));
    let known = |history: &History| history.labels[&head()][0].unwrap().known_at;
    assert_eq!((known(&held), known(&open)), (at(60), at(1)));
    // Once the delay has passed, both know the same.
    let late =
        |delay| play(vec![placed_again(1, 0), label(1, 1.0, 60), placed_again(3, 90)], delay);
    assert_eq!(row(&late(hour), 1), row(&late(Span(0)), 1));
}

#[test]
fn truth_is_unknown_until_it_is_told_and_mature() {
    let mut told = label(1, 1.0, 10);
    if let Fact::Label(label) = &mut told.fact {
        label.matures_at = Some(at(100));
    }
    let history = play(vec![placed(1), placed(2), told], Span(0));
    let truth = |row, minute| history.truth(row, &head(), at(minute));
    assert!(truth(0, 9).is_nan());
    assert!(truth(0, 99).is_nan());
    assert_eq!(truth(0, 100).to_bits(), 1.0_f32.to_bits());
    assert!(truth(1, 100).is_nan());
    let set = history.training_set(0, at(99), &schema());
    assert!(set.heads[0].values.iter().all(|value| value.is_nan()));
}

#[test]
fn a_later_positive_overrules_a_negative_and_nothing_overrules_a_positive() {
    let truth_after = |first: f64, second: f64| {
        let events = vec![placed(1), label(1, first, 10), label(1, second, 20)];
        play(events, Span(0)).truth(0, &head(), at(50))
    };
    for (first, second, expected) in [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (0.0, 0.0, 0.0_f32)] {
        let found = truth_after(first, second);
        assert_eq!(found.to_bits(), expected.to_bits(), "{first}, then {second}: {found}");
    }
}

#[test]
fn an_order_told_twice_keeps_its_label_from_the_next_order() {
    let mut again = placed(1);
    again.event_id = "again".into();
    again.event_time = at(2);
    let history = play(vec![placed(1), again, placed(3), label(1, 1.0, 10)], Span(0));
    assert_eq!(history.rows.len(), 2);
    assert_eq!(history.truth(0, &head(), at(50)).to_bits(), 1.0_f32.to_bits());
    assert!(history.truth(1, &head(), at(50)).is_nan());
}

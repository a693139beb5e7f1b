//! Tests of review times.

use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::event::{Label, OrderAmount};
use crate::domain::feedback::{OutcomeKind, OutcomeSource};
use crate::domain::head::{HeadId, RiskType};
use crate::domain::time::{Span, Timestamp};

fn key(n: u64) -> OrderKey {
    OrderKey { channel: "web".into(), order_id: n.to_string().into(), revision: 0 }
}

fn id(n: u64) -> DecisionId {
    DecisionId(Uuid::from_u128(n.into()))
}

/// A choice about order `n` after that many active seconds, twice that by the clock.
fn choice(n: u64, action: ActionKind, seconds: u64) -> OperatorChoice {
    let decided_at = Timestamp(1_000_000_000_000);
    OperatorChoice {
        choice_id: n.to_string().into(),
        decision_id: id(n),
        operator_id: "op".into(),
        action,
        chosen_rank: None,
        override_reason: None,
        note: None,
        opened_at: Some(decided_at - Span(2_000_000 * seconds.cast_signed())),
        decided_at,
        review: Some(ReviewTrace {
            first_input_at: None,
            active_ms: 1_000 * seconds,
            explanation: Explanation::Full,
            alert_worth: n.is_multiple_of(2).then_some(AlertWorth::Valuable),
            reason_codes: if n.is_multiple_of(3) { vec![ReasonCode::Travel] } else { vec![] },
        }),
    }
}

fn outcome(n: u64, kind: OutcomeKind) -> Outcome {
    Outcome {
        outcome_id: format!("{n} {kind:?}").into(),
        decision_id: Some(id(n)),
        order: None,
        kind,
        amount: None,
        occurred_at: Timestamp(1),
        source: OutcomeSource::Network,
        source_ref: None,
        retracts: None,
        told_by: None,
    }
}

fn event(fact: Fact) -> Event {
    Event { event_id: "e".into(), event_time: Timestamp(1), ingest_time: None, fact }
}

/// Choices of this action about orders `0..n`, where the first recommendation was to decline.
fn after(n: u64, action: ActionKind) -> ReviewTimes {
    let mut times = ReviewTimes::default();
    for n in 0..n {
        times.chose(&choice(n, action, n + 1), key(n).any_revision(), ActionKind::Decline);
    }
    times
}

fn full(times: &ReviewTimes) -> ReviewTimesReport {
    times.reports().remove(0)
}

#[test]
fn medians_shares_and_counts_are_of_the_newest_thousand() {
    let report = full(&after(1_200, ActionKind::Approve));
    assert_eq!((report.n_choices, report.n_recent), (1_200, 1_000));
    let active = report.active.unwrap();
    // Seconds 201 to 1200; R: qbinom(0.025, 1000, 0.5) = 469, so ranks 469 and 532.
    assert_eq!((active.n, active.p90), (1_000, 1_100.0));
    assert!((active.median - 700.5).abs() < 1e-9);
    assert_eq!(active.median_interval, (669.0, 732.0));
    assert!((report.wall.unwrap().median - 1_401.0).abs() < 1e-9);
    assert_eq!(report.overrides.unwrap().count, 1_000);
    assert_eq!(report.agreement, None);
    assert_eq!(report.reason_codes, [(ReasonCode::Travel, 333)]);
    assert_eq!(report.alert_worth, [(AlertWorth::Valuable, 500)]);
}

#[test]
fn below_the_minimum_nothing_is_said_and_what_has_no_trace_is_not_counted() {
    let mut times = after(29, ActionKind::Decline);
    let report = full(&times);
    assert_eq!((report.n_recent, report.active, report.overrides), (29, None, None));
    let untraced = OperatorChoice { review: None, ..choice(30, ActionKind::Decline, 1) };
    times.chose(&untraced, key(30).any_revision(), ActionKind::Decline);
    assert_eq!(full(&times).n_choices, 29);
    let early = OperatorChoice { opened_at: None, ..choice(30, ActionKind::Decline, 1) };
    times.chose(&early, key(30).any_revision(), ActionKind::Decline);
    let report = full(&times);
    assert_eq!(report.active.unwrap().n, 30);
    assert_eq!((report.wall, report.overrides.unwrap().count), (None, 0));
    let others: Vec<u64> = times.reports().iter().map(|it| it.n_choices).collect();
    assert_eq!(others, [30, 0, 0]);
}

#[test]
fn who_stops_bad_orders_and_releases_good_ones_agrees_with_the_outcome() {
    for (action, n_agrees) in
        [(ActionKind::Decline, 20), (ActionKind::Approve, 30), (ActionKind::PhoneCheck, 0)]
    {
        let mut times = after(60, action);
        for n in 0..20 {
            times.told(&event(Fact::Outcome(outcome(n, OutcomeKind::ConfirmedFraud))));
            // A later word of a good end does not make it good.
            times.told(&event(Fact::Outcome(outcome(n, OutcomeKind::ConfirmedLegit))));
        }
        for n in 20..50 {
            times.told(&event(Fact::Outcome(outcome(n, OutcomeKind::ConfirmedLegit))));
        }
        times.told(&event(Fact::Outcome(outcome(55, OutcomeKind::Refund))));
        let agreement = full(&times).agreement;
        let counted = agreement.map(|it| (it.count, it.of));
        let expected = (action != ActionKind::PhoneCheck).then_some((n_agrees, 50));
        assert_eq!(counted, expected, "{action:?}");
    }
}

#[test]
fn a_charge_back_and_a_label_are_known_by_order_and_an_outcome_can_be_taken_back() {
    let mut times = after(40, ActionKind::Decline);
    for n in 0..40 {
        let by_order = Outcome { decision_id: None, order: Some(key(n)), ..legit(n) };
        times.told(&event(Fact::Outcome(by_order)));
    }
    let count = |times: &ReviewTimes| full(times).agreement.map(|it| (it.count, it.of));
    assert_eq!(count(&times), Some((0, 40)));
    let order = OrderKey { revision: 4, ..key(1) };
    times.told(&event(Fact::OrderChargedBack(OrderAmount { order, amount: None })));
    let label = |n, head: HeadId, value| {
        Fact::Label(Label { order: key(n), head, value, matures_at: None, concerns: Vec::new() })
    };
    times.told(&event(label(2, RiskType::FakeOrder.head(), 1.0)));
    times.told(&event(label(3, RiskType::FakeOrder.head(), 0.0)));
    times.told(&event(label(3, HeadId("late_delivery".into()), 1.0)));
    assert_eq!(count(&times), Some((2, 40)));
    let back = Outcome {
        outcome_id: "back".into(),
        decision_id: None,
        retracts: Some(legit(7).outcome_id),
        ..legit(7)
    };
    times.told(&event(Fact::Outcome(back)));
    assert_eq!(count(&times), Some((2, 39)));
}

fn legit(n: u64) -> Outcome {
    outcome(n, OutcomeKind::ConfirmedLegit)
}

#[test]
fn the_ranks_around_a_median_are_those_of_the_binomial() {
    // R: qbinom(0.025, n, 0.5), the largest r with 2 · pbinom(r − 1, n, 0.5) ≤ 0.05.
    for (n, rank) in [(6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (30, 10), (100, 40), (1_000, 469)] {
        assert_eq!(median_rank(n), rank, "{n}");
    }
}

proptest! {
    #[test]
    fn the_interval_holds_the_median_and_the_p90_is_reached_by_nine_of_ten(
        millis in vec(0_u64..100_000, REVIEWS_MIN..200)
    ) {
        let seconds = ReviewSeconds::of(millis.clone()).unwrap();
        prop_assert!(seconds.median_interval.0 <= seconds.median);
        prop_assert!(seconds.median <= seconds.median_interval.1);
        let within = millis.iter().filter(|it| **it as f64 / 1_000.0 <= seconds.p90).count();
        prop_assert!(9 * millis.len() <= 10 * within);
    }
}

//! Training sets from a journal: whatever came later changes none.

use std::path::Path;

use crate::domain::entity::EntityKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::settings::GraphSettings;
use crate::store::journal::Journal;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{open, settings};
use crate::workflow::evaluate_bundle::evaluation_catalog;
use crate::workflow::fixtures::{at, bundle, entity, judge, label, other_bundle, request};
use crate::workflow::learn_from_journal::{
    HELD_OUT_SHARE, SetManifest, is_held_out, learn, orders_between, received_until, span_of,
};
use crate::workflow::play_history::{HistoryPlan, Window, play_history};
use crate::workflow::promotion_gate::{CheckSubject, Contest, GateReport, promotion_gate};
use crate::workflow::service::OrderService as _;

fn journal(dir: &Path) -> Journal {
    Journal::open(&dir.join("journal"), settings(dir).journal).unwrap().0
}

/// Orders by an account of its own each, and what they turned out to be.
async fn tell(engine: &Engine, numbers: std::ops::Range<u32>) {
    for n in numbers {
        let mut request = request(n);
        request.order.entities.truncate(1);
        request.order.entities[0] = entity(EntityKind::Account, 1_000 + n);
        let received = request.event_time;
        engine.score_order(request, received).await.unwrap();
        let told = label(n, f64::from(u8::from(n.is_multiple_of(9))), 300.max(i64::from(n)));
        let received = told.event_time;
        engine.ingest_event(told, received).await.unwrap();
    }
}

fn plan(to: Timestamp) -> HistoryPlan {
    let windows = vec![Window { from: at(0), to }];
    HistoryPlan { windows, label_delay: Span(0), graph: GraphSettings::default() }
}

fn manifest(dir: &Path, as_of: Timestamp) -> SetManifest {
    let journal = journal(dir);
    learn(&journal.reader(), (&plan(at(200)), as_of), &mut |_| {}).unwrap().manifest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_the_same_as_of_an_instant_whatever_is_told_later() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    tell(&engine, 1..60).await;
    engine.stop();
    let as_of = at(550);
    let before = manifest(dir.path(), as_of);
    assert_eq!((before.n_rows, manifest(dir.path(), as_of)), (59, before.clone()));
    let told = before.heads[0].clone();
    assert!(0 < told.n_mature && 0 < told.n_positive && told.n_waiting == before.n_held_out);
    assert!((5..=25).contains(&before.n_held_out), "a quarter of 59: {before:?}");
    // A label and an order that come in later are of no consequence as of then.
    let engine = open(dir.path());
    engine.ingest_event(label(1, 1.0, 600), at(600)).await.unwrap();
    engine.ingest_event(label(2, 1.0, 310), at(600)).await.unwrap();
    tell(&engine, 600..610).await;
    engine.stop();
    assert_eq!(manifest(dir.path(), as_of), before, "nothing leaks back");
    let later = manifest(dir.path(), at(620));
    assert_ne!(later.content_hash, before.content_hash, "the label counts from then on");
    let span = span_of(&journal(dir.path()).reader()).unwrap();
    assert_eq!(span.map(|(first, _)| first), Some(at(1)));
}

#[test]
fn a_quarter_of_the_rings_is_held_out_for_good() {
    let n = (0..4_000_u128).filter(|ring| is_held_out(*ring)).count();
    // Four standard deviations: 4 · √(4,000 · .25 · .75).
    assert!((n as f64 - 4_000.0 * HELD_OUT_SHARE).abs() < 110.0, "{n}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenger_that_is_no_better_does_not_pass() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    tell(&engine, 1..200).await;
    engine.stop();
    let journal = journal(dir.path());
    let reader = journal.reader();
    let judge = judge(bundle(), "plain");
    let (champion, challenger) = (bundle(), other_bundle());
    let catalog = evaluation_catalog(&challenger, Some(&champion));
    let events = received_until(&reader, at(400));
    let history = play_history(events, catalog.unwrap(), &plan(at(250)), &mut |_| {}).unwrap();
    let orders = orders_between(&reader, (at(0), at(250))).unwrap();
    let contest = Contest {
        champion: &champion,
        challenger: &challenger,
        strategy: &judge.strategy().strategy,
        history: &history,
        orders: &orders,
        as_of: at(400),
    };
    let report = promotion_gate(&contest).unwrap();
    assert!((25..=80).contains(&report.n_orders), "a quarter of 199: {}", report.n_orders);
    let holds = |report: &GateReport, subject: &CheckSubject| {
        report.checks.iter().find(|check| check.subject == *subject).unwrap().holds
    };
    assert!(holds(&report, &CheckSubject::LostRisks));
    assert!(!holds(&report, &CheckSubject::Money), "the same trees earn the same");
    assert!(!report.is_passed);
    assert_eq!(promotion_gate(&contest).unwrap().hash(), report.hash());
    let nothing_known = Contest { as_of: at(100), ..contest };
    assert_eq!(promotion_gate(&nothing_known), None, "no number without truth");
}

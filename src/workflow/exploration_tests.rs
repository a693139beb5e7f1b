//! Declined orders released to learn, in a running engine.

use std::path::Path;

use crate::domain::decision::{ActionKind, Decision};
use crate::domain::entity::EntityKind;
use crate::domain::exploration::{Exploration, ExplorationLimit};
use crate::domain::money::{Currency, Money};
use crate::domain::record::ScoreRequest;
use crate::domain::time::Span;
use crate::graph::settings::GraphSettings;
use crate::store::journal::Journal;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{assert_folds_alike, open_with, past, settings};
use crate::workflow::fixtures::{at, bundle, entity, label, request};
use crate::workflow::learn_from_journal::{SetManifest, learn};
use crate::workflow::play_history::{HistoryPlan, Window};
use crate::workflow::replay_journal::replay_journal;
use crate::workflow::review_service::ReviewService as _;
use crate::workflow::service::OrderService as _;

fn open(dir: &Path, strategy: &str) -> Engine {
    open_with(dir, bundle(), strategy)
}

/// An order of 100 yuan by an account of its own, or by one of a ring.
fn placed(n: u32, account: u32) -> ScoreRequest {
    let mut request = request(n);
    request.order.amount = Some(Money { currency: Currency::CNY, minor_units: 10_000 });
    request.order.entities = vec![entity(EntityKind::Account, account)];
    request
}

async fn score(engine: &Engine, request: ScoreRequest) -> Decision {
    let received = request.event_time;
    (*engine.score_order(request, received).await.unwrap().decision).clone()
}

async fn drawn(engine: &Engine, n: u32, account: u32) -> Exploration {
    let decision = score(engine, placed(n, account)).await;
    let drawn = decision.exploration.expect("a declined order");
    let first = decision.actions[0].action;
    assert_eq!(drawn.is_released, first == ActionKind::Approve, "{first:?}");
    drawn
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hour_fills_up_and_a_restart_remembers_and_replays_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "exploring");
    // Each puts 600 yuan at risk; the hour has room for five of them.
    for n in 0..5 {
        assert!(drawn(&engine, n, 100 + n).await.is_released, "{n}");
    }
    let full = drawn(&engine, 5, 105).await;
    assert_eq!(full.withheld_by, Some(ExplorationLimit::Hour));
    assert!(full.propensity.value() <= 0.0);
    engine.save_snapshot().await.unwrap();
    assert_eq!(drawn(&engine, 6, 106).await.withheld_by, Some(ExplorationLimit::Hour));
    let before = engine.exploration_report().await.unwrap();
    engine.stop();

    let engine = open(dir.path(), "exploring");
    assert_eq!(engine.exploration_report().await.unwrap(), before);
    assert_eq!((before.n_released, before.n_withheld), (5, [2, 0, 0, 0]));
    assert_eq!(drawn(&engine, 7, 107).await.withheld_by, Some(ExplorationLimit::Hour));
    // The first order of the next hour moves the clock; the one after it finds room.
    assert_eq!(drawn(&engine, 70, 108).await.withheld_by, Some(ExplorationLimit::Hour));
    assert!(drawn(&engine, 71, 109).await.is_released);
    engine.stop();
    assert_folds_alike(dir.path());
    for snapshots in ["snapshots", "none"] {
        let (past, journal) = past(dir.path(), snapshots, bundle());
        let report = replay_journal(&past, &journal.reader(), &mut |_| {}).unwrap();
        assert_eq!((report.identical, report.differing, report.skipped), (10, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_explored_once_and_a_retry_never_draws_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "exploring");
    assert!(drawn(&engine, 1, 50).await.is_released);
    assert_eq!(drawn(&engine, 2, 50).await.withheld_by, Some(ExplorationLimit::Ring));
    let spent = engine.exploration_report().await.unwrap().spent;
    for retry in 0..5 {
        let mut again = placed(1, 50);
        again.request_id = format!("retry {retry}").into();
        again.order.key.revision = retry + 1;
        let decision = score(&engine, again).await;
        assert!(decision.exploration.unwrap().is_released);
    }
    assert_eq!(engine.exploration_report().await.unwrap().spent, spent);
    // Asking without recording leaves no trace.
    engine.dry_run(placed(9, 60), at(9)).await.unwrap();
    assert_eq!(engine.exploration_report().await.unwrap().spent, spent);
    engine.ingest_event(label(1, 1.0, 90), at(90)).await.unwrap();
    let report = engine.exploration_report().await.unwrap();
    assert_eq!((report.n_released, report.n_bad, report.n_good), (1, 1, 0));
    engine.stop();
}

fn manifest(dir: &Path) -> SetManifest {
    let journal = Journal::open(&dir.join("journal"), settings(dir).journal).unwrap().0;
    let windows = vec![Window { from: at(0), to: at(400) }];
    let plan = HistoryPlan { windows, label_delay: Span(0), graph: GraphSettings::default() };
    learn(&journal.reader(), (&plan, at(900)), &mut |_| {}).unwrap().manifest
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_learned_from_a_drawn_order_counts_for_one_over_its_chance() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), "drawing");
    let mut n_released = 0;
    for n in 0..120 {
        let drawn = drawn(&engine, n, 200 + n).await;
        assert_eq!(drawn.propensity.value().to_bits(), 0.25_f64.to_bits());
        n_released += u64::from(drawn.is_released);
        engine.ingest_event(label(n, f64::from(n % 2), 500), at(500)).await.unwrap();
    }
    engine.stop();
    // Five standard deviations around 30: 5 · √(120 · .25 · .75) = 24.
    assert!(n_released.abs_diff(30) < 24, "{n_released}");
    let manifest = manifest(dir.path());
    assert_eq!((manifest.n_rows, manifest.n_drawn), (120, n_released));
    assert_eq!(manifest.weight_max.to_bits(), 4.0_f32.to_bits());
}

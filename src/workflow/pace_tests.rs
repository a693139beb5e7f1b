//! Answers for callers in a hurry: flagged, safe, and made again to the byte.

use std::path::Path;
use std::sync::Arc;

use crate::domain::decision::{ActionKind, Decision, DecisionState, DegradedReason};
use crate::domain::query::DecisionKey;
use crate::domain::time::Span;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{fill, inputs, past, settings};
use crate::workflow::error::ErrorKind;
use crate::workflow::fixtures::{at, bundle, request};
use crate::workflow::pace::TimeBudgets;
use crate::workflow::replay_journal::replay_journal;
use crate::workflow::service::OrderService;
use crate::workflow::start_engine::{EngineSettings, start_engine};

/// The stopwatch stands still: a caller has the time left that it says.
const BUDGETS: TimeBudgets = TimeBudgets { graph: Span(1_000), explanation: Span(2_000) };

fn open(dir: &Path) -> Engine {
    let settings = EngineSettings { budgets: BUDGETS, ..settings(dir) };
    start_engine(&settings, &inputs(bundle(), "plain")).unwrap()
}

async fn score(engine: &Engine, n: u32, left: i64) -> Arc<Decision> {
    let scored = engine.score_in_time(request(n), at(i64::from(n) + 1), Some(Span(left))).await;
    scored.unwrap().decision
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_no_time_for_is_left_out_flagged_and_left_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    fill(&engine, 1..25).await;

    let whole = engine.dry_run(request(25), at(26)).await.unwrap();
    assert!(!whole.evidence.nodes.is_empty(), "there is nothing to leave out");
    let hurried = score(&engine, 25, 1_500).await;
    assert_eq!(hurried.degraded_reasons, [DegradedReason::ExplanationLate]);
    assert_eq!(hurried.state, DecisionState::Degraded);
    assert!(hurried.evidence.nodes.is_empty() && hurried.counterfactuals.is_empty());
    assert_eq!((&hurried.features, &hurried.impacts), (&whole.features, &whole.impacts));
    assert_eq!(hurried.actions, whole.actions);

    let whole = engine.dry_run(request(26), at(27)).await.unwrap();
    let blind = score(&engine, 26, 500).await;
    assert!(blind.degraded_reasons.contains(&DegradedReason::GraphLate), "{blind:?}");
    for ((spec, seen), known) in
        bundle().manifest().features.iter().zip(&blind.features).zip(&whole.features)
    {
        let is_as_expected =
            if spec.is_graph { seen.is_nan() } else { seen.to_bits() == known.to_bits() };
        assert!(is_as_expected, "{}: {seen} instead of {known}", spec.id);
    }
    assert!(blind.evidence.nodes.is_empty());
    assert_eq!(blind.actions[0].action, ActionKind::Review);
    assert_ne!(whole.actions[0].action, ActionKind::Review, "a person decides anyway");

    assert_eq!(score(&engine, 27, 2_500).await.degraded_reasons, []);
    for decision in [&hurried, &blind] {
        assert_eq!(engine.replay_decision(decision.decision_id).await.unwrap(), []);
    }
    // Whoever asks again is told the same, however much time there is now.
    let again = engine.score_order(request(26), at(99)).await.unwrap();
    assert!(again.is_replayed);
    assert_eq!(again.decision.decision_id, blind.decision_id);
    engine.stop();

    let (past, journal) = past(dir.path(), "snapshots", bundle());
    let report = replay_journal(&past, &journal.reader(), &mut |_| {}).unwrap();
    assert_eq!((report.identical, report.differing, report.skipped), (27, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_caller_is_gone_is_not_judged_and_can_be_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let late = engine.score_in_time(request(1), at(2), Some(Span(0))).await.unwrap_err();
    assert_eq!((late.kind(), late.reason()), (ErrorKind::Late, "DEADLINE_EXCEEDED"));
    let key = DecisionKey::Order(request(1).order.key);
    assert_eq!(engine.get_decision(key).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!engine.score_order(request(1), at(3)).await.unwrap().is_replayed);
}

//! The life of strategies in a running engine: signed, staged, reverted, kept.

use std::collections::BTreeSet;

use crate::domain::assignment::{draw, unit_of};
use crate::domain::decision::Decision;
use crate::domain::query::StrategyChoice;
use crate::domain::strategy_version::Signer;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{open, open_with};
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::fixtures::{at, bundle, request};
use crate::workflow::preview::PreviewItem;
use crate::workflow::service::OrderService;
use crate::workflow::strategy_ledger::StrategyLedger;
use crate::workflow::strategy_service::StrategyService;

const STRICT: &str = "hash of strict";

fn by(name: &str) -> Signer {
    Signer { by: name.into(), note: Box::default() }
}

async fn score(engine: &Engine, n: u32) -> Decision {
    let answer = engine.score_order(request(n), at(n.into())).await.unwrap();
    (*answer.decision).clone()
}

async fn strategy_of(engine: &Engine, n: u32) -> String {
    score(engine, n).await.versions.strategy.to_string()
}

/// An engine under `plain`, with `strict` proposed and approved.
async fn engine_with_strict(dir: &std::path::Path) -> Engine {
    let engine = open(dir);
    engine.propose_strategy("strict".to_owned(), by("wang"), at(1)).await.unwrap();
    engine.approve_strategy(STRICT.into(), by("lin"), at(2)).await.unwrap();
    engine
}

fn refusal(result: Result<StrategyLedger, Error>) -> (ErrorKind, &'static str) {
    let error = result.unwrap_err();
    (error.kind(), error.reason())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_their_own_strategy_and_none_judges_unapproved() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.propose_strategy("strict".to_owned(), by("wang"), at(1)).await.unwrap();
    let early = engine.activate_strategy(STRICT.into(), 100, by("wang"), at(2)).await;
    assert_eq!(refusal(early), (ErrorKind::Refused, "STRATEGY_NOT_APPROVED"));
    let own = engine.approve_strategy(STRICT.into(), by("wang"), at(2)).await;
    assert_eq!(refusal(own), (ErrorKind::Refused, "APPROVER_IS_AUTHOR"));
    let short = engine.approve_strategy("hash".into(), by("lin"), at(2)).await;
    assert_eq!(refusal(short), (ErrorKind::NotFound, "STRATEGY_UNKNOWN"));
    let wrong = engine.propose_strategy("nonsense".to_owned(), by("wang"), at(2)).await;
    assert_eq!(refusal(wrong), (ErrorKind::Invalid, "STRATEGY_INVALID"));
    let revert = engine.revert_strategy(by("wang"), at(2)).await;
    assert_eq!(refusal(revert), (ErrorKind::Refused, "NOTHING_TO_REVERT"));
    assert_eq!(strategy_of(&engine, 1).await, "plain");

    engine.approve_strategy(STRICT.into(), by("lin"), at(3)).await.unwrap();
    engine.activate_strategy(STRICT.into(), 100, by("wang"), at(4)).await.unwrap();
    assert_eq!(strategy_of(&engine, 2).await, "strict");
    let ledger = engine.list_strategies().await.unwrap();
    let strict = ledger.active().unwrap();
    let signers = [&strict.proposed, &strict.approved, &strict.activated];
    let names = signers.map(|signature| signature.as_ref().map(|it| &*it.by));
    assert_eq!(names, [Some("wang"), Some("lin"), Some("wang")]);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_told_twice_is_recorded_once() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_with_strict(dir.path()).await;
    engine.activate_strategy(STRICT.into(), 30, by("wang"), at(3)).await.unwrap();
    let position = engine.durable_position();
    engine.propose_strategy("strict".to_owned(), by("zhao"), at(4)).await.unwrap();
    engine.approve_strategy(STRICT.into(), by("zhao"), at(4)).await.unwrap();
    engine.activate_strategy(STRICT.into(), 30, by("zhao"), at(4)).await.unwrap();
    assert_eq!(engine.durable_position(), position);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_staged_strategy_judges_its_share_of_accounts_and_says_with_which_chance() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_with_strict(dir.path()).await;
    engine.activate_strategy(STRICT.into(), 40, by("wang"), at(3)).await.unwrap();
    let mut judged = BTreeSet::new();
    for n in 1..40 {
        let order = request(n).order;
        let is_tried = draw(STRICT, &unit_of(&order)) < 0.4;
        let expected = if is_tried { ("strict", 0.4) } else { ("plain", 0.6) };
        let dry = engine.dry_run(request(n), at(n.into())).await.unwrap();
        for decision in [&*dry, &score(&engine, n).await] {
            let versions = &decision.versions;
            assert_eq!((&*versions.strategy, versions.propensity.value()), expected, "{n}");
        }
        judged.insert(expected.0);
        let replayed = engine.replay_decision(score(&engine, n).await.decision_id).await.unwrap();
        assert_eq!(replayed, []);
    }
    assert_eq!(judged.len(), 2, "one of the two never judged: {judged:?}");
    // Of the accounts that it judged at 40 %, it judges all at 80 %.
    engine.activate_strategy(STRICT.into(), 80, by("wang"), at(50)).await.unwrap();
    for n in 50..90 {
        if draw(STRICT, &unit_of(&request(n).order)) < 0.4 {
            assert_eq!(strategy_of(&engine, n).await, "strict");
        }
    }
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_takes_back_what_is_tried_then_what_was_activated() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_with_strict(dir.path()).await;
    engine.activate_strategy(STRICT.into(), 99, by("wang"), at(3)).await.unwrap();
    let ledger = engine.revert_strategy(by("lin"), at(4)).await.unwrap();
    assert_eq!((ledger.staged(), &*ledger.active().unwrap().name), (None, "plain"));
    engine.activate_strategy(STRICT.into(), 100, by("wang"), at(5)).await.unwrap();
    assert_eq!(strategy_of(&engine, 1).await, "strict");
    engine.revert_strategy(by("lin"), at(6)).await.unwrap();
    assert_eq!(strategy_of(&engine, 2).await, "plain");
    engine.revert_strategy(by("lin"), at(7)).await.unwrap();
    assert_eq!(strategy_of(&engine, 3).await, "strict");
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_activated_outlives_restarts_until_the_file_says_something_new() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_with_strict(dir.path()).await;
    engine.activate_strategy(STRICT.into(), 100, by("wang"), at(3)).await.unwrap();
    let before = engine.list_strategies().await.unwrap();
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(engine.list_strategies().await.unwrap(), before);
    assert_eq!(strategy_of(&engine, 1).await, "strict");
    engine.save_snapshot().await.unwrap();
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(engine.list_strategies().await.unwrap(), before);
    engine.stop();
    let engine = open_with(dir.path(), bundle(), "strict");
    assert_eq!(strategy_of(&engine, 2).await, "strict");
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(strategy_of(&engine, 3).await, "plain");
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_judges_at_once_and_a_broken_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    assert!(!engine.take_strategy_file("plain", at(1)).await.unwrap());
    let broken = engine.take_strategy_file("broken", at(2)).await.unwrap_err();
    assert_eq!((broken.kind(), broken.reason()), (ErrorKind::Invalid, "STRATEGY_INVALID"));
    assert_eq!(strategy_of(&engine, 1).await, "plain");
    assert!(engine.take_strategy_file("strict", at(3)).await.unwrap());
    assert_eq!(strategy_of(&engine, 2).await, "strict");
    assert_eq!(&*engine.active_strategy(), "strict");
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_preview_is_asked_to_wait_and_one_that_is_left_gives_its_place_back() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    score(&engine, 1).await;
    let draft = || StrategyChoice::Text("strict".into());
    let held = engine.previews.clone().try_acquire_owned().unwrap();
    let refused = engine.preview_strategy(draft(), 10).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Exhausted);
    drop(held);
    let preview = engine.preview_strategy(draft(), 10).await.unwrap();
    drop(preview);
    // Waits for the place; a preview that nobody receives ends.
    let place = engine.previews.clone().acquire_owned().await.unwrap();
    drop(place);
    let mut preview = engine.preview_strategy(draft(), 10).await.unwrap();
    let mut last = None;
    while let Some(item) = preview.recv().await {
        last = Some(item.unwrap());
    }
    let Some(PreviewItem::Report(report)) = last else { panic!("no report") };
    assert_eq!(report.window.orders, 1);
    engine.stop();
}

//! The queue of reviews in a running engine.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::OperatorChoice;
use crate::domain::operators::Habit;
use crate::domain::review_queue::{Place, QueueQuery, ReviewQueue};
use crate::domain::time::{Span, Timestamp};
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{assert_folds_alike, open, open_with, score};
use crate::workflow::fixtures::{at, bundle};
use crate::workflow::review_service::ReviewService as _;
use crate::workflow::service::OrderService as _;

const ALL: QueueQuery =
    QueueQuery { minutes: Some(1e6), placed_from: Timestamp(i64::MIN), orders_max: 1_000 };

async fn queue(engine: &Engine, query: QueueQuery) -> ReviewQueue {
    engine.get_review_queue(query, at(1_000)).await.unwrap()
}

fn ids(queue: &ReviewQueue) -> Vec<DecisionId> {
    queue.orders.iter().map(|order| order.decision_id).collect()
}

/// Scores orders; gives the decisions whose first action is a review.
async fn reviews(engine: &Engine) -> BTreeSet<DecisionId> {
    let mut reviews = BTreeSet::new();
    for n in 0..80 {
        let decision = score(engine, n).await;
        if decision.actions[0].action == ActionKind::Review {
            reviews.insert(decision.decision_id);
        }
    }
    reviews
}

/// An approval two seconds after the order was opened.
fn approval(id: &str, decision_id: DecisionId) -> OperatorChoice {
    OperatorChoice {
        choice_id: id.into(),
        decision_id,
        operator_id: "op".into(),
        action: ActionKind::Approve,
        chosen_rank: Some(2),
        override_reason: None,
        note: None,
        opened_at: Some(at(900) - Span(2_000_000)),
        decided_at: at(900),
        review: None,
    }
}

async fn filled(dir: &Path) -> (Engine, BTreeSet<DecisionId>) {
    let engine = open(dir);
    let reviews = reviews(&engine).await;
    assert!(2 < reviews.len(), "too few reviews to rank: {}", reviews.len());
    (engine, reviews)
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_wait_for_a_review_from_their_decision_until_somebody_chooses() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, mut reviews) = filled(dir.path()).await;
    let listed = queue(&engine, ALL).await;
    assert_eq!(ids(&listed).into_iter().collect::<BTreeSet<_>>(), reviews);
    assert_eq!((listed.n_waiting, listed.n_looked_at), (reviews.len() as u64, listed.n_waiting));
    let per_minute = listed.orders.iter().map(|it| it.waiting.gain_minor / it.waiting.minutes);
    assert!(per_minute.collect::<Vec<_>>().is_sorted_by(|a, b| b <= a));
    assert!(listed.orders.iter().all(|it| it.place == Place::Ranked));

    let first = listed.orders[0].decision_id;
    engine.record_choice(approval("c1", first), at(900)).await.unwrap();
    reviews.remove(&first);
    let left = queue(&engine, ALL).await;
    assert_eq!(ids(&left), ids(&listed)[1..]);

    // Durable like everything else.
    engine.save_snapshot().await.unwrap();
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(queue(&engine, ALL).await, left);
    engine.stop();
    assert_folds_alike(dir.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_no_time_for_waits_and_what_is_old_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, reviews) = filled(dir.path()).await;
    let minutes = queue(&engine, ALL).await.orders[0].waiting.minutes;
    let one = queue(&engine, QueueQuery { minutes: Some(minutes), ..ALL }).await;
    assert_eq!((one.n_looked_at, one.n_waiting), (1, reviews.len() as u64));
    let waits = one.orders.iter().filter(|it| it.place == Place::Waits).count();
    assert_eq!(waits, reviews.len() - 1);
    let two = queue(&engine, QueueQuery { orders_max: 2, ..ALL }).await;
    assert_eq!((two.orders.len(), two.n_waiting), (2, reviews.len() as u64));
    let none = queue(&engine, QueueQuery { placed_from: at(100_000), ..ALL }).await;
    assert_eq!((none.orders.len(), none.n_waiting), (0, 0));
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_approves_everything_in_two_seconds_is_named_and_not_learned_from() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut n_asked = 0;
    for n in 0..400 {
        let decision = score(&engine, n).await;
        if !decision.actions[0].action.is_release() {
            let choice = approval(&format!("c{n}"), decision.decision_id);
            engine.record_choice(choice, at(900)).await.unwrap();
            n_asked += 1;
        }
    }
    assert!(60 < n_asked, "too few orders that ask for somebody: {n_asked}");
    let operators = engine.list_operators().await.unwrap();
    let named: Vec<(&str, Habit)> =
        operators.iter().map(|it| (&*it.operator_id, it.habit)).collect();
    assert_eq!(named, [("op", Habit::RubberStamp)]);
    // The first 29 count for what they are; nobody knew better then.
    let known = score(&engine, 1_000).await.actions.iter().map(|it| it.n_confirm).max();
    assert!(known.is_some_and(|n| n < 30), "{known:?}");
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_made_blind_tells_how_people_choose_alone_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), bundle(), "blind");
    let mut n_asked = 0;
    for n in 0..80 {
        let decision = score(&engine, n).await;
        assert_eq!(decision.is_blind, !decision.actions[0].action.is_release());
        if decision.is_blind {
            let choice = approval(&format!("c{n}"), decision.decision_id);
            engine.record_choice(choice, at(900)).await.unwrap();
            n_asked += 1;
        }
    }
    assert!(2 < n_asked, "too few orders that ask for somebody: {n_asked}");
    let report = engine.list_operators().await.unwrap().remove(0);
    let blind = (report.blind_same.count, report.blind_same.of, report.took_first.of);
    assert_eq!(blind, (0, n_asked, 0), "whoever approves agrees with no review");
    let known = score(&engine, 1_000).await.actions.iter().map(|it| it.n_confirm).max();
    assert_eq!(known, Some(0), "nobody took what nobody saw");
    engine.stop();
    assert_folds_alike(dir.path());
}

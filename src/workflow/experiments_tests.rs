//! Experiments in a running engine: drawn by ring, stopped by harm.

use std::collections::BTreeSet;

use crate::domain::assignment::AssignmentReason;
use crate::domain::decision::Decision;
use crate::domain::entity::EntityKind;
use crate::domain::event::{Fact, OrderAmount};
use crate::domain::experiment::{ExperimentEnd, Harm};
use crate::domain::experiment_draft::{ArmDraft, Ending, ExperimentDraft, ReportAt};
use crate::domain::experiment_report::{Advice, EstimateRefusal, MoneyComparison};
use crate::domain::order::Order;
use crate::domain::record::ScoreRequest;
use crate::domain::strategy_version::Signer;
use crate::domain::time::Span;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{assert_folds_alike, open};
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::experiment_service::ExperimentService;
use crate::workflow::fixtures::{at, entity, event, order, request};
use crate::workflow::service::OrderService;

fn by(name: &str) -> Signer {
    Signer { by: name.into(), note: Box::default() }
}

fn arm(name: &str, share: f64) -> ArmDraft {
    ArmDraft { name: name.into(), share, model: None, strategy: None }
}

fn draft(id: &str) -> ExperimentDraft {
    ExperimentDraft {
        id: id.into(),
        arms: vec![arm("control", 0.5), arm("same", 0.5)],
        percent: 100,
        holdout_percent: 0,
        guardrails: Vec::new(),
        orders_min: 10,
        horizon: Span::days(30),
    }
}

/// An order of an account from a device.
fn placed(n: u32, account: u32, device: u32) -> ScoreRequest {
    let mut order: Order = order(n);
    order.entities = vec![entity(EntityKind::Account, account), entity(EntityKind::Device, device)];
    ScoreRequest { order, ..request(n) }
}

async fn score(engine: &Engine, request: ScoreRequest) -> Decision {
    let received = request.event_time;
    (*engine.score_order(request, received).await.unwrap().decision).clone()
}

fn assigned(decision: &Decision) -> Option<(&str, &str, AssignmentReason)> {
    let assignment = decision.versions.assignment.as_ref()?;
    Some((&assignment.arm, &assignment.unit, assignment.reason))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_has_one_arm_that_no_percentage_and_no_restart_changes() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let before = score(&engine, placed(1, 100, 500)).await;
    assert_eq!(assigned(&before), None, "nothing runs yet");
    engine.start_experiment(draft("ab"), by("wang"), at(2)).await.unwrap();
    let first = score(&engine, placed(3, 100, 500)).await;
    let (arm, unit, reason) = assigned(&first).unwrap();
    assert_eq!(reason, AssignmentReason::Drawn);
    assert!((first.versions.propensity.value() - 0.5).abs() < 1e-12);
    // Another account on the same device is of the ring.
    let friend = score(&engine, placed(4, 7, 500)).await;
    assert_eq!(assigned(&friend), Some((arm, unit, AssignmentReason::Inherited)));
    for percent in [20, 50, 1] {
        engine.ramp_experiment("ab".into(), percent, by("wang"), at(5)).await.unwrap();
        let again = score(&engine, placed(percent + 10, 7, 501)).await;
        assert_eq!(assigned(&again), Some((arm, unit, AssignmentReason::Kept)));
    }
    let replayed = engine.replay_decision(friend.decision_id).await.unwrap();
    assert_eq!(replayed, [], "an arm's answer replays");
    engine.stop();
    let engine = open(dir.path());
    let again = score(&engine, placed(90, 7, 502)).await;
    assert_eq!(assigned(&again), Some((arm, unit, AssignmentReason::Kept)));
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn arms_are_as_large_as_planned_and_a_report_is_the_same_bytes_again() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.start_experiment(draft("ab"), by("wang"), at(0)).await.unwrap();
    for n in 1..=120 {
        score(&engine, placed(n, 1_000 + n, 5_000 + n)).await;
    }
    let report = engine.report_experiment("ab".into(), ReportAt::Now(at(500))).await.unwrap();
    let units: Vec<u64> = report.arms.iter().map(|arm| arm.units).collect();
    // Five standard deviations of 120 draws.
    assert!(units.iter().sum::<u64>() == 120 && units[0].abs_diff(60) < 28, "{units:?}");
    assert!(0.001 < report.split_p && report.refusals.is_empty());
    // Nothing was paid or lost: there is no spread, and so no number.
    let refused = MoneyComparison::Refused(vec![EstimateRefusal::NoSpread]);
    assert_eq!(report.comparisons[0].money, refused);
    assert_eq!(report.advice, Advice::Refused);
    for n in 1..=120 {
        let told = OrderAmount { order: order(n).key, amount: None };
        let told = event(format!("back {n}"), at(600), Fact::OrderChargedBack(told));
        if n.is_multiple_of(3) {
            engine.ingest_event(told, at(600)).await.unwrap();
        }
    }
    let (position, as_of) = (report.position, report.as_of);
    let again = engine.report_experiment("ab".into(), ReportAt::Position { position, as_of });
    let bytes = |it: &_| serde_json::to_string(it).unwrap();
    assert_eq!(bytes(&again.await.unwrap()), bytes(&report));
    let now = engine.report_experiment("ab".into(), ReportAt::Now(at(700))).await.unwrap();
    let MoneyComparison::Told(money) = &now.comparisons[0].money else { panic!("{now:?}") };
    assert!(money.at_every_look.0 < money.difference && money.difference < money.at_every_look.1);
    assert!(money.at_every_look.0 < money.at_one_look.0, "looking often has its price");
    assert_eq!(money.p_final, None, "the final look comes at the end");
    assert_eq!(money.relative, None, "a control that loses has no share");
    engine.end_experiment("ab".into(), Ending::Finished, by("wang"), at(800)).await.unwrap();
    let end = engine.report_experiment("ab".into(), ReportAt::Now(at(900))).await.unwrap();
    let MoneyComparison::Told(money) = &end.comparisons[0].money else { panic!("{end:?}") };
    assert!(money.p_final.is_some() && end.advice == Advice::NoDifferenceShown, "{end:?}");
    engine.stop();
    assert_folds_alike(dir.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn harm_ends_an_experiment_before_the_next_order_and_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    engine.start_experiment(draft("ab"), by("wang"), at(0)).await.unwrap();
    let mut treated = Vec::new();
    for n in 1..=100 {
        let decision = score(&engine, placed(n, 1_000 + n, 5_000 + n)).await;
        if assigned(&decision).unwrap().0 == "same" {
            treated.push(n);
        }
    }
    let mut n_told = 0;
    for n in &treated {
        let told = OrderAmount { order: order(*n).key, amount: None };
        let told = event(format!("back {n}"), at(200), Fact::OrderChargedBack(told));
        engine.ingest_event(told, at(200)).await.unwrap();
        n_told += 1;
        let next = score(&engine, placed(1_000 + n, 9_000 + n, 9_000 + n)).await;
        if assigned(&next).is_none() {
            break;
        }
    }
    assert!((5..=25).contains(&n_told), "{n_told} chargebacks against none");
    let report = engine.report_experiment("ab".into(), ReportAt::Now(at(300))).await.unwrap();
    let harm = ExperimentEnd::Harm { harm: Harm::Chargeback, arm: "same".into() };
    assert_eq!(report.ended.map(|(end, _)| end), Some(harm));
    assert_eq!(report.advice, Advice::StopHarm);
    let chargebacks = report.comparisons[0].harms.iter().find(|it| it.harm == Harm::Chargeback);
    let chargebacks = chargebacks.unwrap();
    assert!(chargebacks.p_at_every_look.unwrap() <= chargebacks.stops_at, "{chargebacks:?}");
    // One side is guarded, and both have an end: so this one is not quite above 1.
    let times = chargebacks.times_at_every_look.unwrap();
    assert!(0.7 < times.low && times.high.is_none(), "none came to the control: {times:?}");
    let shown: Vec<u64> = report.looks.iter().map(|look| look.arms[0].harmed[1].1).collect();
    assert!(shown.is_sorted() && shown.last() == Some(&chargebacks.arm_units), "{shown:?}");
    assert!(report.looks.is_sorted_by_key(|look| look.at) && 5 < shown.len());
    engine.stop();
    let engine = open(dir.path());
    let later = score(&engine, placed(2_000, 1_001, 5_001)).await;
    assert_eq!(assigned(&later), None);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_everything_that_is_wrong_and_one_experiment_runs_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let wrong = ExperimentDraft {
        id: "".into(),
        arms: vec![arm("a", 0.7), arm("a", 0.7)],
        percent: 0,
        holdout_percent: 6,
        guardrails: Vec::new(),
        orders_min: 1,
        horizon: Span(0),
    };
    let error = engine.start_experiment(wrong, by("wang"), at(0)).await.unwrap_err();
    let Error::InvalidFields(mistakes) = &error else { panic!("{error}") };
    let fields: BTreeSet<&str> = mistakes.iter().map(|it| &*it.field).collect();
    let expected = ["arms", "experiment_id", "holdout_percent", "horizon_days", "percent"];
    assert_eq!(fields, expected.into_iter().collect());
    engine.start_experiment(draft("ab"), by("wang"), at(1)).await.unwrap();
    let reason = |error: Error| (error.kind(), error.reason());
    let second = engine.start_experiment(draft("cd"), by("wang"), at(2)).await.unwrap_err();
    assert_eq!(reason(second), (ErrorKind::Refused, "EXPERIMENT_RUNS"));
    let other = engine.ramp_experiment("cd".into(), 5, by("wang"), at(2)).await.unwrap_err();
    assert_eq!(reason(other), (ErrorKind::NotFound, "EXPERIMENT_UNKNOWN"));
    engine.end_experiment("ab".into(), Ending::Killed, by("wang"), at(3)).await.unwrap();
    let again = engine.start_experiment(draft("ab"), by("wang"), at(4)).await.unwrap_err();
    assert_eq!(reason(again), (ErrorKind::Refused, "EXPERIMENT_NAME_USED"));
    let listed = engine.list_experiments().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|it| &*it.id).collect();
    assert_eq!(names, ["ab"]);
    assert_eq!(listed[0].ended.as_ref().map(|it| &it.0), Some(&ExperimentEnd::Killed));
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_asked_for_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let start = |draft| engine.start_experiment(draft, by("wang"), at(1));
    let first = start(draft("ab")).await.unwrap();
    let position = engine.durable_position();
    let again = start(draft("ab")).await.unwrap();
    assert_eq!((first.is_replayed, again.is_replayed), (false, true));
    assert_eq!(again.plan, first.plan);
    let other = ExperimentDraft { orders_min: 11, percent: 7, ..draft("ab") };
    let Error::IdReused { fields, .. } = start(other).await.unwrap_err() else { panic!() };
    assert_eq!(fields, ["orders_min".into(), "percent".into()]);
    engine.ramp_experiment("ab".into(), 100, by("lin"), at(2)).await.unwrap();
    assert_eq!(engine.durable_position(), position);
    let ramped = engine.ramp_experiment("ab".into(), 20, by("lin"), at(3)).await.unwrap();
    assert_eq!(ramped.epochs.last().map(|epoch| epoch.percent), Some(20));
    let end = |ending| engine.end_experiment("ab".into(), ending, by("lin"), at(4));
    let ended = end(Ending::Killed).await.unwrap();
    assert_eq!(end(Ending::Killed).await.unwrap(), ended);
    let reason = |error: Error| (error.kind(), error.reason());
    let otherwise = end(Ending::Finished).await.unwrap_err();
    assert_eq!(reason(otherwise), (ErrorKind::Refused, "EXPERIMENT_ENDED"));
    let ramped = engine.ramp_experiment("ab".into(), 50, by("lin"), at(5)).await.unwrap_err();
    assert_eq!(reason(ramped), (ErrorKind::Refused, "EXPERIMENT_ENDED"));
    let unborn = ReportAt::Position { position: 1_000, as_of: at(9) };
    let unborn = engine.report_experiment("ab".into(), unborn).await.unwrap_err();
    assert_eq!(reason(unborn), (ErrorKind::Invalid, "FIELDS_INVALID"));
    engine.stop();
}

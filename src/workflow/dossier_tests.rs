//! Dossiers, lists, review times and health in a running engine, over restarts.

use std::path::Path;

use crate::domain::closed_case::ClosedCaseQuery;
use crate::domain::decision::{ActionKind, DecisionId, Stage};
use crate::domain::event::{Fact, OrderStep};
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use crate::domain::note::{NoteDraft, NoteKind};
use crate::domain::order::OrderKey;
use crate::domain::query::DecisionKey;
use crate::domain::record::ScoreRequest;
use crate::domain::review_times::ReviewTimesReport;
use crate::domain::review_trace::{Explanation, ReasonCode, ReviewTrace};
use crate::domain::time::Span;
use crate::domain::timeline::{ACCOUNT_DECISIONS_MAX, TimelineKind, TimelineRelation};
use crate::store::records::RecordsPlace;
use crate::workflow::access_service::AccessService as _;
use crate::workflow::dossier_service::{Dossier, DossierService as _};
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{choice, inputs, open, open_with, score, settings};
use crate::workflow::error::ErrorKind;
use crate::workflow::fixtures::{at, bundle, event, new_id, order, request};
use crate::workflow::kept_dossier::kept_dossier;
use crate::workflow::recent_work::RecentWork;
use crate::workflow::replay_decision::differences;
use crate::workflow::review_service::ReviewService as _;
use crate::workflow::service::OrderService as _;
use crate::workflow::start_engine::{EngineInputs, start_engine};

fn outcome(id: &str, of: OrderKey, kind: OutcomeKind) -> Outcome {
    Outcome {
        outcome_id: id.into(),
        decision_id: None,
        order: Some(of),
        kind,
        amount: None,
        occurred_at: at(950),
        source: OutcomeSource::Crm,
        source_ref: None,
        retracts: None,
        told_by: None,
    }
}

async fn dossier(engine: &Engine, id: DecisionId) -> Dossier {
    engine.get_dossier(DecisionKey::Id(id)).await.unwrap()
}

/// A word for each entry of a timeline.
fn words(dossier: &Dossier) -> Vec<String> {
    let word = |kind: &TimelineKind| match kind {
        TimelineKind::Event { kind } => kind.to_string(),
        TimelineKind::Decision { order, relation, .. } => match relation {
            TimelineRelation::This => format!("this {}", order.revision),
            TimelineRelation::SameOrder => format!("revision {}", order.revision),
            TimelineRelation::SameAccount => format!("order {}", order.order_id),
        },
        TimelineKind::Choice { choice_id, .. } => choice_id.to_string(),
        TimelineKind::Outcome { outcome_id, stands, .. } => format!("{outcome_id} {stands}"),
    };
    dossier.timeline.iter().map(|entry| word(&entry.what)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dossier_tells_the_order_in_all_revisions_and_the_account_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    // Account 2 places every seventh order.
    for n in [2, 3, 9, 16] {
        score(&engine, n).await;
    }
    let decision = score(&engine, 23).await;
    score(&engine, 30).await;
    let mut changed = ScoreRequest { request_id: "changed".into(), ..request(23) };
    changed.order.key.revision = 1;
    changed.event_time = at(25);
    engine.score_order(changed, at(26)).await.unwrap();
    for (n, minute) in [(23, 24), (3, 24)] {
        let step = Fact::OrderShipped(OrderStep { order: order(n).key });
        let told = event(format!("shipped {n}"), at(minute), step);
        engine.ingest_event(told, at(500)).await.unwrap();
    }
    let chosen = choice("chosen", decision.decision_id, ActionKind::Decline);
    engine.record_choice(chosen.clone(), at(901)).await.unwrap();
    let fraud = outcome("fraud", order(23).key, OutcomeKind::ConfirmedFraud);
    let back = Outcome {
        retracts: Some("fraud".into()),
        occurred_at: at(960),
        ..outcome("back", order(23).key, OutcomeKind::ConfirmedFraud)
    };
    for it in [&fraud, &back] {
        engine.record_outcome(it.clone(), at(970)).await.unwrap();
    }
    let expected = [
        "order 2",
        "order 9",
        "order 16",
        "this 0",
        "order_shipped",
        "revision 1",
        "chosen",
        "fraud false",
        "back false",
    ];
    let told = dossier(&engine, decision.decision_id).await;
    assert_eq!(words(&told), expected);
    assert_eq!(told.scored.request.order, order(23));
    assert_eq!((told.choices, told.outcomes), (vec![chosen], vec![fraud, back]));
    assert!(!told.is_timeline_truncated);
    let unknown = engine.get_dossier(DecisionKey::Id(new_id(at(0)))).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(words(&dossier(&engine, decision.decision_id).await), expected);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_account_with_a_long_past_the_newest_decisions_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for n in 0..25 {
        score(&engine, 7 * n).await;
    }
    let decision = score(&engine, 175).await;
    score(&engine, 182).await;
    let told = words(&dossier(&engine, decision.decision_id).await);
    assert_eq!(told.len(), ACCOUNT_DECISIONS_MAX as usize + 1);
    assert_eq!((&*told[0], &*told[19], &*told[20]), ("order 35", "order 168", "this 0"));
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_list_say_what_the_decisions_say() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_with(dir.path(), bundle(), "blind");
    let mut ids = vec![new_id(at(0))];
    let mut decisions = Vec::new();
    for n in 1..40 {
        let decision = score(&engine, n).await;
        ids.push(decision.decision_id);
        decisions.push(decision);
    }
    let lines = engine.decisions_in_short(&ids).await.unwrap();
    assert_eq!(lines.len(), decisions.len(), "the unknown one is left out");
    for (line, decision) in lines.iter().zip(&decisions) {
        assert_eq!(line.decision_id, decision.decision_id);
        let reason = decision.reasons.first().map(|reason| reason.text.clone());
        assert_eq!((&line.reason, line.is_blind), (&reason, decision.is_blind));
        assert_eq!(line.first_action, decision.actions.first().map(|best| best.action));
        assert_eq!(line.top_risk.as_ref().map(|it| it.band), Some(decision.risks[0].band));
    }
    assert!(lines.iter().any(|line| line.is_blind) && lines.iter().any(|it| it.reason.is_some()));
    let many = ids[1..].repeat(3);
    assert_eq!(engine.decisions_in_short(&many).await.unwrap().len(), 100);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_cases_are_those_that_somebody_chose_about_or_that_something_followed() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut ids = Vec::new();
    for n in 1..6 {
        ids.push(score(&engine, n).await.decision_id);
    }
    engine.record_choice(choice("c", ids[1], ActionKind::Decline), at(901)).await.unwrap();
    let refund = outcome("refund", order(4).key, OutcomeKind::Refund);
    engine.record_outcome(refund, at(951)).await.unwrap();
    let listed = async |engine: &Engine, query: ClosedCaseQuery| -> Vec<DecisionId> {
        let page = engine.list_closed_cases(query).await.unwrap();
        page.cases.iter().map(|case| case.decision_id).collect()
    };
    let all = ClosedCaseQuery { n_max: 10, ..ClosedCaseQuery::default() };
    let outcome = Some(OutcomeKind::Refund);
    let refunded = ClosedCaseQuery { outcome, ..all.clone() };
    let declined = ClosedCaseQuery { action: Some(ActionKind::Decline), outcome, ..all.clone() };
    assert_eq!(listed(&engine, all.clone()).await, [ids[3], ids[1]]);
    assert_eq!(listed(&engine, refunded).await, [ids[3]]);
    assert_eq!(listed(&engine, declined).await, []);
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(listed(&engine, all).await, [ids[3], ids[1]]);
    engine.stop();
}

/// An engine whose every look at the clock is a nanosecond after the one before.
fn timed(dir: &Path) -> Engine {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NANOS: AtomicU64 = AtomicU64::new(0);
    let nanos = || NANOS.fetch_add(1, Ordering::Relaxed);
    let inputs = EngineInputs { nanos, ..inputs(bundle(), "plain") };
    start_engine(&settings(dir), &inputs).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn recent_work_is_of_the_decisions_since_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let engine = timed(dir.path());
    for n in 1..8 {
        score(&engine, n).await;
    }
    // Asked again and as a dry run: nothing is made anew.
    score(&engine, 7).await;
    engine.dry_run(request(9), at(9)).await.unwrap();
    let work = engine.recent_work(5).await.unwrap();
    assert_eq!((work.n_decisions, work.span), (5, Some((at(4), at(8)))));
    let stages: Vec<Stage> = work.stages.iter().map(|it| it.stage).collect();
    assert_eq!(stages, [Stage::Features, Stage::Model, Stage::Decision]);
    assert!(work.stages.iter().all(|it| 0 < it.p50_nanos && it.p50_nanos <= it.p99_nanos));
    assert_eq!(work.first_actions.values().sum::<u64>(), 5);
    assert_eq!(work.strategies.get("plain"), Some(&5));
    assert_eq!(engine.recent_work(1_000).await.unwrap().n_decisions, 7);
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(engine.recent_work(1_000).await.unwrap(), RecentWork::default());
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_positions_versions_and_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    score(&engine, 1).await;
    engine.save_snapshot().await.unwrap();
    engine.records_caught_up().await.unwrap();
    let status = engine.get_system_status().await.unwrap();
    assert_eq!((status.journal_position, status.records_position), (4, 4));
    assert_eq!((status.records_lag, status.records_failure), (0, None));
    assert_eq!((&*status.build, &*status.strategy.name), ("test", "plain"));
    assert_eq!((&*status.strategy.hash, &*status.model.hash), ("hash of plain", bundle().hash()));
    let data = status.data;
    assert!(
        [data.journal, data.snapshots, data.records.unwrap()].iter().all(|it| 0 < *it),
        "{data:?}"
    );
    engine.stop();
}

fn reviewed(n: u32, decision_id: DecisionId) -> OperatorChoice {
    let mut choice = choice(&format!("c{n}"), decision_id, ActionKind::Decline);
    choice.opened_at = Some(choice.decided_at - Span(90_000_000));
    choice.review = Some(ReviewTrace {
        first_input_at: None,
        active_ms: 60_000,
        explanation: Explanation::EvidenceOnly,
        alert_worth: None,
        reason_codes: vec![ReasonCode::StolenCard],
    });
    choice
}

#[tokio::test(flavor = "multi_thread")]
async fn review_times_are_measured_once_per_order_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut n_asked = 0;
    let mut saved_at = None;
    for n in 0..400 {
        let decision = score(&engine, n).await;
        if decision.actions[0].action.is_release() || n_asked == 40 {
            continue;
        }
        engine.record_choice(reviewed(n, decision.decision_id), at(901)).await.unwrap();
        n_asked += 1;
        // Who chooses again about the same order is not counted again.
        let again = reviewed(10_000 + n, decision.decision_id);
        engine.record_choice(again, at(902)).await.unwrap();
        let fraud = outcome(&format!("fraud {n}"), order(n).key, OutcomeKind::ConfirmedFraud);
        engine.record_outcome(fraud, at(951)).await.unwrap();
        if n_asked == 20 {
            saved_at = Some(engine.save_snapshot().await.unwrap());
        }
    }
    assert_eq!((n_asked, saved_at.is_some()), (40, true));
    let reports = engine.review_times().await.unwrap();
    let counts: Vec<u64> = reports.iter().map(|it| it.n_choices).collect();
    assert_eq!(counts, [0, 0, 40]);
    let seen: &ReviewTimesReport = &reports[2];
    let (active, wall) = (seen.active.unwrap(), seen.wall.unwrap());
    assert!((active.median - 60.0).abs() < 1e-9 && (wall.p90 - 90.0).abs() < 1e-9);
    assert_eq!(seen.reason_codes, [(ReasonCode::StolenCard, 40)]);
    assert_eq!(seen.agreement.map(|it| (it.count, it.of)), Some((40, 40)));
    engine.stop();
    let engine = open(dir.path());
    assert_eq!(engine.review_times().await.unwrap(), reports);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_tells_a_decision_while_it_is_served_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    for n in [2, 9, 16] {
        score(&engine, n).await;
    }
    let decision = score(&engine, 23).await;
    let chosen = choice("chosen", decision.decision_id, ActionKind::Decline);
    engine.record_choice(chosen.clone(), at(901)).await.unwrap();
    let draft = NoteDraft {
        note_id: "n-1".into(),
        decision_id: decision.decision_id,
        by: "ann".into(),
        kind: NoteKind::Note,
        text: "asked the buyer".into(),
    };
    let note = engine.add_note(draft, at(902)).await.unwrap();
    let served = dossier(&engine, decision.decision_id).await;
    let check = || {
        let kept = kept_dossier(dir.path(), &RecordsPlace::Embedded, decision.decision_id).unwrap();
        assert_eq!(kept.dossier.scored.request, served.scored.request);
        assert_eq!(differences(&kept.dossier.scored.decision, &served.scored.decision), []);
        assert_eq!((&kept.dossier.choices, &kept.notes), (&served.choices, &vec![note.clone()]));
        assert_eq!(kept.dossier.timeline, served.timeline);
    };
    check();
    engine.stop();
    check();
    let unknown = kept_dossier(dir.path(), &RecordsPlace::Embedded, new_id(at(0))).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let empty = tempfile::tempdir().unwrap();
    let unread =
        kept_dossier(empty.path(), &RecordsPlace::Embedded, decision.decision_id).unwrap_err();
    assert_eq!(unread.kind(), ErrorKind::Internal);
}

//! The whole engine on a folder: idempotence, feedback, restarts and replays.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::decision::{ActionKind, Decision, DecisionId};
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind, OutcomeSource};
use crate::domain::query::{DecisionFilter, DecisionKey, DecisionQuery};
use crate::domain::record::ScoredOrder;
use crate::graph::settings::GraphSettings;
use crate::model::bundle::Bundle;
use crate::store::journal::recovery::DamagedTail;
use crate::store::journal::{Journal, JournalSettings};
use crate::store::log::{as_recorded, read_from};
use crate::store::records::RecordsPlace;
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::engine::Engine;
use crate::workflow::error::{Error, ErrorKind};
use crate::workflow::explainer::Explainers;
use crate::workflow::fixtures::{
    at, bundle, judge, label, new_id, order, other_bundle, placed, reader, request,
};
use crate::workflow::model_shelf::{ModelShelf, only_loaded};
use crate::workflow::pace::TimeBudgets;
use crate::workflow::past::Past;
use crate::workflow::replay_decision::differences;
use crate::workflow::replay_journal::{ReplayReport, replay_journal};
use crate::workflow::service::{Ack, OrderService};
use crate::workflow::shelves::Shelves;
use crate::workflow::start_engine::{EngineInputs, EngineSettings, start_engine};
use crate::workflow::strategy_shelf::StrategyShelf;

pub(super) fn settings(dir: &Path) -> EngineSettings {
    EngineSettings {
        data_dir: dir.to_path_buf(),
        journal: JournalSettings {
            segment_bytes: 1 << 18,
            record_bytes_max: 1 << 17,
            queue_bytes_max: 1 << 20,
            damaged_tail: DamagedTail::Refuse,
        },
        graph: GraphSettings::default(),
        background: BackgroundRule::OFF,
        rotation: None,
        queue_max: 64,
        budgets: TimeBudgets::default(),
        records: RecordsPlace::Embedded,
        records_pause: Duration::from_millis(1),
        records_batch_max: 16,
        snapshots_kept: 2,
    }
}

/// A judge with this, at the first minute, and a clock within orders that stands still.
pub(super) fn inputs(bundle: Arc<Bundle>, strategy: &str) -> EngineInputs {
    EngineInputs {
        judge: judge(bundle, strategy),
        read_strategy: reader(),
        read_bundle: only_loaded(),
        new_id,
        nanos: || 0,
        now: at(0),
    }
}

pub(crate) fn open_with(dir: &Path, bundle: Arc<Bundle>, strategy: &str) -> Engine {
    start_engine(&settings(dir), &inputs(bundle, strategy)).unwrap()
}

pub(super) fn open(dir: &Path) -> Engine {
    open_with(dir, bundle(), "plain")
}

pub(crate) async fn score(engine: &Engine, n: u32) -> Arc<Decision> {
    engine.score_order(request(n), at(i64::from(n) + 1)).await.unwrap().decision
}

/// Orders, verdicts and some more orders, so that the graph has something to tell.
pub(crate) async fn fill(engine: &Engine, numbers: std::ops::Range<u32>) -> Vec<Arc<Decision>> {
    let mut decisions = Vec::new();
    for n in numbers {
        decisions.push(score(engine, n).await);
        if n.is_multiple_of(4) {
            let told = label(n, f64::from(n % 8 / 4), i64::from(n) + 1);
            assert_eq!(engine.ingest_event(told, at(500)).await.unwrap(), Ack::Accepted);
        }
    }
    decisions
}

/// The state at the end of a stopped engine's journal, saved states included or not.
pub(super) fn past(dir: &Path, snapshots: &str, bundle: Arc<Bundle>) -> (Past, Journal) {
    let engine = settings(dir);
    let (journal, _) = Journal::open(&dir.join("journal"), engine.journal).unwrap();
    let past = Past {
        reader: journal.reader(),
        snapshot_dir: dir.join(snapshots),
        snapshots_kept: 2,
        background: engine.background,
        judge: judge(bundle, "plain"),
        explainers: Explainers::default(),
        shelves: Shelves {
            strategies: StrategyShelf::new(reader()),
            models: ModelShelf::new(only_loaded()),
        },
    };
    (past, journal)
}

/// Folds whole records, and what is read of them to fold: both lead to the same bytes.
pub(super) fn assert_folds_alike(dir: &Path) {
    let (past, journal) = past(dir, "none", bundle());
    let mut whole = past.empty();
    for entry in read_from(&journal.reader(), 1) {
        whole.fold(&entry.unwrap().1);
    }
    let again = past.state_at(u64::MAX).unwrap();
    assert!(postcard::to_stdvec(&again).unwrap() == postcard::to_stdvec(&whole).unwrap());
}

/// A decision about the order with this number, as the journal holds it.
pub(super) fn kept(decision: &Arc<Decision>, n: u32) -> Arc<Decision> {
    let scored = ScoredOrder { request: request(n), decision: decision.clone() };
    as_recorded(Arc::new(scored)).unwrap().decision.clone()
}

pub(crate) fn choice(id: &str, decision_id: DecisionId, action: ActionKind) -> OperatorChoice {
    OperatorChoice {
        choice_id: id.into(),
        decision_id,
        operator_id: "op".into(),
        action,
        chosen_rank: None,
        override_reason: None,
        note: None,
        opened_at: None,
        decided_at: at(900),
        review: None,
    }
}

fn fields_of(error: &Error) -> Vec<&str> {
    let Error::IdReused { fields, .. } = error else { panic!("{error}") };
    fields.iter().map(|field| &**field).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_gives_the_same_decision_again_or_names_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let first = score(&engine, 1).await;
    score(&engine, 2).await;
    let again = engine.score_order(request(1), at(99)).await.unwrap();
    assert!(again.is_replayed);
    assert_eq!(differences(&again.decision, &kept(&first, 1)), []);
    let mut other = request(1);
    other.order.amount = None;
    other.max_actions = 1;
    let error = engine.score_order(other, at(99)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(fields_of(&error), ["max_actions", "order.amount"]);
    // Three activations and two decisions: a repetition writes nothing.
    assert_eq!(engine.durable_position(), 5);
    // In any order, at the same time: one decision.
    let asked = request(3);
    let (a, b) = tokio::join!(
        engine.score_order(asked.clone(), at(99)),
        engine.score_order(asked.clone(), at(100))
    );
    assert_eq!(differences(&a.unwrap().decision, &b.unwrap().decision), []);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_is_taken_once_and_another_one_under_its_id_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let tell = |event| engine.ingest_event(event, at(500));
    assert_eq!(tell(placed(1)).await.unwrap(), Ack::Accepted);
    assert_eq!(tell(placed(1)).await.unwrap(), Ack::Duplicate);
    let mut later = placed(1);
    later.event_time = at(2);
    assert_eq!(fields_of(&tell(later).await.unwrap_err()), ["event_time"]);
    let mut other = placed(1);
    other.fact = placed(2).fact;
    assert_eq!(fields_of(&tell(other).await.unwrap_err()), ["fact"]);
    assert_eq!(engine.durable_position(), 4);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_about_a_decision_that_was_never_given_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let decision = score(&engine, 1).await;
    let unknown = new_id(at(0));
    let error = engine.record_choice(choice("c", unknown, ActionKind::Review), at(901)).await;
    assert!(matches!(error, Err(Error::UnknownDecision(id)) if id == unknown));
    let known = choice("c", decision.decision_id, ActionKind::Review);
    assert_eq!(engine.record_choice(known.clone(), at(901)).await.unwrap(), Ack::Accepted);
    assert_eq!(engine.record_choice(known, at(902)).await.unwrap(), Ack::Duplicate);
    let changed = choice("c", decision.decision_id, ActionKind::Decline);
    let error = engine.record_choice(changed, at(903)).await.unwrap_err();
    assert_eq!(fields_of(&error), ["fact"]);
    let outcome = Outcome {
        outcome_id: "c".into(),
        decision_id: Some(unknown),
        order: Some(order(1).key),
        kind: OutcomeKind::Refund,
        amount: None,
        occurred_at: at(950),
        source: OutcomeSource::Crm,
        source_ref: None,
        retracts: None,
        told_by: None,
    };
    let refused = engine.record_outcome(outcome.clone(), at(951)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    // An outcome may have the id of a choice: each has a room of its own.
    let outcome = Outcome { decision_id: None, ..outcome };
    assert_eq!(engine.record_outcome(outcome, at(951)).await.unwrap(), Ack::Accepted);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_from_snapshot_and_tail_answers_as_if_nothing_had_happened() {
    let dir = tempfile::tempdir().unwrap();
    let asked = || (request(1_000), at(1_001));
    let engine = open(dir.path());
    let told = fill(&engine, 1..30).await;
    let saved = engine.save_snapshot().await.unwrap();
    fill(&engine, 30..45).await;
    let end = engine.durable_position();
    assert!(saved < end);
    let before = engine.dry_run(asked().0, asked().1).await.unwrap();
    engine.stop();

    let (with, journal) = past(dir.path(), "snapshots", bundle());
    let (state, bytes) = {
        let state = with.state_at(end).unwrap();
        let bytes = postcard::to_stdvec(&state).unwrap();
        (state, bytes)
    };
    let without = Past { snapshot_dir: dir.path().join("none"), ..with };
    let folded = without.state_at(end).unwrap();
    assert_eq!(folded.graph.state_hash(), state.graph.state_hash());
    assert!(postcard::to_stdvec(&folded).unwrap() == bytes, "the states differ");
    drop((without, journal));

    let engine = open(dir.path());
    assert_eq!(engine.durable_position(), end, "nothing is activated anew");
    let after = engine.dry_run(asked().0, asked().1).await.unwrap();
    let after = Decision { decision_id: before.decision_id, ..(*after).clone() };
    assert_eq!(differences(&before, &after), []);
    let first = engine.get_decision(DecisionKey::Id(told[0].decision_id)).await.unwrap();
    assert_eq!(differences(&kept(&told[0], 1), &first), []);
    assert!(engine.score_order(request(1), at(2)).await.unwrap().is_replayed);
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_decision_is_made_again_to_the_byte_under_the_strategy_of_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let plain = fill(&engine, 1..25).await;
    engine.save_snapshot().await.unwrap();
    engine.stop();
    let engine = open_with(dir.path(), bundle(), "strict");
    let strict = fill(&engine, 25..40).await;
    let probabilities = plain.iter().chain(&strict).map(|d| d.risks[0].probability.value());
    let distinct: std::collections::BTreeSet<u64> = probabilities.map(f64::to_bits).collect();
    assert!(3 < distinct.len(), "the model hears nothing of the graph: {distinct:?}");
    for decision in plain.iter().chain(&strict).step_by(7) {
        let found = engine.replay_decision(decision.decision_id).await.unwrap();
        assert_eq!(found, []);
    }
    let unknown = engine.replay_decision(new_id(at(0))).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    engine.stop();

    let (past, journal) = past(dir.path(), "snapshots", bundle());
    let report = replay_journal(&past, &journal.reader(), &mut |_| {}).unwrap();
    let n_decisions = (plain.len() + strict.len()) as u64;
    assert_eq!((report.identical, report.differing, report.skipped), (n_decisions, 0, 0));
    let of_another = Past { judge: judge(other_bundle(), "plain"), ..past };
    let report = replay_journal(&of_another, &journal.reader(), &mut |_| {}).unwrap();
    let skipped = ReplayReport {
        records: journal.durable_position(),
        skipped: n_decisions,
        ..ReplayReport::default()
    };
    assert_eq!(report, skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_every_answer_once_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    let mut decisions = fill(&engine, 1..12).await;
    decisions.reverse();
    let mut listed = Vec::new();
    let mut older_than = None;
    loop {
        let query = DecisionQuery { filter: DecisionFilter::default(), older_than, n_max: 4 };
        let page = engine.list_decisions(query).await.unwrap();
        listed.extend(page.decisions);
        if !page.has_more {
            break;
        }
        older_than = listed.last().map(|decision| decision.decision_id);
    }
    let ids = |decisions: &[Arc<Decision>]| -> Vec<DecisionId> {
        decisions.iter().map(|decision| decision.decision_id).collect()
    };
    assert_eq!(ids(&listed), ids(&decisions));
    engine.stop();
}

//! Answers compare with the background that the journal named last.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::domain::decision::Decision;
use crate::domain::money::{Currency, Money};
use crate::domain::record::{BackgroundActivated, Record, ScoreRequest, ScoredOrder};
use crate::model::background::Background;
use crate::store::journal::Journal;
use crate::store::log::append;
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::approved_orders_tests::approved;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{fill, inputs, open, open_with, past, score, settings};
use crate::workflow::explainer::Explainers;
use crate::workflow::fixtures::{at, bundle, model_activated, other_bundle, request};
use crate::workflow::past::Past;
use crate::workflow::replay_decision::differences;
use crate::workflow::replay_journal::replay_journal;
use crate::workflow::service::OrderService;
use crate::workflow::start_engine::{EngineSettings, start_engine};
use crate::workflow::state::State;

/// `n` rows of ranks that no order of the fixtures has.
pub(super) fn background(n: u8) -> Background {
    let n_features = bundle().manifest().features.len();
    let ranks = (0..n).flat_map(|row| (0..n_features).map(move |at| row % 5 + u8::from(at < 9)));
    Background::new("made up", n_features, ranks.collect()).unwrap()
}

pub(super) fn activated(background: &Background) -> Record {
    Record::BackgroundActivated(BackgroundActivated {
        name: background.name().into(),
        hash: background.hash().into(),
        model_hash: bundle().hash().into(),
        n_features: u32::try_from(background.n_features()).unwrap(),
        ranks: background.ranks().to_vec(),
        at: at(0),
    })
}

pub(super) fn add(dir: &Path, record: &Record) {
    let (journal, _) = Journal::open(&dir.join("journal"), settings(dir).journal).unwrap();
    append(&journal.writer(), record).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_name_the_background_of_the_record_before_them_and_replay_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut told = Vec::new();
    for (n, rows) in [(1, 0), (11, 20), (21, 33)] {
        if 0 < rows {
            add(dir, &activated(&background(rows)));
        }
        let engine = open(dir);
        let decisions = fill(&engine, n..n + 10).await;
        if rows == 20 {
            engine.save_snapshot().await.unwrap();
        }
        told.push(decisions);
        engine.stop();
    }
    let own = bundle().parts().background.clone();
    let expected = [own, background(20), background(33)];
    let mut bases = Vec::new();
    for (decisions, background) in told.iter().zip(&expected) {
        for decision in decisions {
            assert_eq!(&*decision.versions.background_hash, background.hash());
            assert_eq!(&*decision.versions.background, background.name());
            assert!(decision.risks.iter().all(|risk| risk.residual == 0.0));
        }
        bases.push(decisions[0].risks[0].base.to_bits());
    }
    assert!(bases[0] != bases[1] && bases[1] != bases[2], "{bases:?}");

    let engine = open(dir);
    for decision in told.iter().flatten().step_by(5) {
        let found = engine.replay_decision(decision.decision_id).await.unwrap();
        assert_eq!(found, []);
    }
    engine.stop();
    let (past, journal) = past(dir, "snapshots", bundle());
    let report = replay_journal(&past, &journal.reader(), &mut |_| {}).unwrap();
    assert_eq!((report.identical, report.differing, report.skipped), (30, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_bundle_compares_with_its_own_background_again() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    open(dir).stop();
    add(dir, &activated(&background(20)));
    let engine = open_with(dir, other_bundle(), "plain");
    let own = other_bundle().parts().background.clone();
    assert_eq!(&*score(&engine, 1).await.versions.background_hash, own.hash());
    engine.stop();
    // Back again: the record was for the earlier stay of that bundle.
    let engine = open(dir);
    let own = bundle().parts().background.clone();
    assert_eq!(&*score(&engine, 2).await.versions.background_hash, own.hash());
    engine.stop();
}

#[test]
fn a_background_of_another_bundle_changes_nothing() {
    let mut state = State::empty(BackgroundRule::OFF);
    state.fold(&activated(&background(3)));
    assert_eq!((&state.background, state.position), (&None, 1));
}

const RULE: BackgroundRule = BackgroundRule { every_approved: 20, rows_min: 4, rows_max: 12 };

fn open_ruled(dir: &Path) -> Engine {
    let settings = EngineSettings { background: RULE, ..settings(dir) };
    start_engine(&settings, &inputs(bundle(), "plain")).unwrap()
}

/// Most orders told while a background is in the making; a second of it and more.
const PATIENCE: u32 = 5_000;

/// A request about the order with this number, too small to be worth a look.
fn cheap(n: u32) -> ScoreRequest {
    let mut request = request(n);
    let amount = Some(Money { currency: Currency::CNY, minor_units: 100 });
    request.order.amount = amount;
    request
}

/// Scores orders until another background than the first is named.
async fn until_renewed(engine: &Engine) -> Vec<Arc<Decision>> {
    let mut decisions: Vec<Arc<Decision>> = Vec::new();
    let mut hashes = BTreeSet::new();
    for n in 1..PATIENCE {
        let asked = cheap(n);
        let decision = engine.score_order(asked, at(i64::from(n) + 1)).await.unwrap().decision;
        hashes.insert(decision.versions.background_hash.clone());
        decisions.push(decision);
        if hashes.len() == 2 {
            return decisions;
        }
    }
    panic!("no new background after {PATIENCE} orders");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_renews_its_background_and_every_answer_replays_across_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let engine = open_ruled(dir);
    let mut told = until_renewed(&engine).await;
    let own = bundle().parts().background.clone();
    assert_eq!(&*told[0].versions.background_hash, own.hash());
    let last = &told.last().unwrap().versions;
    assert!(last.background.starts_with("approved orders up to record "), "{last:?}");
    engine.save_snapshot().await.unwrap();
    let n = u32::try_from(told.len()).unwrap() + 1;
    told.extend(fill(&engine, n..n + 8).await);
    assert!(told.iter().flat_map(|decision| &decision.risks).all(|risk| risk.residual == 0.0));
    let before = engine.dry_run(request(9_000), at(9_001)).await.unwrap();
    let end = engine.durable_position();
    engine.stop();

    let engine = open_ruled(dir);
    assert_eq!(engine.durable_position(), end, "nothing is activated anew");
    let after = engine.dry_run(request(9_000), at(9_001)).await.unwrap();
    let after = Decision { decision_id: before.decision_id, ..(*after).clone() };
    assert_eq!(differences(&before, &after), []);
    for at in [0, told.len() / 2, told.len() - 1] {
        let found = engine.replay_decision(told[at].decision_id).await.unwrap();
        assert_eq!(found, []);
    }
    engine.stop();

    let (with, journal) = past(dir, "snapshots", bundle());
    let with = Past { background: RULE, ..with };
    let bytes = |past: &Past| postcard::to_stdvec(&past.state_at(end).unwrap()).unwrap();
    let saved = bytes(&with);
    let mut past = Past { snapshot_dir: dir.join("none"), ..with };
    assert!(bytes(&past) == saved, "the states differ");
    // Under another rule too: an answer depends on what was recorded alone.
    for background in [RULE, BackgroundRule::OFF] {
        (past.background, past.explainers) = (background, Explainers::default());
        let report = replay_journal(&past, &journal.reader(), &mut |_| {}).unwrap();
        assert_eq!((report.identical, report.differing), (told.len() as u64, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_neither_starts_nor_ends_the_making_of_a_background() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open_ruled(dir.path());
    fill(&engine, 1..12).await;
    let end = engine.durable_position();
    for n in 100..400 {
        engine.dry_run(request(n), at(500)).await.unwrap();
    }
    assert_eq!(engine.durable_position(), end);
    engine.stop();
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(32))]
    #[test]
    fn the_place_of_the_record_alone_decides_what_explains_an_answer(
        early in 0_usize..30, late in 0_usize..30
    ) {
        // However long its thread took: the same orders are kept either way.
        let records: Vec<Record> = (1..=30).map(decided).collect();
        let fold = |place: usize| {
            let mut state = State::empty(RULE);
            let model = model_activated(bundle().hash());
            state.fold(&Record::ModelActivated(model));
            for (at, record) in records.iter().enumerate() {
                if at == place {
                    state.fold(&activated(&background(5)));
                }
                assert_eq!(state.background.is_some(), place <= at);
                state.fold(record);
            }
            state
        };
        let (a, b) = (fold(early), fold(late));
        let bits = |state: &State| state.approved.features().into_iter().map(f32::to_bits).collect::<Vec<_>>();
        proptest::prop_assert_eq!(bits(&a), bits(&b));
        proptest::prop_assert_eq!(&a.background, &b.background);
    }
}

/// A decision that approves the order with this number.
fn decided(n: u16) -> Record {
    let decision = Arc::new(approved(n));
    Record::Decision(Arc::new(ScoredOrder { request: request(n.into()), decision }))
}

//! Answers compare with the background that the journal named last.

use std::path::Path;

use crate::domain::record::{BackgroundActivated, Record};
use crate::graph::settings::GraphSettings;
use crate::model::background::Background;
use crate::store::journal::Journal;
use crate::store::log::append;
use crate::workflow::engine_tests::{fill, open, open_with, past, score, settings};
use crate::workflow::fixtures::{at, bundle, other_bundle};
use crate::workflow::replay_journal::replay_journal;
use crate::workflow::service::OrderService;
use crate::workflow::state::State;

/// `n` rows of ranks that no order of the fixtures has.
fn background(n: u8) -> Background {
    let n_features = bundle().manifest().features.len();
    let ranks = (0..n).flat_map(|row| (0..n_features).map(move |at| row % 5 + u8::from(at < 9)));
    Background::new("made up", n_features, ranks.collect()).unwrap()
}

fn activated(background: &Background) -> Record {
    Record::BackgroundActivated(BackgroundActivated {
        name: background.name().into(),
        hash: background.hash().into(),
        model_hash: bundle().hash().into(),
        n_features: u32::try_from(background.n_features()).unwrap(),
        ranks: background.ranks().to_vec(),
        at: at(0),
    })
}

fn add(dir: &Path, record: &Record) {
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
    let own = bundle().parts().background.clone().unwrap();
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
    let own = other_bundle().parts().background.clone().unwrap();
    assert_eq!(&*score(&engine, 1).await.versions.background_hash, own.hash());
    engine.stop();
    // Back again: the record was for the earlier stay of that bundle.
    let engine = open(dir);
    let own = bundle().parts().background.clone().unwrap();
    assert_eq!(&*score(&engine, 2).await.versions.background_hash, own.hash());
    engine.stop();
}

#[test]
fn a_background_of_another_bundle_changes_nothing() {
    let mut state = State::empty(GraphSettings::default());
    state.fold(&activated(&background(3)));
    assert_eq!((&state.background, state.position), (&None, 1));
}

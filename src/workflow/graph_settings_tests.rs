//! Edited graph settings: the same answers, wherever the fold starts.

use std::path::Path;

use crate::domain::decision::{DecisionState, DegradedReason};
use crate::domain::record::{GraphActivated, Record};
use crate::domain::time::Span;
use crate::graph::settings::GraphSettings;
use crate::store::log::read_from;
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{fill, inputs, past, settings};
use crate::workflow::fixtures::{at, bundle};
use crate::workflow::past::Past;
use crate::workflow::replay_journal::replay_journal;
use crate::workflow::service::{GraphStatusAnswer, OrderService};
use crate::workflow::start_engine::{EngineSettings, start_engine};

fn open(dir: &Path, graph: &GraphSettings) -> Engine {
    let settings = EngineSettings { graph: graph.clone(), ..settings(dir) };
    start_engine(&settings, &inputs(bundle(), "plain")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_takes_effect_and_replays_from_a_snapshot_as_from_the_first_record() {
    let dir = tempfile::tempdir().unwrap();
    let wide = GraphSettings { hub_accounts_min: 5, ..GraphSettings::default() };
    let narrow = GraphSettings {
        lateness: Span(0),
        hub_accounts_min: 1,
        hub_age_min: Span(0),
        ring_link_accounts_max: 1,
        ..wide.clone()
    };
    let engine = open(dir.path(), &wide);
    fill(&engine, 1..30).await;
    engine.save_snapshot().await.unwrap();
    engine.stop();
    let engine = open(dir.path(), &narrow);
    let after = fill(&engine, 30..60).await;
    engine.stop();
    // Neither the edit nor what it changes is lost on a start that changes nothing.
    let engine = open(dir.path(), &narrow);
    fill(&engine, 60..62).await;
    engine.stop();
    assert!(after.iter().all(|it| it.degraded_reasons.contains(&DegradedReason::LateEvent)));

    let (past, journal) = past(dir.path(), "snapshots", bundle());
    let told: Vec<(u64, GraphSettings)> = read_from(&journal.reader(), 1)
        .filter_map(|entry| match entry.unwrap() {
            (position, Record::GraphActivated(GraphActivated { settings, .. })) => {
                Some((position, GraphSettings::parse(&settings).unwrap()))
            }
            _ => None,
        })
        .collect();
    let settings: Vec<&GraphSettings> = told.iter().map(|(_, settings)| settings).collect();
    assert_eq!((told[0].0, settings), (1, vec![&wide, &narrow]));
    let end = journal.durable_position();
    let from_snapshot = past.state_at(end).unwrap().graph.state_hash();
    let without = Past { snapshot_dir: dir.path().join("none"), ..past };
    assert_eq!(without.state_at(end).unwrap().graph.state_hash(), from_snapshot);
    let report = replay_journal(&without, &journal.reader(), &mut |_| {}).unwrap();
    assert_eq!((report.identical, report.differing), (61, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_say_that_the_graph_shed_orders_and_replay_the_same() {
    const ORDERS_MAX: u32 = 20;
    let dir = tempfile::tempdir().unwrap();
    let small = GraphSettings { orders_max: ORDERS_MAX, ..GraphSettings::default() };
    let engine = open(dir.path(), &small);
    let mut answers = fill(&engine, 1..30).await;
    engine.save_snapshot().await.unwrap();
    answers.extend(fill(&engine, 30..50).await);
    let GraphStatusAnswer { status, position } = engine.get_graph_status().await.unwrap();
    assert_eq!((status.n_orders_kept, status.counts.n_orders, status.counts.n_shed), (20, 49, 29));
    assert_eq!((status.shed_until, status.is_cut_by_shedding), (Some(at(30)), true));
    assert_eq!(position, engine.durable_position());
    engine.stop();
    for (n_before, answer) in (0..).zip(&answers) {
        let is_cut = ORDERS_MAX < n_before;
        let expected: &[DegradedReason] = if is_cut { &[DegradedReason::PastShed] } else { &[] };
        assert_eq!(answer.degraded_reasons, expected, "after {n_before} orders");
        assert_eq!(answer.state == DecisionState::Degraded, is_cut);
    }

    let (past, journal) = past(dir.path(), "snapshots", bundle());
    let graph = past.state_at(journal.durable_position()).unwrap().graph;
    assert_eq!((graph.size().1, graph.counts().n_shed), (20, 29));
    let without = Past { snapshot_dir: dir.path().join("none"), ..past };
    let folded = without.state_at(journal.durable_position()).unwrap().graph;
    assert_eq!(folded.state_hash(), graph.state_hash());
    let report = replay_journal(&without, &journal.reader(), &mut |_| {}).unwrap();
    assert_eq!((report.identical, report.differing), (49, 0));
}

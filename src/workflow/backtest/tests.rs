//! Laws of back-tests on a small shop.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::decision::fixtures::strategy;
use crate::domain::backtest::BacktestReport;
use crate::domain::feature::FeatureGroup;
use crate::domain::price_solution::Solution;
use crate::domain::strategy_version::StrategyMistake;
use crate::model::bundle::Bundle;
use crate::store::journal::reader::JournalReader;
use crate::workflow::background_tests::{activated, add, background};
use crate::workflow::backtest::run::{Backtest, Progress};
use crate::workflow::engine::Engine;
use crate::workflow::engine_tests::{fill, settings};
use crate::workflow::error::Error;
use crate::workflow::fixtures::{at, bundle, new_id, other_bundle};
use crate::workflow::judge_order::{ActiveStrategy, Judge};
use crate::workflow::model_shelf::only_loaded;
use crate::workflow::start_engine::{EngineInputs, start_engine};
use crate::workflow::strategy_shelf::StrategyReader;

/// `plain` leaves the model as it is, `tilted` weights it, `mild` fears no losses, and
/// `price=…` is the plain one at a price of a reviewer's minute.
fn read(toml: &str) -> Result<ActiveStrategy, Vec<StrategyMistake>> {
    let mut strategy = strategy();
    strategy.name = toml.into();
    strategy.hash = format!("hash of {toml}").into();
    for action in &mut strategy.actions {
        action.review_minutes = if action.kind.is_release() { 0.0 } else { 6.0 };
    }
    match toml.split_once('=').unwrap_or((toml, "")) {
        ("plain", _) => {}
        ("tilted", _) => {
            strategy.weights = FeatureGroup::ALL
                .into_iter()
                .fold(strategy.weights, |weights, group| weights.with(group, 1.4));
        }
        ("mild", _) => {
            strategy.default_risk.loss_share = 0.0;
            strategy.default_risk.loss_fixed_minor = 0.0;
        }
        ("price", price) => strategy.money.review_minute_minor = price.parse().unwrap(),
        _ => return Err(Vec::new()),
    }
    Ok(ActiveStrategy { strategy, toml: toml.into() })
}

fn reader() -> StrategyReader {
    Arc::new(read)
}

fn open(dir: &Path, bundle: Arc<Bundle>, toml: &str) -> Engine {
    let strategy = Arc::new(read(toml).unwrap());
    let judge = Judge::new(bundle, strategy, "test").unwrap();
    let (read_strategy, now) = (reader(), at(0));
    let inputs =
        EngineInputs { judge, read_strategy, read_bundle: only_loaded(), new_id, nanos: || 0, now };
    start_engine(&settings(dir), &inputs).unwrap()
}

fn check(
    dir: &Path,
    draft: &str,
    last: Option<u64>,
    n_threads: usize,
) -> Result<BacktestReport, Error> {
    let journal = JournalReader::open(&dir.join("journal")).unwrap();
    let (bundle, known) = (bundle(), Vec::new());
    let (reader, bundle, read_strategy) = (&journal, &*bundle, reader());
    let backtest = Backtest { reader, bundle, read_strategy, known, last, n_threads };
    backtest.run(&Arc::new(read(draft).unwrap()), &mut |_| ControlFlow::Continue(()))
}

/// Three stays under three strategies and two backgrounds, and one of another bundle.
async fn shop(dir: &Path) {
    for (n, toml, rows) in [(1, "plain", 0), (21, "tilted", 20), (41, "tilted", 33)] {
        if 0 < rows {
            add(dir, &activated(&background(rows)));
        }
        let engine = open(dir, bundle(), toml);
        fill(&engine, n..n + 20).await;
        engine.stop();
    }
    let engine = open(dir, other_bundle(), "plain");
    fill(&engine, 61..66).await;
    engine.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_actions_are_made_again_against_the_background_of_their_time() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path()).await;
    let report = check(dir.path(), "tilted", None, 1).unwrap();
    let window = &report.window;
    assert_eq!((window.orders, window.not_comparable.other_bundle), (60, 5));
    assert_eq!((window.reproduced.count, window.reproduced.of), (60, 60));
    let names: Vec<(&str, u64)> =
        report.recorded.iter().map(|it| (&*it.strategy.name, it.orders)).collect();
    assert_eq!(names, [("tilted", 40), ("plain", 20)]);
    let n_matrix: u64 = report.replay.matrix.iter().map(|cell| cell.orders).sum();
    assert_eq!(n_matrix, 60);
    let n_sliced: u64 = report.slices.iter().map(|slice| slice.orders).sum();
    assert_eq!(n_sliced, 3 * 60);
    let known = report.known_truth;
    // One head, so a label tells the whole truth; a quarter of the orders has one.
    assert_eq!(known.good + known.bad, 15);
    assert_eq!(known.good + known.bad + known.not_known, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_the_same_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path()).await;
    let one = check(dir.path(), "mild", None, 1).unwrap();
    assert!(0 < one.replay.flips.count, "{:?}", one.replay);
    assert_eq!(one.flipped.len() as u64, one.replay.flips.count);
    for n_threads in [2, 5] {
        let more = check(dir.path(), "mild", None, n_threads).unwrap();
        assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&more).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_prefers_its_own_choice_by_its_own_coefficients() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path()).await;
    let report = check(dir.path(), "mild", None, 2).unwrap();
    let [recorded, draft] = &report.assumption.differences[..] else { panic!("two sides") };
    assert!(recorded.total_minor <= 0.0 && 0.0 <= draft.total_minor, "{recorded:?} {draft:?}");
    for flipped in &report.flipped {
        let [old, new] = [&flipped.recorded, &flipped.draft].map(|side| side.actions[0].action);
        assert!(old != new && 0.0 <= flipped.stake_minor);
    }
    assert!(report.flipped.is_sorted_by(|a, b| b.stake_minor <= a.stake_minor));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_last_orders_are_judged_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path()).await;
    // The five newest are of another bundle.
    for (last, orders) in [(5, 0), (6, 1), (25, 20), (65, 60), (900, 60)] {
        let report = check(dir.path(), "plain", Some(last), 2).unwrap();
        assert_eq!(report.window.orders, orders, "last {last}");
        let again = report.window.reproduced;
        assert_eq!((again.count, again.of), (orders, orders));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_leaves_breaks_it_off() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path()).await;
    let journal = JournalReader::open(&dir.path().join("journal")).unwrap();
    let (bundle, known) = (bundle(), Vec::new());
    let (reader, bundle, read_strategy) = (&journal, &*bundle, reader());
    let backtest = Backtest { reader, bundle, read_strategy, known, last: None, n_threads: 2 };
    let mut told = Vec::new();
    let ended = backtest.run(&Arc::new(read("plain").unwrap()), &mut |at: Progress| {
        told.push(at);
        ControlFlow::Break(())
    });
    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    assert_eq!(told.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_solved_price_meets_the_hours_when_it_judges() {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path(), bundle(), "plain");
    // An order a minute, so that it takes more than a day.
    fill(&engine, 1..1_600).await;
    engine.stop();
    let journal = JournalReader::open(&dir.path().join("journal")).unwrap();
    let (bundle, known) = (bundle(), Vec::new());
    let (reader, bundle, read_strategy) = (&journal, &*bundle, reader());
    let backtest = Backtest { reader, bundle, read_strategy, known, last: None, n_threads: 2 };
    let solve = |hours: f64| {
        let draft = Arc::new(read("plain").unwrap());
        let set_price = |_: &str, price: f64| format!("price={price}");
        let watch = &mut |_| ControlFlow::Continue(());
        backtest.solve(&draft, hours, &set_price, watch).unwrap()
    };
    let free = solve(1e6);
    let Some(Solution::Solved(all)) = &free.solution else { panic!("{:?}", free.solution) };
    assert!(!all.is_binding && all.review_minute_minor <= 0.0);
    let most = all.minutes_per_day;
    assert!(0.0 < most);
    let mut last = -1.0;
    for share in [0.9, 0.5, 0.2] {
        let report = solve(share * most / 60.0);
        let Some(Solution::Solved(solved)) = &report.solution else { panic!("a price") };
        assert!(solved.is_binding && last < solved.review_minute_minor, "{solved:?}");
        assert!(solved.minutes_per_day <= share * most + 1e-9, "{solved:?}");
        let load = report.reviewers.draft_minutes_per_day;
        assert!((load - solved.minutes_per_day).abs() < 1e-9);
        // Orders are few here and alike: as near as one kind of them.
        assert!((share - 0.2) * most <= load, "{share} of {most}: {load}");
        last = solved.review_minute_minor;
    }
}

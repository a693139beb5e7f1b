//! A back-test tells what serving the draft does, order by order.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, StreamExt as _};
use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::domain::decision::{ActionKind, DecisionId};
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::journal::reader::JournalReader;
use orderlens::store::log::{read_short, tells_fact_or_order};
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::backtest::compare::{Compared, Comparer, Steps};
use orderlens::workflow::backtest::past_judges::{FittedStrategy, PastJudges};
use orderlens::workflow::engine::Engine;
use orderlens::workflow::judge_order::{ActiveStrategy, Judge};
use orderlens::workflow::service::OrderService;
use orderlens::workflow::start_engine::{EngineInputs, start_engine};
use serde_json::Value;
use uuid::Uuid;

use crate::server::orderlens;

const START: Timestamp = Timestamp(1_767_225_600_000_000);
const DAYS: u32 = 20;
const ORDERS_PER_DAY: u32 = 70;
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 50;
/// Calls that are on their way at a time; they are told in order.
const IN_FLIGHT: usize = 64;

/// The shipped strategy with other weights, thresholds and costs.
fn draft() -> String {
    let changes = [
        ("network = 1.0", "network = 0.5"),
        ("device = 1.0", "device = 1.6"),
        ("loss_fixed_minor = 12000", "loss_fixed_minor = 40000"),
        ("review_above = 0.20", "review_above = 0.08"),
        ("loss_fixed_minor = 3000", "loss_fixed_minor = 0"),
        ("loss_share = 0.35", "loss_share = 0.02"),
        ("loss_share = 0.45", "loss_share = 0.02"),
        ("penalty_minor = 30000", "penalty_minor = 200"),
        ("review_minute_minor = 150", "review_minute_minor = 90"),
        ("churn_share = 0.40", "churn_share = 0.30"),
        // A rule that was not enabled, and takes hold of some orders.
        (
            "enabled = false\nwhen = 'order.address_kind",
            "enabled = true\nwhen = 'order.address_kind",
        ),
        ("risk.reseller_hoarding >= 0.5'", "risk.reseller_hoarding >= 0.02'"),
        ("force = \"hold\"", "force = \"phone_check\""),
    ];
    changes.into_iter().fold(EMBEDDED_STRATEGY.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the shipped strategy");
        text.replacen(from, to, 1)
    })
}

fn stream() -> Vec<Event> {
    let settings = SimulationSettings::new(31, START, DAYS, ORDERS_PER_DAY);
    let identity = IdentityKey::from_secret(b"backtest");
    let events = Simulation::new(settings, identity).map(|told| told.event);
    let mut n_prices = 0;
    let is_told = |event: &Event| {
        let is_price = matches!(event.fact, Fact::MarketPrice(_));
        n_prices += usize::from(is_price);
        !is_price || n_prices.is_multiple_of(PRICE_STEP)
    };
    events.filter(is_told).collect()
}

fn shipped_judge() -> Judge {
    load_judge(&shipped().unwrap()).unwrap()
}

fn read(toml: &str) -> Arc<ActiveStrategy> {
    Arc::new(reader(&shipped_judge())(toml).unwrap())
}

fn open(data: &Path, toml: &str) -> Engine {
    let mut settings = shipped().unwrap();
    data.clone_into(&mut settings.paths.data);
    let mut engine = engine_settings(&settings);
    // When a background of the service's own is ready depends on the speed of a thread.
    engine.background = BackgroundRule::OFF;
    let read_strategy = reader(&shipped_judge());
    let judge = shipped_judge().with_strategy(read(toml));
    let inputs = EngineInputs { judge, read_strategy, new_id, nanos: || 0, now: START };
    start_engine(&engine, &inputs).unwrap()
}

/// Tells a stream and scores its orders; gives the first action of each.
async fn serve(engine: &Engine, events: &[Event]) -> Vec<ActionKind> {
    let tell = |event: Event| async move {
        let at = event.event_time;
        let Fact::OrderPlaced(order) = event.fact.clone() else {
            engine.ingest_event(event, at).await.unwrap();
            return None;
        };
        let request = ScoreRequest {
            request_id: event.event_id,
            event_time: at,
            order,
            max_actions: 3,
            max_contributions: 12,
        };
        let scored = engine.score_order(request, at).await.unwrap();
        Some(scored.decision.actions[0].action)
    };
    let calls = stream::iter(events.iter().cloned()).map(tell).buffered(IN_FLIGHT);
    calls.filter_map(std::future::ready).collect().await
}

fn new_id(_: Timestamp) -> DecisionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    DecisionId(Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()))
}

/// Recorded and predicted first action of each order of a journal.
fn predict(data: &Path, draft: &str) -> Vec<(ActionKind, ActionKind)> {
    let journal = JournalReader::open(&data.join("journal")).unwrap();
    let judge = shipped_judge();
    let bundle = judge.bundle();
    let judges = PastJudges::new(&journal, bundle, reader(&judge), &[]);
    let fitted = FittedStrategy::new(read(draft), bundle);
    let mut comparer = Comparer::new(bundle, &fitted, &judges, Steps::Skip);
    let (mut predicted, mut not_compared) = (Vec::new(), Vec::new());
    for entry in journal.read_from(1) {
        let (position, payload) = entry.unwrap();
        if !tells_fact_or_order(&payload) {
            continue;
        }
        let fact = read_short(position, &payload).unwrap();
        match comparer.compare(position, fact).unwrap() {
            Compared::Order(order) => {
                assert_eq!(order.again, Some(order.recorded));
                predicted.push((order.recorded, order.draft));
            }
            Compared::Not(why) => not_compared.push(why),
            Compared::Truth(..) | Compared::Nothing => {}
        }
    }
    assert_eq!(not_compared, []);
    predicted
}

fn report(data: &Path, draft: &Path) -> Value {
    let output = orderlens()
        .args(["backtest", "--json", "--last", "1000", "--data"])
        .arg(data)
        .arg("--strategy")
        .arg(draft)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn serving_the_draft_does_what_the_back_test_said_order_by_order() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    let file = folder.path().join("draft.toml");
    std::fs::write(&file, draft()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let events = stream();

    let engine = open(&old, EMBEDDED_STRATEGY);
    let served = runtime.block_on(serve(&engine, &events));
    let while_serving = report(&old, &file);
    engine.stop();
    let predicted = predict(&old, &draft());
    let recorded: Vec<ActionKind> = predicted.iter().map(|pair| pair.0).collect();
    assert!(1_000 <= served.len(), "{} orders", served.len());
    assert_eq!(recorded, served);

    let engine = open(&new, &draft());
    let with_draft = runtime.block_on(serve(&engine, &events));
    engine.stop();
    for (n, (pair, served)) in predicted.iter().zip(&with_draft).enumerate() {
        assert_eq!(pair.1, *served, "order {n}");
    }
    assert_eq!(predicted.len(), with_draft.len());
    let flips = |is_it: fn(bool, bool) -> bool| {
        let releases = predicted.iter().map(|pair| (pair.0.is_release(), pair.1.is_release()));
        releases.filter(|(old, new)| is_it(*old, *new)).count()
    };
    let (stopped, released) = (flips(|old, new| old && !new), flips(|old, new| !old && new));
    assert!(0 < stopped && 0 < released, "{stopped} newly stopped, {released} newly released");

    // The command sees the same, whether a server has the folder open or not.
    assert_eq!(report(&old, &file), while_serving);
    let window = &while_serving["window"];
    assert_eq!(
        (window["orders"].as_u64(), window["reproduced"]["count"].as_u64()),
        (Some(1_000), Some(1_000))
    );
    let last = &predicted[predicted.len() - 1_000..];
    let n_flipped = last.iter().filter(|pair| pair.0 != pair.1).count();
    assert_eq!(while_serving["replay"]["flips"]["count"].as_u64(), Some(n_flipped as u64));
    let off_policy = &while_serving["off_policy"];
    assert_eq!(
        off_policy,
        &serde_json::json!({ "status": "refused", "reason": "NO_PROPENSITIES" })
    );
}

#[test]
fn a_folder_without_a_journal_says_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let output = orderlens().args(["backtest", "--data"]).arg(folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("--data"), "{told}");
}

//! A back-test tells what serving the draft does, order by order.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{self, StreamExt as _};
use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::domain::decision::DecisionId;
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::recorded_order::ActionName;
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::journal::reader::JournalReader;
use orderlens::store::log::{read_short, tells_fact_or_order};
use orderlens::wire::pb::v1;
use orderlens::wire::pb::v1::decision_service_client::DecisionServiceClient;
use orderlens::wire::pb::v1::strategy_service_client::StrategyServiceClient;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::backtest::compare::{Compared, Comparer, Steps};
use orderlens::workflow::backtest::past_judges::{FittedStrategy, PastJudges};
use orderlens::workflow::engine::Engine;
use orderlens::workflow::judge_order::{ActiveStrategy, Judge};
use orderlens::workflow::model_shelf::only_loaded;
use orderlens::workflow::service::OrderService;
use orderlens::workflow::start_engine::{EngineInputs, start_engine};
use serde_json::Value;
use uuid::Uuid;

use crate::orders;
use crate::server::{Server, orderlens};

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
    let inputs = EngineInputs {
        judge,
        read_strategy,
        read_bundle: only_loaded(),
        new_id,
        nanos: || 0,
        now: START,
    };
    start_engine(&engine, &inputs).unwrap()
}

/// Tells a stream and scores its orders; gives the first action of each.
async fn serve(engine: &Engine, events: &[Event]) -> Vec<ActionName> {
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
        let first = &scored.decision.actions[0];
        Some(ActionName { action: first.action, plan: first.plan.clone() })
    };
    let calls = stream::iter(events.iter().cloned()).map(tell).buffered(IN_FLIGHT);
    calls.filter_map(std::future::ready).collect().await
}

fn new_id(_: Timestamp) -> DecisionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    DecisionId(Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into()))
}

/// Recorded and predicted first action of each order of a journal.
fn predict(data: &Path, draft: &str) -> Vec<(ActionName, ActionName)> {
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
                assert_eq!(order.again.as_ref(), Some(&order.recorded));
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
    let recorded: Vec<ActionName> = predicted.iter().map(|pair| pair.0.clone()).collect();
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
        let releases =
            predicted.iter().map(|pair| (pair.0.action.is_release(), pair.1.action.is_release()));
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

/// Progress, if any, and the report of a preview.
async fn preview(url: &str, strategy_toml: String) -> Result<v1::BacktestReport, tonic::Status> {
    use v1::preview_strategy_request::Draft;
    use v1::preview_strategy_response::Item;
    let mut client = StrategyServiceClient::connect(url.to_owned()).await.unwrap();
    let draft = Some(Draft::StrategyToml(strategy_toml));
    let request = v1::PreviewStrategyRequest { draft, last_orders: 50 };
    let mut items = client.preview_strategy(request).await?.into_inner();
    let (mut told, mut report) = (0, None);
    while let Some(item) = items.message().await? {
        assert!(report.is_none(), "something follows the report");
        match item.item.unwrap() {
            Item::Progress(at) => {
                assert!(told <= at.records && at.records <= at.records_total);
                told = at.records;
            }
            Item::Report(found) => report = Some(found),
        }
    }
    Ok(report.unwrap())
}

#[test]
fn a_preview_of_a_running_server_says_what_the_command_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let previewed = runtime.block_on(async {
        let mut client = DecisionServiceClient::connect(server.url.clone()).await.unwrap();
        for n in 0..60 {
            client.score_order(orders::request(n)).await.unwrap();
        }
        let refused = preview(&server.url, "name = 7".to_owned()).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
        preview(&server.url, draft()).await.unwrap()
    });
    let file = folder.path().join("draft.toml");
    std::fs::write(&file, draft()).unwrap();
    let output = orderlens()
        .args(["backtest", "--json", "--last", "50", "--data"])
        .arg(&data)
        .arg("--strategy")
        .arg(&file)
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (window, replay) = (previewed.window.unwrap(), previewed.replay.unwrap());
    assert_eq!(window.orders, 50);
    assert_eq!(window.reproduced.unwrap().count, 50);
    assert_eq!(told["window"]["orders"].as_u64(), Some(50));
    assert_eq!(told["replay"]["flips"]["count"].as_u64(), Some(replay.flips));
    assert_eq!(told["replay"]["matrix"].as_array().unwrap().len(), replay.matrix.len());
    assert_eq!(told["flipped"].as_array().unwrap().len(), previewed.flipped.len());
    assert_eq!(previewed.off_policy.unwrap().refused_reason, "NO_PROPENSITIES");
    for (kind, money) in ["recorded", "draft"].into_iter().zip(&previewed.assumption) {
        let differences = told["assumption"]["differences"].as_array().unwrap();
        let same = differences.iter().find(|it| it["coefficients"] == kind).unwrap();
        assert_eq!(same["total_minor"].as_f64(), Some(money.total_minor), "{kind}");
    }
    server.kill();
}

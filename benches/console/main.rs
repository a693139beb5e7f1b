//! How fast is what the console's pages read, with a million decisions stored?
//!
//! `cargo bench --bench console -- [DECISIONS]` (20,000 without an argument): a data folder
//! with so many decisions is made below `target` and kept for the next run
//! (`folder.rs` says of what; 1,000,000 take 9 GB). An engine is started on it, and the
//! services are asked what the pages ask, one call after the other. While a call runs,
//! another thread asks the sequencer for next to nothing, over and over: the longest of
//! these waits is what the call holds up.
//! Then a console is started on it, and the pages themselves are asked for over a socket.
//! Budget: decision page and queue page in 20 ms (p99), so each read below them in 5 ms;
//! nothing holds up the sequencer for more than 0.5 ms.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

mod folder;
mod pages;
#[path = "../shared/placed.rs"]
mod placed;

use std::env;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use orderlens::cli::serve::new_decision_id;
use orderlens::cli::settings::reader;
use orderlens::domain::decision::DecisionId;
use orderlens::domain::neighborhood::NeighborhoodQuery;
use orderlens::domain::query::{DecisionFilter, DecisionKey, DecisionQuery};
use orderlens::domain::review_queue::QueueQuery;
use orderlens::domain::scramble::{SEED_STEP, scramble};
use orderlens::domain::similar::SimilarQuery;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::workflow::case_service::CaseService as _;
use orderlens::workflow::engine::Engine;
use orderlens::workflow::model_shelf::only_loaded;
use orderlens::workflow::review_service::ReviewService as _;
use orderlens::workflow::service::OrderService as _;
use orderlens::workflow::start_engine::{EngineInputs, start_engine};

use crate::folder::{Made, START, folder_of};

/// The allocator of the program that is shipped.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_DECISIONS: u64 = 20_000;
/// A start that takes longer had no snapshot to start from.
const SLOW_START: Duration = Duration::from_secs(20);
/// Rows of the pages.
const ROWS: u32 = 50;
/// Days of the windows in which cases are compared.
const CASE_DAYS: u32 = 30;
/// When the pages are looked at: after the last order.
const NOW: Timestamp = Timestamp(START.0 + Span::days(30).0);

fn main() {
    let asked = env::args().find_map(|text| text.parse().ok());
    let made = folder_of(asked.unwrap_or(N_DECISIONS));
    for part in ["journal", "records.sqlite", "snapshots"] {
        let bytes = made.bytes(part) as f64;
        let each = bytes / made.n_decisions as f64;
        println!("{:8.2} GB {part}, {each:.0} bytes a decision", bytes / 1e9);
    }
    let inputs = EngineInputs {
        read_strategy: reader(&made.judge),
        judge: made.judge.clone(),
        read_bundle: only_loaded(),
        new_id: new_decision_id,
        nanos: || 0,
        now: NOW,
    };
    let started = Instant::now();
    let engine = start_engine(&made.engine, &inputs).expect("the engine starts on its folder");
    println!("{:8.1} s  starting", started.elapsed().as_secs_f64());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if SLOW_START < started.elapsed() {
        let started = Instant::now();
        runtime.block_on(engine.save_snapshot()).expect("the disk has room");
        println!("{:8.1} s  saving a snapshot, for the next run", started.elapsed().as_secs_f64());
    }
    let engine = Arc::new(engine);
    runtime.block_on(measure(&engine, &made));
}

async fn measure(engine: &Arc<Engine>, made: &Made) {
    let query = QueueQuery { minutes: None, placed_from: Timestamp(0), orders_max: ROWS as usize };
    let queue = engine.get_review_queue(query, NOW).await.expect("a queue");
    println!(
        "{} decisions, {} orders wait for a review, {} of them are looked at today",
        made.n_decisions, queue.n_waiting, queue.n_looked_at
    );
    println!("      calls       p50       p99       max   holds up (ms)");
    let random = |n: u64| made.explained(scramble((n + 1).wrapping_mul(SEED_STEP)));
    let id = |n: u64| DecisionKey::Id(random(n));
    let waiting: Vec<DecisionId> = queue.orders.iter().map(|it| it.decision_id).collect();
    let waits = |n: u64| waiting[usize::try_from(n).unwrap_or(0) % waiting.len()];

    timed("get_decision, first time", engine, 1_000, |engine, n| async move {
        engine.get_decision(id(n)).await.expect("a decision");
    })
    .await;
    timed("get_decision, again", engine, 1_000, |engine, n| async move {
        engine.get_decision(id(n)).await.expect("a decision");
    })
    .await;
    timed("get_decision of the queue", engine, 1_000, |engine, n| async move {
        engine.get_decision(DecisionKey::Id(waits(n))).await.expect("a decision");
    })
    .await;
    timed("list_decisions, 50 newest", engine, 200, |engine, _| async move {
        let (filter, n_max) = (DecisionFilter::default(), ROWS);
        let query = DecisionQuery { filter, older_than: None, n_max };
        let page = engine.list_decisions(query).await.expect("a page");
        assert_eq!(page.decisions.len(), ROWS as usize);
    })
    .await;
    timed("list_decisions, 50 anywhere", engine, 200, |engine, n| async move {
        let (filter, older_than) = (DecisionFilter::default(), Some(random(n)));
        let query = DecisionQuery { filter, older_than, n_max: ROWS };
        engine.list_decisions(query).await.expect("a page");
    })
    .await;
    timed("get_review_queue, 50", engine, 200, |engine, _| async move {
        engine.get_review_queue(query, NOW).await.expect("a queue");
    })
    .await;
    graph_and_cases(engine, &|n| if n % 2 == 0 { random(n) } else { waits(n) }).await;
    pages::measure(engine, &random, &waits).await;
}

/// Half of the decisions that `id` names wait for a review.
async fn graph_and_cases(engine: &Arc<Engine>, id: &(impl Fn(u64) -> DecisionId + Sync)) {
    let key = |n: u64| DecisionKey::Id(id(n));
    let mut seeds = Vec::new();
    for n in 0..500 {
        let decision = engine.get_decision(key(n)).await.expect("a decision");
        let nodes = decision.evidence.nodes.iter().filter(|node| node.is_of_order);
        seeds.push(nodes.map(|node| node.entity.clone()).take(16).collect::<Vec<_>>());
    }
    for n_hops in [1, 2] {
        let seeds = &seeds;
        timed(&format!("get_neighborhood, {n_hops} hops"), engine, 500, |engine, n| {
            let query = NeighborhoodQuery {
                seeds: seeds[usize::try_from(n).unwrap_or(0) % seeds.len()].clone(),
                n_hops,
                kinds: Vec::new(),
                since: None,
                as_of: None,
                n_nodes_max: 100,
                fan_out_max: 20,
            };
            async move {
                engine.get_neighborhood(query, NOW).await.expect("a view");
            }
        })
        .await;
    }
    timed("get_case", engine, 500, |engine, n| async move {
        engine.get_case(key(n), NOW).await.expect("a case");
    })
    .await;
    timed("find_similar_cases, 10", engine, 20, |engine, n| async move {
        let query = SimilarQuery { key: key(n), n_max: 10, days: CASE_DAYS };
        engine.find_similar_cases(query, NOW).await.expect("cases");
    })
    .await;
    timed("list_operators", engine, 200, |engine, _| async move {
        engine.list_operators().await.expect("operators");
    })
    .await;
}

/// Calls so many times, while another task asks the sequencer for next to nothing.
async fn timed<'e, F: Future<Output = ()>>(
    name: &str,
    engine: &'e Arc<Engine>,
    n_calls: u64,
    call: impl Fn(&'e Engine, u64) -> F,
) {
    let is_done = Arc::new(AtomicBool::new(false));
    let beside = {
        let (engine, is_done) = (engine.clone(), is_done.clone());
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while !is_done.load(Ordering::Relaxed) {
                let started = Instant::now();
                engine.list_operators().await.expect("an answer");
                waits.push(started.elapsed());
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
            waits
        })
    };
    let mut took = Vec::new();
    for n in 0..n_calls {
        let started = Instant::now();
        call(engine, n).await;
        took.push(started.elapsed());
    }
    is_done.store(true, Ordering::Relaxed);
    let mut beside = beside.await.expect("it ends");
    let ms = |times: &mut Vec<Duration>, share: f64| {
        times.sort_unstable();
        percentile(times, share).as_secs_f64() * 1e3
    };
    println!(
        "{n_calls:11} {:9.3} {:9.3} {:9.3} {:9.3}  {name}",
        ms(&mut took, 0.5),
        ms(&mut took, 0.99),
        ms(&mut took, 1.0),
        ms(&mut beside, 0.99)
    );
}

/// The smallest time that so large a share does not exceed; the times are sorted.
fn percentile(times: &[Duration], share: f64) -> Duration {
    let last = times.len().saturating_sub(1);
    let at = (0..last).find(|at| share * last as f64 <= *at as f64).unwrap_or(last);
    times[at]
}

//! How long does judging a million orders again take, in how much memory?
//!
//! `cargo bench --bench backtest -- [ORDERS]` (20,000 without an argument): the orders of
//! a synthetic marketplace are judged with the shipped bundle, and orders, answers and
//! facts go into a journal. Beyond the first 10,000 orders the same days come again, with
//! other ids and later times: judging a million with a graph would take an hour, and a
//! back-test reads no graph. Then the built command judges the last 10,000, the last
//! 100,000 and all of them again under a draft that weights themes (so that contributions
//! are needed) and under one that does not. Each runs in a process of its own, whose peak
//! memory is read from the system. `command` looks for the strategy of the decisions in the
//! journal; `service` has both at hand. A million orders take 16 GB, which are removed.
//! Budget: 1,000,000 orders in 60 s on two cores, 10,000 in 1 s, memory that does not grow.
//!
//! `cargo bench --bench backtest -- solve [DAYS]` (70 days without an argument): what does
//! a price of a reviewer's minute hold that was solved for 6 hours a day, on days that it
//! has not seen? The price is solved on every second day of 2,000 orders and applied to the
//! others, then solved on the first half and applied to the second, where the marketplace
//! has moved on. Budget: 2 % on every second day.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

#[path = "shared/placed.rs"]
mod placed;

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::available_parallelism;
use std::time::Instant;

use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::config::EMBEDDED_STRATEGY;
use orderlens::config::strategy_edit::with_review_minute_price;
use orderlens::domain::backtest::BacktestReport;
use orderlens::domain::decision::{Decision, DecisionId};
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::event::Fact;
use orderlens::domain::price_solution::Solution;
use orderlens::domain::record::{
    ModelActivated, ReceivedEvent, Record, ScoredOrder, StrategyActivated,
};
use orderlens::domain::strategy_version::Signature;
use orderlens::domain::time::{Span, Timestamp};
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::journal::Journal;
use orderlens::store::journal::reader::JournalReader;
use orderlens::store::log::submit_when_room;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::backtest::run::Backtest;
use orderlens::workflow::judge_order::{Judge, Stamp};
use orderlens::workflow::start_engine::EngineSettings;
use orderlens::workflow::state::State;
use uuid::Uuid;

use crate::placed::request;

/// The allocator of the program that is shipped.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_ORDERS: u64 = 20_000;
/// Orders that are judged; the others are theirs with other ids.
const N_JUDGED: u64 = 10_000;
const ORDERS_PER_DAY: u32 = 500;
const START: Timestamp = Timestamp(1_767_225_600_000_000);
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 50;
/// Argument that asks what a solved price holds.
const SOLVE: &str = "solve";
const SOLVE_DAYS: u64 = 70;
/// Days that only fill the graph.
const WARM_UP_DAYS: i64 = 10;
const SOLVE_ORDERS_PER_DAY: u32 = 2_000;
/// Fewer than the reviews of such a day take, or no price would be needed.
const HOURS_PER_DAY: f64 = 6.0;
/// First argument of a run in a process of its own.
const MEASURE: &str = "measure";
/// Who judges: a command that starts with nothing, or a service that runs.
const COMMAND: &str = "command";
const SERVICE: &str = "service";

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == MEASURE) {
        let [folder, last, draft, who] = &arguments[at + 1..at + 5] else { return };
        measure(Path::new(folder), last.parse().expect("a number"), draft, who);
        return;
    }
    let asked: Option<u64> = arguments.iter().find_map(|text| text.parse().ok());
    if arguments.iter().any(|argument| argument == SOLVE) {
        solve_held_out(asked.unwrap_or(SOLVE_DAYS));
        return;
    }
    let n_orders = asked.unwrap_or(N_ORDERS);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let folder = tempfile::tempdir_in(folder).expect("the build folder takes one more");
    let started = Instant::now();
    let n_records = fill(folder.path(), n_orders);
    let bytes = size_of(&folder.path().join("journal"));
    println!(
        "{n_orders} synthetic orders, {n_records} records, {:.2} GB, written in {:.0} s",
        bytes as f64 / 1e9,
        started.elapsed().as_secs_f64()
    );
    for last in [10_000, 100_000, 1_000_000] {
        if n_orders < last && last != 10_000 {
            continue;
        }
        let who = if last == 10_000 { &[COMMAND, SERVICE][..] } else { &[COMMAND] };
        for (who, draft) in who.iter().flat_map(|who| [(who, "plain"), (who, "weighted")]) {
            let own = env::current_exe().expect("this program");
            let arguments = [folder.path().as_os_str()];
            let last = last.min(n_orders).to_string();
            let status = Command::new(own)
                .arg(MEASURE)
                .args(arguments)
                .args([last.as_str(), draft, who])
                .status()
                .expect("this program starts again");
            assert!(status.success(), "the run of {last} orders failed");
        }
    }
}

/// Judges the last orders again and tells time and peak memory of this process.
fn measure(folder: &Path, last: u64, draft: &str, who: &str) {
    let mut settings = shipped().expect("the shipped settings are tested");
    folder.clone_into(&mut settings.paths.data);
    let judge = load_judge(&settings).expect("run it where the shipped bundle is");
    let toml = match draft {
        "plain" => EMBEDDED_STRATEGY.replace("= 12000", "= 20000"),
        _ => EMBEDDED_STRATEGY.replace("network = 1.0", "network = 0.7"),
    };
    let draft_strategy = Arc::new(reader(&judge)(&toml).expect("a draft without mistakes"));
    let before = peak_mb();
    let mut started = Instant::now();
    let journal = JournalReader::open(&folder.join("journal")).expect("a journal");
    let known = if who == SERVICE {
        started = Instant::now();
        vec![judge.strategy().clone()]
    } else {
        Vec::new()
    };
    let n_threads = available_parallelism().map_or(1, Into::into);
    let backtest = Backtest {
        reader: &journal,
        bundle: judge.bundle(),
        read_strategy: reader(&judge),
        known,
        last: Some(last),
        n_threads,
    };
    let report = backtest.run(&draft_strategy, &mut |_| ControlFlow::Continue(()));
    let report = report.expect("a whole journal");
    let took = started.elapsed().as_secs_f64();
    let window = &report.window;
    assert!(window.orders == last && window.reproduced.count == last, "{window:?}");
    println!(
        "{took:8.2} s  {:>9} orders, {who}, {draft} draft: {} flips, {:.1} µs an order, peak {:.0} MB ({before:.0} MB before)",
        window.orders,
        report.replay.flips.count,
        1e6 * took / window.orders as f64,
        peak_mb()
    );
}

/// Peak memory of this process, MB.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.map_or(f64::NAN, |kilobytes: f64| kilobytes / 1e3)
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

/// Writes a journal of so many orders; gives its records.
fn fill(folder: &Path, n_orders: u64) -> u64 {
    let mut settings = shipped().expect("the shipped settings are tested");
    folder.clone_into(&mut settings.paths.data);
    let engine: EngineSettings = engine_settings(&settings);
    let judge = load_judge(&settings).expect("run it where the shipped bundle is");
    let (journal, _) =
        Journal::open(&engine.data_dir.join("journal"), engine.journal).expect("an empty folder");
    let writer = journal.writer();
    let (told, durable) = mpsc::channel();
    let write = |record: &Record| {
        let told = told.clone();
        // The receiver outlives the writer, so there is somebody to tell.
        let done = move |written: Result<u64, _>| told.send(written.is_ok()).unwrap_or_default();
        submit_when_room(&writer, record, done).expect("the disk has room");
    };
    for record in activations(&judge) {
        write(&record);
    }
    let n_judged = n_orders.min(N_JUDGED);
    let days = u32::try_from(n_judged).expect("few") / ORDERS_PER_DAY + 2;
    let mut judged = Vec::new();
    judge_stream(&judge, &engine, (days, ORDERS_PER_DAY), n_judged, |record| judged.push(record));
    let days = Span::days(i64::from(days));
    let mut n_left = n_orders;
    for round in 0.. {
        for record in &judged {
            if n_left == 0 {
                break;
            }
            n_left -= u64::from(matches!(record, Record::Decision(_)));
            write(&again(record, round, Span(days.0 * i64::from(round))));
        }
        if n_left == 0 {
            break;
        }
    }
    drop(told);
    assert!(durable.iter().all(|is_durable| is_durable), "the journal lost a record");
    journal.durable_position()
}

/// Writes a record that nobody waits for; closing the journal makes it durable.
fn write_to(journal: &Journal, record: &Record) {
    submit_when_room(&journal.writer(), record, |_| {}).expect("the disk has room");
}

fn activations(judge: &Judge) -> [Record; 2] {
    let strategy = judge.strategy();
    [
        Record::StrategyActivated(StrategyActivated {
            name: strategy.strategy.name.clone(),
            hash: strategy.strategy.hash.clone(),
            toml: (*strategy.toml).into(),
            signature: Signature { by: "".into(), at: START, note: "".into() },
            staged_percent: None,
        }),
        Record::ModelActivated(ModelActivated {
            name: judge.bundle().full_name(),
            hash: judge.bundle().hash().into(),
            signature: Signature { by: "".into(), at: START, note: "".into() },
            report_hash: "".into(),
        }),
    ]
}

/// The facts of a marketplace of so many days and orders a day, its orders judged.
fn judge_stream(
    judge: &Judge,
    engine: &EngineSettings,
    (days, orders_per_day): (u32, u32),
    n_orders: u64,
    mut tell: impl FnMut(Record),
) {
    let settings = SimulationSettings::new(3, START, days, orders_per_day);
    let identity = IdentityKey::from_secret(b"the secret of a bench");
    let mut state = State::empty(BackgroundRule { every_approved: 0, ..engine.background });
    let (mut n_judged, mut n_prices) = (0, 0_usize);
    for told in Simulation::new(settings, identity) {
        let event = told.event;
        let received_time = event.known_at();
        if matches!(event.fact, Fact::MarketPrice(_)) {
            n_prices += 1;
            if !n_prices.is_multiple_of(PRICE_STEP) {
                continue;
            }
        }
        let record = match request(&event) {
            Some(request) => {
                n_judged += 1;
                let decision_id = DecisionId(Uuid::from_u128(n_judged.into()));
                let stamp = Stamp { decision_id, received_time };
                let decision: Arc<Decision> =
                    judge.judge(&mut state, &request, &stamp, || 0).into();
                Record::Decision(Arc::new(ScoredOrder { request, decision }))
            }
            None => Record::Event(ReceivedEvent { event, received_time }),
        };
        state.fold(&record);
        tell(record);
        if n_judged == n_orders {
            break;
        }
    }
}

/// Solves for the hours on some days and looks at what the price holds on the others.
fn solve_held_out(n_days: u64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let folder = tempfile::tempdir_in(folder).expect("the build folder takes one more");
    let settings = shipped().expect("the shipped settings are tested");
    let judge = load_judge(&settings).expect("run it where the shipped bundle is");
    let engine = engine_settings(&settings);
    let parts = ["even", "odd", "first", "second"];
    let journals = parts.map(|part| {
        let path = folder.path().join(part);
        let (journal, _) = Journal::open(&path, engine.journal).expect("an empty folder");
        for record in activations(&judge) {
            write_to(&journal, &record);
        }
        journal
    });
    let n_days = u32::try_from(n_days).expect("few");
    let middle = WARM_UP_DAYS.midpoint(i64::from(n_days));
    let started = Instant::now();
    judge_stream(&judge, &engine, (n_days, SOLVE_ORDERS_PER_DAY), u64::MAX, |record| {
        let Record::Decision(scored) = &record else { return };
        let day = (scored.request.event_time - START).0 / Span::DAY.0;
        if WARM_UP_DAYS <= day {
            write_to(&journals[usize::from(day % 2 == 1)], &record);
            write_to(&journals[2 + usize::from(middle <= day)], &record);
        }
    });
    println!("{n_days} days judged in {:.0} s", started.elapsed().as_secs_f64());
    for journal in journals {
        journal.close().expect("the disk took everything");
    }
    let readers = parts.map(|part| JournalReader::open(&folder.path().join(part)));
    let readers = readers.map(|reader| reader.expect("a journal"));
    for (solved_on, held_out) in [(0, 1), (1, 0), (2, 3)] {
        let back_test = |at: usize| Backtest {
            reader: &readers[at],
            bundle: judge.bundle(),
            read_strategy: reader(&judge),
            known: Vec::new(),
            last: None,
            n_threads: available_parallelism().map_or(1, Into::into),
        };
        let watch = &mut |_| ControlFlow::Continue(());
        let report = back_test(solved_on)
            .solve(judge.strategy(), HOURS_PER_DAY, &with_review_minute_price, watch)
            .expect("a whole journal");
        let Some(Solution::Solved(solved)) = &report.solution else {
            println!("{}: {:?}", parts[solved_on], report.solution);
            continue;
        };
        let toml = &solved.strategy_toml;
        let draft = Arc::new(reader(&judge)(toml).expect("a draft without mistakes"));
        let other = back_test(held_out).run(&draft, watch).expect("a whole journal");
        let per_day = |report: &BacktestReport| report.reviewers.draft_minutes_per_day;
        let (own, held) = (per_day(&report), per_day(&other));
        println!(
            "solved on {} days ({} orders): price {:.2}, {own:.0} minutes a day; on {} days \
             ({} orders) {held:.0}: {:+.2} %, of which days alone explain {:.2} %",
            parts[solved_on],
            report.window.orders,
            solved.review_minute_minor,
            parts[held_out],
            other.window.orders,
            100.0 * (held / own - 1.0),
            // Standard error of the difference of two such means.
            100.0 * 2.0_f64.sqrt() * solved.day_noise_minutes.unwrap_or(f64::NAN) / own
        );
    }
}

/// The same record some days later, about another order.
fn again(record: &Record, round: u32, later: Span) -> Record {
    let rename = |id: &str| format!("{id}-{round}").into_boxed_str();
    if let Record::Decision(scored) = record {
        let mut scored = ScoredOrder::clone(scored);
        scored.request.request_id = rename(&scored.request.request_id);
        scored.request.event_time = scored.request.event_time + later;
        scored.request.order.key.order_id = rename(&scored.request.order.key.order_id);
        if let Some(created) = &mut scored.request.order.account_created_at {
            *created = *created + later;
        }
        let decision = Arc::make_mut(&mut scored.decision);
        let number = decision.decision_id.0.as_u128();
        decision.decision_id = DecisionId(Uuid::from_u128(number | (u128::from(round) << 64)));
        decision.request_id = scored.request.request_id.clone();
        decision.order = scored.request.order.key.clone();
        decision.times.event_time = decision.times.event_time + later;
        decision.times.received_time = decision.times.received_time + later;
        return Record::Decision(Arc::new(scored));
    }
    let Record::Event(received) = record else { return record.clone() };
    let mut received = received.clone();
    received.event.event_id = rename(&received.event.event_id);
    received.event.event_time = received.event.event_time + later;
    received.received_time = received.received_time + later;
    if let Fact::Label(label) = &mut received.event.fact {
        label.order.order_id = rename(&label.order.order_id);
    }
    if let Fact::OrderChargedBack(step) = &mut received.event.fact {
        step.order.order_id = rename(&step.order.order_id);
    }
    Record::Event(received)
}

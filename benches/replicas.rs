//! Do replicas of one stream agree, and how fast does a new one catch up?
//!
//! Three processes tell a stream the facts and orders of a simulated marketplace, each a third
//! of them; their journals must be the same bytes. Then a fourth process catches up with them,
//! and another one with a stream of facts alone: at least 100,000 a second. Needs `nats-server`.
//! Run: `cargo bench --bench replicas -- 100000`; it prints a line per promise and fails if one
//! is broken.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench may panic and print"
)]

#[expect(dead_code, reason = "the tests also restart and freeze it")]
#[path = "../tests/system/replicas/broker.rs"]
mod broker;

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use broker::Broker;
use futures_util::stream::{self, StreamExt as _};
use orderlens::cli::clock;
use orderlens::cli::log::start_log;
use orderlens::cli::serve::new_decision_id;
use orderlens::cli::settings::{engine_settings, load_judge, reader, shipped};
use orderlens::config::operations::LogFormat;
use orderlens::domain::entity::IdentityKey;
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::time::Timestamp;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::store::journal::reader::JournalReader;
use orderlens::stream::settings::{Servers, StreamSettings};
use orderlens::workflow::engine::Engine;
use orderlens::workflow::error::Error;
use orderlens::workflow::model_shelf::only_loaded;
use orderlens::workflow::replica::start_replica::{ReplicaSettings, start_replica};
use orderlens::workflow::service::OrderService as _;
use orderlens::workflow::start_engine::EngineInputs;
use tempfile::TempDir;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: Timestamp = Timestamp(1_767_225_600_000_000);
const ORDERS_PER_DAY: u32 = 2_000;
const DAYS: u32 = 400;
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 50;
/// Calls of a process that are on their way at a time.
const IN_FLIGHT: usize = 512;
/// What a new replica has to reach, events per second.
const CATCH_UP_MIN: f64 = 100_000.0;
/// The stream that has no orders to judge.
const FACTS: &str = "FACTS";
/// Facts of the stream that the catch-up is measured on, for each event of the other one.
const FACTS_FACTOR: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["replica", rest @ ..] => replica(&Part::read(rest)),
        [n] => compare(n.parse().unwrap()),
        _ => compare(100_000),
    }
}

/// What a process does.
struct Part<'a> {
    url: &'a str,
    stream: &'a str,
    name: &'a str,
    data: &'a Path,
    /// Which events it tells: those whose number has this remainder by the number of processes.
    share: Option<(usize, usize)>,
    n: usize,
}

impl<'a> Part<'a> {
    fn read(words: &[&'a str]) -> Self {
        let &[url, stream, name, data, first, step, n] = words else { panic!("{words:?}") };
        let (first, step): (usize, usize) = (first.parse().unwrap(), step.parse().unwrap());
        let share = (step != 0).then_some((first, step));
        Self { url, stream, name, data: Path::new(data), share, n: n.parse().unwrap() }
    }

    fn spawn(&self) -> Running {
        let (first, step) = self.share.unwrap_or((0, 0));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["replica", self.url, self.stream, self.name])
            .arg(self.data)
            .args([first, step, self.n].map(|it| it.to_string()))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, said }
    }
}

fn compare(n: usize) -> ExitCode {
    let broker = Broker::start();
    let url = broker.url();
    let dirs: Vec<_> = (0..6).map(|_| folder()).collect();
    let part = |stream, name, at: usize, share, n| Part {
        url: &url,
        stream,
        name,
        data: dirs[at].path(),
        share,
        n,
    };
    let names = ["a", "b", "c"];
    let began = Instant::now();
    let told: Vec<_> =
        (0..3).map(|at| part("ORDERS", names[at], at, Some((at, 3)), n).spawn()).collect();
    stop_all(told);
    let took = began.elapsed().as_secs_f64();
    let first = Journal::read(dirs[0].path(), u64::MAX);
    let Journal { n_records, n_decisions, .. } = first;
    println!("{n} events told to three: {n_decisions} decisions, {n_records} records, {took:.1} s");
    let mut are_kept = vec![promise("orders were judged", || n_decisions > 0)];
    for (name, dir) in names.iter().zip(&dirs).skip(1) {
        let line = format!("replica {name} holds the same bytes");
        are_kept.push(promise(&line, || Journal::read(dir.path(), u64::MAX) == first));
    }
    let mut late = part("ORDERS", "d", 3, None, n).spawn();
    let (seconds, cpu) = late.caught_up();
    stop_all(vec![late]);
    let rate = n as f64 / seconds;
    println!("a fourth one judged every order again, at {rate:.0} events/s, {cpu:.1} CPU s");
    // It adds that it came up.
    let is_same = || Journal::read(dirs[3].path(), n_records) == first;
    are_kept.push(promise("the fourth replica holds the same bytes", is_same));

    let n = n * FACTS_FACTOR;
    let teller = part(FACTS, "teller", 4, Some((0, 1)), n);
    let began = Instant::now();
    stop_all(vec![teller.spawn()]);
    println!("{n} facts told to one in {:.1} s", began.elapsed().as_secs_f64());
    let reader = part(FACTS, "late", 5, None, n);
    let mut late = reader.spawn();
    let (seconds, cpu) = late.caught_up();
    stop_all(vec![late]);
    let told = Journal::read(teller.data, u64::MAX);
    let is_same = || Journal::read(reader.data, told.n_records) == told;
    are_kept.push(promise("a new replica of it holds the same bytes", is_same));
    let (rate, of_cpu) = (n as f64 / seconds, n as f64 / cpu);
    println!("it used {cpu:.1} CPU s: {of_cpu:.0} facts per CPU second");
    let line = format!("it caught up at {rate:.0} facts/s, at least {CATCH_UP_MIN:.0}");
    are_kept.push(promise(&line, || CATCH_UP_MIN <= rate));
    drop(broker);
    if are_kept.iter().all(|is_kept| *is_kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("replica").tempdir_in("target").unwrap()
}

fn promise(line: &str, is_kept: impl Fn() -> bool) -> bool {
    let is_kept = is_kept();
    println!("{} {line}", if is_kept { "pass" } else { "FAIL" });
    is_kept
}

/// A process that does its part.
struct Running {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Seconds that it took to catch up, by the clock and of its processor time.
    fn caught_up(&mut self) -> (f64, f64) {
        let said = self.after("caught up in ");
        let (seconds, cpu) = said.split_once(' ').unwrap();
        (seconds.parse().unwrap(), cpu.parse().unwrap())
    }

    /// What it says after some words.
    fn after(&mut self, words: &str) -> String {
        loop {
            let line = self.said.next().unwrap().unwrap();
            if let Some(rest) = line.strip_prefix(words) {
                return rest.to_owned();
            }
        }
    }
}

/// Lets each process finish what it tells, then lets all settle and stop.
fn stop_all(mut running: Vec<Running>) {
    for process in &mut running {
        process.after("told");
    }
    for process in &mut running {
        process.child.stdin.take().unwrap().write_all(b"stop\n").unwrap();
    }
    for process in &mut running {
        assert!(process.child.wait().unwrap().success());
    }
}

#[derive(PartialEq)]
struct Journal {
    n_records: u64,
    n_decisions: u64,
    hash: [u8; 32],
}

impl Journal {
    /// The first records of a journal.
    fn read(data: &Path, n_max: u64) -> Self {
        let reader = JournalReader::open(&data.join("journal")).unwrap();
        let (mut n_records, mut n_decisions, mut hasher) = (0, 0, blake3::Hasher::new());
        for entry in reader.read_from(1) {
            let (position, payload) = entry.unwrap();
            if n_max < position {
                break;
            }
            n_records += 1;
            n_decisions += u64::from(payload[0] == 0x12);
            hasher.update(&payload.len().to_le_bytes()).update(&payload);
        }
        Self { n_records, n_decisions, hash: *hasher.finalize().as_bytes() }
    }
}

/// A process: catches up, tells its share, and stops when it is told to.
fn replica(part: &Part<'_>) -> ExitCode {
    start_log(LogFormat::Text);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = runtime.block_on(async {
        let inputs = inputs();
        let (began, cpu_before) = (Instant::now(), cpu_seconds());
        let engine = start(part, &inputs);
        let mut status = engine.replica().unwrap();
        status.wait_for(|status| status.obstacle().is_none()).await.unwrap();
        let cpu = cpu_seconds() - cpu_before;
        println!("caught up in {} {cpu}", began.elapsed().as_secs_f64());
        if let Some((first, step)) = part.share {
            let events = events(part.n).skip(first).step_by(step);
            let calls = stream::iter(events).map(|event| tell(&engine, part.stream, event));
            calls.buffered(IN_FLIGHT).for_each(std::future::ready).await;
        }
        println!("told");
        engine
    });
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    runtime.block_on(async {
        // A look at the end of the stream comes every half second.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut status = engine.replica().unwrap();
        status.wait_for(|status| status.lag() == 0).await.unwrap();
    });
    engine.stop();
    ExitCode::SUCCESS
}

fn inputs() -> EngineInputs {
    let judge = load_judge(&shipped().unwrap()).unwrap();
    EngineInputs {
        read_strategy: reader(&judge),
        judge,
        read_bundle: only_loaded(),
        new_id: new_decision_id,
        nanos: clock::nanos,
        now: clock::now(),
    }
}

fn start(part: &Part<'_>, inputs: &EngineInputs) -> Engine {
    let mut settings = shipped().unwrap();
    part.data.clone_into(&mut settings.paths.data);
    let stream = StreamSettings {
        servers: Servers::parse(part.url).unwrap(),
        name: part.stream.into(),
        n_copies: 1,
        ack_within: Duration::from_secs(5),
    };
    let replica = ReplicaSettings { name: part.name.into(), stream };
    start_replica(&engine_settings(&settings), inputs, replica).unwrap()
}

/// Processor time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name, which may hold anything: user and system time in hundredths.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let times = fields.split_whitespace().skip(11).take(2);
    times.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn events(n: usize) -> impl Iterator<Item = Event> {
    let settings = SimulationSettings::new(31, START, DAYS, ORDERS_PER_DAY);
    let identity = IdentityKey::from_secret(b"replicas");
    let mut n_prices = 0;
    let is_told = move |event: &Event| {
        let is_price = matches!(event.fact, Fact::MarketPrice(_));
        n_prices += usize::from(is_price);
        !is_price || n_prices.is_multiple_of(PRICE_STEP)
    };
    Simulation::new(settings, identity).map(|told| told.event).filter(is_told).take(n)
}

/// Tells an event, again with the same id while the replica or its broker is away.
async fn tell(engine: &Engine, stream: &str, event: Event) {
    while let Err(error) = tell_once(engine, stream, event.clone()).await {
        assert!(matches!(error, Error::Unavailable(_) | Error::Exhausted { .. }), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn tell_once(engine: &Engine, stream: &str, event: Event) -> Result<(), Error> {
    let at = event.event_time;
    let Fact::OrderPlaced(order) = event.fact.clone() else {
        return engine.ingest_event(event, at).await.map(drop);
    };
    if stream == FACTS {
        return engine.ingest_event(event, at).await.map(drop);
    }
    let request = ScoreRequest {
        request_id: event.event_id,
        event_time: at,
        order,
        max_actions: 3,
        max_contributions: 12,
    };
    engine.score_order(request, at).await.map(drop)
}

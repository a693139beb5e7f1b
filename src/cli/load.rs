//! `orderlens bench`: the cost of an answer beside one without content.
//!
//! The full server and a no-op one with equal messages run as processes of their own,
//! pinned to the same core, and are asked in turn in the same minute, because absolute
//! figures drift from machine to machine and only the ratio is kept. What counts is
//! answers per second of the server's CPU: threads behind the answer are paid for too.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use prost::Message as _;
use tonic::transport::{Channel, Endpoint};

use crate::cli::ask::ink;
use crate::cli::clock;
use crate::cli::load_calls::{Measured, Mode, Plan, run_at_rate, run_streams, run_unary};
use crate::cli::load_orders::OrderSource;
use crate::cli::load_page::{BenchReport, BenchRow, LATENCY_BARS_MS, median_row, show};
use crate::cli::load_servers::{Cores, StartedServer, cpu_s};
use crate::cli::output::{say, say_json};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::decision_service_client::DecisionServiceClient;

/// Score generated orders as fast as they are answered, beside a no-op server.
///
/// Starts both servers by itself, on a data folder that it removes again; with
/// `--server`, asks one that runs already (its orders are recorded there).
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// A server that runs already; only this machine's own addresses are allowed.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// Number of its process, to count its CPU time.
    #[arg(long, value_name = "PID", requires = "server")]
    pub server_pid: Option<u32>,
    /// Orders in flight, over all connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub in_flight: u32,
    /// Connections.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// Seconds per measurement.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// How often everything is measured; medians are shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Most orders per measurement.
    #[arg(long, default_value_t = 1_000_000)]
    pub count: u64,
    /// Data folder of the server that is started, on the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value = "bench-data")]
    pub data: PathBuf,
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// A server, as callers see it.
struct Target {
    name: &'static str,
    channels: Vec<Channel>,
    orders: OrderSource,
    pid: Option<u32>,
}

/// Measures and prints.
///
/// # Errors
/// When the server is not on this machine, does not answer, or refuses the first order.
pub fn run(args: &BenchArgs) -> miette::Result<()> {
    let report = if let Some(url) = &args.server {
        refuse_strangers(url)?;
        let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
        runtime.block_on(async {
            let channels = connect(url, args.connections).await?;
            let (name, orders) = ("server", new_orders()?);
            let answer = ask_once(&channels, &orders).await?;
            let target = Target { name, channels, orders, pid: args.server_pid };
            measure_all(args, &[target], answer.encoded_len()).await
        })?
    } else {
        let cores = Cores::split()?;
        cores.take_those_of_callers()?;
        let measured = beside_the_floor(args, &cores);
        cores.give_back();
        measured?
    };
    if args.json {
        return say_json(&report);
    }
    say(show(ink(), &report));
    Ok(())
}

/// Starts both servers and measures them.
fn beside_the_floor(args: &BenchArgs, cores: &Cores) -> miette::Result<BenchReport> {
    let server = StartedServer::serve(cores, &args.data)?;
    // Made only now: its threads belong to the cores of callers.
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(async {
        let orders = new_orders()?;
        let channels = connect(&server.url, args.connections).await?;
        let answer = ask_once(&channels, &orders).await?;
        let floor = StartedServer::floor(cores, &answer.encode_to_vec())?;
        let floor_channels = connect(&floor.url, args.connections).await?;
        let target = |name, channels, orders, server: &StartedServer| {
            let pid = Some(server.pid());
            Target { name, channels, orders, pid }
        };
        let targets = [
            target("no-op", floor_channels, orders.repeated(), &floor),
            target("orderlens", channels, orders, &server),
        ];
        measure_all(args, &targets, answer.encoded_len()).await
    })
}

/// Orders whose ids no other run has, so that no answer is a replay.
fn new_orders() -> miette::Result<OrderSource> {
    OrderSource::new(&format!("{:x}", clock::now().0), clock::now())
}

async fn ask_once(
    channels: &[Channel],
    orders: &OrderSource,
) -> miette::Result<pb::ScoreOrderResponse> {
    let channel = channels.first().ok_or_else(|| miette!("no connection"))?;
    let order = orders.next().ok_or_else(|| miette!("no order"))?;
    let answer = DecisionServiceClient::new(channel.clone()).score_order(order).await;
    let answer = answer.map_err(|status| miette!("the first order was refused: {status}"))?;
    Ok(answer.into_inner())
}

async fn measure_all(
    args: &BenchArgs,
    targets: &[Target],
    response_bytes: usize,
) -> miette::Result<BenchReport> {
    let plan = Plan {
        in_flight: args.in_flight,
        time: Duration::from_secs(args.seconds.into()),
        count: args.count,
    };
    let warm_up = Plan { time: plan.time / 5, ..plan };
    let mut rounds = Vec::new();
    for mode in [Mode::Unary, Mode::Stream] {
        for target in targets {
            measure(target, mode, warm_up).await?;
        }
        for _ in 0..args.rounds {
            for target in targets {
                rounds.push(measure(target, mode, plan).await?);
            }
        }
    }
    let mut rows: Vec<BenchRow> = Vec::new();
    for mode in [Mode::Unary, Mode::Stream] {
        let of = |target: &Target| median_row(&rounds, target.name, mode);
        rows.extend(targets.iter().filter_map(of));
    }
    // The last target is the one of interest; at half its peak its answers must be quick.
    let mut at_half_peak = None;
    if let Some(target) = targets.last()
        && let Some(peak) = median_row(&rounds, target.name, Mode::Unary)
    {
        let paced = run_at_rate(&target.channels, &target.orders, plan, peak.orders_per_s / 2.0);
        at_half_peak = Some(BenchRow::new(target.name, Mode::Paced, counted(target, paced).await?));
    }
    let request = targets.last().and_then(|target| target.orders.repeated().next());
    Ok(BenchReport {
        in_flight: args.in_flight,
        connections: args.connections,
        rounds: args.rounds,
        request_bytes: request.map_or(0, |request| request.encoded_len()),
        response_bytes,
        rows,
        at_half_peak,
        latency_bars_ms: LATENCY_BARS_MS,
    })
}

async fn measure(target: &Target, mode: Mode, plan: Plan) -> miette::Result<BenchRow> {
    let orders = &target.orders;
    let measured = match mode {
        Mode::Unary | Mode::Paced => {
            counted(target, run_unary(&target.channels, orders, plan)).await?
        }
        Mode::Stream => counted(target, run_streams(&target.channels, orders, plan)).await?,
    };
    Ok(BenchRow::new(target.name, mode, measured))
}

/// What was measured, with the CPU time that the server took for it.
async fn counted(
    target: &Target,
    run: impl Future<Output = Measured>,
) -> miette::Result<(Measured, Option<f64>)> {
    let before = target.pid.map(cpu_s).transpose()?;
    let mut measured = run.await;
    let after = target.pid.map(cpu_s).transpose()?;
    measured.nanos.sort_unstable();
    Ok((measured, before.zip(after).map(|(before, after)| after - before)))
}

async fn connect(url: &str, n: u32) -> miette::Result<Vec<Channel>> {
    let mut channels = Vec::new();
    for _ in 0..n {
        let endpoint = Endpoint::from_shared(url.to_owned()).into_diagnostic()?;
        let endpoint = endpoint.tcp_nodelay(true).initial_stream_window_size(1 << 20);
        let endpoint = endpoint.initial_connection_window_size(4 << 20);
        let channel = endpoint.connect().await.into_diagnostic();
        channels.push(channel.wrap_err_with(|| format!("cannot reach a server at {url}"))?);
    }
    Ok(channels)
}

fn refuse_strangers(url: &str) -> miette::Result<()> {
    let uri: tonic::codegen::http::Uri = url.parse().into_diagnostic()?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if is_local { Ok(()) } else { Err(miette!("{url} is not on this machine; load stays here")) }
}

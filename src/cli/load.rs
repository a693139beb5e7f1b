//! `orderlens bench`: how many orders a second a server scores, and how fast.
//!
//! Closed loop: each of N callers asks again when it has its answer. Beside the
//! server runs a no-op one with equal messages in the same minute, because
//! absolute figures drift from machine to machine and only the ratio is kept.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use prost::Message as _;
use serde::Serialize;
use tonic::transport::{Channel, Endpoint};

use crate::cli::ask::ink;
use crate::cli::clock;
use crate::cli::load_calls::{Mode, Plan, run_streams, run_unary};
use crate::cli::load_floor::Floor;
use crate::cli::load_orders::OrderSource;
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::domain::money::grouped;
use crate::wire::pb::v1::decision_service_client::DecisionServiceClient;

/// Score generated orders as fast as they are answered, beside a no-op server.
///
/// The orders are recorded by the server: point it at one made for the purpose.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// Address of the server; only this machine's own addresses are allowed.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub server: String,
    /// Orders in flight, over all connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub in_flight: u32,
    /// Connections.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub connections: u32,
    /// Seconds per measurement.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// Most orders per measurement.
    #[arg(long, default_value_t = 1_000_000)]
    pub count: u64,
    /// Print the figures as JSON.
    #[arg(long)]
    pub json: bool,
}

/// All figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// Orders in flight, over all connections.
    pub in_flight: u32,
    /// Connections.
    pub connections: u32,
    /// Encoded size of one request.
    pub request_bytes: usize,
    /// Encoded size of one answer, a decision of the server.
    pub response_bytes: usize,
    /// One per server and way of calling.
    pub rows: Vec<BenchRow>,
}

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub struct BenchRow {
    /// `orderlens` or `no-op`.
    pub server: &'static str,
    /// Unary calls or streams.
    pub mode: Mode,
    /// Orders answered.
    pub orders: u64,
    /// Orders refused or failed.
    pub errors: u64,
    /// The first of those errors.
    pub first_error: Option<String>,
    /// Time it took.
    pub seconds: f64,
    /// Orders answered per second.
    pub orders_per_s: f64,
    /// Median time from request to answer, microseconds.
    pub p50_us: f64,
    /// 99 % of the answers came within, microseconds.
    pub p99_us: f64,
}

/// Measures and prints.
///
/// # Errors
/// When the server is not on this machine, does not answer, or refuses the first order.
pub fn run(args: &BenchArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(bench(args))
}

async fn bench(args: &BenchArgs) -> miette::Result<()> {
    refuse_strangers(&args.server)?;
    // Each run has order ids of its own, so that no answer is a replay.
    let orders = OrderSource::new(&format!("{:x}", clock::now().0), clock::now());
    let channels = connect(&args.server, args.connections).await?;
    let first = orders.request(0);
    let request_bytes = first.encoded_len();
    let answer = DecisionServiceClient::new(channels[0].clone())
        .score_order(first)
        .await
        .map_err(|status| miette!("{} refused the first order: {status}", args.server))?;
    let answer = answer.into_inner();
    let response_bytes = answer.encoded_len();
    let floor = Floor::start(answer)?;
    let floor_channels = connect(&floor.url(), args.connections).await?;

    let plan = Plan {
        in_flight: args.in_flight,
        time: Duration::from_secs(args.seconds.into()),
        count: args.count,
    };
    let mut rows = Vec::new();
    for mode in [Mode::Unary, Mode::Stream] {
        rows.push(measure("no-op", mode, &floor_channels, &orders, plan).await?);
        rows.push(measure("orderlens", mode, &channels, &orders, plan).await?);
    }
    let report = BenchReport {
        in_flight: args.in_flight,
        connections: args.connections,
        request_bytes,
        response_bytes,
        rows,
    };
    if args.json {
        return say_json(&report);
    }
    say(show(ink(), &report));
    Ok(())
}

async fn measure(
    server: &'static str,
    mode: Mode,
    channels: &[Channel],
    orders: &OrderSource,
    plan: Plan,
) -> miette::Result<BenchRow> {
    let warm_up = Plan { time: plan.time / 10, ..plan };
    let mut measured = None;
    for plan in [warm_up, plan] {
        measured = Some(match mode {
            Mode::Unary => run_unary(channels, orders, plan).await,
            Mode::Stream => run_streams(channels, orders, plan).await,
        });
    }
    let mut measured = measured.ok_or_else(|| miette!("nothing was measured"))?;
    measured.nanos.sort_unstable();
    let orders = measured.nanos.len() as u64;
    Ok(BenchRow {
        server,
        mode,
        orders,
        errors: measured.errors,
        first_error: measured.first_error,
        seconds: measured.seconds,
        orders_per_s: orders as f64 / measured.seconds,
        p50_us: quantile_us(&measured.nanos, 50),
        p99_us: quantile_us(&measured.nanos, 99),
    })
}

fn quantile_us(sorted_nanos: &[u64], percent: usize) -> f64 {
    let idx = (sorted_nanos.len() * percent / 100).min(sorted_nanos.len().saturating_sub(1));
    sorted_nanos.get(idx).map_or(0.0, |nanos| *nanos as f64 / 1e3)
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

fn show(ink: Ink, report: &BenchReport) -> String {
    let heading = ["server", "calls", "orders/s", "p50 ms", "p99 ms", "orders", "errors"];
    let mut rows = vec![heading.map(|name| Cell::new(Tone::Quiet, name)).to_vec()];
    for row in &report.rows {
        let errors = if 0 < row.errors { Tone::Bad } else { Tone::Normal };
        rows.push(vec![
            Cell::new(Tone::Normal, row.server),
            Cell::new(Tone::Normal, row.mode.as_str()),
            Cell::new(Tone::Strong, grouped(row.orders_per_s, 0)),
            Cell::new(Tone::Normal, format!("{:.2}", row.p50_us / 1e3)),
            Cell::new(Tone::Normal, format!("{:.2}", row.p99_us / 1e3)),
            Cell::new(Tone::Quiet, grouped(row.orders as f64, 0)),
            Cell::new(errors, grouped(row.errors as f64, 0)),
        ]);
    }
    let end = Align::End;
    let aligns = [Align::Start, Align::Start, end, end, end, end, end];
    let BenchReport { in_flight, connections, request_bytes, response_bytes, .. } = report;
    let mut text = format!(
        "{in_flight} orders in flight over {connections} connections, \
         {request_bytes} bytes in, {response_bytes} bytes out\n{}",
        table(ink, &aligns, &rows)
    );
    for row in report.rows.iter().filter(|row| row.first_error.is_some()) {
        let error = row.first_error.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{} {}: {error}", row.server, row.mode.as_str());
    }
    text
}

/// Where a server of this process listens.
pub fn url_of(address: SocketAddr) -> String {
    format!("http://{address}")
}

//! What `orderlens bench` found, as a table and as bars that it must reach.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::load_calls::{Measured, Mode};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::domain::money::grouped;

/// Share of the no-op server's unary answers per CPU second that a whole answer has to reach:
/// a no-op costs about 20 µs, so the whole answer may cost 50 µs.
const UNARY_BAR: f64 = 0.40;
/// The same for streams: 5 µs against 25 µs.
const STREAM_BAR: f64 = 0.20;
/// Median and 99 % quantile of the time to an answer at half the peak rate, milliseconds.
pub const LATENCY_BARS_MS: (f64, f64) = (2.0, 5.0);

/// All figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// Orders in flight, over all connections.
    pub in_flight: u32,
    /// Connections.
    pub connections: u32,
    /// Measurements behind each figure.
    pub rounds: u32,
    /// Encoded size of one request.
    pub request_bytes: usize,
    /// Encoded size of one answer, a decision of the server.
    pub response_bytes: usize,
    /// One per server and way of calling, medians of the rounds.
    pub rows: Vec<BenchRow>,
    /// The server at half of its unary rate.
    pub at_half_peak: Option<BenchRow>,
    /// What its median and 99 % quantile must not pass, milliseconds.
    pub latency_bars_ms: (f64, f64),
}

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub struct BenchRow {
    /// `orderlens`, `no-op`, or `server` for one that ran already.
    pub server: &'static str,
    /// How it was called.
    pub mode: Mode,
    /// Orders answered.
    pub orders: u64,
    /// Orders refused or failed.
    pub errors: u64,
    /// The first of those errors.
    pub first_error: Option<String>,
    /// Orders answered per second.
    pub orders_per_s: f64,
    /// CPU time of the server per answer, microseconds; `None` when its process is not known.
    pub cpu_us: Option<f64>,
    /// Median time from request to answer, microseconds.
    pub p50_us: f64,
    /// 99 % of the answers came within, microseconds.
    pub p99_us: f64,
}

impl BenchRow {
    /// From what was measured, sorted, and the CPU seconds that it took.
    pub fn new(
        server: &'static str,
        mode: Mode,
        (measured, cpu_s): (Measured, Option<f64>),
    ) -> Self {
        let orders = measured.nanos.len() as u64;
        Self {
            server,
            mode,
            orders,
            errors: measured.errors,
            first_error: measured.first_error,
            orders_per_s: orders as f64 / measured.seconds,
            cpu_us: cpu_s.map(|cpu_s| cpu_s * 1e6 / orders.max(1) as f64),
            p50_us: quantile_us(&measured.nanos, 50),
            p99_us: quantile_us(&measured.nanos, 99),
        }
    }
}

/// The median of each figure over the rounds of one server and way of calling.
pub fn median_row(rounds: &[BenchRow], server: &str, mode: Mode) -> Option<BenchRow> {
    let of: Vec<&BenchRow> =
        rounds.iter().filter(|row| row.server == server && row.mode == mode).collect();
    let median = |figure: fn(&BenchRow) -> f64| {
        let mut figures: Vec<f64> = of.iter().map(|row| figure(row)).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    let first = of.first()?;
    Some(BenchRow {
        server: first.server,
        mode,
        orders: of.iter().map(|row| row.orders).sum(),
        errors: of.iter().map(|row| row.errors).sum(),
        first_error: of.iter().find_map(|row| row.first_error.clone()),
        orders_per_s: median(|row| row.orders_per_s),
        cpu_us: first.cpu_us.map(|_| median(|row| row.cpu_us.unwrap_or_default())),
        p50_us: median(|row| row.p50_us),
        p99_us: median(|row| row.p99_us),
    })
}

fn quantile_us(sorted_nanos: &[u64], percent: usize) -> f64 {
    let idx = (sorted_nanos.len() * percent / 100).min(sorted_nanos.len().saturating_sub(1));
    sorted_nanos.get(idx).map_or(0.0, |nanos| *nanos as f64 / 1e3)
}

/// The table, and below it what holds of the bars.
pub fn show(ink: Ink, report: &BenchReport) -> String {
    let heading = ["server", "calls", "orders/s", "CPU µs", "p50 ms", "p99 ms", "orders", "errors"];
    let mut rows = vec![heading.map(|name| Cell::new(Tone::Quiet, name)).to_vec()];
    for row in report.rows.iter().chain(&report.at_half_peak) {
        let errors = if 0 < row.errors { Tone::Bad } else { Tone::Normal };
        let cpu = row.cpu_us.map_or_else(|| "?".to_owned(), |cpu| format!("{cpu:.1}"));
        rows.push(vec![
            Cell::new(Tone::Normal, row.server),
            Cell::new(Tone::Normal, row.mode.as_str()),
            Cell::new(Tone::Strong, grouped(row.orders_per_s, 0)),
            Cell::new(Tone::Strong, cpu),
            Cell::new(Tone::Normal, format!("{:.2}", row.p50_us / 1e3)),
            Cell::new(Tone::Normal, format!("{:.2}", row.p99_us / 1e3)),
            Cell::new(Tone::Quiet, grouped(row.orders as f64, 0)),
            Cell::new(errors, grouped(row.errors as f64, 0)),
        ]);
    }
    let end = Align::End;
    let aligns = [Align::Start, Align::Start, end, end, end, end, end, end];
    let BenchReport { in_flight, connections, request_bytes, response_bytes, rounds, .. } = report;
    let mut text = format!(
        "{in_flight} orders in flight over {connections} connections, {request_bytes} bytes in, \
         {response_bytes} bytes out, medians of {rounds}\n{}",
        table(ink, &aligns, &rows)
    );
    for (mode, bar) in [(Mode::Unary, UNARY_BAR), (Mode::Stream, STREAM_BAR)] {
        if let Some(ratio) = ratio(report, mode) {
            let held = if bar <= ratio { HELD } else { MISSED };
            let mode = mode.as_str();
            let _ = writeln!(
                text,
                "{mode}: {ratio:.2} of the no-op's answers per CPU second of the server; {held} {bar:.2}"
            );
        }
    }
    if let Some(row) = &report.at_half_peak {
        let (p50, p99) = (row.p50_us / 1e3, row.p99_us / 1e3);
        let (p50_bar, p99_bar) = report.latency_bars_ms;
        let held = if p50 <= p50_bar && p99 <= p99_bar { HELD } else { MISSED };
        let _ = writeln!(
            text,
            "at half the peak: p50 {p50:.2} ms, p99 {p99:.2} ms; {held} {p50_bar} and {p99_bar} ms"
        );
    }
    for row in report.rows.iter().filter(|row| row.first_error.is_some()) {
        let error = row.first_error.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{} {}: {error}", row.server, row.mode.as_str());
    }
    text
}

const HELD: &str = "holds the bar of";
const MISSED: &str = "MISSES the bar of";

/// The server's answers per CPU second over the no-op's.
fn ratio(report: &BenchReport, mode: Mode) -> Option<f64> {
    let cost = |server: &str| {
        let row = report.rows.iter().find(|row| row.server == server && row.mode == mode);
        row?.cpu_us.filter(|cpu| 0.0 < *cpu)
    };
    Some(cost("no-op")? / cost("orderlens")?)
}

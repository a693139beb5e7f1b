//! What does an order cost when millions of orders are remembered?
//!
//! `cargo bench --bench graph_scale -- [ORDERS ...]`: 100000 without arguments; ten
//! million take long, and as much memory as the column of bytes says. Per size and store:
//! applying an order with seven entities, and reading 61 counts, sums and distinct counts
//! that our graph, petgraph's plain `StableDiGraph` and SQL over SQLite must agree on; of
//! ours also as many features as a bundle chooses, and all of the marketplace catalog.
//! Times are of single orders on one core; every store has a process of its own, and
//! bytes are what that process grew by, per order told.
//! Budgets: apply ≤ 4 µs, all features ≤ 12 µs (medians); medians grow ≤ 1.3 × from
//! 100,000 to 10,000,000; p99 ≤ 10 × the median; ≤ 600 bytes an order.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "drawn numbers and times are whole, small and not negative"
)]

mod measure;
mod peers;
mod sql;
mod stream;

use std::env;
use std::process::{Command, Stdio};

use measure::{Measured, Times, measure_ours, measure_peer};
use peers::PlainGraph;
use sql::Sql;

/// The allocator of the program that is shipped.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: usize = 100_000;
/// The argument before the name of a store tells a process to measure only that one.
const STORE: &str = "--store";
const OURS: &str = "orderlens";
/// Name, the most orders that it holds in reasonable time.
const STORES: [(&str, usize); 3] =
    [(OURS, usize::MAX), (PlainGraph::NAME, 1_000_000), (Sql::NAME, 1_000_000)];
/// Peers give what we give, whose features are rounded to `f32`.
const TOLERANCE: f32 = 1e-6;

fn main() {
    let asked: Vec<usize> = env::args().filter_map(|text| text.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![SIZE] } else { asked };
    if let Some(store) = env::args().skip_while(|text| text != STORE).nth(1) {
        let measured = measure(&store, sizes[0]);
        println!("{}", serde_json::to_string(&measured).expect("plain numbers"));
        return;
    }
    print_head();
    for n_orders in sizes {
        let mut ours: Option<Measured> = None;
        for (store, n_orders_max) in STORES {
            if n_orders_max < n_orders {
                println!("{n_orders:>10}  {store:14} skipped: more than {n_orders_max} orders");
                continue;
            }
            let measured = measure_apart(store, n_orders);
            print_row(n_orders, store, &measured);
            match &ours {
                Some(ours) => check(store, &measured.told, &ours.told),
                None => ours = Some(measured),
            }
        }
    }
}

fn measure(store: &str, n_orders: usize) -> Measured {
    match store {
        PlainGraph::NAME => measure_peer(PlainGraph::default(), n_orders),
        Sql::NAME => measure_peer(Sql::default(), n_orders),
        _ => measure_ours(n_orders),
    }
}

fn measure_apart(store: &str, n_orders: usize) -> Measured {
    let program = env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args([STORE, store, &n_orders.to_string()]).stderr(Stdio::inherit());
    let output = command.output().expect("a process of this program");
    assert!(output.status.success(), "{store} failed with {n_orders} orders");
    serde_json::from_slice(&output.stdout).expect("what was measured")
}

/// Asserts that a store tells of the same orders what ours tells.
fn check(store: &str, theirs: &[Vec<f32>], ours: &[Vec<f32>]) {
    for (order, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
        let is_same = |(theirs, ours): (&f32, &f32)| (theirs - ours).abs() <= TOLERANCE * ours;
        let agrees = theirs.len() == ours.len() && theirs.iter().zip(ours).all(is_same);
        assert!(agrees, "{store} tells of order {order} {theirs:?}, we {ours:?}");
    }
}

fn print_head() {
    println!(
        "{:>10}  {:14} {:>8}  {:>23}  {:>15}  {:>15}  {:>15}",
        "", "", "", "apply, µs", "61 features, µs", "150, µs", "all, µs"
    );
    println!(
        "{:>10}  {:14} {:>8}  {:>7} {:>7} {:>7}  {:>7} {:>7}  {:>7} {:>7}  {:>7} {:>7}",
        "orders", "store", "bytes", "p50", "p99", "max", "p50", "p99", "p50", "p99", "p50", "p99"
    );
}

fn print_row(n_orders: usize, store: &str, measured: &Measured) {
    let Measured { bytes_per_order: bytes, apply, same, chosen, all, .. } = measured;
    let pair = |times: &Times| format!("{:>7.1} {:>7.1}", times.p50, times.p99);
    let maybe = |times: &Option<Times>| times.as_ref().map_or(format!("{:>15}", "-"), pair);
    let [apply_pair, same, chosen, all] = [pair(apply), pair(same), maybe(chosen), maybe(all)];
    let apply_max = apply.max;
    println!(
        "{n_orders:>10}  {store:14} {bytes:>8.0}  {apply_pair} {apply_max:>7.0}  {same}  {chosen}  {all}"
    );
}

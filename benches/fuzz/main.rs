//! Does any input break a reader? Every parser of the service, by the million.
//!
//! `cargo bench --bench fuzz -- --inputs 10000000 [--seed 7] [--all] [reader…]` feeds each
//! reader with damaged samples: no panic, no input that takes seconds, bounded memory. Slow
//! readers (files, strategies, models) get fewer, as the table says, unless `--all` asks
//! for the full number. Inputs that break one are kept in target/fuzz, and the run fails; the
//! next run begins with them.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench may panic and print"
)]

use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

mod parsers;

use parsers::runner::{Run, memory_bytes, run};
use parsers::targets;

/// Most resident memory while inputs are read, in all.
const MEMORY_BYTES_MAX: u64 = 768 << 20;

struct Asked {
    n_inputs: u64,
    seed: u64,
    is_all: bool,
    names: Vec<String>,
}

fn asked() -> Asked {
    let mut asked = Asked { n_inputs: 100_000, seed: 2_026, is_all: false, names: Vec::new() };
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--inputs" => asked.n_inputs = words.next().unwrap().parse().unwrap(),
            "--seed" => asked.seed = words.next().unwrap().parse().unwrap(),
            "--all" => asked.is_all = true,
            // Cargo says so to every bench.
            "--bench" => {}
            _ => asked.names.push(word),
        }
    }
    asked
}

fn main() -> ExitCode {
    let asked = asked();
    let all = targets();
    let known: Vec<_> = all.iter().map(|target| target.name).collect();
    if let Some(name) = asked.names.iter().find(|name| !known.contains(&name.as_str())) {
        println!("no reader is called `{name}`; there are: {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    let mut n_failures = 0;
    println!("seed {}", asked.seed);
    for target in all {
        if !asked.names.is_empty() && !asked.names.iter().any(|name| name == target.name) {
            continue;
        }
        let n_inputs =
            if asked.is_all { asked.n_inputs } else { (asked.n_inputs / target.cost).max(1) };
        let start = Instant::now();
        let seen = run(
            &target,
            Run {
                folder: &folder,
                seed: asked.seed,
                n_inputs,
                memory_bytes_max: Some(MEMORY_BYTES_MAX),
            },
        );
        let end = if seen.failures.is_empty() { "PASS" } else { "FAIL" };
        println!(
            "{end}  {:<12} {:>9} inputs, {:>5} answers, {:>4.1} % accepted, longest {:>6.1} ms, \
             {:>4} MB at most, {:.0} s",
            target.name,
            seen.n_inputs,
            seen.n_sayings,
            seen.n_accepted as f64 * 100.0 / seen.n_inputs as f64,
            seen.longest.as_secs_f64() * 1e3,
            memory_bytes().unwrap_or_default() >> 20,
            start.elapsed().as_secs_f64(),
        );
        for failure in &seen.failures {
            println!("      {failure}");
        }
        n_failures += seen.failures.len();
    }
    if n_failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

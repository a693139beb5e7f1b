//! Do the statistics keep what they promise?
//!
//! `cargo bench --bench gates`: thousands of simulated experiments whose truth is known. Each row
//! is a promise: the figure that was found, and the bounds that it has to be in. Rows that begin
//! with "mutant" are usual mistakes; each has to *break* its gate, or the gate shows nothing.
//! Seeds come from the commit: three per gate, all have to pass. With names, only those gates
//! run: `cargo bench --bench gates -- rings`. Some six minutes on two cores; a table of all
//! figures comes last, and the run fails when a gate is red or a mutant is not caught.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

mod confounding;
mod delays;
mod differences;
mod gate;
mod labels;
mod learner;
mod looks;
mod numbers;
mod operators;
mod policies;
mod ramps;
mod recommendations;
mod ridge;
mod rings;
mod sim1;
mod sim1_truth;
mod splits;

use std::process::{Command, ExitCode};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::gate::{Row, Suite, table};

/// A group of gates.
type Gates = fn(&Suite<'_>) -> Vec<Row>;

const GROUPS: &[(&str, Gates)] = &[
    ("world", sim1::run),
    ("differences", differences::run),
    ("policies", policies::run),
    ("recommendations", recommendations::run),
    ("learner", learner::run),
    ("looks", looks::run),
    ("labels", labels::run),
    ("confounding", confounding::run),
    ("delays", delays::run),
    ("numbers", numbers::run),
    ("splits", splits::run),
    ("rings", rings::run),
    ("ramps", ramps::run),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let commit = commit();
    println!("seeds from commit {commit}");
    let groups: Vec<&(&str, Gates)> = GROUPS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|it| it == name))
        .collect();
    let n_known = wanted.iter().filter(|it| GROUPS.iter().any(|(name, _)| name == it)).count();
    if n_known < wanted.len() {
        println!("groups are {:?}", GROUPS.iter().map(|it| it.0).collect::<Vec<_>>());
        return ExitCode::FAILURE;
    }
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} groups {elapsed} {wide_msg}");
    let progress = ProgressBar::new(groups.len() as u64).with_style(style.expect("a template"));
    progress.enable_steady_tick(Duration::from_millis(200));
    let suite = Suite { commit: &commit, progress: &progress };
    let mut rows: Vec<Row> = Vec::new();
    for (_, run) in groups {
        rows.extend(run(&suite));
        progress.inc(1);
    }
    progress.finish_and_clear();
    println!("{}", table(&rows));
    if rows.iter().all(Row::is_as_expected) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The commit that runs, so that nobody chooses seeds.
fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().expect("git runs");
    String::from_utf8(output.stdout).expect("a hash").trim().to_owned()
}

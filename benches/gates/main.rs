//! Do the statistics keep what they promise?
//!
//! `cargo bench --bench gates`: thousands of simulated experiments whose truth is known. Each row
//! is a promise: the figure that was found, and the bounds that it has to be in. Rows that begin
//! with "mutant" are usual mistakes; each has to *break* its gate, or the gate shows nothing.
//! Seeds come from the commit: three per gate, all have to pass. With names, only those gates
//! run: `cargo bench --bench gates -- rings`. About four minutes on two cores.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench")]

mod differences;
mod gate;
mod learner;
mod looks;
mod policies;
mod rings;
mod sim1;
mod sim1_truth;
mod splits;

use std::process::{Command, ExitCode};

use crate::gate::{Row, Suite};

/// A group of gates.
type Gates = fn(&Suite<'_>) -> Vec<Row>;

const GROUPS: [(&str, Gates); 7] = [
    ("world", sim1::run),
    ("differences", differences::run),
    ("policies", policies::run),
    ("learner", learner::run),
    ("looks", looks::run),
    ("splits", splits::run),
    ("rings", rings::run),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let commit = commit();
    println!("seeds from commit {commit}");
    let groups: Vec<&(&str, Gates)> = GROUPS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|it| it == name))
        .collect();
    let mut is_sound = true;
    for (at, (name, run)) in groups.iter().enumerate() {
        println!("{} of {}: {name}", at + 1, groups.len());
        for row in run(&Suite { commit: &commit }) {
            is_sound &= row.is_as_expected();
            println!("  {row}");
        }
    }
    if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The commit that runs, so that nobody chooses seeds.
fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().expect("git runs");
    String::from_utf8(output.stdout).expect("a hash").trim().to_owned()
}

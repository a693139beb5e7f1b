//! A few thousand damaged inputs for every reader.
//!
//! `cargo bench --bench fuzz` reads millions.

use std::path::Path;

use crate::parsers::runner::{Run, run};
use crate::parsers::{Said, targets};

const SEED: u64 = 8;
const N_INPUTS: u64 = 20_000;

#[test]
fn no_damaged_input_breaks_a_reader() {
    println!("seed {SEED}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    for target in targets() {
        let n_inputs = (N_INPUTS / target.cost).max(20);
        // Other tests of this process use memory as well: the bench watches it.
        let run_of = Run { folder: &folder, seed: SEED, n_inputs, memory_bytes_max: None };
        let seen = run(&target, run_of);
        assert!(seen.failures.is_empty(), "{}: {:#?}", target.name, seen.failures);
        // Both sides of the reader were reached, not only its first check.
        assert!(0 < seen.n_accepted, "{} accepted nothing", target.name);
        assert!(3 < seen.n_sayings, "{} said {} things", target.name, seen.n_sayings);
    }
}

#[test]
fn a_reader_that_panics_is_found_and_its_input_is_kept() {
    let mut target = targets().remove(0);
    target.read = Box::new(|raw| {
        assert!(!raw.len().is_multiple_of(7), "planted");
        Said::accepted("read")
    });
    let folder = tempfile::tempdir().unwrap();
    let run_of = Run { folder: folder.path(), seed: SEED, n_inputs: 500, memory_bytes_max: None };
    let seen = run(&target, run_of);
    assert!(!seen.failures.is_empty());
    let kept = std::fs::read(&seen.failures[0]).unwrap();
    assert!(kept.len().is_multiple_of(7));
    // The next run begins with it.
    let seen = run(&target, Run { n_inputs: 1, ..run_of });
    assert_eq!(seen.failures.len(), 1);
}

//! What holds at every look, against its authors' numbers.

use orderlens::experiment::betting;
use orderlens::experiment::rare_events::{EventBet, Events};
use orderlens::experiment::sequence::bounded;
use orderlens::experiment::split::SplitWatch;
use serde_json::Value;

use crate::vectors::near::{absolute, has_fields, items, number, relative};
use crate::vectors::{counts, numbers, positions, read};

const TOLERANCE: f64 = 1e-6;

/// Looks of a sequence: after how many values, and between which ends.
fn looks(of: &Value) -> Vec<(usize, f64, f64)> {
    let ends = numbers(&of["lower"]).into_iter().zip(numbers(&of["upper"]));
    let looks = positions(&of["at"]).into_iter().zip(ends);
    let looks: Vec<_> = looks.map(|(n, (low, high))| (n, low, high)).collect();
    let n_looks = ["at", "lower", "upper"].map(|field| items(of, field).len());
    assert_eq!(n_looks, [5; 3]);
    looks
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn intervals_of_bounded_means_are_those_of_their_authors() {
    let file = read("anytime.json");
    has_fields(&file, &["meta", "eb", "bernoulli", "betting", "event_mixture"]);
    let bernstein = &file["eb"];
    has_fields(
        bernstein,
        &["x", "alpha", "c", "intersect", "clip", "at", "lower", "upper", "centre_note"],
    );
    // What ours has fixed.
    assert_eq!((&bernstein["c"], &bernstein["intersect"]), (&0.5.into(), &false.into()));
    assert_eq!(numbers(&bernstein["clip"]), [0.0, 1.0]);
    let values = numbers(&bernstein["x"]);
    for (n, low, high) in looks(bernstein) {
        let found = bounded(&values[..n], number(bernstein, "alpha")).unwrap();
        relative("lower", found.0, low, TOLERANCE);
        relative("upper", found.1, high, TOLERANCE);
    }
    let by_bets = &file["betting"];
    has_fields(by_bets, &["x", "alpha", "c", "theta", "grid", "at", "lower", "upper", "tolerance"]);
    assert_eq!((&by_bets["x"], &by_bets["c"]), (&"eb.x".into(), &0.5.into()));
    assert_eq!(by_bets["theta"], 0.5);
    // Theirs are points of a grid.
    let tolerance = number(by_bets, "tolerance");
    assert!(2.0 / number(by_bets, "grid") <= tolerance && tolerance <= 2e-4);
    for (n, low, high) in looks(by_bets) {
        let found = betting::interval(&values[..n], number(by_bets, "alpha")).unwrap();
        absolute("lower", found.0, low, tolerance);
        absolute("upper", found.1, high, tolerance);
    }
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn bets_on_events_are_those_of_the_closed_form() {
    let file = read("anytime.json");
    let bernoulli = &file["bernoulli"];
    has_fields(bernoulli, &["x", "alpha", "prior", "at", "lower", "upper", "solves"]);
    let happened = counts(&bernoulli["x"]);
    let prior = numbers(&bernoulli["prior"]);
    let bet = EventBet { prior: (prior[0], prior[1]), treatment_share: 0.5 };
    for (n, low, high) in looks(bernoulli) {
        let treatment: u64 = happened[..n].iter().sum();
        let events = Events { treatment, control: n as u64 - treatment };
        let found = bet.share_interval(events, number(bernoulli, "alpha"));
        absolute("lower", found.0, low, TOLERANCE);
        absolute("upper", found.1, high, TOLERANCE);
    }
    let rows = items(&file, "event_mixture");
    for row in rows {
        has_fields(row, &["prior", "null_treat_share", "events_t", "events_c", "log_e"]);
        let prior = numbers(&row["prior"]);
        let treatment_share = number(row, "null_treat_share");
        let bet = EventBet { prior: (prior[0], prior[1]), treatment_share };
        let [treatment, control] = ["events_t", "events_c"].map(|it| row[it].as_u64().unwrap());
        let found = bet.ln_evidence(Events { treatment, control });
        absolute("log_e", found, number(row, "log_e"), TOLERANCE);
    }
    assert_eq!(rows.len(), 48);
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn watches_of_splits_are_those_of_ssrm_test() {
    let file = read("ssrm.json");
    has_fields(&file, &["meta", "cases"]);
    let mut n_looks = Vec::new();
    for case in items(&file, "cases") {
        has_fields(case, &["name", "null", "concentration", "batches", "p", "log_bf"]);
        let mut watch = SplitWatch::new(&numbers(&case["null"]), number(case, "concentration"));
        let batches = items(case, "batches");
        let expected: Vec<_> =
            numbers(&case["p"]).into_iter().zip(numbers(&case["log_bf"])).collect();
        assert_eq!(items(case, "p").len(), batches.len());
        assert_eq!(expected.len(), batches.len());
        for (batch, (p, ln_evidence)) in batches.iter().zip(expected) {
            absolute("p", watch.add(&counts(batch)).unwrap(), p, TOLERANCE);
            absolute("log_bf", watch.ln_evidence().unwrap(), ln_evidence, TOLERANCE);
        }
        n_looks.push(batches.len());
    }
    assert_eq!(n_looks, [60, 60, 40, 60]);
}

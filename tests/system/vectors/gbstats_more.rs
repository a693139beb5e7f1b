//! Strata, splits, widths and power against gbstats.

use orderlens::experiment::difference::{Difference, Metric};
use orderlens::experiment::power_underway::{Looks, Underway};
use orderlens::experiment::refusal::Refusal;
use orderlens::experiment::relative_delta;
use orderlens::experiment::sequence::{Mixture, OneSided};
use orderlens::experiment::split::{SplitWatch, one_look_p};
use orderlens::experiment::strata::{self, Stratum};
use serde_json::Value;

use crate::vectors::gbstats::{TOLERANCE, moments};
use crate::vectors::near::{
    Scale, absolute, end, has_fields, items, number, relative, scale, text,
};
use crate::vectors::{counts, numbers, read};

fn stratum(of: &Value) -> Stratum {
    (moments(&of["control"]).1, moments(&of["treatment"]).1)
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn strata_are_those_of_growthbook() {
    let file = read("gbstats_head.json");
    has_fields(
        &file,
        &[
            "meta",
            "cases",
            "post_stratification",
            "srm",
            "srm_trap",
            "sequential_helpers",
            "mid_experiment_power",
        ],
    );
    let stratified = &file["post_stratification"];
    has_fields(stratified, &["strata", "runs"]);
    let strata: Vec<Stratum> = items(stratified, "strata").iter().map(stratum).collect();
    let mut scales = Vec::new();
    for run in items(stratified, "runs") {
        has_fields(run, &["difference_type", "result", "dof"]);
        let scale = scale(run);
        let found = match scale {
            Scale::Absolute => strata::difference(Metric::Mean, &strata).unwrap(),
            Scale::Relative => strata::relative(Metric::Mean, &strata).unwrap(),
        };
        let (result, (low, high)) = (&run["result"], found.interval(0.05));
        has_fields(result, &["expected", "ci", "p_value", "se", "error", "p_value_error"]);
        let (what, ends) = (text(run, "difference_type"), items(result, "ci"));
        relative(what, found.effect, number(result, "expected"), TOLERANCE);
        relative(what, found.standard_error, number(result, "se"), TOLERANCE);
        relative(what, found.dof, number(run, "dof"), TOLERANCE);
        relative(what, low, end(&ends[0]), TOLERANCE);
        relative(what, high, end(&ends[1]), TOLERANCE);
        // Both are below 1e-12, where theirs is rounded away: it is 1 less another number.
        absolute(what, found.p(), number(result, "p_value"), TOLERANCE);
        scales.push(scale);
    }
    assert_eq!(scales, [Scale::Absolute, Scale::Relative]);
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn splits_are_those_of_growthbook_and_its_trap_is_refused() {
    let mut n_rows = 0;
    for file in ["gbstats_head.json", "gbstats_pypi.json"] {
        for row in items(&read(file), "srm") {
            has_fields(row, &["users", "weights", "p"]);
            let p = one_look_p(&counts(&row["users"]), &numbers(&row["weights"])).unwrap();
            absolute("srm", p, number(row, "p"), TOLERANCE);
            n_rows += 1;
        }
    }
    assert_eq!(n_rows, 2 * 11);
    let trap = &read("gbstats_head.json")["srm_trap"];
    has_fields(trap, &["users", "weights", "gbstats_p", "note"]);
    let (units, shares) = (counts(&trap["users"]), numbers(&trap["weights"]));
    let refused = vec![Refusal::UnitInEmptyArm];
    assert_eq!(one_look_p(&units, &shares), Err(refused.clone()));
    assert_eq!(SplitWatch::new(&shares, 1_000.0).add(&units), Err(refused));
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn widths_are_those_of_growthbook() {
    let mut n_rows = 0;
    for row in items(&read("gbstats_head.json"), "sequential_helpers") {
        has_fields(row, &["alpha", "n_star", "rho", "rho_one_sided", "halfwidth"]);
        let (alpha, n_narrowest) = (number(row, "alpha"), number(row, "n_star"));
        let mixture = Mixture::new(alpha, n_narrowest);
        let one_sided = OneSided::new(alpha, n_narrowest);
        relative("rho", mixture.rho(), number(row, "rho"), 1e-9);
        relative("rho", one_sided.rho(), number(row, "rho_one_sided"), 1e-9);
        for width in items(row, "halfwidth") {
            has_fields(width, &["s2", "n", "two_sided", "one_sided"]);
            let (variance, n) = (number(width, "s2"), number(width, "n"));
            let found = mixture.half_width(variance, n);
            relative("half width", found, number(width, "two_sided"), 1e-9);
            let found = one_sided.distance(variance, n);
            relative("distance", found, number(width, "one_sided"), 1e-9);
            n_rows += 1;
        }
    }
    assert_eq!(n_rows, 6 * 6);
}

/// Their growth is halved towards until the power is within 1e-5: ours is exact, so this searches
/// as theirs does.
fn searched_growth(underway: &Underway, effect: f64) -> f64 {
    const ENOUGH: f64 = 1e-5;
    let mut high = 1.0;
    while underway.power(effect, high) < 0.8 {
        high *= 2.0;
    }
    let mut low = 0.0;
    loop {
        let growth = f64::midpoint(low, high);
        let beyond = underway.power(effect, growth) - 0.8;
        if beyond.abs() < ENOUGH {
            return growth;
        }
        if 0.0 < beyond {
            high = growth;
        } else {
            low = growth;
        }
    }
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn power_underway_is_that_of_growthbook() {
    const ALPHA: f64 = 0.05;
    const N_NARROWEST: f64 = 5_000.0;
    let mut n_rows = 0;
    for row in items(&read("gbstats_head.json"), "mid_experiment_power") {
        has_fields(
            row,
            &[
                "difference_type",
                "sequential",
                "mde",
                "power_now",
                "power_at_scaling_1",
                "additional_users",
                "scaling_factor",
                "msg",
                "control",
                "treatment",
            ],
        );
        assert_eq!(row["msg"], "successful");
        let (control, treatment) = stratum(row);
        let of = match scale(row) {
            Scale::Absolute => Difference::new,
            Scale::Relative => relative_delta::difference,
        };
        let found = of(Metric::Mean, &control, &treatment).unwrap();
        let always = Looks::Always { n_narrowest: N_NARROWEST };
        let looks = if row["sequential"].as_bool().unwrap() { always } else { Looks::Once };
        let underway = Underway::new(&found, ALPHA, looks);
        let effect = number(row, "mde");
        absolute("now", underway.power(effect, 0.0), number(row, "power_now"), 1e-9);
        absolute("at 1", underway.power(effect, 1.0), number(row, "power_at_scaling_1"), 1e-9);
        let growth = searched_growth(&underway, effect);
        relative("growth", growth, number(row, "scaling_factor"), TOLERANCE);
        relative("units", growth * found.n, number(row, "additional_users"), TOLERANCE);
        let exact = underway.growth_needed(effect, 0.8).unwrap();
        absolute("exact", underway.power(effect, exact), 0.8, 1e-9);
        relative("exact", exact, growth, 1e-3);
        n_rows += 1;
    }
    assert_eq!(n_rows, 8);
}

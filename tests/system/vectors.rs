//! Statistics against the reference numbers of other implementations.
//!
//! The numbers are not part of the repository: `cargo test --test system -- --ignored vectors`
//! reads them from a folder `shared/vectors` beside it.

use std::path::Path;

use ndarray::Array2;
use orderlens::experiment::difference::{Difference, Metric};
use orderlens::experiment::logged::{LoggedChoices, Reach};
use orderlens::experiment::moments::Moments;
use orderlens::experiment::off_policy::Estimator;
use orderlens::experiment::rare_events::{EventBet, Events};
use orderlens::experiment::sequence::{Mixture, OneSided, bounded};
use orderlens::experiment::split::{SplitWatch, one_look_p};
use orderlens::experiment::strata;
use serde_json::Value;

pub(crate) fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect()
}

pub(crate) fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect()
}

fn positions(value: &Value) -> Vec<usize> {
    counts(value).into_iter().map(|it| usize::try_from(it).unwrap()).collect()
}

/// Fails unless a number is the reference one: relative, and absolute near 0.
pub(crate) fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    let distance = (found - expected).abs() / expected.abs().max(1.0);
    assert!(distance <= tolerance, "{what}: {found} is not {expected}");
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, at)| rows[row][at])
}

fn estimator(name: &str) -> Option<Estimator> {
    let (base, lambda) = match name.rsplit_once('_') {
        Some((base, number)) if number.parse::<f64>().is_ok() => (base, number.parse().unwrap()),
        _ => (name, f64::INFINITY),
    };
    Some(match base {
        "ipw" | "ipw_clip" => Estimator::Ips(lambda),
        "snipw" => Estimator::Snips,
        "dm" => Estimator::Direct,
        "dr" | "dr_clip" => Estimator::DoublyRobust(lambda),
        "sndr" => Estimator::SelfNormalizedDr,
        "switch_dr" => Estimator::Switch(lambda),
        "dros" => Estimator::Shrunk(lambda),
        "sg_ipw" => Estimator::SubGaussianIps(lambda),
        "sg_dr" => Estimator::SubGaussianDr(lambda),
        _ => return None,
    })
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn off_policy_estimates_are_those_of_the_open_bandit_pipeline() {
    for case in read("obp_ope.json")["cases"].as_array().unwrap() {
        let input = &case["input"];
        let rewards = numbers(&input["reward"]);
        let log = LoggedChoices {
            actions: positions(&input["action"]),
            propensities: numbers(&input["pscore"]),
            target: matrix(&input["pi_e"]),
            predicted: matrix(&input["q_hat"]),
            rings: (0..rewards.len() as u64).collect(),
            rewards,
        };
        let mut n = 0;
        for (name, value) in case["output"].as_object().unwrap() {
            let Some((estimator, value)) = estimator(name).zip(value.as_f64()) else { continue };
            near(name, estimator.value(&log), value, 1e-9);
            n += 1;
        }
        assert!(15 <= n, "{n} estimators");
        for (name, values) in case["round_values"].as_object().into_iter().flatten() {
            let Some(estimator) = estimator(name) else { continue };
            for (found, expected) in estimator.rounds(&log).iter().zip(numbers(values)) {
                near(name, *found, expected, 1e-9);
            }
        }
        let derived = &case["derived_not_obp"];
        let of = |name: &str| derived[name].as_f64().unwrap();
        let errors = [Estimator::Ips(f64::INFINITY), Estimator::Snips]
            .map(|estimator| estimator.estimate(&log).standard_error);
        // Theirs of the second has n below its sum of squares, ours n - 1.
        let n = log.rewards.len() as f64;
        near("ipw_se", errors[0], of("ipw_se"), 1e-9);
        let theirs = of(concat!("snips_linear", "ised_se")) * (n / (n - 1.0)).sqrt();
        near("snips_se", errors[1], theirs, 1e-9);
        near("ess", Reach::new(&log).n_effective, of("ess"), 1e-9);
    }
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn sequential_evidence_is_that_of_its_authors() {
    for case in read("ssrm.json")["cases"].as_array().unwrap() {
        let concentration = case["concentration"].as_f64().unwrap();
        let mut watch = SplitWatch::new(&numbers(&case["null"]), concentration);
        let batches = case["batches"].as_array().unwrap().iter();
        let expected = numbers(&case["p"]).into_iter().zip(numbers(&case["log_bf"]));
        for (batch, (p, ln_evidence)) in batches.zip(expected) {
            near("p", watch.add(&counts(batch)).unwrap(), p, 1e-6);
            near("log_bf", watch.ln_evidence().unwrap(), ln_evidence, 1e-6);
        }
    }
    let anytime = read("anytime.json");
    for row in anytime["event_mixture"].as_array().unwrap() {
        let prior = numbers(&row["prior"]);
        let treatment_share = row["null_treat_share"].as_f64().unwrap();
        let bet = EventBet { prior: (prior[0], prior[1]), treatment_share };
        let [treatment, control] = ["events_t", "events_c"].map(|it| row[it].as_u64().unwrap());
        let found = bet.ln_evidence(Events { treatment, control });
        near("log_e", found, row["log_e"].as_f64().unwrap(), 1e-6);
    }
    let bernoulli = &anytime["bernoulli"];
    let happened = counts(&bernoulli["x"]);
    let prior = numbers(&bernoulli["prior"]);
    let bet = EventBet { prior: (prior[0], prior[1]), treatment_share: 0.5 };
    let ends = numbers(&bernoulli["lower"]).into_iter().zip(numbers(&bernoulli["upper"]));
    for (n, (low, high)) in positions(&bernoulli["at"]).into_iter().zip(ends) {
        let treatment: u64 = happened[..n].iter().sum();
        let events = Events { treatment, control: n as u64 - treatment };
        let found = bet.share_interval(events, bernoulli["alpha"].as_f64().unwrap());
        near("share", found.0, low, 1e-6);
        near("share", found.1, high, 1e-6);
    }
    let bernstein = &anytime["eb"];
    let (values, alpha) = (numbers(&bernstein["x"]), bernstein["alpha"].as_f64().unwrap());
    let ends = numbers(&bernstein["lower"]).into_iter().zip(numbers(&bernstein["upper"]));
    for (n, (low, high)) in positions(&bernstein["at"]).into_iter().zip(ends) {
        let found = bounded(&values[..n], alpha).unwrap();
        near("lower", found.0, low, 1e-6);
        near("upper", found.1, high, 1e-6);
    }
}

/// Moments as the file has them, and which metric they are for.
fn arm(value: &Value) -> Option<(Metric, Moments)> {
    let number = |value: &Value| value.as_f64().unwrap();
    let sums = |of: &Value| {
        let squares = if of["type"] == "ProportionStatistic" { "sum" } else { "sum_squares" };
        (number(&of["sum"]), number(&of[squares]))
    };
    let n = number(&value["n"]);
    let two = |a: &str, b: &str, product: &str| {
        let ((x, xx), (y, yy)) = (sums(&value[a]), sums(&value[b]));
        Moments::of_sums(n, x, xx, y, yy, number(&value[product]))
    };
    Some(match value["type"].as_str().unwrap() {
        "SampleMeanStatistic" => {
            let (x, xx) = sums(value);
            (Metric::Mean, Moments::of_sums(n, x, xx, 0.0, 0.0, 0.0))
        }
        "ProportionStatistic" => {
            let (x, xx) = sums(value);
            (Metric::Proportion, Moments::of_sums(n, x, xx, 0.0, 0.0, 0.0))
        }
        "RatioStatistic" => (Metric::Ratio, two("m", "d", "m_d_sum_of_products")),
        "RegressionAdjustedStatistic" if value["post"]["type"] == "SampleMeanStatistic" => {
            (Metric::Adjusted, two("post", "pre", "post_pre_sum_of_products"))
        }
        _ => return None,
    })
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn differences_are_those_of_growthbook() {
    let file = read("gbstats_head.json");
    let mut n_runs = 0;
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let Some(((metric, control), (_, treatment))) =
            arm(&case["control"]).zip(arm(&case["treatment"]))
        else {
            continue;
        };
        let difference = Difference::new(metric, &control, &treatment);
        if name.starts_with("DO_NOT_COPY") {
            assert!(difference.is_err(), "{name}: a degenerate case has no number");
            continue;
        }
        let difference = difference.unwrap();
        for run in case["runs"].as_array().unwrap() {
            if run["difference_type"] != "absolute" {
                continue;
            }
            let alpha = run["alpha"].as_f64().unwrap();
            let ((low, high), p) = match run["test"].as_str().unwrap() {
                "two_sided_t" => (difference.interval(alpha), difference.p()),
                "sequential_two_sided" => {
                    let mixture = Mixture::new(alpha, run["n_star"].as_f64().unwrap());
                    (mixture.interval(&difference), mixture.p(&difference))
                }
                _ => continue,
            };
            let result = &run["result"];
            let of = |name: &str| result[name].as_f64().unwrap();
            let ends = numbers(&result["ci"]);
            let pairs = [
                ("effect", difference.effect, of("expected")),
                ("se", difference.standard_error, of("se")),
                ("low", low, ends[0]),
                ("high", high, ends[1]),
                ("p", p, of("p_value")),
            ];
            for (what, found, expected) in pairs {
                near(&format!("{name} {what}"), found, expected, 1e-6);
            }
            n_runs += 1;
        }
    }
    assert!(60 <= n_runs, "{n_runs} runs");
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn strata_splits_and_widths_are_those_of_growthbook() {
    let file = read("gbstats_head.json");
    let stratified = &file["post_stratification"];
    let strata = stratified["strata"].as_array().unwrap().iter();
    let strata =
        strata.map(|it| (arm(&it["control"]).unwrap().1, arm(&it["treatment"]).unwrap().1));
    let found = strata::difference(Metric::Mean, &strata.collect::<Vec<_>>()).unwrap();
    let expected = &stratified["runs"][0];
    let ends = numbers(&expected["result"]["ci"]);
    let (low, high) = found.interval(0.05);
    let pairs = [
        (found.effect, expected["result"]["expected"].as_f64().unwrap()),
        (found.standard_error, expected["result"]["se"].as_f64().unwrap()),
        (found.dof, expected["dof"].as_f64().unwrap()),
        (low, ends[0]),
        (high, ends[1]),
    ];
    for (found, expected) in pairs {
        near("strata", found, expected, 1e-6);
    }
    for row in file["srm"].as_array().unwrap() {
        let p = one_look_p(&counts(&row["users"]), &numbers(&row["weights"]));
        if let Ok(p) = p {
            near("srm", p, row["p"].as_f64().unwrap(), 1e-6);
        }
    }
    for helper in file["sequential_helpers"].as_array().unwrap() {
        let of = |name: &str| helper[name].as_f64().unwrap();
        let mixture = Mixture::new(of("alpha"), of("n_star"));
        for row in helper["halfwidth"].as_array().unwrap() {
            let [s2, n, expected] = ["s2", "n", "two_sided"].map(|it| row[it].as_f64().unwrap());
            near("half width", mixture.half_width(s2, n), expected, 1e-6);
            let bound = OneSided::new(of("alpha"), of("n_star"));
            let expected = row["one_sided"].as_f64().unwrap();
            near("distance", bound.distance(s2, n), expected, 1e-6);
        }
    }
}

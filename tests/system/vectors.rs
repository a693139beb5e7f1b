//! Statistics against the reference numbers of other implementations.
//!
//! The numbers are not part of the repository: `cargo test --test system -- --ignored vectors`
//! reads them from a folder `shared/vectors` beside it.

use std::path::Path;

use ndarray::Array2;
use orderlens::experiment::logged::{LoggedChoices, Reach};
use orderlens::experiment::off_policy::Estimator;
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

pub(crate) fn positions(value: &Value) -> Vec<usize> {
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

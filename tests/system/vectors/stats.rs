//! Small statistics against all numbers of scipy, statsmodels and scikit-learn.

use ndarray::Array2;
use orderlens::experiment::difference::Difference;
use orderlens::experiment::distributions::{
    beta_quantile, chi_square_tail, normal_tail, normal_tail_quantile, t_tail, t_tail_quantile,
};
use orderlens::experiment::multiplicity::{benjamini_hochberg, benjamini_yekutieli, holm};
use orderlens::experiment::narrowest::{Convention, rho};
use orderlens::experiment::paired::Discordant;
use orderlens::experiment::power::{Design, n_control};
use orderlens::experiment::regression::{Noise, Regression};
use orderlens::experiment::share_intervals::{
    agresti_caffo_difference, agresti_coull_interval, exact_interval, jeffreys_interval,
    score_difference, wald_difference,
};
use orderlens::experiment::shares::{Count, difference_interval, exact_p};
use orderlens::experiment::survival::{Survival, Watched};
use serde_json::Value;

use crate::vectors::compared::Compared;
use crate::vectors::scores::{classification, drift, isotonic};
use crate::vectors::{counts, numbers, read};

/// Compares a section of the file.
type Section = fn(&Value, &mut Compared);

/// Sections, and which of their keys are inputs.
const SECTIONS: [(&str, Section, &[&str]); 15] = [
    ("power", power, &["effect", "alpha", "ratio", "power"]),
    ("mde", least_effects, &["n1", "alpha", "ratio", "power"]),
    ("t_power", t_power, &["n1", "effect", "alpha"]),
    ("proportion_ci", shares, &["x", "n", "alpha"]),
    ("proportion_diff", differences, &["t", "c"]),
    ("fisher_exact", fisher, &["table"]),
    ("multiple_testing", several, &["p"]),
    ("mcnemar", pairs, &["table"]),
    ("cluster_ols", least_squares, &["y", "t", "x", "cluster"]),
    ("classification", classification, &["score", "label", "weight"]),
    ("isotonic", isotonic, &["grid"]),
    ("drift", drift, &["ref_counts", "cur_counts", "ref", "cur", "eps", "ks_ref", "ks_cur"]),
    ("kaplan_meier", survival, &["time", "event"]),
    ("rho_choices", narrowest, &["alpha", "t_star"]),
    ("quantiles", quantiles, &[]),
];

fn list<'a>(file: &'a Value, section: &str) -> &'a [Value] {
    file[section].as_array().unwrap()
}

fn input(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap()
}

/// A count and its total.
fn count(value: &Value) -> Count {
    let pair = counts(value);
    Count { count: pair[0], of: pair[1] }
}

fn power(file: &Value, compared: &mut Compared) {
    for row in list(file, "power") {
        assert_eq!(row["kind"], "normal_ind");
        let [effect, ratio, alpha, power] =
            ["effect", "ratio", "alpha", "power"].map(|name| input(row, name));
        compared.number("n1", n_control(effect, ratio, alpha, power), &row["n1"]);
    }
}

/// Theirs for 20,000 units are rough: at their effects the power is .79997 and .80003, where .8
/// was asked for. These two are compared to a ten-thousandth, and ours with the power itself.
fn least_effects(file: &Value, compared: &mut Compared) {
    for row in list(file, "mde") {
        let [n_control, ratio, alpha, power] =
            ["n1", "ratio", "alpha", "power"].map(|it| input(row, it));
        let design = Design { n_control, ratio, alpha };
        let found = design.least_effect(power);
        assert!((design.power(found) - power).abs() < 1e-12, "{row}");
        let expected = &row["mde_sd_units"];
        if n_control < 20_000.0 {
            compared.number("mde", found, expected);
        } else {
            compared.near("mde", found, expected, 1e-4 * found);
        }
    }
}

fn t_power(file: &Value, compared: &mut Compared) {
    for row in list(file, "t_power") {
        let [n_control, effect, alpha] = ["n1", "effect", "alpha"].map(|it| input(row, it));
        let design = Design { n_control, ratio: 1.0, alpha };
        compared.number("power", design.t_power(effect), &row["power"]);
    }
}

fn shares(file: &Value, compared: &mut Compared) {
    for row in list(file, "proportion_ci") {
        let share = Count { count: row["x"].as_u64().unwrap(), of: row["n"].as_u64().unwrap() };
        let alpha = input(row, "alpha");
        compared.ends("wilson", share.interval(alpha), &row["wilson"]);
        compared.ends("beta", exact_interval(share, alpha), &row["beta"]);
        compared.ends("jeffreys", jeffreys_interval(share, alpha), &row["jeffreys"]);
        let found = agresti_coull_interval(share, alpha);
        compared.ends("agresti_coull", found, &row["agresti_coull"]);
    }
}

fn differences(file: &Value, compared: &mut Compared) {
    for row in list(file, "proportion_diff") {
        let (c, t) = (count(&row["c"]), count(&row["t"]));
        compared.ends("newcomb", difference_interval(c, t, 0.05), &row["newcomb"]);
        let found = agresti_caffo_difference(c, t, 0.05);
        compared.ends("agresti-caffo", found, &row["agresti-caffo"]);
        compared.ends("wald", wald_difference(c, t, 0.05), &row["wald"]);
        if c.count == 0 {
            compared.ends("score", score_difference(c, t, 0.05), &row["score"]);
            continue;
        }
        // Theirs solve another equation than that of Miettinen and Nurminen, which is the same
        // only for a control without events. So they are compared where they come from.
        for (end, z) in numbers(&row["score"]).into_iter().zip([1.0, -1.0]) {
            let expected = Value::from(z * normal_tail_quantile(0.025));
            compared.number("score", score_of_statsmodels(c, t, end), &expected);
        }
    }
}

/// The statistic whose ends statsmodels 0.15.0 gives: the cubic equation of the control's share
/// has the control's events where its units belong.
fn score_of_statsmodels(control: Count, treatment: Count, difference: f64) -> f64 {
    let [events, n_c, n_t] = [control.count, control.of, treatment.of].map(|it| it as f64);
    let (n, all) = (n_c + n_t, events + treatment.count as f64);
    let misplaced = events;
    let square = ((n_t + 2.0 * n_c) * difference - n - all) / n;
    let linear = ((misplaced * difference - n - 2.0 * events) * difference + all) / n;
    let constant = events * difference * (1.0 - difference) / n;
    let cube = (square / 3.0).powi(3) - linear * square / 6.0 + constant / 2.0;
    let root = ((square / 3.0).powi(2) - linear / 3.0).sqrt().copysign(cube);
    let angle = (std::f64::consts::PI + (cube / root.powi(3)).acos()) / 3.0;
    let in_control = 2.0 * root * angle.cos() - square / 3.0;
    let in_treatment = in_control + difference;
    let variance =
        in_control * (1.0 - in_control) / n_c + in_treatment * (1.0 - in_treatment) / n_t;
    let seen = treatment.share() - control.share();
    (seen - difference) / (variance * n / (n - 1.0)).sqrt()
}

fn fisher(file: &Value, compared: &mut Compared) {
    for row in list(file, "fisher_exact") {
        let arms = row["table"].as_array().unwrap().iter().map(counts);
        let arms: Vec<Count> = arms.map(|it| Count { count: it[0], of: it[0] + it[1] }).collect();
        compared.number("fisher", exact_p(arms[1], arms[0]), &row["p"]);
    }
}

fn several(file: &Value, compared: &mut Compared) {
    let several = &file["multiple_testing"];
    let p = numbers(&several["p"]);
    compared.numbers("holm", &holm(&p), &several["holm"]);
    compared.numbers("bh", &benjamini_hochberg(&p), &several["bh"]);
    compared.numbers("by", &benjamini_yekutieli(&p), &several["by"]);
}

fn pairs(file: &Value, compared: &mut Compared) {
    for row in list(file, "mcnemar") {
        let [first_only, second_only] =
            [&row["table"][0][1], &row["table"][1][0]].map(|it| it.as_u64().unwrap());
        let pairs = Discordant { first_only, second_only };
        compared.number("exact", pairs.exact_p(), &row["exact"]);
        compared.number("chi2_cc", pairs.chi_square_p(), &row["chi2_cc"]);
    }
}

fn least_squares(file: &Value, compared: &mut Compared) {
    let section = &file["cluster_ols"];
    let (treated, before) = (numbers(&section["t"]), numbers(&section["x"]));
    let clusters = counts(&section["cluster"]);
    let design = Array2::from_shape_fn((treated.len(), 3), |(row, at)| match at {
        0 => 1.0,
        1 => treated[row],
        _ => before[row],
    });
    let fit = Regression::fit(design, numbers(&section["y"])).unwrap();
    let noises = [
        ("se_ols", Noise::Equal),
        ("se_hc1", Noise::Unequal),
        ("se_hc3", Noise::UnequalJackknife),
        ("se_cr1", Noise::ByCluster(&clusters)),
    ];
    for (name, noise) in noises {
        let errors: Vec<f64> = fit.effects(noise).iter().map(|it| it.standard_error).collect();
        compared.numbers(name, &errors, &section[name]);
    }
    let effects = fit.effects(Noise::ByCluster(&clusters));
    let found: Vec<f64> = effects.iter().map(|it| it.effect).collect();
    compared.numbers("params", &found, &section["params"]);
    // The file's note says Student's t with one degree less than clusters, which ours is. Its
    // numbers are of the normal distribution.
    let normal = |it: &Difference| Difference { dof: f64::INFINITY, ..*it };
    let normal: Vec<Difference> = effects.iter().map(normal).collect();
    let found: Vec<f64> = normal.iter().map(Difference::p).collect();
    compared.numbers("p_cr1", &found, &section["p_cr1"]);
    for (effect, ends) in normal.iter().zip(section["ci_cr1"].as_array().unwrap()) {
        compared.ends("ci_cr1", effect.interval(0.05), ends);
    }
    assert!(effects.iter().zip(&normal).all(|(by_t, normal)| normal.p() < by_t.p()));
}

fn survival(file: &Value, compared: &mut Compared) {
    let expected = &file["kaplan_meier"];
    let cases = numbers(&expected["time"]).into_iter().zip(counts(&expected["event"]));
    let cases: Vec<Watched> =
        cases.map(|(days, event)| Watched { days, is_reported: event == 1 }).collect();
    let survival = Survival::new(&cases);
    let steps = survival.steps().iter();
    let columns: Vec<[f64; 3]> = steps.map(|it| [it.days, it.survival, it.error]).collect();
    for (at, name) in ["t", "surv", "se"].into_iter().enumerate() {
        let column: Vec<f64> = columns.iter().map(|it| it[at]).collect();
        compared.numbers(name, &column, &expected[name]);
    }
}

fn narrowest(file: &Value, compared: &mut Compared) {
    let conventions = [
        ("gbstats", Convention::GrowthBook),
        ("tensorzero", Convention::TensorZero),
        ("exact_lambertw", Convention::Exact),
    ];
    for row in list(file, "rho_choices") {
        for (name, convention) in conventions {
            let found = rho(convention, input(row, "alpha"), input(row, "t_star"));
            compared.number(name, found, &row[name]);
        }
    }
}

/// A function of a row's numbers.
type Function = fn(&[f64]) -> f64;

/// The last number of a row is the result of the others.
fn quantiles(file: &Value, compared: &mut Compared) {
    let functions: [(&str, Function); 6] = [
        // By symmetry, since 1 − 1e-10 has no more than six digits of its tail.
        ("norm_ppf", |it| -normal_tail_quantile(it[0])),
        ("t_ppf", |it| t_tail_quantile(1.0 - it[0], it[1])),
        ("t_sf", |it| t_tail(it[0], it[1])),
        ("chi2_sf", |it| chi_square_tail(it[0], it[1])),
        ("beta_ppf", |it| beta_quantile(it[0], it[1], it[2])),
        ("norm_sf", |it| normal_tail(it[0])),
    ];
    for (name, function) in functions {
        for row in list(&file["quantiles"], name) {
            let all = numbers(row);
            compared.count(all.len() - 1);
            compared.number(name, function(&all), &row[all.len() - 1]);
        }
    }
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn every_number_of_scipy_statsmodels_and_scikit_learn_is_found() {
    let file = read("stats_misc.json");
    let names: Vec<&String> = file.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), SECTIONS.len() + 1, "{names:?}: all of them and `meta`");
    for (name, compare, inputs) in SECTIONS {
        let mut compared = Compared::within(1e-6);
        compare(&file, &mut compared);
        compared.all_of(&file[name], inputs);
        println!("{name}: {} numbers", compared.n());
    }
}

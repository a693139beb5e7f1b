//! Differences of arms against all runs of gbstats.
//!
//! Both files have the same inputs. What differs between the versions is a choice, and ours is
//! that of the newer one: of a negative baseline up is up, an adjusted relative effect has the
//! covariance with what was known before, and proportions have n below their squares. So runs of
//! the older one that differ are compared by how far ours is from them.

use orderlens::experiment::bayes::{Belief, Prior, Risk};
use orderlens::experiment::cuped_ratio::{self, RatioMoments};
use orderlens::experiment::difference::{self, Difference, Metric};
use orderlens::experiment::moments::Moments;
use orderlens::experiment::one_sided::Side;
use orderlens::experiment::rare_events::{EventBet, Events};
use orderlens::experiment::refusal::{Answer, Refusal};
use orderlens::experiment::relative::Relative;
use orderlens::experiment::relative_delta;
use orderlens::experiment::sequence::{Mixture, OneSided};
use orderlens::experiment::shares::{Count, exact_p};
use serde_json::Value;

use crate::vectors::near::{
    Scale, absolute, end, has_fields, items, number, relative, scale, text,
};
use crate::vectors::read;

/// What effects, errors and ends may be off by, relative; and p, absolute.
pub(crate) const TOLERANCE: f64 = 1e-6;

/// Control and treatment of a case.
enum Arms {
    One(Metric, [Moments; 2]),
    Ratios(Box<[RatioMoments; 2]>),
}

impl Arms {
    fn new(case: &Value) -> Self {
        let arms = [&case["control"], &case["treatment"]];
        if text(arms[0], "type") == "RegressionAdjustedRatioStatistic" {
            return Self::Ratios(Box::new(arms.map(ratio_moments)));
        }
        let [(metric, control), (_, treatment)] = arms.map(moments);
        Self::One(metric, [control, treatment])
    }

    fn difference(&self, scale: Scale) -> Answer<Difference> {
        match (self, scale) {
            (Self::One(metric, [a, b]), Scale::Absolute) => Difference::new(*metric, a, b),
            (Self::One(metric, [a, b]), Scale::Relative) => {
                relative_delta::difference(*metric, a, b)
            }
            (Self::Ratios(arms), Scale::Absolute) => cuped_ratio::difference(&arms[0], &arms[1]),
            (Self::Ratios(arms), Scale::Relative) => cuped_ratio::relative(&arms[0], &arms[1]),
        }
    }

    fn slope(&self) -> f64 {
        match self {
            Self::One(metric, [a, b]) => difference::slope(*metric, a, b).unwrap(),
            Self::Ratios(arms) => cuped_ratio::slope(&arms[0], &arms[1]).unwrap(),
        }
    }

    /// The control's mean as it is.
    fn baseline(&self) -> f64 {
        match self {
            Self::One(metric, [control, _]) => metric.mean_and_variance(control).0,
            Self::Ratios(arms) => arms[0].ratio(),
        }
    }
}

/// Σx and Σx² of a column.
fn sums(of: &Value) -> (f64, f64) {
    let squares = if of["type"] == "ProportionStatistic" { "sum" } else { "sum_squares" };
    (number(of, "sum"), number(of, squares))
}

/// Moments of an arm, and the metric that they are for.
pub(crate) fn moments(arm: &Value) -> (Metric, Moments) {
    let n = number(arm, "n");
    let one = || {
        let (x, squares) = sums(arm);
        Moments::of_sums(n, x, squares, 0.0, 0.0, 0.0)
    };
    let two = |a: &str, b: &str, product: &str| {
        let ((x, xx), (y, yy)) = (sums(&arm[a]), sums(&arm[b]));
        Moments::of_sums(n, x, xx, y, yy, number(arm, product))
    };
    match text(arm, "type") {
        "SampleMeanStatistic" => (Metric::Mean, one()),
        "ProportionStatistic" => (Metric::Proportion, one()),
        "RatioStatistic" => (Metric::Ratio, two("m", "d", "m_d_sum_of_products")),
        other => {
            assert_eq!(other, "RegressionAdjustedStatistic");
            let of_shares = arm["post"]["type"] == "ProportionStatistic";
            let metric = if of_shares { Metric::AdjustedProportion } else { Metric::Adjusted };
            (metric, two("post", "pre", "post_pre_sum_of_products"))
        }
    }
}

fn ratio_moments(arm: &Value) -> RatioMoments {
    const COLUMNS: [&str; 4] = ["m_post", "d_post", "m_pre", "d_pre"];
    let product = |a: &str, b: &str| {
        let names = [format!("{a}_{b}_sum_of_products"), format!("{b}_{a}_sum_of_products")];
        if a == b {
            return sums(&arm[a]).1;
        }
        names.iter().find_map(|name| arm[name].as_f64()).unwrap()
    };
    let products = COLUMNS.map(|row| COLUMNS.map(|column| product(row, column)));
    RatioMoments::of_sums(number(arm, "n"), &COLUMNS.map(|name| sums(&arm[name]).0), &products)
}

/// What a run found: the ends of its interval, and p where it has one.
struct Found {
    effect: f64,
    interval: (f64, f64),
    p: Option<f64>,
}

impl Found {
    fn assert_is(&self, what: &str, result: &Value) {
        relative(what, self.effect, number(result, "expected"), TOLERANCE);
        let ends = items(result, "ci");
        relative(what, self.interval.0, end(&ends[0]), TOLERANCE);
        relative(what, self.interval.1, end(&ends[1]), TOLERANCE);
        if let Some(p) = self.p {
            absolute(what, p, number(result, "p_value"), TOLERANCE);
        }
    }

    /// The largest distance of a number from the one of a run.
    fn distance(&self, run: &Value) -> f64 {
        let ends = items(run, "ci");
        let expected =
            [number(run, "expected"), end(&ends[0]), end(&ends[1]), number(run, "p_value")];
        let found = [self.effect, self.interval.0, self.interval.1, self.p.unwrap()];
        found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }
}

/// A run of a test with p.
fn tested(run: &Value, difference: &Difference) -> Found {
    let alpha = number(run, "alpha");
    let mixture = || Mixture::new(alpha, number(run, "n_star"));
    let one_sided = || OneSided::new(alpha, number(run, "n_star"));
    let (interval, p) = match text(run, "test") {
        "two_sided_t" => (difference.interval(alpha), difference.p()),
        "one_sided_greater_t" => (
            (difference.bound(Side::Above, alpha), f64::INFINITY),
            difference.p_of_side(Side::Above),
        ),
        "one_sided_lesser_t" => (
            (f64::NEG_INFINITY, difference.bound(Side::Below, alpha)),
            difference.p_of_side(Side::Below),
        ),
        "sequential_two_sided" => (mixture().interval(difference), mixture().p(difference)),
        "sequential_one_sided_greater" => (
            (one_sided().bound(Side::Above, difference), f64::INFINITY),
            searched_p(&one_sided(), Side::Above, difference),
        ),
        other => {
            assert_eq!(other, "sequential_one_sided_lesser");
            let bound = one_sided().bound(Side::Below, difference);
            ((f64::NEG_INFINITY, bound), searched_p(&one_sided(), Side::Below, difference))
        }
    };
    Found { effect: difference.effect, interval, p: Some(p) }
}

/// Their p is searched for between two levels and left one step after the bound is within a
/// millionth of zero, in units of the effect. Ours is where it is zero: this searches as theirs
/// does, and both must be one p but for that.
fn searched_p(bound: &OneSided, side: Side, difference: &Difference) -> f64 {
    const ENOUGH: f64 = 1e-6;
    let beyond = |level: f64| match side {
        Side::Above => bound.at_level(level).bound(side, difference),
        Side::Below => -bound.at_level(level).bound(side, difference),
    };
    let (mut low, mut high) = (1e-5, 0.4999);
    let exact = bound.p(side, difference);
    if beyond(high) < 0.0 {
        assert!(high <= exact);
        return high;
    }
    if 0.0 < beyond(low) {
        assert!(exact <= low);
        return low;
    }
    assert!(beyond(exact).abs() < 1e-12 * difference.n, "{exact} is not where the bound is zero");
    loop {
        let level = f64::midpoint(low, high);
        let beyond = beyond(level);
        if 0.0 < beyond {
            high = level;
        } else {
            low = level;
        }
        if beyond.abs() < ENOUGH {
            assert!((low..=high).contains(&exact), "{exact} is not within {low} and {high}");
            return f64::midpoint(low, high);
        }
    }
}

fn assert_run(name: &str, run: &Value, arms: &Arms) {
    let (scale, test) = (scale(run), text(run, "test"));
    let what = format!("{name} {test} {scale:?}");
    let found = arms.difference(scale).unwrap();
    let result = &run["result"];
    assert_eq!(result["error"], Value::Null, "{what}");
    if let Some(thought) = test.strip_prefix("bayes_") {
        has_fields(result, &["expected", "ci", "chance_to_win", "risk", "error"]);
        let prior = Prior { mean: 0.0, variance: 0.3 * 0.3 };
        let belief = match (thought, scale) {
            ("flat_prior", _) => Belief::new(&found),
            (other, scale) => {
                assert_eq!(other, "prior_N(0,0.3^2)");
                let of_baseline = prior.of_absolute(arms.baseline());
                let prior = if scale == Scale::Relative { prior } else { of_baseline };
                Belief::after(prior, &found)
            }
        };
        let interval = belief.interval(number(run, "alpha"));
        Found { effect: belief.mean, interval, p: None }.assert_is(&what, result);
        absolute(&what, belief.chance_to_win(), number(result, "chance_to_win"), TOLERANCE);
        let Risk { of_control, of_treatment } = belief.risk();
        let expected = items(result, "risk");
        relative(&what, of_control, end(&expected[0]), TOLERANCE);
        relative(&what, of_treatment, end(&expected[1]), TOLERANCE);
        return;
    }
    has_fields(result, &["expected", "ci", "p_value", "se", "error", "p_value_error"]);
    tested(run, &found).assert_is(&what, result);
    relative(&what, found.standard_error, number(result, "se"), TOLERANCE);
    if test.starts_with("sequential") {
        let (alpha, n) = (number(run, "alpha"), number(run, "n_star"));
        let is_two_sided = test == "sequential_two_sided";
        let rho =
            if is_two_sided { Mixture::new(alpha, n).rho() } else { OneSided::new(alpha, n).rho() };
        relative(&what, rho, number(run, "rho"), 1e-9);
    } else {
        relative(&what, found.dof, number(run, "dof"), TOLERANCE);
    }
}

/// Without events in the control there is no number but that of the exact ways.
fn assert_refused(arms: &Arms, run: &Value) {
    assert_eq!(run["result"]["error"], "ZERO_NEGATIVE_VARIANCE");
    let refused = arms.difference(scale(run));
    assert_eq!(refused, Err(vec![Refusal::NoSpread]));
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn all_runs_are_those_of_growthbook() {
    let (mut n_cases, mut n_runs, mut n_refused) = (0, 0, 0);
    for case in items(&read("gbstats_head.json"), "cases") {
        let (name, arms) = (text(case, "name"), Arms::new(case));
        for run in items(case, "runs") {
            if name.starts_with("DO_NOT_COPY") {
                assert_refused(&arms, run);
                n_refused += 1;
            } else {
                assert_run(name, run, &arms);
            }
            n_runs += 1;
        }
        if !case["theta"].is_null() {
            relative(name, arms.slope(), number(case, "theta"), 1e-9);
        }
        n_cases += 1;
    }
    assert_eq!((n_cases, n_runs, n_refused), (11, 396, 36));
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn twenty_events_against_none_are_told_by_the_exact_ways_only() {
    let none = Count { count: 0, of: 1_000 };
    let twenty = Count { count: 20, of: 1_000 };
    let file = read("gbstats_head.json");
    let of = |case: &&Value| text(case, "name").starts_with("DO_NOT_COPY");
    let case = items(&file, "cases").iter().find(of).unwrap();
    for (arm, count) in [("control", none), ("treatment", twenty)] {
        assert_eq!(case[arm]["sum"].as_f64(), Some(count.count as f64));
        assert_eq!(case[arm]["n"].as_u64(), Some(count.of));
    }
    assert_eq!(Relative::of_shares(none, twenty, 0.05), Err(vec![Refusal::BaselineNearZero]));
    relative("p", exact_p(none, twenty), 1.732_866_917_218_251_7e-6, TOLERANCE);
    assert!(EventBet::guard(0.5).is_harm(Events { treatment: 20, control: 0 }, 0.05));
}

#[test]
#[ignore = "reads reference numbers beside the repository"]
fn all_runs_are_as_far_from_the_older_growthbook_as_the_newer_is() {
    let (head, file) = (read("gbstats_head.json"), read("gbstats_pypi.json"));
    has_fields(&file, &["meta", "cases", "srm"]);
    let (mut n_runs, mut n_refused, mut n_moved) = (0, 0, 0);
    for case in items(&file, "cases") {
        let name = text(case, "name");
        let newer = items(&head, "cases").iter().find(|it| it["name"] == case["name"]).unwrap();
        assert_eq!(
            [&case["control"], &case["treatment"]],
            [&newer["control"], &newer["treatment"]]
        );
        let arms = Arms::new(case);
        for run in items(case, "runs") {
            n_runs += 1;
            if name.starts_with("DO_NOT_COPY") {
                let refused = arms.difference(scale(run));
                assert_eq!(refused, Err(vec![Refusal::NoSpread]));
                n_refused += 1;
                continue;
            }
            assert_eq!(run["error"], Value::Null);
            let found = tested(run, &arms.difference(scale(run)).unwrap());
            let apart = number(run, "max_abs_diff_vs_head");
            if apart < 1e-9 {
                found.assert_is(name, run);
            } else {
                absolute(name, found.distance(run), apart, 1e-9);
                n_moved += 1;
            }
        }
        let moves = ["negative_baseline", "cuped_mean", "cuped_proportion"].contains(&name);
        assert_eq!(case["agrees_with_head"], !moves, "{name}");
    }
    // Relative effects of the first two, both scales of the third.
    assert_eq!((n_runs, n_refused, n_moved), (160, 16, 8 + 8 + 16));
}

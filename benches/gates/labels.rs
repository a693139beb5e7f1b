//! F-5: precision and recall, though blocked orders have no outcome.
//!
//! Scores from .4 on are blocked, but one in twenty of them is released by a draw whose chance
//! is logged and falls with the score. What is known of released orders is weighed by that.

use ndarray::Array2;
use orderlens::experiment::logged::LoggedChoices;
use orderlens::experiment::off_policy::{Estimate, Estimator};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::gate::{Row, Suite, spread};
use crate::sim1_truth::Context;

const N_RUNS: u32 = 300;
const N_ORDERS: usize = 60_000;
const N_TRUTH: u32 = 4_000_000;
/// The score that blocks, which is also the threshold that is judged.
const BLOCKED_FROM: f64 = 0.4;
const BIAS: (f64, f64) = (-0.02, 0.02);
const COVERED: (f64, f64) = (0.9, 0.98);

/// With which chance an order of this score is released.
fn chance(score: f64) -> f64 {
    /// No released order counts as more than fifty.
    const LEAST: f64 = 0.02;
    const AT_THRESHOLD: f64 = 0.075;
    if score < BLOCKED_FROM {
        1.0
    } else {
        (AT_THRESHOLD * (-4.0 * (score - BLOCKED_FROM)).exp()).max(LEAST)
    }
}

/// An order of the world: its score and the chance that it is fraud.
fn order(dice: &mut ChaCha8Rng) -> (f64, f64) {
    let context = Context::draw(dice);
    let secret: f64 = StandardNormal.sample(dice);
    (context.features[0], context.fraud_probability(secret))
}

/// Precision and recall of the threshold in the world.
fn truth(dice: &mut ChaCha8Rng) -> [f64; 2] {
    let (mut n_blocked, mut frauds_blocked, mut frauds) = (0.0, 0.0, 0.0);
    for _ in 0..N_TRUTH {
        let (score, fraud) = order(dice);
        frauds += fraud;
        if BLOCKED_FROM <= score {
            n_blocked += 1.0;
            frauds_blocked += fraud;
        }
    }
    [frauds_blocked / n_blocked, frauds_blocked / frauds]
}

/// What is known of orders: whether each was released, with which chance, and what it showed.
#[derive(Default)]
struct Known {
    /// 0 for blocked, 1 for released.
    released: Vec<usize>,
    chances: Vec<f64>,
    /// 0 or 1; 0 for blocked orders, which nothing is known of.
    shown: Vec<f64>,
}

impl Known {
    fn add_released(&mut self, chance: f64, shown: f64) {
        self.released.push(1);
        self.chances.push(chance);
        self.shown.push(shown);
    }

    fn add_blocked(&mut self, chance_of_release: f64) {
        self.released.push(0);
        self.chances.push(1.0 - chance_of_release);
        self.shown.push(0.0);
    }

    /// The share of released ones that showed it, without weights.
    fn unweighted(&self) -> f64 {
        self.shown.iter().sum::<f64>() / self.released.iter().sum::<usize>() as f64
    }

    /// The share that would have shown it, had all been released.
    fn share(self) -> Estimate {
        let n = self.shown.len();
        Estimator::Snips.estimate(&LoggedChoices {
            rewards: self.shown,
            actions: self.released,
            propensities: self.chances,
            target: Array2::from_shape_fn((n, 2), |(_, action)| action as f64),
            predicted: Array2::zeros((n, 2)),
            rings: (0..n as u64).collect(),
        })
    }
}

/// What a period tells: precision, then recall.
struct Period {
    weighted: [Estimate; 2],
    unweighted: [f64; 2],
    /// Share of blocked orders that were released.
    released: f64,
}

impl Period {
    fn draw(dice: &mut ChaCha8Rng) -> Self {
        // Precision is the share of frauds among orders above the threshold, recall the share of
        // orders above it among frauds.
        let (mut above, mut frauds) = (Known::default(), Known::default());
        for _ in 0..N_ORDERS {
            let (score, fraud) = order(dice);
            let (is_fraud, chance) = (dice.gen_bool(fraud), chance(score));
            let (is_above, is_released) = (BLOCKED_FROM <= score, dice.gen_bool(chance));
            if is_above && is_released {
                above.add_released(chance, f64::from(u8::from(is_fraud)));
            } else if is_above {
                above.add_blocked(chance);
            }
            if is_fraud && is_released {
                frauds.add_released(chance, f64::from(u8::from(is_above)));
            }
        }
        let released = above.released.iter().sum::<usize>() as f64 / above.released.len() as f64;
        let unweighted = [above.unweighted(), frauds.unweighted()];
        Self { weighted: [above.share(), frauds.share()], unweighted, released }
    }
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    // Per measure: bias, coverage, error told over the true one, bias without weights; then the
    // share released.
    let found = suite.measure("selective labels", |dice| {
        let truth = truth(dice);
        let periods: Vec<Period> = (0..N_RUNS).map(|_| Period::draw(dice)).collect();
        let mean =
            |of: &dyn Fn(&Period) -> f64| periods.iter().map(of).sum::<f64>() / f64::from(N_RUNS);
        let of = |at: usize| {
            let is_covered =
                |it: &Estimate| it.interval.0 <= truth[at] && truth[at] <= it.interval.1;
            let by_chance = spread(periods.iter().map(|it| it.weighted[at].value));
            [
                mean(&|it| it.weighted[at].value) - truth[at],
                mean(&|it| f64::from(u8::from(is_covered(&it.weighted[at])))),
                mean(&|it| it.weighted[at].standard_error) / by_chance,
                mean(&|it| it.unweighted[at]) - truth[at],
            ]
        };
        ([of(0), of(1)], mean(&|it| it.released))
    });
    let released = found.iter().map(|it| it.1).collect();
    let mut rows =
        vec![Row::gate("F-5 share of blocked orders released", released, (0.045, 0.055))];
    for (measure, name) in ["precision", "recall"].into_iter().enumerate() {
        let column = |at: usize| found.iter().map(|it| it.0[measure][at]).collect::<Vec<f64>>();
        rows.push(Row::gate(format!("F-5 bias of {name}"), column(0), BIAS));
        rows.push(Row::gate(format!("F-5 coverage, {name}"), column(1), COVERED));
        let of = format!("F-5 error told over the true one, {name}");
        rows.push(Row::gate(of, column(2), (0.85, 1.15)));
        rows.push(Row::mutant(format!("{name} of released orders alone"), column(3), BIAS));
    }
    rows
}

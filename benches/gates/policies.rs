//! B-3 and B-4: what another policy would have brought, from a log.

use ndarray::Array2;
use orderlens::experiment::logged::{LoggedChoices, Reach, error_by_ring};
use orderlens::experiment::off_policy::Estimator;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::gate::{Row, Suite};
use crate::sim1::noise;
use crate::sim1_truth::{Context, N_ACTIONS, best};

/// So many that a sound 95 % is within the bounds; with 500 it is outside once in 33 figures.
const N_RUNS: u32 = 2_000;
const N_ROWS: usize = 10_000;
/// Share of choices that the log draws evenly.
const EVEN: f64 = 0.1;
/// Share of choices where the other policy does what is worth most on average.
const BETTER: f64 = 0.3;
const COVERED: (f64, f64) = (0.93, 0.97);
const DOUBLY_ROBUST: Estimator = Estimator::DoublyRobust(f64::INFINITY);

/// Orders that the truth is averaged over: its error is a fiftieth of an estimate's.
const N_TRUTH: u32 = 2_000_000;

/// An order of the world and what the policies do with it.
struct Case {
    values: [f64; N_ACTIONS],
    seen: [f64; N_ACTIONS],
    rule: usize,
    target: [f64; N_ACTIONS],
}

impl Case {
    fn draw(dice: &mut ChaCha8Rng) -> Self {
        let context = Context::draw(dice);
        let secret: f64 = StandardNormal.sample(dice);
        let (values, seen) = (context.values(secret), context.values(0.0));
        let rule = context.rule();
        let mut target = [0.0; N_ACTIONS];
        target[rule] += 1.0 - BETTER;
        target[best(&seen)] += BETTER;
        Self { values, seen, rule, target }
    }

    /// What the other policy is worth here.
    fn worth(&self) -> f64 {
        self.target.iter().zip(self.values).map(|(share, value)| share * value).sum()
    }
}

/// What the other policy is worth in the world.
fn truth(dice: &mut ChaCha8Rng) -> f64 {
    (0..N_TRUTH).map(|_| Case::draw(dice).worth()).sum::<f64>() / f64::from(N_TRUTH)
}

/// A log of choices, mostly the rule's.
fn log(dice: &mut ChaCha8Rng, shift: f64) -> LoggedChoices {
    let mut target = Array2::zeros((N_ROWS, N_ACTIONS));
    let mut predicted = Array2::zeros((N_ROWS, N_ACTIONS));
    let (mut rewards, mut actions, mut propensities) = (vec![], vec![], vec![]);
    for row in 0..N_ROWS {
        let Case { values, seen, rule, target: wanted } = Case::draw(dice);
        let action = if dice.gen_bool(EVEN) { dice.gen_range(0..N_ACTIONS) } else { rule };
        let at_rule = if action == rule { 1.0 - EVEN } else { 0.0 };
        propensities.push(at_rule + EVEN / N_ACTIONS as f64);
        rewards.push(values[action] + noise(dice) + shift);
        actions.push(action);
        for action in 0..N_ACTIONS {
            // A model that sees half of what there is to see, fitted elsewhere.
            predicted[[row, action]] = 0.5 * seen[action] + shift;
            target[[row, action]] = wanted[action];
        }
    }
    let rings = (0..N_ROWS as u64).collect();
    LoggedChoices { rewards, actions, propensities, target, predicted, rings }
}

/// Standard error of SNIPS when the weights below are taken for fixed, as Open Bandit Pipeline
/// does when it draws rounds again.
fn frozen_error(log: &LoggedChoices) -> f64 {
    let rounds = Estimator::Snips.rounds(log);
    let value = Estimator::Snips.value(log);
    let apart: Vec<f64> = rounds.iter().map(|round| round - value).collect();
    error_by_ring(&apart, &log.rings).0
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let measured = [0.0, 100.0].map(|shift| {
        suite.measure(&format!("policy {shift}"), |dice| {
            let (mut n_covered, mut widths, mut frozen) = ([0_u32; 2], 0.0, 0.0);
            let mut least = f64::INFINITY;
            let truth = truth(dice) + shift;
            for _ in 0..N_RUNS {
                let log = log(dice, shift);
                let found = [Estimator::Snips, DOUBLY_ROBUST].map(|it| it.estimate(&log));
                for (n, found) in n_covered.iter_mut().zip(&found) {
                    let (low, high) = found.interval;
                    *n += u32::from(low <= truth && truth <= high);
                }
                widths += found[0].standard_error;
                frozen += frozen_error(&log);
                least = least.min(Reach::new(&log).n_effective);
            }
            let [snips, robust] = n_covered.map(|n| f64::from(n) / f64::from(N_RUNS));
            [snips, robust, widths, frozen, least]
        })
    });
    let column = |shift: usize, at: usize| measured[shift].iter().map(move |it| it[at]);
    let ratio = |at: usize| column(1, at).zip(column(0, at)).map(|(a, b)| a / b).collect();
    vec![
        Row::gate("B-3 effective rows", column(0, 4).collect(), (500.0, f64::INFINITY)),
        Row::gate("B-3 coverage, SNIPS", column(0, 0).collect(), COVERED),
        Row::gate("B-3 coverage, doubly robust", column(0, 1).collect(), COVERED),
        Row::gate("B-4 coverage, SNIPS, rewards + 100", column(1, 0).collect(), COVERED),
        Row::gate("B-4 coverage, doubly robust, rewards + 100", column(1, 1).collect(), COVERED),
        Row::gate("B-4 width over that without + 100, SNIPS", ratio(2), (0.95, 1.05)),
        Row::mutant("width over that without, weights taken for fixed", ratio(3), (0.95, 1.05)),
    ]
}

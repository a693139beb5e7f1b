//! B-5: what other recommendations would have brought, when operators decide.
//!
//! Only what is recommended is drawn with a known propensity; whether it is done is up to
//! operators, who see what no feature does. So recommendations are weighed, never actions.

use ndarray::{Array2, ArrayView1};
use orderlens::experiment::logged::LoggedChoices;
use orderlens::experiment::off_policy::Estimator;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::gate::{Row, Suite, spread};
use crate::operators::{Operator, best};
use crate::sim1::noise;
use crate::sim1_truth::{Context, N_ACTIONS};

const N_RUNS: u32 = 2_000;
const N_ROWS: usize = 10_000;
/// Share of recommendations that the log draws evenly; the others are the rule's.
const EVEN: f64 = 0.3;
/// Share of recommendations where the other policy shows what seems best; the others are the rule's.
const BETTER: f64 = 0.5;
/// Orders that the truth is averaged over.
const N_TRUTH: u32 = 2_000_000;
const COVERED: (f64, f64) = (0.92, 0.97);
/// Of the truth.
const BIAS: (f64, f64) = (-0.005, 0.005);

/// An order, and what comes of each recommendation.
struct Case {
    /// What is worth most by what the features show.
    seen_best: usize,
    rule: usize,
    values: [f64; N_ACTIONS],
    operator: Operator,
}

impl Case {
    fn draw(dice: &mut ChaCha8Rng) -> Self {
        let context = Context::draw(dice);
        let secret: f64 = StandardNormal.sample(dice);
        let values = context.values(secret);
        let operator = Operator::draw(&values, dice);
        Self { seen_best: best(&context.values(0.0)), rule: context.rule(), values, operator }
    }

    /// How often the log shows an action.
    fn propensity(&self, action: usize) -> f64 {
        let at_rule = if action == self.rule { 1.0 - EVEN } else { 0.0 };
        at_rule + EVEN / N_ACTIONS as f64
    }

    /// How often the other policy shows each action.
    fn target(&self) -> [f64; N_ACTIONS] {
        let mut target = [0.0; N_ACTIONS];
        target[self.rule] += 1.0 - BETTER;
        target[self.seen_best] += BETTER;
        target
    }

    /// What the other policy is worth here.
    fn worth(&self) -> f64 {
        let of = |shown: usize| {
            let accepted = self.operator.acceptance(shown);
            accepted * self.values[shown] + (1.0 - accepted) * self.values[self.operator.own]
        };
        self.target().iter().enumerate().map(|(shown, share)| share * of(shown)).sum()
    }
}

/// A log, and what the other policy is worth on its orders.
struct Log {
    choices: LoggedChoices,
    /// The same as if what was done had been drawn, not what was shown.
    by_action: LoggedChoices,
    worth: f64,
}

impl Log {
    fn draw(dice: &mut ChaCha8Rng) -> Self {
        let mut target = Array2::zeros((N_ROWS, N_ACTIONS));
        let (mut rewards, mut worth) = (Vec::new(), 0.0);
        let (mut shown, mut done) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for row in 0..N_ROWS {
            let case = Case::draw(dice);
            let is_even = dice.gen_bool(EVEN);
            let drawn = if is_even { dice.gen_range(0..N_ACTIONS) } else { case.rule };
            let is_accepted = dice.gen_bool(case.operator.acceptance(drawn));
            let action = if is_accepted { drawn } else { case.operator.own };
            rewards.push(case.values[action] + noise(dice));
            for (log, action) in [(&mut shown, drawn), (&mut done, action)] {
                log.0.push(action);
                log.1.push(case.propensity(action));
            }
            target.row_mut(row).assign(&ArrayView1::from(&case.target()));
            worth += case.worth() / N_ROWS as f64;
        }
        let [choices, by_action] = [shown, done].map(|(actions, propensities)| LoggedChoices {
            rewards: rewards.clone(),
            actions,
            propensities,
            target: target.clone(),
            predicted: Array2::zeros((N_ROWS, N_ACTIONS)),
            rings: (0..N_ROWS as u64).collect(),
        });
        Self { choices, by_action, worth }
    }
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let found = suite.measure("recommendations", |dice| {
        let truth = (0..N_TRUTH).map(|_| Case::draw(dice).worth()).sum::<f64>();
        let truth = truth / f64::from(N_TRUTH);
        let (mut n_covered, mut errors, mut naive_error) = (0_u32, 0.0, 0.0);
        let mut values = Vec::new();
        for _ in 0..N_RUNS {
            let log = Log::draw(dice);
            let found = Estimator::Snips.estimate(&log.choices);
            n_covered += u32::from(found.interval.0 <= truth && truth <= found.interval.1);
            errors += found.standard_error;
            // Each estimate against the truth of its own orders: their own spread drops out, so
            // that so small a bias shows after some thousand runs.
            values.push((found.value, found.value - log.worth));
            naive_error += Estimator::Snips.value(&log.by_action) - log.worth;
        }
        let n = f64::from(N_RUNS);
        let bias = values.iter().map(|it| it.1).sum::<f64>() / n;
        let by_chance = spread(values.iter().map(|it| it.0));
        [f64::from(n_covered) / n, bias / truth, errors / n / by_chance, naive_error / n / truth]
    });
    let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("B-5 coverage, recommendations", column(0), COVERED),
        Row::gate("B-5 error told over the true one", column(2), (0.9, 1.1)),
        Row::gate("B-5 bias of the truth, recommendations", column(1), BIAS),
        Row::mutant("bias, actions weighed for recommendations", column(3), BIAS),
    ]
}

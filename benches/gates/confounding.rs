//! F-4: operators who know more than the features are found out, and no others.
//!
//! Operators choose by what they feel; another part of the orders was chosen by a draw. Both
//! logs go through a learner that sees the features alone, fitted on the other half of the rings.

use ndarray::{Array2, ArrayBase, ArrayView1, Axis, stack};
use orderlens::experiment::confounding_gap::ConfoundingGap;
use orderlens::experiment::logged::LoggedChoices;
use orderlens::experiment::sequence::Mixture;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::gate::{Row, Suite};
use crate::operators::Operator;
use crate::ridge::{Ridge, predict, terms};
use crate::sim1::noise;
use crate::sim1_truth::{Context, N_ACTIONS};

const N_RUNS: u32 = 200;
/// Orders of either log.
const N_ROWS: usize = 20_000;
/// Share of the drawn choices that are even; the others are the rule's.
const EVEN: f64 = 0.3;
const ALPHA: f64 = 0.05;
/// Least chance that an operator is thought to take an action with.
const CHANCE_MIN: f64 = 0.01;

/// A choice and what it brought.
struct Choice {
    context: Context,
    action: usize,
    propensity: f64,
    reward: f64,
}

/// Who chooses.
#[derive(Clone, Copy)]
enum Chooser {
    Operators,
    Draw,
}

/// Choices in a world where orders hide as much as this from the features.
fn choices(chooser: Chooser, secrecy: f64, dice: &mut ChaCha8Rng) -> Vec<Choice> {
    let choice = |_| {
        let context = Context::draw(dice);
        let secret: f64 = StandardNormal.sample(dice);
        let values = context.values(secrecy * secret);
        let rule = context.rule();
        let action = match chooser {
            Chooser::Operators => Operator::draw(&values, dice).own,
            Chooser::Draw if dice.gen_bool(EVEN) => dice.gen_range(0..N_ACTIONS),
            Chooser::Draw => rule,
        };
        let at_rule = if action == rule { 1.0 - EVEN } else { 0.0 };
        let propensity = at_rule + EVEN / N_ACTIONS as f64;
        Choice { context, action, propensity, reward: values[action] + noise(dice) }
    };
    (0..N_ROWS).map(choice).collect()
}

/// What the features tell of operators: how often they take an action, and what it brings then.
struct Learned {
    chances: Array2<f64>,
    values: Array2<f64>,
}

impl Learned {
    /// From the operators' choices of one half.
    fn of<'a>(choices: impl Iterator<Item = &'a Choice>) -> Self {
        let mut chances = Ridge::new(N_ACTIONS);
        let mut values: [Ridge; N_ACTIONS] = std::array::from_fn(|_| Ridge::new(1));
        for choice in choices {
            let terms = terms(&choice.context);
            let mut taken = [0.0; N_ACTIONS];
            taken[choice.action] = 1.0;
            chances.add(&terms, &taken);
            values[choice.action].add(&terms, &[choice.reward]);
        }
        let by_action = values.map(|it| it.solve().remove_axis(Axis(1)));
        let views = by_action.each_ref().map(ArrayBase::view);
        let values = stack(Axis(1), &views).expect("all have the same terms");
        Self { chances: chances.solve(), values }
    }

    fn chances(&self, context: &Context) -> [f64; N_ACTIONS] {
        let chances = predict(&terms(context), &self.chances).map(|it| it.max(CHANCE_MIN));
        let sum: f64 = chances.iter().sum();
        chances.map(|it| it / sum)
    }
}

/// A log for the gap: the target does as operators do, and what is learned is of the other half.
fn log(chooser: Chooser, choices: &[Choice], learned: &[Learned; 2]) -> LoggedChoices {
    let n = choices.len();
    let mut target = Array2::zeros((n, N_ACTIONS));
    let mut predicted = Array2::zeros((n, N_ACTIONS));
    let mut propensities = Vec::new();
    for (row, choice) in choices.iter().enumerate() {
        let learned = &learned[row % 2];
        let chances = learned.chances(&choice.context);
        let values = predict(&terms(&choice.context), &learned.values);
        propensities.push(match chooser {
            Chooser::Operators => chances[choice.action],
            Chooser::Draw => choice.propensity,
        });
        target.row_mut(row).assign(&ArrayView1::from(&chances));
        predicted.row_mut(row).assign(&ArrayView1::from(&values));
    }
    LoggedChoices {
        rewards: choices.iter().map(|it| it.reward).collect(),
        actions: choices.iter().map(|it| it.action).collect(),
        propensities,
        target,
        predicted,
        rings: (0..n as u64).collect(),
    }
}

/// The gap in one such world; `None` when it is refused.
fn gap(secrecy: f64, dice: &mut ChaCha8Rng) -> Option<ConfoundingGap> {
    let operators = choices(Chooser::Operators, secrecy, dice);
    let drawn = choices(Chooser::Draw, secrecy, dice);
    let learned = [1, 0].map(|half| Learned::of(operators.iter().skip(half).step_by(2)));
    let operators = log(Chooser::Operators, &operators, &learned);
    let drawn = log(Chooser::Draw, &drawn, &learned);
    ConfoundingGap::new(&operators, &drawn, Mixture::new(ALPHA, 2.0 * N_ROWS as f64)).ok()
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let [open, secret] = [0.0, 1.0].map(|secrecy| {
        suite.measure(&format!("operators know {secrecy}"), |dice| {
            let gaps: Vec<_> = (0..N_RUNS).map(|_| gap(secrecy, dice)).collect();
            let share = |is_counted: &dyn Fn(&ConfoundingGap) -> bool| {
                let n = gaps.iter().flatten().filter(|it| is_counted(it)).count();
                n as f64 / f64::from(N_RUNS)
            };
            let n_told = gaps.iter().flatten().count() as f64;
            let mean = gaps.iter().flatten().map(|it| it.gap).sum::<f64>() / n_told;
            [share(&|it| it.is_confounded()), 1.0 - share(&|it| !it.is_confounded()), mean]
        })
    });
    let of =
        |figures: &[[f64; 3]], at: usize| figures.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("F-4 operators who know more: gap found", of(&secret, 0), (0.95, 1.0)),
        // Without a gap nothing is learned from them either.
        Row::gate("F-4 operators who know no more: source off", of(&open, 1), (0.0, 0.05)),
        Row::gate("F-4 gap where there is none", of(&open, 2), (-0.5, 0.5)),
    ]
}

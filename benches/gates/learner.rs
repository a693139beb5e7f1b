//! F-1 to F-3: does a log teach which action is best, and how sure that is?
//!
//! The learner sees features, actions, their propensities and rewards. What it learned is judged
//! by the exact values of orders that it has not seen.

use ndarray::Array2;
use orderlens::training::action_values::confidence::{Confidence, JudgedAction};
use orderlens::training::action_values::log::ActionLog;
use orderlens::training::action_values::settings::{LearnerSettings, Weighting};
use orderlens::training::action_values::{ActionValue, ActionValues, learn};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Normal, StandardNormal};

use crate::gate::{Row, Suite};
use crate::sim1::noise;
use crate::sim1_truth::{Context, N_ACTIONS, best};

/// Share of choices that a drawn log draws evenly; the others are the rule's.
const EVEN: f64 = 0.3;
const N_FEW: usize = 5_000;
const N_MANY: usize = 20_000;
/// Orders that what was learned is judged by.
const N_JUDGED: usize = 20_000;
const N_BINS: usize = 10;
/// Shares of the gap between rule and best action: at least .6, and at most .03 less than the
/// best of Vowpal Wabbit's learners closes with as many rows (.64).
const CLOSED_BY_FEW: (f64, f64) = (0.61, 1.0);
/// At least .75, and .03 more than Vowpal Wabbit's best (.71).
const CLOSED_BY_MANY: (f64, f64) = (0.75, 1.0);
const CALIBRATED: (f64, f64) = (0.0, 0.025);

/// Who chose.
#[derive(Clone, Copy)]
enum Chooser {
    /// The rule or an even draw, by known chances.
    Chance,
    /// People who know what the features do not say; nobody knows their chances.
    Operators,
}

impl Chooser {
    /// An action and its probability.
    fn choose(self, context: &Context, secret: f64, dice: &mut ChaCha8Rng) -> (usize, f64) {
        match self {
            Self::Chance => {
                let rule = context.rule();
                let action = if dice.gen_bool(EVEN) { dice.gen_range(0..N_ACTIONS) } else { rule };
                let at_rule = if action == rule { 1.0 - EVEN } else { 0.0 };
                (action, at_rule + EVEN / N_ACTIONS as f64)
            }
            Self::Operators => {
                let error = Normal::new(0.0, 6.0).expect("a spread");
                let held = context.values(secret).map(|value| value + error.sample(dice));
                (best(&held), 1.0)
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "features are f32")]
fn features_of(context: &Context) -> [f32; 8] {
    context.features.map(|it| it as f32)
}

#[expect(clippy::cast_possible_truncation, reason = "rewards are f32")]
fn log(n_rows: usize, chooser: Chooser, dice: &mut ChaCha8Rng) -> ActionLog {
    let mut features = Array2::zeros((n_rows, 8));
    let (mut actions, mut propensities, mut rewards) = (vec![], vec![], vec![]);
    for mut row in features.rows_mut() {
        let context = Context::draw(dice);
        let secret: f64 = StandardNormal.sample(dice);
        let (action, propensity) = chooser.choose(&context, secret, dice);
        rewards.push((context.values(secret)[action] + noise(dice)) as f32);
        actions.push(action);
        propensities.push(propensity);
        for (value, known) in row.iter_mut().zip(features_of(&context)) {
            *value = known;
        }
    }
    ActionLog { features, n_actions: N_ACTIONS, actions, propensities, rewards }
}

fn learned(log: &ActionLog, weighting: Weighting) -> ActionValues {
    let settings = LearnerSettings { weighting, n_threads: 1, ..LearnerSettings::default() };
    learn(log, &settings).expect("the log fits together")
}

/// An order: what is right and what was learned.
struct Judged {
    truth: [f64; N_ACTIONS],
    rule: usize,
    /// Learned to be worth most, second and third.
    first: [usize; 3],
    /// The first of them.
    first_value: ActionValue,
    /// How sure of it: by a plain count of the bootstraps, by the softmax of the values.
    count: f64,
    softmax: f64,
}

impl Judged {
    fn draw(values: &ActionValues, dice: &mut ChaCha8Rng) -> Self {
        let context = Context::draw(dice);
        let features = features_of(&context);
        let ranked = values.ranked(&features);
        let first = [0, 1, 2].map(|at| ranked[at].action);
        let by_member = values.by_member(&features);
        let is_for_first = |held: &[f64; N_ACTIONS]| best(held) == first[0];
        let n_for_first = by_member
            .rows()
            .into_iter()
            .map(|row| std::array::from_fn(|action| row[action]))
            .filter(is_for_first)
            .count();
        let odds = ranked.iter().map(|it| (it.value - ranked[0].value).exp());
        Self {
            truth: context.expected_values(1.0),
            rule: context.rule(),
            first,
            first_value: ranked[0],
            count: n_for_first as f64 / by_member.nrows() as f64,
            softmax: 1.0 / odds.sum::<f64>(),
        }
    }

    /// How much less than the best one the first action is worth.
    fn regret(&self) -> f64 {
        self.truth[best(&self.truth)] - self.truth[self.first[0]]
    }

    /// 1 when the first action is the best one.
    fn hit(&self) -> f64 {
        f64::from(u8::from(self.first[0] == best(&self.truth)))
    }
}

fn judged(values: &ActionValues, dice: &mut ChaCha8Rng) -> Vec<Judged> {
    (0..N_JUDGED).map(|_| Judged::draw(values, dice)).collect()
}

/// Share of the gap between the rule and the best action that is closed.
fn closed(judged: &[Judged]) -> f64 {
    let gap = |it: &Judged| it.truth[best(&it.truth)] - it.truth[it.rule];
    1.0 - judged.iter().map(Judged::regret).sum::<f64>() / judged.iter().map(gap).sum::<f64>()
}

fn share(judged: &[Judged], is_so: impl Fn(&Judged) -> bool) -> f64 {
    judged.iter().filter(|it| is_so(it)).count() as f64 / judged.len() as f64
}

/// Mean distance of a confidence from the share of hits, over bins of equal mass.
fn calibration_error(judged: &[Judged], confidence: impl Fn(&Judged) -> f64) -> f64 {
    let mut rows: Vec<(f64, f64)> = judged.iter().map(|it| (confidence(it), it.hit())).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let apart = |bin: &[(f64, f64)]| bin.iter().map(|(shown, hit)| shown - hit).sum::<f64>().abs();
    rows.chunks(N_JUDGED / N_BINS).map(apart).sum::<f64>() / N_JUDGED as f64
}

/// Correlation of a confidence with hits.
fn sharpness(judged: &[Judged], confidence: impl Fn(&Judged) -> f64) -> f64 {
    let mean = |of: &dyn Fn(&Judged) -> f64| judged.iter().map(of).sum::<f64>() / N_JUDGED as f64;
    let (shown, hits) = (mean(&confidence), mean(&Judged::hit));
    let with_hits = mean(&|it| (confidence(it) - shown) * (it.hit() - hits));
    let variance = mean(&|it| (confidence(it) - shown).powi(2));
    with_hits / (variance * hits * (1.0 - hits)).sqrt()
}

/// Fitted to other orders of the simulator.
fn confidence(values: &ActionValues, dice: &mut ChaCha8Rng) -> Confidence {
    let rows = judged(values, dice);
    let rows = rows.iter().map(|it| {
        let ActionValue { action, vote, .. } = it.first_value;
        JudgedAction { action, vote, is_best: 0.5 < it.hit() }
    });
    Confidence::fit(&rows.collect::<Vec<_>>())
}

/// How well confidences are calibrated, and how they go with hits.
struct Sureness {
    /// Error and correlation with hits of `p_best`.
    p_best: (f64, f64),
    /// Errors of the count and of the softmax.
    count: f64,
    softmax: f64,
}

impl Sureness {
    fn measure(values: &ActionValues, judged: &[Judged], dice: &mut ChaCha8Rng) -> Self {
        let confidence = confidence(values, dice);
        let p_best = |it: &Judged| confidence.p_best(&it.first_value);
        Self {
            p_best: (calibration_error(judged, p_best), sharpness(judged, p_best)),
            count: calibration_error(judged, |it| it.count),
            softmax: calibration_error(judged, |it| it.softmax),
        }
    }
}

fn figures(dice: &mut ChaCha8Rng) -> [f64; 11] {
    let few = learned(&log(N_FEW, Chooser::Chance, dice), Weighting::Even);
    let log_of_many = log(N_MANY, Chooser::Chance, dice);
    let many = learned(&log_of_many, Weighting::Even);
    let robust = learned(&log_of_many, Weighting::InversePropensity);
    let confounded = learned(&log(N_MANY, Chooser::Operators, dice), Weighting::Even);
    let [by_few, by_many, by_robust, by_confounded] =
        [&few, &many, &robust, &confounded].map(|values| judged(values, dice));
    let sure_few = Sureness::measure(&few, &by_few, dice);
    let sure_many = Sureness::measure(&many, &by_many, dice);
    [
        closed(&by_few),
        closed(&by_many),
        closed(&by_robust),
        closed(&by_confounded),
        share(&by_many, |it| it.first.contains(&best(&it.truth))),
        share(&by_many, |it| it.regret() <= 1.0),
        sure_few.p_best.0,
        sure_many.p_best.0,
        sure_many.p_best.1,
        sure_few.count.max(sure_many.count),
        sure_few.softmax.max(sure_many.softmax),
    ]
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let measured = suite.measure("learner", figures);
    let of = |at: usize| measured.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("F-1 gap to the best closed by 5,000 rows", of(0), CLOSED_BY_FEW),
        Row::gate("F-1 gap to the best closed by 20,000 rows", of(1), CLOSED_BY_MANY),
        Row::gate("F-1 gap closed by 20,000 rows, doubly robust", of(2), CLOSED_BY_MANY),
        Row::mutant("gap closed by 20,000 choices of operators", of(3), CLOSED_BY_MANY),
        Row::gate("F-2 the first three hold the best action", of(4), (0.92, 1.0)),
        Row::gate("F-2 the first is within 1 of the best", of(5), (0.62, 1.0)),
        Row::gate("F-3 calibration error of p_best, 5,000 rows", of(6), CALIBRATED),
        Row::gate("F-3 calibration error of p_best, 20,000 rows", of(7), CALIBRATED),
        Row::gate("F-3 correlation of p_best with hits", of(8), (0.2, 1.0)),
        Row::mutant("larger error of a count of bootstraps", of(9), CALIBRATED),
        Row::mutant("larger error of a softmax", of(10), CALIBRATED),
    ]
}

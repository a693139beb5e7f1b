//! B-1 and B-2: 95 % intervals of one look hold the truth 95 % of the time.

use orderlens::experiment::difference::{Difference, Metric};
use orderlens::experiment::moments::Moments;
use orderlens::experiment::relative::Relative;
use orderlens::experiment::shares::Count;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution as _, Gamma, LogNormal};

use crate::gate::{Row, Suite};

/// So many that a true coverage of 95.5 % is outside the bounds once in thousands of commits.
const N_RUNS: u32 = 10_000;
/// Bounds of a fixed look: even with 2,000 runs, 92 % would pass one time in 170.
const COVERED: (f64, f64) = (0.935, 0.965);
const COVERED_RELATIVE: (f64, f64) = (0.93, 0.975);
/// Of experiments with enough units; who refuses is never wrong.
const TOLD: (f64, f64) = (0.99, 1.0);
const ALPHA: f64 = 0.05;

/// How often there was an interval, and how often it held no effect.
#[derive(Default)]
struct Told {
    n_told: u32,
    n_covered: u32,
}

impl Told {
    /// An experiment's interval, or none.
    fn add(&mut self, interval: Option<(f64, f64)>) {
        self.n_told += u32::from(interval.is_some());
        self.n_covered += u32::from(interval.is_some_and(|(low, high)| low <= 0.0 && 0.0 <= high));
    }

    /// Of the intervals, those that hold no effect.
    fn coverage(&self) -> f64 {
        f64::from(self.n_covered) / f64::from(self.n_told)
    }

    /// Of the experiments, those with an interval.
    fn share(&self) -> f64 {
        f64::from(self.n_told) / f64::from(N_RUNS)
    }
}

/// What units bring.
#[derive(Clone, Copy)]
pub(crate) enum Units {
    /// Money that everybody brings.
    Gamma,
    /// An event of this share.
    Event(f64),
    /// Losses: one in a hundred, of very different sizes.
    Loss,
}

impl Units {
    /// Moments of so many units.
    pub(crate) fn draw(self, n: u32, dice: &mut ChaCha8Rng) -> Moments {
        let mut moments = Moments::default();
        match self {
            Self::Gamma => {
                let money = Gamma::new(2.0, 20.0).expect("a shape");
                for _ in 0..n {
                    moments.add(money.sample(dice), 1.0);
                }
            }
            Self::Event(chance) => {
                let events = count(n, chance, dice) as f64;
                moments = Moments::of_sums(
                    f64::from(n),
                    events,
                    events,
                    f64::from(n),
                    f64::from(n),
                    events,
                );
            }
            Self::Loss => {
                let loss = LogNormal::new(4.0, 1.2).expect("a spread");
                let (mut sum, mut squares) = (0.0, 0.0);
                for _ in 0..count(n, 0.01, dice) {
                    let value: f64 = loss.sample(dice);
                    sum += value;
                    squares += value * value;
                }
                let n = f64::from(n);
                moments = Moments::of_sums(n, sum, squares, n, n, sum);
            }
        }
        moments
    }

    /// How it is compared.
    pub(crate) fn metric(self) -> Metric {
        if matches!(self, Self::Event(_)) { Metric::Proportion } else { Metric::Mean }
    }
}

/// Events of so many units.
pub(crate) fn count(n: u32, chance: f64, dice: &mut ChaCha8Rng) -> u64 {
    Binomial::new(u64::from(n), chance).expect("a chance").sample(dice)
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, units, n) in [
        ("money, 500 units", Units::Gamma, 500),
        ("10 % event, 2,000 units", Units::Event(0.1), 2_000),
        (".3 % event, 20,000 units", Units::Event(0.003), 20_000),
        ("rare losses, 20,000 units", Units::Loss, 20_000),
    ] {
        // Twice the coverage's bounds would be met by an interval without end, so its width is
        // put beside 2 · 1.96 true standard errors, known from many more units.
        let found = suite.measure(name, |dice| {
            let (mut told, mut width, mut effects) = (Told::default(), 0.0, Moments::default());
            for _ in 0..N_RUNS {
                let [control, treatment] = [(); 2].map(|()| units.draw(n, dice));
                let found = Difference::new(units.metric(), &control, &treatment);
                if let Ok(difference) = &found {
                    let (low, high) = difference.interval(ALPHA);
                    width += high - low;
                    effects.add(difference.effect, 0.0);
                }
                told.add(found.ok().map(|it| it.interval(ALPHA)));
            }
            let ideal = 2.0 * 1.96 * effects.variance().sqrt();
            [told.coverage(), width / effects.n / ideal, told.share()]
        });
        let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
        rows.push(Row::gate(format!("B-1 coverage, {name}"), column(0), COVERED));
        let of = format!("B-1 width over the true one, {name}");
        rows.push(Row::gate(of, column(1), (0.9, 1.05)));
        rows.push(Row::gate(format!("B-1 share told, {name}"), column(2), TOLD));
    }
    rows.extend(relative(suite));
    rows
}

fn relative(suite: &Suite<'_>) -> Vec<Row> {
    let by_delta = |control: &Moments, treatment: &Moments, metric: Metric| {
        let of = |arm: &Moments| metric.mean_and_variance(arm);
        let ((c, spread_c), (x, spread_x)) = (of(control), of(treatment));
        let error = (spread_x / (c * c) + x * x * spread_c / (c * c * c * c)).sqrt();
        let effect = x / c - 1.0;
        (effect - 1.96 * error, effect + 1.96 * error)
    };
    let losses = suite.measure("relative losses", |dice| {
        let (mut told, mut by_delta_too) = (Told::default(), Told::default());
        for _ in 0..N_RUNS {
            let [control, treatment] = [(); 2].map(|()| Units::Loss.draw(2_000, dice));
            let found = Relative::of_means(Metric::Mean, &control, &treatment, ALPHA);
            told.add(found.ok().map(|it| it.interval));
            by_delta_too.add(Some(by_delta(&control, &treatment, Metric::Mean)));
        }
        [told.coverage(), told.share(), by_delta_too.coverage()]
    });
    let events = suite.measure("relative events", |dice| {
        let (mut told, mut by_delta_too) = (Told::default(), Told::default());
        for _ in 0..N_RUNS {
            let arms = [(); 2].map(|()| count(2_000, 0.003, dice));
            let [control, treatment] = arms.map(|count| Count { count, of: 2_000 });
            let found = Relative::of_shares(control, treatment, ALPHA);
            told.add(found.ok().map(|it| it.interval));
            let of = |n: u64| Moments::of_sums(2_000.0, n as f64, n as f64, 0.0, 0.0, 0.0);
            let [control, treatment] = arms.map(of);
            let interval = by_delta(&control, &treatment, Metric::Proportion);
            by_delta_too.add(interval.0.is_finite().then_some(interval));
        }
        [told.coverage(), told.share(), by_delta_too.coverage()]
    });
    let column = |of: &[[f64; 3]], at: usize| of.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("B-2 relative coverage, rare losses", column(&losses, 0), COVERED_RELATIVE),
        // With twenty losses an arm, the mean of one in fifteen is not surely above zero.
        Row::gate("B-2 share told, rare losses", column(&losses, 1), (0.9, 1.0)),
        Row::mutant("relative by the delta method", column(&losses, 2), COVERED_RELATIVE),
        Row::gate("B-2 relative coverage, .3 % event", column(&events, 0), COVERED_RELATIVE),
        Row::gate("B-2 share told, .3 % event", column(&events, 1), TOLD),
        Row::mutant("events by the delta method", column(&events, 2), COVERED_RELATIVE),
    ]
}

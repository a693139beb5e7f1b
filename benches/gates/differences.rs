//! B-1 and B-2: 95 % intervals of one look hold the truth 95 % of the time.

use orderlens::experiment::difference::{Difference, Metric};
use orderlens::experiment::moments::Moments;
use orderlens::experiment::relative::Relative;
use orderlens::experiment::shares::Count;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution as _, Gamma, LogNormal};

use crate::gate::{Row, Suite, share};

const N_RUNS: u32 = 2_000;
/// Bounds of a fixed look: 92 % would pass one time in 170.
const COVERED: (f64, f64) = (0.935, 0.965);
const COVERED_RELATIVE: (f64, f64) = (0.93, 0.975);
const ALPHA: f64 = 0.05;

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
            let (mut width, mut effects) = (0.0, Moments::default());
            let covered = share(N_RUNS, || {
                let [control, treatment] = [(); 2].map(|()| units.draw(n, dice));
                let Ok(difference) = Difference::new(units.metric(), &control, &treatment) else {
                    return true;
                };
                let (low, high) = difference.interval(ALPHA);
                width += high - low;
                effects.add(difference.effect, 0.0);
                low <= 0.0 && 0.0 <= high
            });
            let ideal = 2.0 * 1.96 * effects.variance().sqrt();
            (covered, width / f64::from(N_RUNS) / ideal)
        });
        let covered = found.iter().map(|it| it.0).collect();
        rows.push(Row::gate(format!("B-1 coverage, {name}"), covered, COVERED));
        let widths = found.iter().map(|it| it.1).collect();
        rows.push(Row::gate(format!("B-1 width over the true one, {name}"), widths, (0.9, 1.05)));
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
        effect - 1.96 * error <= 0.0 && 0.0 <= effect + 1.96 * error
    };
    let losses = suite.measure("relative losses", |dice| {
        let mut by_delta_too = 0;
        let covered = share(N_RUNS, || {
            let [control, treatment] = [(); 2].map(|()| Units::Loss.draw(2_000, dice));
            by_delta_too += u32::from(by_delta(&control, &treatment, Metric::Mean));
            let found = Relative::of_means(Metric::Mean, &control, &treatment, ALPHA);
            found.map_or(true, |it| it.interval.0 <= 0.0 && 0.0 <= it.interval.1)
        });
        (covered, f64::from(by_delta_too) / f64::from(N_RUNS))
    });
    let events = suite.measure("relative events", |dice| {
        // Where it refuses there is no interval to be wrong.
        let (mut n_covered, mut n_told) = (0.0, 0.0);
        for _ in 0..N_RUNS {
            let [control, treatment] =
                [(); 2].map(|()| Count { count: count(2_000, 0.003, dice), of: 2_000 });
            if let Ok(found) = Relative::of_shares(control, treatment, ALPHA) {
                n_told += 1.0;
                let (low, high) = found.interval;
                n_covered += f64::from(u8::from(low <= 0.0 && 0.0 <= high));
            }
        }
        (n_covered / n_told, n_told / f64::from(N_RUNS))
    });
    let column = |of: &[(f64, f64)], at: usize| {
        of.iter().map(|it| if at == 0 { it.0 } else { it.1 }).collect::<Vec<f64>>()
    };
    vec![
        Row::gate("B-2 relative coverage, rare losses", column(&losses, 0), COVERED_RELATIVE),
        Row::mutant("relative by the delta method", column(&losses, 1), COVERED_RELATIVE),
        Row::gate("B-2 relative coverage where told, .3 % event", column(&events, 0), (0.93, 1.0)),
        Row::gate("B-2 share of experiments told, .3 % event", column(&events, 1), (0.3, 1.0)),
    ]
}

//! F-7: the rate of harm in the last 60 days, before most of it is reported.
//!
//! Chargebacks come 25 days after an order at the median, a tenth of them after 60. They were
//! 1 % of orders until 60 days ago, and are 1.63 % since.

use orderlens::experiment::survival::{Survival, Watched};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, LogNormal};

use crate::gate::{Row, Suite};

const N_RUNS: u32 = 10;
/// Orders a day: so many that chance alone moves a rate of 60 days by 1.5 %.
const ORDERS_PER_DAY: u32 = 10_000;
/// Days of history before the last 60.
const DAYS_BEFORE: u32 = 180;
const DAYS_YOUNG: u32 = 60;
const HORIZON: f64 = 120.0;
const RATE_BEFORE: f64 = 0.01;
const RATE_YOUNG: f64 = 0.0163;
/// Of the truth.
const OFF: (f64, f64) = (-0.05, 0.05);

/// Orders that were placed on some days, as they look today.
#[derive(Default)]
struct Orders {
    watched: Vec<Watched>,
    ages: Vec<f64>,
    n_reported: u64,
    /// Those that will be reported within the horizon.
    n_ever: u64,
}

impl Orders {
    /// Placed `days` ago at most and `after` at least.
    fn draw((after, days): (u32, u32), rate: f64, dice: &mut ChaCha8Rng) -> Self {
        // 20 % are reported after 14 days, 60 % after 30, 89 % after 60 and 98.7 % after 120.
        let delay = LogNormal::new(25.0_f64.ln(), 0.7).expect("a spread");
        let mut orders = Self::default();
        for _ in 0..(days - after) * ORDERS_PER_DAY {
            let age = dice.gen_range(f64::from(after)..f64::from(days));
            let delay = if dice.gen_bool(rate) { delay.sample(dice) } else { f64::INFINITY };
            let is_reported = delay <= age;
            orders.n_reported += u64::from(is_reported);
            orders.n_ever += u64::from(delay <= HORIZON);
            orders.ages.push(age);
            orders.watched.push(Watched { days: age.min(delay), is_reported });
        }
        orders
    }

    /// The share that will be reported.
    fn truth(&self) -> f64 {
        self.n_ever as f64 / self.ages.len() as f64
    }
}

/// How far from the truth, of it, an estimate may be: by the curve of older orders, when what is
/// not reported is taken for good, and by older orders alone.
fn misses(dice: &mut ChaCha8Rng) -> [f64; 3] {
    let before = Orders::draw((DAYS_YOUNG, DAYS_YOUNG + DAYS_BEFORE), RATE_BEFORE, dice);
    let young = Orders::draw((0, DAYS_YOUNG), RATE_YOUNG, dice);
    // The delay is not known: it is estimated from the older orders, of which many are younger
    // than the horizon themselves.
    let survival = Survival::new(&before.watched);
    let rate = survival.rate(young.n_reported, &young.ages, HORIZON).unwrap_or(f64::NAN);
    let as_good = young.n_reported as f64 / young.ages.len() as f64;
    let of_older = 1.0 - survival.at(HORIZON);
    [rate, as_good, of_older].map(|rate| rate / young.truth() - 1.0)
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let found = suite.measure("delays", |dice| {
        let runs: Vec<[f64; 3]> = (0..N_RUNS).map(|_| misses(dice)).collect();
        let column = |at: usize| runs.iter().map(move |run| run[at]);
        let farthest = column(0).fold(0.0, |a: f64, b| if a.abs() < b.abs() { b } else { a });
        let nearest = |at: usize| column(at).fold(-1.0, f64::max);
        [farthest, nearest(1), nearest(2)]
    });
    let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("F-7 rate of 60 days over the truth, farthest run", column(0), OFF),
        Row::mutant("what is not reported taken for good, best run", column(1), OFF),
        Row::mutant("older orders alone, best run", column(2), OFF),
    ]
}

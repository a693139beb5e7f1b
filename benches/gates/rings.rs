//! E: arms are drawn by ring, and rings are of very different sizes.

use orderlens::domain::assignment::draw;
use orderlens::experiment::arms::Arms;
use orderlens::experiment::difference::{Difference, Metric};
use orderlens::experiment::moments::Moments;
use orderlens::experiment::permutation::{Ring, randomization_p};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal, Zipf};

use crate::gate::{Row, Suite};

/// So many that an exact test is within the bounds but once in 70,000 figures.
const N_RUNS: u32 = 4_000;
const N_DRAWS: u32 = 499;
const ALPHA: f64 = 0.05;
const REJECTED: (f64, f64) = (0.035, 0.065);

/// Orders by ring: most have one, few have dozens.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 1 to 60"
)]
pub(crate) fn sizes(n_rings: usize, dice: &mut ChaCha8Rng) -> Vec<u32> {
    let zipf = Zipf::new(60, 2.1).expect("an exponent");
    let size = |_| -> u32 {
        let size: f64 = zipf.sample(dice);
        size as u32
    };
    (0..n_rings).map(size).collect()
}

/// Rings whose orders are alike: half of an order's spread is its ring's.
fn alike(n_rings: usize, dice: &mut ChaCha8Rng) -> (Vec<Ring>, [Moments; 2]) {
    let mut by_order = [Moments::default(); 2];
    let sizes = sizes(n_rings, dice);
    let rings = sizes.into_iter().enumerate().map(|(at, size)| {
        let is_treated = at % 2 == 0;
        let of_ring: f64 = StandardNormal.sample(dice);
        let mut sum = 0.0;
        for _ in 0..size {
            let own: f64 = StandardNormal.sample(dice);
            sum += of_ring + own;
            by_order[usize::from(is_treated)].add(of_ring + own, 1.0);
        }
        Ring { sum, n_orders: f64::from(size), is_treated }
    });
    (rings.collect(), by_order)
}

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for n_rings in [20, 50, 200, 1_000] {
        let found = suite.measure(&format!("alike {n_rings}"), |dice| {
            let (mut n_redrawn, mut n_by_order) = (0, 0);
            for _ in 0..N_RUNS {
                let (rings, by_order) = alike(n_rings, dice);
                let p = randomization_p(&rings, N_DRAWS, dice.r#gen());
                n_redrawn += u32::from(p.is_ok_and(|p| p <= ALPHA));
                let naive = Difference::new(Metric::Mean, &by_order[0], &by_order[1]);
                n_by_order += u32::from(naive.is_ok_and(|it| it.p() <= ALPHA));
            }
            [n_redrawn, n_by_order].map(|n| f64::from(n) / f64::from(N_RUNS))
        });
        let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
        rows.push(Row::gate(format!("E-1 arms redrawn, {n_rings} rings"), column(0), REJECTED));
        rows.push(Row::mutant(format!("errors by order, {n_rings} rings"), column(1), REJECTED));
    }
    rows.extend(spill_over(suite));
    rows
}

/// E-2: a treated order gains .5, and 1 more by the share of its ring that is treated. Treating
/// everybody gains 1.5; arms by order never see that.
fn spill_over(suite: &Suite<'_>) -> Vec<Row> {
    let found =
        suite.measure("spill", |dice| (spilled(ArmsBy::Ring, dice), spilled(ArmsBy::Order, dice)));
    let errors = found.iter().map(|it| it.0).collect();
    let of_orders = found.iter().map(|it| it.1).collect();
    vec![
        Row::gate("E-2 errors from the truth, arms by ring", errors, (-3.0, 3.0)),
        Row::mutant("errors from the truth, arms by hash of the order", of_orders, (-3.0, 3.0)),
    ]
}

/// What an arm is drawn for.
#[derive(Clone, Copy)]
enum ArmsBy {
    Ring,
    Order,
}

/// How far, in standard errors, the estimate is from the truth.
fn spilled(arms_by: ArmsBy, dice: &mut ChaCha8Rng) -> f64 {
    const TRUTH: f64 = 1.5;
    let mut arms = [Moments::default(); 2];
    // A salt of its own each time; arms are assigned as the service does it.
    let salt = format!("gate-{:016x}", dice.r#gen::<u64>());
    let halves = Arms::new(&[0.5, 0.5], 1.0).expect("shares");
    let is_treated = |unit: &str| halves.arm(draw(&salt, unit)) == Some(1);
    for (ring, size) in sizes(4_000, dice).into_iter().enumerate() {
        let treated = (0..size).map(|order| match arms_by {
            ArmsBy::Ring => is_treated(&format!("account:{ring}")),
            ArmsBy::Order => is_treated(&format!("order:{ring}/{order}")),
        });
        let treated: Vec<bool> = treated.collect();
        let share = treated.iter().filter(|it| **it).count() as f64 / f64::from(size);
        let mut sums = [(0.0, 0.0); 2];
        for is_treated in treated {
            let noise: f64 = StandardNormal.sample(dice);
            let own = if is_treated { 0.5 } else { 0.0 };
            let sum = &mut sums[usize::from(is_treated)];
            *sum = (sum.0 + own + share + noise, sum.1 + 1.0);
        }
        for (arm, (sum, n)) in arms.iter_mut().zip(sums) {
            if 0.0 < n {
                arm.add(sum, n);
            }
        }
    }
    let found = Difference::new(Metric::Ratio, &arms[0], &arms[1]).expect("there is spread");
    (found.effect - TRUTH) / found.standard_error
}

//! Bounds without assumptions, and sums of money: where short cuts break.

use orderlens::experiment::moments::Moments;
use orderlens::experiment::sequence::bounded;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::gate::{Row, Suite};

const N_RUNS: u32 = 1_000;
const ALPHA: f64 = 0.05;

pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let mut rows = heavy_tail(suite);
    rows.extend(sums_of_money(suite));
    rows
}

/// An empirical Bernstein interval needs the range that values can have, declared before. The
/// largest value of the sample is none: the rare large loss that has not come yet is the risk.
fn heavy_tail(suite: &Suite<'_>) -> Vec<Row> {
    const N: u32 = 300;
    /// One loss in 500 is of a hundred; all others are small change.
    const CHANCE: f64 = 0.002;
    const LARGEST: f64 = 100.0;
    const TRUTH: f64 = CHANCE * LARGEST + (1.0 - CHANCE) * 0.5;
    let found = suite.measure("heavy tail", |dice| {
        let (mut n_covered, mut n_by_sample, mut width) = (0_u32, 0_u32, 0.0);
        for _ in 0..N_RUNS {
            let draw = |_| if dice.gen_bool(CHANCE) { LARGEST } else { dice.r#gen() };
            let losses: Vec<f64> = (0..N).map(draw).collect();
            let within = |range: f64| {
                let scaled: Vec<f64> = losses.iter().map(|loss| loss / range).collect();
                let (low, high) = bounded(&scaled, ALPHA).expect("there are losses");
                (low * range, high * range)
            };
            let (low, high) = within(LARGEST);
            n_covered += u32::from(low <= TRUTH && TRUTH <= high);
            width += (high - low) / LARGEST;
            let (low, high) = within(losses.iter().copied().fold(0.0, f64::max));
            n_by_sample += u32::from(low <= TRUTH && TRUTH <= high);
        }
        [f64::from(n_covered), f64::from(n_by_sample), width].map(|it| it / f64::from(N_RUNS))
    });
    let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
    let nominal = (1.0 - ALPHA, 1.0);
    vec![
        Row::gate("bounded values: coverage, range declared", column(0), nominal),
        Row::gate("bounded values: width in ranges", column(2), (0.0, 0.1)),
        Row::mutant("range taken from the largest of the sample", column(1), nominal),
    ]
}

/// Amounts of some ten million minor units that differ by some hundred: mean and variance are
/// known exactly from whole numbers.
fn sums_of_money(suite: &Suite<'_>) -> Vec<Row> {
    const N: i64 = 200_000;
    const LEAST: i64 = 100_000_000;
    const OFF: (f64, f64) = (0.0, 1e-6);
    let found = suite.measure("money", |dice: &mut ChaCha8Rng| {
        let amounts: Vec<i64> = (0..N).map(|_| LEAST + dice.gen_range(0..100)).collect();
        let above = |power: u32| amounts.iter().map(|it| (it - LEAST).pow(power)).sum::<i64>();
        let (sum, squares) = (above(1), above(2));
        let mean = LEAST as f64 + sum as f64 / N as f64;
        let variance = (N * squares - sum * sum) as f64 / (N * (N - 1)) as f64;
        // The larger of both misses.
        let off =
            |found: (f64, f64)| (found.0 / mean - 1.0).abs().max((found.1 / variance - 1.0).abs());
        let mut moments = Moments::default();
        for amount in &amounts {
            moments.add(*amount as f64, 0.0);
        }
        [off((moments.mean, moments.variance())), off(in_single(&amounts)), off(raw(&amounts))]
    });
    let column = |at: usize| found.iter().map(|it| it[at]).collect::<Vec<f64>>();
    vec![
        Row::gate("sums of money: mean and variance off by", column(0), OFF),
        Row::mutant("sums in f32", column(1), OFF),
        Row::mutant("raw squares in f64", column(2), OFF),
    ]
}

/// Mean and variance with sums in single precision.
fn in_single(amounts: &[i64]) -> (f64, f64) {
    let n = amounts.len() as f32;
    let mean = amounts.iter().map(|it| *it as f32).sum::<f32>() / n;
    let squares: f32 = amounts.iter().map(|it| (*it as f32 - mean).powi(2)).sum();
    (f64::from(mean), f64::from(squares / (n - 1.0)))
}

/// Mean and variance from the sum and the sum of squares.
fn raw(amounts: &[i64]) -> (f64, f64) {
    let n = amounts.len() as f64;
    let sum: f64 = amounts.iter().map(|it| *it as f64).sum();
    let squares: f64 = amounts.iter().map(|it| (*it as f64).powi(2)).sum();
    (sum / n, (squares - sum * sum / n) / (n - 1.0))
}

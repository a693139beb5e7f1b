//! The world of SIM-1: its orders and its chance.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution as _, Gamma, Normal, StudentT, Zipf};

use crate::gate::{Row, Suite};
use crate::sim1_truth::{Context, N_ACTIONS, best};

/// Orders that the worth of policies is averaged over: their errors are near .04.
const N_ORDERS: u32 = 200_000;

impl Context {
    /// One of the world.
    pub(crate) fn draw(dice: &mut ChaCha8Rng) -> Self {
        let beta =
            |a, b, dice: &mut ChaCha8Rng| -> f64 { Beta::new(a, b).expect("shapes").sample(dice) };
        let age: f64 = Gamma::new(1.5, 200.0).expect("a shape").sample(dice);
        let ring: f64 = Zipf::new(50, 2.2).expect("an exponent").sample(dice);
        let features = [
            beta(1.1, 3.5, dice),
            Normal::new(3.6, 0.9).expect("a spread").sample(dice),
            age.ln_1p(),
            beta(1.2, 8.0, dice),
            beta(1.0, 6.0, dice),
            ring.ln(),
            beta(2.0, 4.0, dice),
            dice.r#gen(),
        ];
        Self { features }
    }
}

/// What comes on top of a value by chance.
pub(crate) fn noise(dice: &mut ChaCha8Rng) -> f64 {
    let noise: f64 = StudentT::new(4.0).expect("degrees of freedom").sample(dice);
    noise * 18.0 / std::f64::consts::SQRT_2
}

/// Is the world the one that the figures of the other gates were measured in?
pub(crate) fn run(suite: &Suite<'_>) -> Vec<Row> {
    let measured = suite.measure("worth of policies in SIM-1", |dice| {
        let mut worth = [0.0; 3];
        for _ in 0..N_ORDERS {
            let context = Context::draw(dice);
            let values = context.expected_values(1.0);
            worth[0] += values[best(&values)];
            worth[1] += values[context.rule()];
            worth[2] += values.iter().sum::<f64>() / N_ACTIONS as f64;
        }
        worth.map(|sum| sum / f64::from(N_ORDERS))
    });
    let policies = [("the best action", 10.69), ("the rule", 5.98), ("any action", 1.89)];
    let row = |(at, (name, worth)): (usize, (&str, f64))| {
        let figures = measured.iter().map(|it| it[at]).collect();
        Row::gate(format!("SIM-1 {name} is worth {worth}"), figures, (worth - 0.2, worth + 0.2))
    };
    policies.into_iter().enumerate().map(row).collect()
}

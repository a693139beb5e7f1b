//! The world of SIM-1: its orders and its chance.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution as _, Gamma, Normal, StudentT, Zeta};

use crate::gate::{Row, Suite};
use crate::sim1_truth::{Context, N_ACTIONS, best};

/// Larger rings count as this large.
const RING_MAX: f64 = 50.0;
/// Orders that the worth of policies is averaged over: it varies by 10, so errors are near .02.
const N_ORDERS: u32 = 200_000;

impl Context {
    /// One of the world.
    pub(crate) fn draw(dice: &mut ChaCha8Rng) -> Self {
        let beta =
            |a, b, dice: &mut ChaCha8Rng| -> f64 { Beta::new(a, b).expect("shapes").sample(dice) };
        let age: f64 = Gamma::new(1.5, 200.0).expect("a shape").sample(dice);
        let ring: f64 = Zeta::new(2.2).expect("an exponent").sample(dice);
        let features = [
            beta(1.1, 3.5, dice),
            Normal::new(3.6, 0.9).expect("a spread").sample(dice),
            age.ln_1p(),
            beta(1.2, 8.0, dice),
            beta(1.0, 6.0, dice),
            ring.min(RING_MAX).ln(),
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
///
/// The specification's worths are means over a sample of its own, of unknown size: with 20,000
/// orders their errors would be .07. Bounds leave them three of those.
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
    let column = |at: usize| measured.iter().map(|it| it[at]).collect();
    vec![
        Row::gate("SIM-1 the best action is worth 10.69", column(0), (10.48, 10.90)),
        Row::gate("SIM-1 the rule is worth 5.98", column(1), (5.77, 6.19)),
        Row::gate("SIM-1 an action drawn evenly is worth 1.89", column(2), (1.68, 2.10)),
    ]
}

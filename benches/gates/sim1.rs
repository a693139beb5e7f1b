//! The world of SIM-1: its orders and its chance.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution as _, Gamma, Normal, StudentT, Zeta};

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
        let ring: f64 = Zeta::new(2.2).expect("an exponent").sample(dice);
        Self {
            risk: beta(1.1, 3.5, dice),
            ln_amount: Normal::new(3.6, 0.9).expect("a spread").sample(dice),
            ln_age: age.ln_1p(),
            delay: beta(1.0, 6.0, dice),
            ln_ring: ring.min(50.0).ln(),
            repeat: beta(2.0, 4.0, dice),
            audit: dice.r#gen(),
        }
    }

    /// The order's score: what the rule goes by.
    pub(crate) fn score(&self) -> f64 {
        self.risk
    }

    /// What a learner sees of the order.
    pub(crate) fn features(&self) -> [f64; 7] {
        let Self { risk, ln_amount, ln_age, delay, ln_ring, repeat, audit } = *self;
        [risk, ln_amount, ln_age, delay, ln_ring, repeat, audit]
    }

    /// The chance that it is fraud, when it hides `secret` from the features.
    pub(crate) fn fraud_chance(&self, secret: f64) -> f64 {
        let z = -3.2 + 5.5 * self.risk + 0.35 * self.ln_ring - 0.25 * (self.ln_age - 5.0)
            + 0.3 * (self.ln_amount - 3.6)
            + secret;
        1.0 / (1.0 + (-z).exp())
    }

    /// What every action is worth, when the order hides `secret` from the features.
    pub(crate) fn values(&self, secret: f64) -> [f64; N_ACTIONS] {
        let p = self.fraud_chance(secret);
        let amount = self.ln_amount.exp();
        let (margin, later, loss) = (0.25 * amount, 18.0 * self.repeat + 4.0, 0.9 * amount + 15.0);
        let good = 1.0 - p;
        let late = 8.0 * good * self.delay;
        let release = good * (margin + later) - p * loss - 25.0 * self.audit * p - late;
        let phone =
            good * (0.95 * (margin + later) - 2.0) - 0.25 * p * loss - 1.125 * p - late - 1.2;
        let review = good * (0.93 * (margin + later) - 1.0) - 0.1 * p * loss - 5.0 - late;
        let hold = good * (0.8 * (margin + later) - 1.0)
            - 0.55 * p * loss
            - 0.4
            - 10.0 * good * self.delay;
        let cancel = -good * (0.6 * later + 2.0) - 0.5;
        let expedite = release + 7.0 * good * self.delay - 3.0 - 6.0 * p;
        [release, phone, review, hold, cancel, expedite]
    }

    /// What the rule does: release, review or cancel.
    pub(crate) fn rule(&self) -> usize {
        if self.risk < 0.35 {
            0
        } else if self.risk < 0.6 {
            2
        } else {
            4
        }
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

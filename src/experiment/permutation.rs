//! The final verdict on rings: what the draw of arms alone would have shown.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::experiment::difference::{Difference, Metric};
use crate::experiment::moments::Moments;
use crate::experiment::refusal::Answer;

/// What was seen of a ring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ring {
    /// Sum of what its orders brought.
    pub sum: f64,
    /// Number of its orders.
    pub n_orders: f64,
    /// True in the treatment.
    pub is_treated: bool,
}

/// p of no effect on any ring: the share of redrawn arms whose difference per order, in standard
/// errors, is as large (Wu and Ding, "Randomization tests for weak null hypotheses", 2021). Valid
/// for any sizes of rings; for one look only. The seed makes it the same each time.
///
/// # Errors
/// As [`Difference::new`].
pub fn randomization_p(rings: &[Ring], n_draws: u32, seed: u64) -> Answer<f64> {
    let mut is_treated: Vec<bool> = rings.iter().map(|ring| ring.is_treated).collect();
    let shown = studentised(rings, &is_treated)?.abs();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    // The arms that were drawn are one of the draws.
    let mut n_as_large = 1;
    for _ in 0..n_draws {
        is_treated.shuffle(&mut dice);
        // A draw without spread is as large as any.
        let is_as_large = studentised(rings, &is_treated).map_or(true, |it| shown <= it.abs());
        n_as_large += u32::from(is_as_large);
    }
    Ok(f64::from(n_as_large) / f64::from(n_draws + 1))
}

/// The difference per order in standard errors.
fn studentised(rings: &[Ring], arms: &[bool]) -> Answer<f64> {
    let (mut control, mut treatment) = (Moments::default(), Moments::default());
    for (ring, is_treated) in rings.iter().zip(arms) {
        let arm = if *is_treated { &mut treatment } else { &mut control };
        arm.add(ring.sum, ring.n_orders);
    }
    let difference = Difference::new(Metric::Ratio, &control, &treatment)?;
    Ok(difference.effect / difference.standard_error)
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;
    use crate::experiment::refusal::Refusal;

    fn rings(effect: f64, seed: u64) -> Vec<Ring> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let ring = |at: u32| {
            let n_orders = f64::from(dice.gen_range(1..8));
            let is_treated = at.is_multiple_of(2);
            let mean = if is_treated { effect } else { 0.0 };
            let sum = n_orders * (mean + dice.gen_range(-1.0..1.0));
            Ring { sum, n_orders, is_treated }
        };
        (0..60).map(ring).collect()
    }

    #[test]
    fn an_effect_is_found_and_none_is_found_as_often_as_it_says() {
        assert!(randomization_p(&rings(0.8, 1), 999, 5).unwrap() < 0.01);
        let is_found = |seed: &u64| randomization_p(&rings(0.0, *seed), 199, 5).unwrap() <= 0.05;
        let n_found = (0..400).filter(is_found).count();
        // Three standard errors of 5 % of 400.
        assert!((7..=33).contains(&n_found), "{n_found}");
    }

    #[test]
    fn it_is_the_same_each_time_and_rings_without_spread_are_refused() {
        let p = |seed| randomization_p(&rings(0.1, 2), 99, seed);
        assert_eq!(p(1), p(1));
        let even = [true, false, true, false];
        let even = even.map(|is_treated| Ring { sum: 1.0, n_orders: 1.0, is_treated });
        assert_eq!(randomization_p(&even, 99, 1), Err(vec![Refusal::NoSpread]));
    }
}

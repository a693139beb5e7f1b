//! Do operators know more than the features?
//!
//! If so, nothing can be learned from their choices.
//! Who releases what they know to be good makes releasing look good: a model that sees the
//! features alone learns to release too much. A log of operators cannot tell by itself. A slice
//! of choices that were drawn can: what a policy is worth there is known without assumptions, so
//! what the operators' log says of the same policy must be the same.
//!
//! The policy that tells most is to draw each action as often as operators take it in orders with
//! such features: its target is the operators' estimated propensities themselves. All their rows
//! weigh 1 then, and the gap is what they gain by what only they know.

use crate::experiment::difference::Difference;
use crate::experiment::logged::{LoggedChoices, Reach};
use crate::experiment::off_policy::{Estimate, Estimator};
use crate::experiment::refusal::{Answer, Refusal};
use crate::experiment::sequence::Mixture;

/// How far the operators' log is from the truth about one policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfoundingGap {
    /// Value by the operators' log less value by the drawn slice.
    pub gap: f64,
    /// Its interval, rings drawn as a whole; holds at every look.
    pub interval: (f64, f64),
}

impl ConfoundingGap {
    /// Of two logs with the same target policy. Propensities of `operators` are estimated from
    /// the features, those of `randomized` are the logged ones. Whatever is fitted to the
    /// operators' log (propensities, target, predictions) is fitted without the row's ring.
    ///
    /// The interval is narrowest once both logs have as many rings as `mixture` says.
    ///
    /// # Errors
    /// [`Refusal::TooFewUnits`] when a log is empty or no log at all, and every [`Refusal`] of
    /// either log's [`Reach`]. Without a gap nobody knows whether operators can be learned from,
    /// so they are no source then either.
    pub fn new(
        operators: &LoggedChoices,
        randomized: &LoggedChoices,
        mixture: Mixture,
    ) -> Answer<Self> {
        let logs = [operators, randomized];
        if logs.iter().any(|log| log.rewards.is_empty() || !log.is_sound()) {
            return Err(vec![Refusal::TooFewUnits]);
        }
        let reaches = logs.map(Reach::new);
        let mut refusals: Vec<Refusal> = reaches.iter().flat_map(Reach::refusals).collect();
        refusals.sort_unstable();
        refusals.dedup();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        // Both are doubly robust; the one of the operators' log is naive, since its propensities
        // leave out what only operators see.
        let [naive, drawn] = logs.map(|log| Estimator::DoublyRobust(f64::INFINITY).estimate(log));
        let rings = reaches.map(|reach| reach.rings_effective);
        let difference = apart(&naive, &drawn, rings);
        if difference.standard_error <= 0.0 {
            return Err(vec![Refusal::NoSpread]);
        }
        Ok(Self { gap: difference.effect, interval: mixture.interval(&difference) })
    }

    /// True when the gap is not 0: operators are no source to learn from.
    pub fn is_confounded(&self) -> bool {
        0.0 < self.interval.0 || self.interval.1 < 0.0
    }
}

/// Naive minus drawn; the logs have no ring in common.
fn apart(naive: &Estimate, drawn: &Estimate, rings: [f64; 2]) -> Difference {
    let n = rings[0] + rings[1];
    Difference {
        effect: naive.value - drawn.value,
        standard_error: naive.standard_error.hypot(drawn.standard_error),
        dof: n - 2.0,
        n,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const N: usize = 4_000;

    /// Who chooses.
    #[derive(Clone, Copy, PartialEq)]
    enum Chooser {
        /// A fair coin.
        Coin,
        /// Somebody who takes the action when it is good, and knows that half of the time.
        Knowing,
        /// Somebody who takes it half of the time whatever it is.
        Blind,
    }

    /// The action brings 1 or −1, which no feature tells; not to act brings 0.
    fn log(chooser: Chooser, dice: &mut ChaCha8Rng) -> LoggedChoices {
        let (mut rewards, mut actions) = (Vec::new(), Vec::new());
        for _ in 0..N {
            let is_good: bool = dice.r#gen();
            let chance = match chooser {
                Chooser::Coin | Chooser::Blind => 0.5,
                Chooser::Knowing if is_good => 0.75,
                Chooser::Knowing => 0.25,
            };
            let action = usize::from(dice.gen_bool(chance));
            let value = if is_good { 1.0 } else { -1.0 };
            rewards.push(action as f64 * value + dice.gen_range(-1.0..1.0));
            actions.push(action);
        }
        LoggedChoices {
            rewards,
            actions,
            // All three act half of the time, for all that the features show.
            propensities: vec![0.5; N],
            target: Array2::from_elem((N, 2), 0.5),
            predicted: Array2::zeros((N, 2)),
            rings: (0..N as u64).map(|row| row / 2).collect(),
        }
    }

    fn gap(chooser: Chooser, seed: u64) -> ConfoundingGap {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let operators = log(chooser, &mut dice);
        let randomized = log(Chooser::Coin, &mut dice);
        ConfoundingGap::new(&operators, &randomized, Mixture::new(0.05, 4_000.0)).unwrap()
    }

    /// They gain a half in each of the half of orders where they act: .25 an order.
    #[test]
    fn what_only_operators_know_is_found_and_measured() {
        let found = gap(Chooser::Knowing, 1);
        assert!(found.is_confounded(), "{found:?}");
        assert!(found.interval.0 < 0.25 && 0.25 < found.interval.1, "{found:?}");
    }

    #[test]
    fn operators_who_know_no_more_than_the_features_stay_a_source() {
        let n_confounded = (0..100).filter(|seed| gap(Chooser::Blind, *seed).is_confounded());
        assert!(n_confounded.count() <= 5);
    }

    #[test]
    fn a_slice_that_is_too_small_is_a_refusal() {
        let mut dice = ChaCha8Rng::seed_from_u64(2);
        let operators = log(Chooser::Knowing, &mut dice);
        let mut few = log(Chooser::Coin, &mut dice);
        few.rewards.truncate(100);
        few.actions.truncate(100);
        few.propensities.truncate(100);
        few.rings.truncate(100);
        few.target = Array2::from_elem((100, 2), 0.5);
        few.predicted = Array2::zeros((100, 2));
        let mixture = Mixture::new(0.05, 4_000.0);
        let refused = ConfoundingGap::new(&operators, &few, mixture);
        assert_eq!(refused, Err(vec![Refusal::TooFewEffectiveRows]));
        few.propensities.clear();
        let refused = ConfoundingGap::new(&operators, &few, mixture);
        assert_eq!(refused, Err(vec![Refusal::TooFewUnits]));
    }
}

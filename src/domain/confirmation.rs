//! How often people took what was recommended.

use serde::{Deserialize, Serialize};

use crate::domain::decision::ActionKind;
use crate::domain::risk::Probability;

/// Ranks that are told apart; those after the last count as the last.
pub const RANKS: usize = 3;

/// By action and rank: how many people saw it there, and how many took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmations([[Seen; RANKS]; ActionKind::ALL.len()]);

/// One action at one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    shown: u32,
    taken: u32,
}

/// What is believed before anybody has chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfirmPrior {
    /// Chance that the action at each rank is taken.
    pub shares: [f64; RANKS],
    /// How many choices that belief is worth.
    pub n: f64,
}

/// The chance that a person takes a recommended action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confirmed {
    /// It.
    pub probability: Probability,
    /// Choices behind it.
    pub n: u64,
}

impl Confirmations {
    /// A person saw actions, best first, and took one; or another one than those.
    pub fn chose(&mut self, shown: &[ActionKind], taken: ActionKind) {
        for (rank, action) in shown.iter().take(RANKS).enumerate() {
            let seen = &mut self.0[*action as usize][rank];
            seen.shown = seen.shown.saturating_add(1);
            seen.taken = seen.taken.saturating_add(u32::from(*action == taken));
        }
    }

    /// The chance that an action at a rank (from 0) is taken: the prior drawn toward what was
    /// seen, as the mean of a beta distribution.
    pub fn chance(&self, action: ActionKind, rank: usize, prior: &ConfirmPrior) -> Confirmed {
        let rank = rank.min(RANKS - 1);
        let Seen { shown, taken } = self.0[action as usize][rank];
        let n = prior.n + f64::from(shown);
        let known = prior.n * prior.shares[rank] + f64::from(taken);
        let share = if 0.0 < n { known / n } else { prior.shares[rank] };
        Confirmed { probability: Probability::clamped(share), n: shown.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: ConfirmPrior = ConfirmPrior { shares: [0.8, 0.1, 0.05], n: 20.0 };

    #[test]
    fn without_choices_the_prior_speaks_and_with_many_the_choices_do() {
        let mut seen = Confirmations::default();
        let review = |seen: &Confirmations| seen.chance(ActionKind::Review, 0, &PRIOR);
        assert_eq!(review(&seen), Confirmed { probability: Probability::clamped(0.8), n: 0 });
        let shown = [ActionKind::Review, ActionKind::Hold];
        for n in 0..180 {
            let taken = if n % 2 == 0 { ActionKind::Hold } else { ActionKind::Decline };
            seen.chose(&shown, taken);
        }
        let found = review(&seen);
        assert_eq!(found.n, 180);
        assert!((found.probability.value() - 16.0 / 200.0).abs() < 1e-12);
        let hold = seen.chance(ActionKind::Hold, 1, &PRIOR).probability.value();
        assert!((hold - (2.0 + 90.0) / 200.0).abs() < 1e-12);
        assert_eq!(seen.chance(ActionKind::Hold, 0, &PRIOR).n, 0);
    }
}

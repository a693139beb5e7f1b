//! What is asked of a search.

use crate::model::counterfactual::lever::Levers;
use crate::model::counterfactual::plausibility::Plausibility;

/// Where the score has to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// This many steps or fewer: toward release.
    AtMost(i64),
    /// This many steps or more: toward stopping.
    AtLeast(i64),
}

/// How much is wanted and how much it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most answers.
    pub answers_max: usize,
    /// Most units of work, each about a nanosecond: a count and not a clock, so that the
    /// same question always has the same answer.
    pub work_max: u64,
}

impl Default for Limits {
    /// Three answers in at most about two milliseconds; see `benches/counterfactual.rs`.
    fn default() -> Self {
        Self { answers_max: 3, work_max: 600_000 }
    }
}

/// A question: what is the smallest change that gets this order there?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The order as it is, ranked.
    pub ranks: &'a [u8],
    /// What may change.
    pub levers: &'a Levers,
    /// Which combinations the data has seen.
    pub plausibility: &'a Plausibility,
    /// Where the score has to get.
    pub goal: Goal,
    /// How much is wanted and how much it may take.
    pub limits: Limits,
}

impl Goal {
    /// True for a score of this many steps.
    pub fn is_met(self, margin: i64) -> bool {
        match self {
            Self::AtMost(most) => margin <= most,
            Self::AtLeast(least) => least <= margin,
        }
    }

    /// 1 when the score has to fall, −1 when it has to rise.
    pub(super) fn sign(self) -> i64 {
        match self {
            Self::AtMost(_) => 1,
            Self::AtLeast(_) => -1,
        }
    }

    /// The largest shift (of the score times the sign) that meets the goal.
    pub(super) fn need(self, margin: i64) -> i64 {
        match self {
            Self::AtMost(most) => most - margin,
            Self::AtLeast(least) => margin - least,
        }
    }
}

impl Question<'_> {
    /// True when the data has seen the chosen settings (lever, position; by lever) with each
    /// other and with what stays.
    pub(super) fn is_plausible(&self, chosen: &[(usize, usize)]) -> bool {
        let setting = |&(lever, position): &(usize, usize)| &self.levers.settings(lever)[position];
        let moved = chosen.iter().fold(0_u64, |set, (lever, _)| set | 1 << lever);
        chosen.iter().enumerate().all(|(at, one)| {
            let mut others = chosen[at + 1..].iter().map(setting);
            let one = setting(one);
            one.conflicts & !moved == 0
                && others.all(|other| self.levers.are_seen_together(self.plausibility, one, other))
        })
    }

    /// Sum of the chosen settings' costs.
    pub(super) fn cost(&self, chosen: &[(usize, usize)]) -> u32 {
        let cost = |&(lever, position): &(usize, usize)| self.levers.settings(lever)[position].cost;
        chosen.iter().map(cost).fold(0, u32::saturating_add)
    }
}

//! Levers: what may change, and to which settings.
//!
//! A plain lever moves one feature to a value that the training data has seen. An
//! edit of the order moves every feature that follows from it, together. Levers
//! of one list share no feature.

use std::ops::Range;

use crate::model::counterfactual::plausibility::{CELLS_MAX, Plausibility};

/// Most levers of a list.
pub const LEVERS_MAX: usize = 64;
/// Most settings of a lever; further ones are not looked at.
pub const SETTINGS_MAX: usize = 255;
/// Cost of a change by one median absolute deviation.
pub const COST_UNIT: f64 = 1_000.0;

/// A feature takes another value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// Position of the feature.
    pub feature: u16,
    /// Rank of the value among the feature's borders.
    pub rank: u8,
    /// The value; NaN when the change makes it unknown.
    pub value: f32,
}

/// Something that one lever can be set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Sum of |change| / scale over what was set, in thousandths.
    pub cost: u32,
    /// Levers whose present value was never seen together with this setting: it is
    /// plausible only when they change, too. One bit per lever.
    pub(super) conflicts: u64,
    moves: Range<u32>,
}

/// What may change: levers, each with its settings in a fixed order.
#[derive(Clone, Debug, Default)]
pub struct Levers {
    moves: Vec<Move>,
    settings: Vec<Setting>,
    levers: Vec<Range<usize>>,
}

impl Levers {
    /// Adds a lever with the settings that `add` gives; one without settings is left out.
    /// Gives back whether it was added: a list takes at most [`LEVERS_MAX`].
    pub fn add(&mut self, settings: impl IntoIterator<Item = (u32, Vec<Move>)>) -> bool {
        let start = self.settings.len();
        if LEVERS_MAX <= self.levers.len() {
            return false;
        }
        for (cost, moves) in settings.into_iter().take(SETTINGS_MAX) {
            self.push((cost, 0), &moves);
        }
        let is_new = start < self.settings.len();
        if is_new {
            self.levers.push(start..self.settings.len());
        }
        is_new
    }

    fn push(&mut self, (cost, conflicts): (u32, u64), moves: &[Move]) {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let start = at(self.moves.len());
        self.moves.extend_from_slice(moves);
        let moves = start..at(self.moves.len());
        self.settings.push(Setting { cost, conflicts, moves });
    }

    /// How many levers there are.
    pub fn n_levers(&self) -> usize {
        self.levers.len()
    }

    /// How many settings all levers have.
    pub fn n_settings(&self) -> usize {
        self.settings.len()
    }

    /// The settings of a lever.
    pub fn settings(&self, lever: usize) -> &[Setting] {
        &self.settings[self.levers[lever].clone()]
    }

    /// What a setting moves.
    pub fn moves(&self, setting: &Setting) -> &[Move] {
        &self.moves[setting.moves.start as usize..setting.moves.end as usize]
    }

    /// Puts a setting into the ranks of an order.
    pub fn apply(&self, setting: &Setting, ranks: &mut [u8]) {
        for step in self.moves(setting) {
            ranks[usize::from(step.feature)] = step.rank;
        }
    }

    /// One lever, as a list of its own.
    pub(super) fn only(&self, lever: usize) -> Self {
        let mut only = Self::default();
        for setting in self.settings(lever) {
            only.push((setting.cost, setting.conflicts), self.moves(setting));
        }
        only.levers.push(0..only.settings.len());
        only
    }

    /// The lever that moves each feature; `None` for a feature that stays.
    pub(super) fn owners(&self, n_features: usize) -> Vec<Option<u8>> {
        let mut owners = vec![None; n_features];
        for (lever, settings) in (0_u8..).zip(&self.levers) {
            for step in self.settings[settings.clone()].iter().flat_map(|it| self.moves(it)) {
                owners[usize::from(step.feature)] = Some(lever);
            }
        }
        owners
    }

    /// Marks, for every setting, the levers that it cannot be combined with as they are, and
    /// drops settings that were never seen with a feature that no lever moves.
    pub fn check_against(&mut self, plausibility: &Plausibility, ranks: &[u8]) {
        let owners = self.owners(ranks.len());
        let mut kept = Self::default();
        for (lever, settings) in (0_u8..).zip(&self.levers) {
            let start = kept.settings.len();
            let mut seen = SeenWith { plausibility, ranks, owners: &owners, of: Vec::new() };
            for setting in &self.settings[settings.clone()] {
                let moves = self.moves(setting);
                let conflicts =
                    moves.iter().fold(Conflicts::default(), |sum, step| sum.with(seen.find(*step)));
                if !conflicts.is_fixed {
                    let others = conflicts.levers & !(1 << lever);
                    kept.push((setting.cost, others), moves);
                }
            }
            kept.levers.push(start..kept.settings.len());
        }
        *self = kept;
    }

    /// True when the data has seen what two settings of two levers set, together.
    pub(super) fn are_seen_together(
        &self,
        plausibility: &Plausibility,
        a: &Setting,
        b: &Setting,
    ) -> bool {
        let with = |one: &Move| {
            self.moves(b).iter().all(|other| {
                plausibility.is_seen_together((one.feature, one.rank), (other.feature, other.rank))
            })
        };
        self.moves(a).iter().all(with)
    }
}

/// Conflicts of the features that one lever moves, found once for all cells of a feature.
struct SeenWith<'a> {
    plausibility: &'a Plausibility,
    ranks: &'a [u8],
    owners: &'a [Option<u8>],
    of: Vec<(u16, [Conflicts; CELLS_MAX])>,
}

impl SeenWith<'_> {
    fn find(&mut self, step: Move) -> Conflicts {
        let cell = usize::from(self.plausibility.cell(step.feature, step.rank));
        if let Some((_, by_cell)) = self.of.iter().find(|(feature, _)| *feature == step.feature) {
            return by_cell[cell];
        }
        let by_cell = self.plausibility.conflicts(step.feature, self.ranks, self.owners);
        self.of.push((step.feature, by_cell));
        by_cell[cell]
    }
}

/// What a setting was never seen together with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conflicts {
    /// Levers, one bit each.
    pub levers: u64,
    /// True when one of the features is moved by no lever.
    pub is_fixed: bool,
}

impl Conflicts {
    fn with(self, other: Self) -> Self {
        Self { levers: self.levers | other.levers, is_fixed: self.is_fixed || other.is_fixed }
    }
}

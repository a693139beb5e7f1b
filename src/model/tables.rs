//! Exact Shapley values as table rows: attribution at the price of a lookup.
//!
//! Every path of an oblivious tree asks the same questions, so a leaf number
//! decides the tree's whole attribution. Compiling computes it for all leaves once,
//! in whole steps that add up; scoring adds one row per tree.

use crate::model::ensemble::{DEPTH_MAX, Ensemble, Tree};
use crate::model::fixed::Scale;
use crate::model::forest::Position;
use crate::model::game::{CoalitionValues, Game, Levels};

/// Sums that take turns, so that no tree waits for the one before.
pub(crate) const N_SUMS: usize = 4;

/// What one leaf adds, in steps: half a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
struct Row {
    /// One per player of the tree, then zeros.
    shifts: [i32; DEPTH_MAX],
    leaf: i32,
}

#[derive(Clone, Debug)]
struct TreeRows<P> {
    first: u32,
    /// Features of the players, then the position behind the last feature.
    players: [P; DEPTH_MAX],
}

/// One head, compiled for one game.
#[derive(Clone, Debug)]
pub(crate) struct HeadTables<P> {
    pub(crate) scale: Scale,
    pub(crate) bias: i32,
    /// Score of the average order: bias plus the mean of every tree.
    pub(crate) base: i32,
    trees: Vec<TreeRows<P>>,
    rows: Vec<Row>,
    /// The leaves again, close together, for bare scores.
    leaves: Vec<i32>,
}

impl<P: Position> HeadTables<P> {
    /// `counts` has the leaf counts of the background, 64 per tree, for the game that
    /// needs them; `n_features` is the position of a sum that nobody reads.
    pub(crate) fn new(
        ensemble: &Ensemble,
        game: Game<'_>,
        counts: &[u32],
        n_features: u16,
    ) -> Self {
        let scale = ensemble.scale();
        let bias = scale.to_steps(ensemble.bias());
        let n_trees = ensemble.trees().len();
        let mut tables = Self {
            scale,
            bias,
            base: bias,
            trees: Vec::with_capacity(n_trees),
            rows: Vec::new(),
            leaves: Vec::new(),
        };
        for (position, tree) in ensemble.trees().iter().enumerate() {
            let levels = Levels::new(tree);
            let values = match game {
                Game::PathDependent => CoalitionValues::path_dependent(tree, &levels),
                Game::Interventional(_) => {
                    let counts = counts.iter().skip(position << DEPTH_MAX);
                    let counts: Vec<u32> = counts.take(tree.leaves().len()).copied().collect();
                    CoalitionValues::interventional(tree, &levels, &counts)
                }
            };
            tables.push(tree, &levels, &values, n_features);
        }
        tables
    }

    pub(crate) fn n_trees(&self) -> usize {
        self.trees.len()
    }

    /// The bare score in steps, from one leaf number per tree.
    pub(crate) fn score(&self, leaves: &[u8]) -> i32 {
        let found = self.trees.iter().zip(leaves);
        found.fold(self.bias, |raw, (tree, &leaf)| {
            raw + self.leaves[tree.first as usize + usize::from(leaf)]
        })
    }

    /// The score in steps; adds every player's shift to one of the sums at its feature.
    #[inline]
    pub(crate) fn explain<S: AsMut<[i32]>>(&self, leaves: &[u8], sums: &mut [S; N_SUMS]) -> i32 {
        let mut raw = self.bias;
        let (trees, rest) = self.trees.as_chunks::<N_SUMS>();
        let (leaves, leaves_rest) = leaves.split_at(trees.len() * N_SUMS);
        for (trees, leaves) in trees.iter().zip(leaves.as_chunks::<N_SUMS>().0) {
            for ((tree, &leaf), sums) in trees.iter().zip(leaves).zip(&mut *sums) {
                raw += self.add_row(tree, leaf, sums.as_mut());
            }
        }
        for ((tree, &leaf), sums) in rest.iter().zip(leaves_rest).zip(sums) {
            raw += self.add_row(tree, leaf, sums.as_mut());
        }
        raw
    }

    #[expect(clippy::inline_always, reason = "the loop around it is the time of an answer")]
    #[inline(always)]
    fn add_row(&self, tree: &TreeRows<P>, leaf: u8, sums: &mut [i32]) -> i32 {
        let row = &self.rows[tree.first as usize + usize::from(leaf)];
        for (&player, &shift) in tree.players.iter().zip(&row.shifts) {
            sums[player.into()] += shift;
        }
        row.leaf
    }

    fn push(&mut self, tree: &Tree, levels: &Levels, values: &CoalitionValues, n_features: u16) {
        let n_players = levels.players.len();
        let mut players = [P::of(n_features); DEPTH_MAX];
        for (slot, &player) in players.iter_mut().zip(&levels.players) {
            *slot = P::of(player);
        }
        let first = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.trees.push(TreeRows { first, players });
        let mean = self.scale.to_steps(values.of_nobody());
        self.base += mean;
        for (leaf, &value) in tree.leaves().iter().enumerate() {
            let mut row = Row { leaf: self.scale.to_steps(value), ..Row::default() };
            for (player, shift) in row.shifts.iter_mut().enumerate().take(n_players) {
                *shift = self.scale.to_steps(values.shapley(leaf, player));
            }
            share_out(row.leaf - mean, &mut row.shifts[..n_players]);
            self.leaves.push(row.leaf);
            self.rows.push(row);
        }
    }
}

/// Makes rounded shifts add up to `total`: a step each, the largest shifts first.
///
/// Rounding leaves at most half a step per shift and half for the mean, so there are
/// never more steps than shifts; a shift of 0 that nothing rounded stays 0.
fn share_out(total: i32, shifts: &mut [i32]) {
    let missing = total - shifts.iter().sum::<i32>();
    let mut order: Vec<usize> = (0..shifts.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(shifts[at].abs()), at));
    for &at in order.iter().cycle().take(missing.unsigned_abs() as usize) {
        shifts[at] += missing.signum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_shifts_are_made_to_add_up_by_the_largest_ones() {
        for (total, shifts, expected) in [
            (7, [5, 0, 1], [6, 0, 1]),
            (3, [5, 0, -1], [4, 0, -1]),
            (-12, [-5, -4, -1], [-6, -5, -1]),
            (0, [0, 0, 0], [0, 0, 0]),
        ] {
            let mut shared = shifts;
            share_out(total, &mut shared);
            assert_eq!(shared, expected);
        }
    }
}

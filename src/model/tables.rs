//! Exact Shapley values as table rows: attribution at the price of a lookup.
//!
//! Every path of an oblivious tree asks the same questions, so a leaf number
//! decides the tree's whole attribution. Compiling computes it for all leaves once,
//! in whole steps that add up; scoring adds one row per tree.

use crate::model::ensemble::{DEPTH_MAX, Ensemble, Tree};
use crate::model::fixed::Scale;
use crate::model::forest::Position;
use crate::model::game::{CoalitionValues, Game, Levels};
#[cfg(target_arch = "x86_64")]
use crate::model::kernel::fetch;

/// Sums that take turns, so that no tree waits for the one before.
pub(crate) const N_SUMS: usize = 4;

/// Leaves of a tree of full depth.
const N_LEAVES: usize = 1 << DEPTH_MAX;

/// What one leaf adds, in steps: half a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
struct Row {
    /// One per player of the tree, then zeros.
    shifts: [i32; DEPTH_MAX],
    leaf: i32,
}

/// A row, or a value, for every leaf number that 6 bits can say: no look-up has to check.
type ByLeaf<T> = [T; N_LEAVES];

/// One head, compiled for one game.
#[derive(Clone, Debug)]
pub(crate) struct HeadTables<P> {
    pub(crate) scale: Scale,
    pub(crate) bias: i32,
    /// Score of the average order: bias plus the mean of every tree.
    pub(crate) base: i32,
    /// By tree: features of the players, then the position behind the last feature.
    players: Vec<[P; DEPTH_MAX]>,
    rows: Vec<ByLeaf<Row>>,
    /// The leaves again, close together, for bare scores.
    leaves: Vec<ByLeaf<i32>>,
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
            players: Vec::with_capacity(n_trees),
            rows: Vec::with_capacity(n_trees),
            leaves: Vec::with_capacity(n_trees),
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
        self.rows.len()
    }

    /// The bare score in steps, from one leaf number per tree.
    pub(crate) fn score(&self, leaves: &[u8]) -> i32 {
        let found = self.leaves.iter().zip(leaves);
        found.fold(self.bias, |raw, (tree, &leaf)| raw + tree[within(leaf)])
    }

    /// The score in steps; adds every player's shift to one of the sums at its feature.
    ///
    /// Meanwhile fetches the rows of the head that is `next`, with its leaf numbers: all
    /// heads together do not fit the nearer caches.
    pub(crate) fn explain(
        &self,
        leaves: &[u8],
        sums: &mut [P::Sums; N_SUMS],
        next: Option<(&Self, &[u8])>,
    ) -> i32 {
        // Adding up the leaves first fetches all rows at once, none waits for another.
        let found = self.rows.iter().zip(leaves);
        let raw = found.fold(self.bias, |raw, (rows, &leaf)| raw + rows[within(leaf)].leaf);
        let (players, players_rest) = self.players.as_chunks::<N_SUMS>();
        let (rows, rows_rest) = self.rows.as_chunks::<N_SUMS>();
        let (leaves, leaves_rest) = leaves.split_at(rows.len() * N_SUMS);
        let fours = players.iter().zip(rows).zip(leaves.as_chunks::<N_SUMS>().0);
        let [sums_a, sums_b, sums_c, sums_d] = sums;
        let ahead = next.map(|(tables, leaves)| (tables.rows.as_slice(), leaves));
        let (rows_ahead, leaves_ahead) = ahead.unwrap_or_default();
        let mut ahead = rows_ahead.iter().zip(leaves_ahead);
        for (([a, b, c, d], rows), leaves) in fours {
            for (rows, &leaf) in ahead.by_ref().take(N_SUMS) {
                fetch(&rows[within(leaf)]);
            }
            let row = |at: usize| &rows[at][within(leaves[at])].shifts;
            let [row_a, row_b, row_c, row_d] = [row(0), row(1), row(2), row(3)];
            for player in 0..DEPTH_MAX {
                a[player].add(row_a[player], sums_a);
                b[player].add(row_b[player], sums_b);
                c[player].add(row_c[player], sums_c);
                d[player].add(row_d[player], sums_d);
            }
        }
        for ((players, rows), &leaf) in players_rest.iter().zip(rows_rest).zip(leaves_rest) {
            for (player, &shift) in players.iter().zip(&rows[within(leaf)].shifts) {
                player.add(shift, sums_a);
            }
        }
        raw
    }

    fn push(&mut self, tree: &Tree, levels: &Levels, values: &CoalitionValues, n_features: u16) {
        let n_players = levels.players.len();
        let mut players = [P::of(n_features); DEPTH_MAX];
        for (slot, &player) in players.iter_mut().zip(&levels.players) {
            *slot = P::of(player);
        }
        self.players.push(players);
        let mean = self.scale.to_steps(values.of_nobody());
        self.base += mean;
        let (mut rows, mut leaves) = ([Row::default(); N_LEAVES], [0; N_LEAVES]);
        for (leaf, &value) in tree.leaves().iter().enumerate() {
            let mut row = Row { leaf: self.scale.to_steps(value), ..Row::default() };
            for (player, shift) in row.shifts.iter_mut().enumerate().take(n_players) {
                *shift = self.scale.to_steps(values.shapley(leaf, player));
            }
            share_out(row.leaf - mean, &mut row.shifts[..n_players]);
            leaves[leaf] = row.leaf;
            rows[leaf] = row;
        }
        self.rows.push(rows);
        self.leaves.push(leaves);
    }
}

/// Without a hint to the memory, the first read waits.
#[cfg(not(target_arch = "x86_64"))]
fn fetch<T>(_: &T) {}

/// A leaf number, where the compiler can see its range.
#[inline]
fn within(leaf: u8) -> usize {
    usize::from(leaf) % N_LEAVES
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

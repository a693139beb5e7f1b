//! Exact Shapley values as table rows: attribution at the price of a lookup.
//!
//! Every path of an oblivious tree asks the same questions, so a leaf number
//! decides the tree's whole attribution. Compiling computes it for all leaves once,
//! in whole steps that add up; scoring looks up one row per tree, lays the rows
//! side by side, and sums up for each feature the cells that are its.

use crate::model::ensemble::{DEPTH_MAX, Ensemble, Tree};
use crate::model::fixed::Scale;
use crate::model::game::{CoalitionValues, Game, Levels};
#[cfg(target_arch = "x86_64")]
use crate::model::kernel::fetch;

/// Leaves of a tree of full depth.
const N_LEAVES: usize = 1 << DEPTH_MAX;
/// Cells that 16 bits can name: no look-up has to check.
const CELLS_MAX: usize = 1 << 16;
/// Trees whose rows lie side by side.
const N_ROWS: usize = CELLS_MAX / DEPTH_MAX;

/// How far a leaf shifts the score from the tree's mean, in steps: a cell per player of
/// the tree, then zeros. Half a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(32))]
struct Row([i32; DEPTH_MAX]);

/// The rows of one order, tree by tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowsOfOrder(Vec<i32>);

/// A row, or a value, for every leaf number that 6 bits can say: no look-up has to check.
type ByLeaf<T> = [T; N_LEAVES];

/// One head, compiled for one game.
#[derive(Clone, Debug)]
pub(crate) struct HeadTables {
    pub(crate) scale: Scale,
    bias: i32,
    /// Score of the average order: bias plus the mean of every tree.
    pub(crate) base: i32,
    rows: Vec<ByLeaf<Row>>,
    /// The leaves again, close together, for bare scores.
    leaves: Vec<ByLeaf<i32>>,
    /// By every [`N_ROWS`] trees.
    cells: Vec<CellsOfFeatures>,
}

/// Which cells of the rows of some trees are whose.
#[derive(Clone, Debug)]
struct CellsOfFeatures {
    /// Feature after feature: row times [`DEPTH_MAX`] plus the place in it.
    cells: Vec<u16>,
    /// How many cells each feature has.
    n_cells: Vec<u32>,
}

impl HeadTables {
    /// `counts` has the leaf counts of the background, 64 per tree, for the game that
    /// needs them.
    pub(crate) fn new(
        ensemble: &Ensemble,
        game: Game<'_>,
        counts: &[u32],
        n_features: usize,
    ) -> Self {
        let scale = ensemble.scale();
        let bias = scale.to_steps(ensemble.bias());
        let n_trees = ensemble.trees().len();
        let mut tables = Self {
            scale,
            bias,
            base: bias,
            rows: Vec::with_capacity(n_trees),
            leaves: Vec::with_capacity(n_trees),
            cells: Vec::new(),
        };
        let mut players = Vec::with_capacity(n_trees);
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
            tables.push(tree, levels.players.len(), &values);
            players.push(levels.players);
        }
        let cells = players.chunks(N_ROWS).map(|players| CellsOfFeatures::new(players, n_features));
        tables.cells = cells.collect();
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

    /// Asks the memory for the rows of these leaf numbers.
    pub(crate) fn fetch(&self, leaves: &[u8]) {
        for (rows, &leaf) in self.rows.iter().zip(leaves) {
            fetch(&rows[within(leaf)]);
        }
    }

    /// The score in steps; fills in the contribution of every feature.
    ///
    /// Meanwhile fetches the rows of the head that is `next`, with its leaf numbers: all
    /// heads together do not fit the nearer caches.
    pub(crate) fn explain(
        &self,
        leaves: &[u8],
        rows_of_order: &mut RowsOfOrder,
        contributions: &mut [i32],
        next: Option<(&Self, &[u8])>,
    ) -> i32 {
        let (rows_ahead, leaves_ahead) =
            next.map(|(tables, leaves)| (tables.rows.as_slice(), leaves)).unwrap_or_default();
        let mut ahead = rows_ahead.iter().zip(leaves_ahead);
        let n_ahead = rows_ahead.len().div_ceil(contributions.len().max(1));
        rows_of_order.0.resize(CELLS_MAX, 0);
        let cells_of_order = &mut rows_of_order.0[..CELLS_MAX];
        contributions.fill(0);
        let parts = self.rows.chunks(N_ROWS).zip(leaves.chunks(N_ROWS));
        for ((rows, leaves), of_features) in parts.zip(&self.cells) {
            let (slots, _) = cells_of_order.as_chunks_mut::<DEPTH_MAX>();
            for ((slot, rows), &leaf) in slots.iter_mut().zip(rows).zip(leaves) {
                *slot = rows[within(leaf)].0;
            }
            let mut cells = of_features.cells.as_slice();
            for (contribution, &n_cells) in contributions.iter_mut().zip(&of_features.n_cells) {
                for (rows, &leaf) in ahead.by_ref().take(n_ahead) {
                    fetch(&rows[within(leaf)]);
                }
                let (own, others) = cells.split_at(n_cells as usize);
                let mut sum = 0;
                for &cell in own {
                    sum += cells_of_order[usize::from(cell)];
                }
                *contribution += sum;
                cells = others;
            }
        }
        self.base + contributions.iter().sum::<i32>()
    }

    fn push(&mut self, tree: &Tree, n_players: usize, values: &CoalitionValues) {
        let mean = self.scale.to_steps(values.of_nobody());
        self.base += mean;
        let (mut rows, mut leaves) = ([Row::default(); N_LEAVES], [0; N_LEAVES]);
        for (leaf, &value) in tree.leaves().iter().enumerate() {
            let Row(shifts) = &mut rows[leaf];
            for (player, shift) in shifts.iter_mut().enumerate().take(n_players) {
                *shift = self.scale.to_steps(values.shapley(leaf, player));
            }
            leaves[leaf] = self.scale.to_steps(value);
            share_out(leaves[leaf] - mean, &mut shifts[..n_players]);
        }
        self.rows.push(rows);
        self.leaves.push(leaves);
    }
}

impl CellsOfFeatures {
    /// From the players of every tree, at most [`N_ROWS`] of them.
    fn new(players: &[Vec<u16>], n_features: usize) -> Self {
        let mut of_feature = vec![Vec::new(); n_features];
        for (tree, players) in players.iter().enumerate() {
            for (place, &feature) in players.iter().enumerate() {
                let cell = u16::try_from(tree * DEPTH_MAX + place).unwrap_or(u16::MAX);
                of_feature[usize::from(feature)].push(cell);
            }
        }
        let n_cells = |cells: &Vec<u16>| u32::try_from(cells.len()).unwrap_or(u32::MAX);
        Self { n_cells: of_feature.iter().map(n_cells).collect(), cells: of_feature.concat() }
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

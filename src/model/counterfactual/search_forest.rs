//! An ensemble in whole numbers: sums are exact, comparisons are proofs.

use crate::model::ensemble::{Ensemble, Split};

/// Sums of leaves stay below this, so that a score fits 32 bits with room.
const MARGIN_MAX: f64 = (1_u32 << 30) as f64;
/// Finest step of a leaf: `2^-SHIFT_MAX`.
const SHIFT_MAX: i32 = 40;

/// A head's trees over ranks, leaves as whole numbers of `2^-shift`.
#[derive(Clone, Debug)]
pub struct SearchForest {
    pub(super) trees: Vec<SearchTree>,
    /// Leaves of all trees.
    pub(super) leaves: Vec<i32>,
    /// By feature: its borders that some tree asks for, ascending.
    used_borders: Vec<Vec<u8>>,
    bias: i64,
    unit: f64,
}

/// One tree: its questions, and where its leaves begin.
#[derive(Clone, Debug)]
pub(super) struct SearchTree {
    pub(super) splits: Vec<Split>,
    pub(super) first_leaf: usize,
}

impl SearchForest {
    /// Rounds the leaves of an ensemble to the finest step that cannot overflow.
    pub fn compile(ensemble: &Ensemble, n_features: usize) -> Self {
        let largest = |leaves: &[f64]| leaves.iter().fold(0.0_f64, |max, leaf| max.max(leaf.abs()));
        let sum: f64 = ensemble.trees.iter().map(|tree| largest(tree.leaves())).sum();
        let mut shift = SHIFT_MAX;
        while MARGIN_MAX < (sum + ensemble.bias.abs()) * 2_f64.powi(shift) {
            shift -= 1;
        }
        let unit = 2_f64.powi(-shift);
        let mut forest = Self {
            trees: Vec::with_capacity(ensemble.trees.len()),
            leaves: Vec::new(),
            used_borders: vec![Vec::new(); n_features],
            bias: i64::from(whole(ensemble.bias / unit)),
            unit,
        };
        for tree in &ensemble.trees {
            let first_leaf = forest.leaves.len();
            forest.leaves.extend(tree.leaves().iter().map(|leaf| whole(leaf / unit)));
            let splits = tree.splits().to_vec();
            for split in &splits {
                if let Some(borders) = forest.used_borders.get_mut(usize::from(split.feature)) {
                    borders.push(split.border);
                }
            }
            forest.trees.push(SearchTree { splits, first_leaf });
        }
        for borders in &mut forest.used_borders {
            borders.sort_unstable();
            borders.dedup();
        }
        forest
    }

    /// How many features the ranks have.
    pub fn n_features(&self) -> usize {
        self.used_borders.len()
    }

    /// The score of an order in steps.
    pub fn margin(&self, ranks: &[u8]) -> i64 {
        let leaf = |tree: &SearchTree| {
            let mut leaf = 0;
            for (level, split) in tree.splits.iter().enumerate() {
                leaf |= usize::from(split.is_above(ranks[usize::from(split.feature)])) << level;
            }
            i64::from(self.leaves[tree.first_leaf + leaf])
        };
        self.bias + self.trees.iter().map(leaf).sum::<i64>()
    }

    /// The raw score of a number of steps.
    pub fn raw(&self, margin: i64) -> f64 {
        margin as f64 * self.unit
    }

    /// The number of steps nearest to a raw score.
    pub fn steps(&self, raw: f64) -> i64 {
        i64::from(whole(raw / self.unit))
    }

    /// Which of the cells that this head can tell apart a rank of a feature is in. Ranks of
    /// one cell give the same score; the cells ascend with the value, missing is in the first.
    pub fn cell(&self, feature: u16, rank: u8) -> usize {
        let borders = self.borders_of(feature);
        borders.partition_point(|&border| usize::from(border) + 2 <= usize::from(rank))
    }

    /// The borders of a feature that this head asks for, as positions among the feature's
    /// borders: cell `k` lies between the borders `k − 1` and `k`.
    pub fn borders_of(&self, feature: u16) -> &[u8] {
        self.used_borders.get(usize::from(feature)).map_or(&[], Vec::as_slice)
    }
}

/// The nearest whole number; what does not fit is cut off.
#[expect(clippy::cast_possible_truncation, reason = "saturates by definition of the cast")]
fn whole(steps: f64) -> i32 {
    steps.round() as i32
}

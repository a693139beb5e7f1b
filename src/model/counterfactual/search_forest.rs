//! An ensemble in whole numbers: sums are exact, comparisons are proofs.

use crate::model::ensemble::{Ensemble, Split};
use crate::model::fixed::Scale;

/// A head's trees over ranks, leaves as whole steps of its scale.
#[derive(Clone, Debug)]
pub struct SearchForest {
    pub(super) trees: Vec<SearchTree>,
    /// Leaves of all trees.
    pub(super) leaves: Vec<i32>,
    /// By feature: its borders that some tree asks for, ascending.
    used_borders: Vec<Vec<u8>>,
    bias: i64,
    scale: Scale,
}

/// One tree: its questions, and where its leaves begin.
#[derive(Clone, Debug)]
pub(super) struct SearchTree {
    pub(super) splits: Vec<Split>,
    pub(super) first_leaf: usize,
}

impl SearchForest {
    /// The trees of an ensemble in its own steps: scores are those of the engine.
    pub fn compile(ensemble: &Ensemble, n_features: usize) -> Self {
        let scale = ensemble.scale();
        let mut forest = Self {
            trees: Vec::with_capacity(ensemble.trees().len()),
            leaves: Vec::new(),
            used_borders: vec![Vec::new(); n_features],
            bias: scale.to_steps(ensemble.bias()).into(),
            scale,
        };
        for tree in ensemble.trees() {
            let first_leaf = forest.leaves.len();
            forest.leaves.extend(tree.leaves().iter().map(|&leaf| scale.to_steps(leaf)));
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
        self.scale.to_value(margin)
    }

    /// The number of steps nearest to a raw score.
    pub fn steps(&self, raw: f64) -> i64 {
        self.scale.to_steps(raw).into()
    }

    /// Which of the cells that this head can tell apart a rank of a feature is in. Ranks of
    /// one cell give the same score; the cells ascend with the value, missing is in the first.
    pub fn cell(&self, feature: u16, rank: u8) -> usize {
        let borders = self.borders_of(feature);
        borders.partition_point(|&border| is_above(rank, border))
    }

    /// The borders of a feature that this head asks for, as positions among the feature's
    /// borders: cell `k` lies between the borders `k − 1` and `k`.
    pub fn borders_of(&self, feature: u16) -> &[u8] {
        self.used_borders.get(usize::from(feature)).map_or(&[], Vec::as_slice)
    }
}

/// True for the rank of a value above a border; rank 0 is missing, rank 1 below all borders.
pub(super) fn is_above(rank: u8, border: u8) -> bool {
    usize::from(border) + 2 <= usize::from(rank)
}

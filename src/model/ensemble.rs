//! Oblivious trees as they are stored: every level asks one question.
//!
//! All nodes of a level share their split, so the answers of the d levels are
//! the bits of a leaf number: bit k is the answer of split k.

use linfa::traits::PredictInplace;
use ndarray::{Array1, ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};

use crate::model::binning::{Binning, RANK_MISSING};

/// Deepest tree: 64 leaves.
pub const DEPTH_MAX: usize = 6;

/// Where a missing value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingSide {
    /// With the values at or below the border.
    Below,
    /// With the values above it.
    Above,
}

/// The question "is this feature above this border?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Position of the feature.
    pub feature: u16,
    /// Position of the border among the feature's borders.
    pub border: u8,
    /// What a missing value answers.
    pub missing: MissingSide,
}

impl Split {
    /// The answer for a rank of the split's feature.
    pub fn is_above(self, rank: u8) -> bool {
        match (rank, self.missing) {
            (RANK_MISSING, MissingSide::Above) => true,
            (RANK_MISSING, MissingSide::Below) => false,
            (known, _) => usize::from(known) >= usize::from(self.border) + 2,
        }
    }
}

/// One oblivious tree.
///
/// Invariant: at most [`DEPTH_MAX`] splits, `2^depth` finite leaf values that `f32`
/// represents, as many covers that are finite and not negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTree", into = "RawTree")]
pub struct Tree {
    splits: Vec<Split>,
    leaves: Vec<f64>,
    covers: Vec<f64>,
}

/// A tree that breaks the invariant of [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More levels than the engine has.
    #[error("a tree of depth {0} is deeper than {DEPTH_MAX}")]
    TooDeep(usize),
    /// Leaf or cover count does not fit the depth.
    #[error("a tree of depth {depth} has {n_leaves} leaves and {n_covers} covers")]
    LeafCount {
        /// Number of splits.
        depth: usize,
        /// Number of leaf values.
        n_leaves: usize,
        /// Number of covers.
        n_covers: usize,
    },
    /// A leaf value or cover that is not a usable number.
    #[error("a tree has a leaf value or cover that is not finite, or a negative cover")]
    NotFinite,
}

/// The file form: short keys, `f32` digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTree {
    /// Splits: feature, border, 1 when missing goes above.
    s: Vec<(u16, u8, u8)>,
    /// Leaf values.
    v: Vec<f32>,
    /// Covers: sum of training weights per leaf.
    n: Vec<f32>,
}

/// A sum of trees: a raw score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// Score before the first tree.
    pub bias: f64,
    /// Summed in this order.
    pub trees: Vec<Tree>,
}

/// An ensemble with the borders its splits refer to: predicts from raw values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankedEnsemble {
    /// Borders of every feature.
    pub binning: Binning,
    /// The trees.
    pub ensemble: Ensemble,
}

impl Tree {
    /// Checks the parts of a tree. Leaf values are rounded to `f32`.
    ///
    /// # Errors
    /// [`TreeError`] when the parts do not fit together.
    pub fn new(splits: Vec<Split>, leaves: &[f32], covers: &[f32]) -> Result<Self, TreeError> {
        let depth = splits.len();
        if DEPTH_MAX < depth {
            return Err(TreeError::TooDeep(depth));
        }
        if leaves.len() != 1 << depth || covers.len() != 1 << depth {
            let (n_leaves, n_covers) = (leaves.len(), covers.len());
            return Err(TreeError::LeafCount { depth, n_leaves, n_covers });
        }
        let is_cover = |cover: &f32| cover.is_finite() && 0.0 <= *cover;
        if !leaves.iter().all(|leaf| leaf.is_finite()) || !covers.iter().all(is_cover) {
            return Err(TreeError::NotFinite);
        }
        let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        Ok(Self { splits, leaves: widen(leaves), covers: widen(covers) })
    }

    /// The questions, in bit order; the last is the root of the path-dependent game.
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// Values by leaf number.
    pub fn leaves(&self) -> &[f64] {
        &self.leaves
    }

    /// Sums of training weights by leaf number.
    pub fn covers(&self) -> &[f64] {
        &self.covers
    }

    /// The same leaves under other questions.
    ///
    /// # Errors
    /// [`TreeError`] when the number of splits changes.
    pub fn with_splits(&self, splits: Vec<Split>) -> Result<Self, TreeError> {
        if splits.len() == self.splits.len() {
            Ok(Self { splits, leaves: self.leaves.clone(), covers: self.covers.clone() })
        } else {
            let (n_leaves, n_covers) = (self.leaves.len(), self.covers.len());
            Err(TreeError::LeafCount { depth: splits.len(), n_leaves, n_covers })
        }
    }

    /// The leaf number of one order; a feature without a rank counts as missing.
    pub fn leaf(&self, ranks: &[u8]) -> usize {
        let mut leaf = 0;
        for (level, split) in self.splits.iter().enumerate() {
            let rank = ranks.get(usize::from(split.feature)).copied().unwrap_or(RANK_MISSING);
            leaf |= usize::from(split.is_above(rank)) << level;
        }
        leaf
    }
}

impl Ensemble {
    /// The raw score of one order: bias plus one leaf per tree, in tree order.
    pub fn raw(&self, ranks: &[u8]) -> f64 {
        let mut raw = self.bias;
        for tree in &self.trees {
            raw += tree.leaves[tree.leaf(ranks)];
        }
        raw
    }
}

/// Raw scores (log-odds or the value's unit), one per row.
impl<D: Data<Elem = f32>> PredictInplace<ArrayBase<D, Ix2>, Array1<f64>> for RankedEnsemble {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, raw: &mut Array1<f64>) {
        let (mut values, mut ranks) = (Vec::new(), Vec::new());
        for (row, out) in rows.outer_iter().zip(raw.iter_mut()) {
            values.clear();
            values.extend(row.iter().copied());
            self.binning.ranks_into(&values, &mut ranks);
            *out = self.ensemble.raw(&ranks);
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<f64> {
        Array1::zeros(rows.nrows())
    }
}

impl TryFrom<RawTree> for Tree {
    type Error = TreeError;
    fn try_from(raw: RawTree) -> Result<Self, TreeError> {
        let side = |above| if above == 0 { MissingSide::Below } else { MissingSide::Above };
        let split = |(feature, border, above)| Split { feature, border, missing: side(above) };
        Self::new(raw.s.into_iter().map(split).collect(), &raw.v, &raw.n)
    }
}

impl From<Tree> for RawTree {
    fn from(tree: Tree) -> Self {
        let raw = |split: &Split| {
            let above = match split.missing {
                MissingSide::Below => 0,
                MissingSide::Above => 1,
            };
            (split.feature, split.border, above)
        };
        Self {
            s: tree.splits.iter().map(raw).collect(),
            v: tree.leaves.iter().map(|&leaf| narrow(leaf)).collect(),
            n: tree.covers.iter().map(|&cover| narrow(cover)).collect(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "leaf values and covers came from f32")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(border: u8, missing: MissingSide) -> Split {
        Split { feature: 0, border, missing }
    }

    #[test]
    fn a_missing_value_goes_to_the_learned_side() {
        assert!(split(200, MissingSide::Above).is_above(RANK_MISSING));
        assert!(!split(0, MissingSide::Below).is_above(RANK_MISSING));
    }

    #[test]
    fn a_rank_is_above_a_border_exactly_when_the_value_is() {
        let binning = Binning::new(vec![vec![1.0, 2.0, 3.0]]).unwrap();
        for value in [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5] {
            for (border, &at) in [1.0, 2.0, 3.0].iter().enumerate() {
                let question = split(u8::try_from(border).unwrap(), MissingSide::Below);
                assert_eq!(question.is_above(binning.rank(0, value)), at < value);
            }
        }
    }

    #[test]
    fn a_tree_reads_back_exactly_as_it_was_written() {
        let splits = vec![split(3, MissingSide::Above), split(0, MissingSide::Below)];
        let tree = Tree::new(splits, &[0.1, -1e-30, 3.0, 1.0 / 3.0], &[1.0, 0.0, 2.5, 7.0]);
        let tree = tree.unwrap();
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<Tree>(&text).unwrap(), tree);
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        let deep = vec![split(0, MissingSide::Below); 7];
        assert_eq!(Tree::new(deep, &[], &[]), Err(TreeError::TooDeep(7)));
        assert!(matches!(Tree::new(vec![], &[1.0, 2.0], &[1.0]), Err(TreeError::LeafCount { .. })));
        assert_eq!(Tree::new(vec![], &[f32::NAN], &[1.0]), Err(TreeError::NotFinite));
        assert_eq!(Tree::new(vec![], &[1.0], &[-1.0]), Err(TreeError::NotFinite));
    }
}

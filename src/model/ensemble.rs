//! Oblivious trees as they are stored: every level asks one question.
//!
//! All nodes of a level share their split, so the answers of the d levels are
//! the bits of a leaf number: bit k is the answer of split k.

use linfa::traits::PredictInplace;
use ndarray::{Array1, ArrayBase, Data, Ix2};
use serde::{Deserialize, Serialize};

use crate::model::binning::{Binning, RANK_MISSING};
use crate::model::ensemble_file::{ReadEnsemble, WrittenEnsemble};
use crate::model::fixed::{STEPS_MAX, Scale, ScaleError};

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
/// Invariant: at most [`DEPTH_MAX`] splits, `2^depth` finite leaf values, as many covers
/// that are finite, not negative and representable as `f32`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    splits: Vec<Split>,
    leaves: Vec<f64>,
    covers: Vec<f64>,
}

/// A tree that breaks the invariant of [`Tree`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
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
    /// The step of an ensemble that cannot be.
    #[error(transparent)]
    Scale(#[from] ScaleError),
    /// Leaves whose sum could leave the range of whole steps.
    #[error("bias and leaves add up to {0:e} steps, more than {STEPS_MAX}")]
    Overflow(f64),
    /// A bias or leaf between two steps.
    #[error("a bias or leaf value of {0:e} is not a whole number of steps")]
    NotWhole(f64),
}

/// A sum of trees: a raw score.
///
/// Invariant: bias and leaf values are whole steps of one [`Scale`], at which no sum of
/// bias and leaves can be more than [`STEPS_MAX`] steps, half a step per tree aside. So
/// all sums are exact, in `f64` as in whole numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ReadEnsemble", into = "WrittenEnsemble")]
pub struct Ensemble {
    scale: Scale,
    bias: f64,
    trees: Vec<Tree>,
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
    /// Checks the parts of a tree.
    ///
    /// # Errors
    /// [`TreeError`] when the parts do not fit together.
    pub fn new(splits: Vec<Split>, leaves: &[f32], covers: &[f32]) -> Result<Self, TreeError> {
        let leaves = leaves.iter().map(|&leaf| leaf.into()).collect();
        Self::from_parts(splits, leaves, covers)
    }

    pub(crate) fn from_parts(
        splits: Vec<Split>,
        leaves: Vec<f64>,
        covers: &[f32],
    ) -> Result<Self, TreeError> {
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
        let covers = covers.iter().map(|&cover| cover.into()).collect();
        Ok(Self { splits, leaves, covers })
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
    #[must_use]
    pub fn map_splits(&self, change: impl FnMut(&Split) -> Split) -> Self {
        let splits = self.splits.iter().map(change).collect();
        Self { splits, leaves: self.leaves.clone(), covers: self.covers.clone() }
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
    /// Rounds bias and leaves to whole steps, the finest that cannot overflow.
    pub fn new(bias: f64, mut trees: Vec<Tree>) -> Self {
        let scale = Scale::fitting(size_of(bias, &trees));
        for leaf in trees.iter_mut().flat_map(|tree| &mut tree.leaves) {
            *leaf = scale.round(*leaf);
        }
        Self { scale, bias: scale.round(bias), trees }
    }

    /// Checks that bias and leaves are whole steps that cannot overflow.
    pub(crate) fn at_scale(scale: Scale, bias: f64, trees: Vec<Tree>) -> Result<Self, TreeError> {
        let n_steps = size_of(bias, &trees) / scale.step();
        // Rounding may have added half a step for each tree and the bias.
        let n_steps_max = f64::from(STEPS_MAX) + 0.5 * (trees.len() as f64 + 1.0);
        if n_steps_max < n_steps {
            return Err(TreeError::Overflow(n_steps));
        }
        for value in trees.iter().flat_map(|tree| &tree.leaves).chain([&bias]) {
            if scale.round(*value) - value != 0.0 {
                return Err(TreeError::NotWhole(*value));
            }
        }
        Ok(Self { scale, bias, trees })
    }

    /// The step of which bias and leaves are multiples.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Score before the first tree.
    pub fn bias(&self) -> f64 {
        self.bias
    }

    /// What is added up.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The same leaves under other questions.
    #[must_use]
    pub fn map_splits(&self, mut change: impl FnMut(&Split) -> Split) -> Self {
        let trees = self.trees.iter().map(|tree| tree.map_splits(&mut change)).collect();
        Self { scale: self.scale, bias: self.bias, trees }
    }

    /// The raw score of one order: bias plus one leaf per tree, in tree order.
    pub fn raw(&self, ranks: &[u8]) -> f64 {
        let mut raw = self.bias;
        for tree in &self.trees {
            raw += tree.leaves[tree.leaf(ranks)];
        }
        raw
    }
}

/// Largest |bias| plus the largest |leaf| of every tree.
fn size_of(bias: f64, trees: &[Tree]) -> f64 {
    let largest = |tree: &Tree| tree.leaves.iter().fold(0.0_f64, |max, leaf| max.max(leaf.abs()));
    bias.abs() + trees.iter().map(largest).sum::<f64>()
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
    fn bias_and_leaves_become_whole_steps() {
        let tree = Tree::new(vec![], &[0.1], &[1.0]).unwrap();
        let ensemble = Ensemble::new(-1.0 / 3.0, vec![tree]);
        let steps = ensemble.trees()[0].leaves()[0] / ensemble.scale().step();
        assert!((steps - steps.round()).abs() <= 0.0, "{steps}");
        assert!((ensemble.raw(&[]) - (0.1 - 1.0 / 3.0)).abs() < 1e-8);
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

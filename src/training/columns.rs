//! The feature matrix as ranks, column by column.

use ndarray::ArrayView2;

use crate::domain::feature::Monotone;
use crate::model::binning::{BORDER_LOWEST, Binning, RANK_MISSING};
use crate::model::ensemble::Split;
use crate::training::binning::find_borders;
use crate::training::share_out::share_out;

/// Ranks of all rows, one byte each, a column per feature.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Borders behind the ranks.
    pub binning: Binning,
    ranks: Vec<Vec<u8>>,
    has_missing: Vec<bool>,
}

/// What the trainer must know of one feature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) n_borders: usize,
    pub(crate) has_missing: bool,
    /// True when border 0 only separates missing from known.
    pub(crate) splits_missing: bool,
}

impl Columns {
    /// Finds borders and ranks all rows; features are shared out over the threads.
    ///
    /// # Errors
    /// Never for the borders found here; kept for the invariant of [`Binning`].
    pub fn new(
        matrix: ArrayView2<'_, f32>,
        n_borders_max: usize,
        n_threads: usize,
    ) -> Result<Self, crate::model::binning::BinningError> {
        let n_features = matrix.ncols();
        let mut parts: Vec<(Vec<f32>, Vec<u8>)> = vec![Default::default(); n_features];
        share_out(n_threads, parts.iter_mut().enumerate(), |(feature, (borders, ranks))| {
            let column = matrix.column(feature);
            *borders = find_borders(column, n_borders_max);
            *ranks = rank_column(column.iter().copied(), borders);
        });
        let (borders, ranks): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let has_missing = ranks.iter().map(|column| column.contains(&RANK_MISSING)).collect();
        Ok(Self { binning: Binning::new(borders)?, ranks, has_missing })
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.ranks.len()
    }

    pub(crate) fn column(&self, feature: u16) -> Column {
        let feature = usize::from(feature);
        let borders = self.binning.borders(feature);
        Column {
            n_borders: borders.len(),
            has_missing: self.has_missing[feature],
            splits_missing: borders.first() == Some(&BORDER_LOWEST),
        }
    }

    /// The ranks of all rows for one feature.
    pub(crate) fn ranks(&self, feature: usize) -> &[u8] {
        &self.ranks[feature]
    }

    /// The ranks of one row, in feature order.
    pub(crate) fn ranks_of(&self, row: u32, ranks: &mut Vec<u8>) {
        ranks.clear();
        ranks.extend(self.ranks.iter().map(|column| column[row as usize]));
    }

    /// The leaf number of each of `rows`.
    pub(crate) fn leaf_numbers(&self, splits: &[Split], rows: &[u32]) -> Vec<u8> {
        let mut leaves = vec![0_u8; rows.len()];
        for (level, &split) in splits.iter().enumerate() {
            let ranks = self.ranks(split.feature.into());
            for (leaf, &row) in leaves.iter_mut().zip(rows) {
                *leaf |= u8::from(split.is_above(ranks[row as usize])) << level;
            }
        }
        leaves
    }

    /// Features with at least one border: those that are not constant.
    pub fn varying(&self) -> Vec<u16> {
        (0..self.n_features())
            .filter(|&feature| !self.binning.borders(feature).is_empty())
            .filter_map(|feature| u16::try_from(feature).ok())
            .collect()
    }
}

fn rank_column(values: impl Iterator<Item = f32>, borders: &[f32]) -> Vec<u8> {
    values
        .map(|value| {
            if value.is_nan() {
                return RANK_MISSING;
            }
            let below = borders.partition_point(|&border| border < value);
            u8::try_from(below + 1).unwrap_or(u8::MAX)
        })
        .collect()
}

/// True when a direction is asked for.
pub(crate) fn is_constrained(monotone: Monotone) -> bool {
    match monotone {
        Monotone::Free => false,
        Monotone::Increasing | Monotone::Decreasing => true,
    }
}

//! The feature matrix as ranks, column by column.

use ndarray::ArrayView2;

use crate::domain::feature::Monotone;
use crate::model::binning::{BORDER_LOWEST, Binning, RANK_MISSING};
use crate::training::binning::find_borders;

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
pub(crate) struct Column<'a> {
    pub(crate) ranks: &'a [u8],
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
        let chunk = n_features.div_ceil(n_threads.max(1)).max(1);
        let mut parts: Vec<(Vec<f32>, Vec<u8>)> = vec![Default::default(); n_features];
        std::thread::scope(|scope| {
            for (position, slots) in parts.chunks_mut(chunk).enumerate() {
                let rank = move |(offset, slot): (usize, &mut (Vec<f32>, Vec<u8>))| {
                    let column = matrix.column(position * chunk + offset);
                    slot.0 = find_borders(column, n_borders_max);
                    slot.1 = rank_column(column.iter().copied(), &slot.0);
                };
                scope.spawn(move || slots.iter_mut().enumerate().for_each(rank));
            }
        });
        let (borders, ranks): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let has_missing = ranks.iter().map(|column| column.contains(&RANK_MISSING)).collect();
        Ok(Self { binning: Binning::new(borders)?, ranks, has_missing })
    }

    /// How many features there are.
    pub fn n_features(&self) -> usize {
        self.ranks.len()
    }

    pub(crate) fn column(&self, feature: u16) -> Column<'_> {
        let feature = usize::from(feature);
        let borders = self.binning.borders(feature);
        Column {
            ranks: &self.ranks[feature],
            n_borders: borders.len(),
            has_missing: self.has_missing[feature],
            splits_missing: borders.first() == Some(&BORDER_LOWEST),
        }
    }

    /// The ranks of one row, in feature order.
    pub(crate) fn ranks_of(&self, row: u32, ranks: &mut Vec<u8>) {
        ranks.clear();
        ranks.extend(self.ranks.iter().map(|column| column[row as usize]));
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

//! Borders: feature values as small ranks, computed once for all heads.
//!
//! A tree only asks "is the value above this border?", so each value is replaced
//! by its rank among the feature's borders. Rank 0 means missing.

use serde::{Deserialize, Serialize};

/// Most borders of one feature: ranks and the missing rank fit a byte.
pub const BORDERS_MAX: usize = 254;

/// The rank of a missing value.
pub const RANK_MISSING: u8 = 0;

/// A border below every finite value: splits missing from known values.
pub const BORDER_LOWEST: f32 = f32::MIN;

/// The borders of every feature, in feature order.
///
/// Invariant: each list is finite, strictly ascending and at most
/// [`BORDERS_MAX`] long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f32>>", into = "Vec<Vec<f32>>")]
pub struct Binning {
    borders: Vec<Vec<f32>>,
}

/// Borders that no ranks can be made from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BinningError {
    /// Too many to rank in a byte.
    #[error("feature {feature} has {n_borders} borders, at most {BORDERS_MAX} fit")]
    TooMany {
        /// Position of the feature.
        feature: usize,
        /// How many were given.
        n_borders: usize,
    },
    /// Not a finite, strictly ascending list.
    #[error("borders of feature {feature} are not finite and strictly ascending")]
    Unordered {
        /// Position of the feature.
        feature: usize,
    },
}

impl Binning {
    /// Checks the borders of every feature, in feature order.
    ///
    /// # Errors
    /// [`BinningError`] for the first feature that breaks the invariant.
    pub fn new(borders: Vec<Vec<f32>>) -> Result<Self, BinningError> {
        for (feature, list) in borders.iter().enumerate() {
            if list.len() > BORDERS_MAX {
                return Err(BinningError::TooMany { feature, n_borders: list.len() });
            }
            let is_ascending = list.windows(2).all(|pair| pair[0] < pair[1]);
            if !is_ascending || !list.iter().all(|border| border.is_finite()) {
                return Err(BinningError::Unordered { feature });
            }
        }
        Ok(Self { borders })
    }

    /// How many features are ranked.
    pub fn n_features(&self) -> usize {
        self.borders.len()
    }

    /// The borders of one feature, ascending; empty beyond the last feature.
    pub fn borders(&self, feature: usize) -> &[f32] {
        self.borders.get(feature).map_or(&[], Vec::as_slice)
    }

    /// One plus the number of borders below `value`; [`RANK_MISSING`] for NaN.
    pub fn rank(&self, feature: usize, value: f32) -> u8 {
        rank_among(self.borders(feature), value)
    }

    /// Fills `ranks` with one rank per feature. A vector that is too short counts as
    /// missing at its end; values beyond the last feature are ignored.
    pub fn ranks_into(&self, values: &[f32], ranks: &mut Vec<u8>) {
        ranks.clear();
        ranks.extend(
            self.borders.iter().zip(values).map(|(borders, &value)| rank_among(borders, value)),
        );
        ranks.resize(self.borders.len(), RANK_MISSING);
    }
}

fn rank_among(borders: &[f32], value: f32) -> u8 {
    if value.is_nan() {
        return RANK_MISSING;
    }
    let below = borders.partition_point(|&border| border < value);
    u8::try_from(below + 1).unwrap_or(u8::MAX)
}

impl TryFrom<Vec<Vec<f32>>> for Binning {
    type Error = BinningError;
    fn try_from(borders: Vec<Vec<f32>>) -> Result<Self, BinningError> {
        Self::new(borders)
    }
}

impl From<Binning> for Vec<Vec<f32>> {
    fn from(binning: Binning) -> Self {
        binning.borders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equal_to_a_border_stays_below_it() {
        let binning = Binning::new(vec![vec![1.0, 2.0]]).unwrap();
        let ranks: Vec<u8> =
            [0.5, 1.0, 1.5, 2.0, 2.5, f32::INFINITY].map(|value| binning.rank(0, value)).into();
        assert_eq!(ranks, [1, 1, 2, 2, 3, 3]);
        assert_eq!(binning.rank(0, f32::NAN), RANK_MISSING);
    }

    #[test]
    fn a_short_vector_counts_as_missing_at_its_end() {
        let binning = Binning::new(vec![vec![1.0], vec![1.0]]).unwrap();
        let mut ranks = vec![9; 5];
        binning.ranks_into(&[2.0], &mut ranks);
        assert_eq!(ranks, [2, RANK_MISSING]);
    }

    #[test]
    fn borders_that_no_byte_can_rank_are_refused() {
        let too_many = (0..=BORDERS_MAX).map(|i| i as f32).collect::<Vec<_>>();
        assert!(Binning::new(vec![too_many[1..].to_vec()]).is_ok());
        assert_eq!(
            Binning::new(vec![vec![], too_many]),
            Err(BinningError::TooMany { feature: 1, n_borders: BORDERS_MAX + 1 })
        );
        for bad in [vec![2.0, 1.0], vec![1.0, 1.0], vec![f32::NAN], vec![f32::INFINITY]] {
            assert_eq!(Binning::new(vec![bad]), Err(BinningError::Unordered { feature: 0 }));
        }
    }
}

//! What the training data has seen: values, their spread, which occur together.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::model::counterfactual::lever::{COST_UNIT, Conflicts};
use crate::model::manifest::Manifest;
use crate::model::parts::{Misfit, Part};

/// Most coarse cells of a feature: a row of pairs fits a word.
pub const CELLS_MAX: usize = 32;

/// A part of a bundle: made from its training rows, in the order of its features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plausibility {
    /// One per feature.
    pub features: Vec<SeenFeature>,
    /// Positions of the features whose pairs are recorded, ascending.
    pub linked: Vec<u16>,
    /// Per pair `a < b` of linked features, by `a` and then `b`: for each coarse cell of `a`
    /// the coarse cells of `b` that occurred with it, one bit each.
    pub pairs: Vec<Vec<u32>>,
}

/// What the training data has seen of one feature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenFeature {
    /// Median absolute deviation of the known values; their mean absolute deviation where
    /// more than half are equal, 1 where all are. In the feature's unit, above 0.
    pub scale: f32,
    /// By rank from 1: an observed value, the median of those in the rank; `None` when
    /// too few rows had one.
    pub values: Vec<Option<f32>>,
    /// By rank from 0 (missing): which coarse cell it is in.
    pub cells: Vec<u8>,
}

impl SeenFeature {
    /// The coarse cell of a rank; ranks above every seen one are in the last.
    pub fn cell(&self, rank: u8) -> u8 {
        self.cells.get(usize::from(rank)).or(self.cells.last()).copied().unwrap_or(0)
    }
}

impl Plausibility {
    /// The ranks of a feature that have an observed value, with it; ascending.
    pub fn values(&self, feature: u16) -> impl Iterator<Item = (u8, f32)> {
        let seen = self.features.get(usize::from(feature));
        let values = seen.map_or(&[][..], |seen| &seen.values);
        (1_u8..).zip(values).filter_map(|(rank, value)| Some((rank, (*value)?)))
    }

    /// The coarse cell of a rank; 0 where the feature is not recorded.
    pub fn cell(&self, feature: u16, rank: u8) -> u8 {
        self.features.get(usize::from(feature)).map_or(0, |seen| seen.cell(rank))
    }

    /// What a change of a feature by `change` costs, in thousandths of its scale.
    pub fn cost(&self, feature: u16, change: f32) -> u32 {
        let scale = self.features.get(usize::from(feature)).map_or(1.0, |seen| seen.scale);
        thousandths(f64::from(change.abs()) / f64::from(scale))
    }

    /// True when rows with both ranks occurred, or when the pair is not recorded.
    pub fn is_seen_together(&self, a: (u16, u8), b: (u16, u8)) -> bool {
        let ((a, rank_a), (b, rank_b)) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        let (Ok(a_idx), Ok(b_idx)) = (self.linked.binary_search(&a), self.linked.binary_search(&b))
        else {
            return true;
        };
        a_idx == b_idx
            || self.is_pair_seen(a_idx, self.cell(a, rank_a), b_idx, self.cell(b, rank_b))
    }

    /// By coarse cell of a feature: which values of an order were never seen with it.
    pub(super) fn conflicts(
        &self,
        feature: u16,
        ranks: &[u8],
        owners: &[Option<u8>],
    ) -> [Conflicts; CELLS_MAX] {
        let mut conflicts = [Conflicts::default(); CELLS_MAX];
        let Ok(moved) = self.linked.binary_search(&feature) else { return conflicts };
        let n_cells = self.cell(feature, u8::MAX) + 1;
        for (other, &feature) in self.linked.iter().enumerate() {
            let present = self.cell(feature, ranks[usize::from(feature)]);
            let unseen = self.unseen_with(moved, (other, present));
            let of_cell = conflicts.iter_mut().zip(0..n_cells);
            for (conflicts, _) in of_cell.filter(|(_, cell)| unseen >> cell & 1 == 1) {
                match owners[usize::from(feature)] {
                    Some(lever) => conflicts.levers |= 1 << lever,
                    None => conflicts.is_fixed = true,
                }
            }
        }
        conflicts
    }

    /// The coarse cells of a linked feature that never occurred with a cell of another, one
    /// bit each.
    fn unseen_with(&self, moved: usize, (other, present): (usize, u8)) -> u32 {
        let rows = |a, b| {
            let rows = self.pairs.get(pair_position(self.linked.len(), a, b));
            rows.map_or(&[][..], Vec::as_slice)
        };
        match moved.cmp(&other) {
            Ordering::Less => {
                let rows = rows(moved, other).iter().take(CELLS_MAX).zip(0..);
                rows.fold(0, |unseen, (row, cell)| unseen | (!row >> present & 1) << cell)
            }
            Ordering::Equal => 0,
            Ordering::Greater => rows(other, moved).get(usize::from(present)).map_or(0, |row| !row),
        }
    }

    /// For positions `a < b` among the linked features.
    fn is_pair_seen(&self, a: usize, cell_a: u8, b: usize, cell_b: u8) -> bool {
        let row = self.pairs.get(pair_position(self.linked.len(), a, b));
        row.and_then(|row| row.get(usize::from(cell_a))).is_none_or(|row| row >> cell_b & 1 == 1)
    }
}

impl Part for Plausibility {
    const NAME: &'static str = "plausibility";

    fn check(&self, manifest: &Manifest) -> Result<(), Misfit> {
        let (found, expected) = (self.features.len(), manifest.features.len());
        if found != expected {
            return Err(Misfit(format!("it has seen {found} features, the bundle has {expected}")));
        }
        let is_sound = |seen: &SeenFeature| {
            0.0 < seen.scale
                && seen.scale.is_finite()
                && seen.cells.iter().all(|cell| usize::from(*cell) < CELLS_MAX)
        };
        if let Some(at) = self.features.iter().position(|seen| !is_sound(seen)) {
            return Err(Misfit(format!("feature {at} has no scale or too many cells")));
        }
        let is_ascending = self.linked.windows(2).all(|pair| pair[0] < pair[1]);
        let is_known = self.linked.last().is_none_or(|last| usize::from(*last) < expected);
        let n = self.linked.len();
        if !is_ascending || !is_known || self.pairs.len() != n * n.saturating_sub(1) / 2 {
            return Err(Misfit(format!("it has {} pairs of {n} features", self.pairs.len())));
        }
        Ok(())
    }
}

/// Where the pair `a < b` of `n` things stands when pairs are listed by `a` and then `b`.
pub fn pair_position(n: usize, a: usize, b: usize) -> usize {
    a * (2 * n - a - 1) / 2 + (b - a - 1)
}

/// At least 1: no change is free.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; a change is not negative"
)]
fn thousandths(scaled: f64) -> u32 {
    ((scaled * COST_UNIT).round() as u32).clamp(1, u32::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_listed_without_gaps() {
        let n = 7;
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        for (position, (a, b)) in pairs.enumerate() {
            assert_eq!(pair_position(n, a, b), position);
        }
    }

    #[test]
    fn a_pair_is_seen_in_either_order_and_when_nothing_is_recorded() {
        let feature =
            |cells: &[u8]| SeenFeature { scale: 1.0, values: Vec::new(), cells: cells.into() };
        let plausibility = Plausibility {
            features: vec![feature(&[0, 1, 1]), feature(&[0, 1]), feature(&[0, 1])],
            linked: vec![0, 2],
            pairs: vec![vec![0b11, 0b10]],
        };
        assert!(plausibility.is_seen_together((0, 2), (2, 1)));
        assert!(plausibility.is_seen_together((2, 1), (0, 2)));
        assert!(!plausibility.is_seen_together((2, 0), (0, 1)));
        assert!(plausibility.is_seen_together((1, 0), (0, 1)));
    }
}

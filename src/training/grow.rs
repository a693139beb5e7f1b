//! Growing one oblivious tree: its splits, then its leaf values.

use crate::domain::feature::Monotone;
use crate::model::ensemble::{MissingSide, Split};
use crate::training::columns::{Columns, is_constrained};
use crate::training::loss::Gradient;
use crate::training::params::ObliviousSettings;
use crate::training::split::{Candidate, FeatureSearch, Leaves, Sums};

/// Sweeps of pairwise pooling before the remaining violations are lifted away.
const POOL_SWEEPS: usize = 8;

/// Buffers that are kept from tree to tree.
#[derive(Debug, Default)]
pub(crate) struct Grower {
    searches: Vec<FeatureSearch>,
}

impl Grower {
    /// The splits of the next tree with their gains; fewer than `depth` when nothing
    /// gains any more. Features are shared out over the threads, sums never are: the
    /// result does not depend on their number.
    pub(crate) fn splits(
        &mut self,
        columns: &Columns,
        monotone: &[Monotone],
        features: &[u16],
        mut leaves: Leaves,
        settings: &ObliviousSettings,
    ) -> Vec<Candidate> {
        self.searches.resize_with(features.len(), FeatureSearch::default);
        for (search, &feature) in self.searches.iter_mut().zip(features) {
            search.feature = feature;
            search.monotone = monotone.get(usize::from(feature)).copied().unwrap_or_default();
        }
        let mut chosen = Vec::new();
        for _ in 0..settings.depth {
            let Some(best) = self.search(columns, &leaves, settings) else { break };
            leaves.divide(best.split, columns.column(best.split.feature).ranks);
            chosen.push(best);
        }
        chosen
    }

    fn search(
        &mut self,
        columns: &Columns,
        leaves: &Leaves,
        settings: &ObliviousSettings,
    ) -> Option<Candidate> {
        let best_of = |searches: &mut [FeatureSearch]| {
            searches.iter_mut().fold(None, |best, search| {
                let column = columns.column(search.feature);
                search.count(column, leaves);
                Candidate::better(best, search.best(column, leaves, settings.l2))
            })
        };
        let n_threads = settings.n_threads.max(1) as usize;
        let chunk = self.searches.len().div_ceil(n_threads).max(1);
        let mut bests = vec![None; n_threads];
        std::thread::scope(|scope| {
            let mut work = self.searches.chunks_mut(chunk).zip(&mut bests);
            let own = work.next();
            for (searches, best) in work {
                scope.spawn(move || *best = best_of(searches));
            }
            if let Some((searches, best)) = own {
                *best = best_of(searches);
            }
        });
        bests.into_iter().fold(None, Candidate::better)
    }
}

/// The leaf number of each of `rows`.
pub(crate) fn leaf_numbers(columns: &Columns, splits: &[Split], rows: &[u32]) -> Vec<u8> {
    let mut leaves = vec![0_u8; rows.len()];
    for (level, &split) in splits.iter().enumerate() {
        let ranks = columns.column(split.feature).ranks;
        for (leaf, &row) in leaves.iter_mut().zip(rows) {
            *leaf |= u8::from(split.is_above(ranks[row as usize])) << level;
        }
    }
    leaves
}

/// The leaf values of a tree, one Newton step of `learning_rate`, directions kept.
#[expect(clippy::cast_possible_truncation, reason = "artifacts hold f32")]
pub(crate) fn leaf_values(
    columns: &Columns,
    monotone: &[Monotone],
    splits: &[Split],
    sums: &[Sums],
    settings: &ObliviousSettings,
) -> Vec<f32> {
    let mut values: Vec<f64> =
        sums.iter().map(|[g, h]| -settings.learning_rate * g / (h + settings.l2)).collect();
    let constrained: Vec<(usize, Monotone)> = splits
        .iter()
        .enumerate()
        .filter(|(_, split)| !is_missing_split(columns, **split))
        .map(|(level, split)| {
            (level, monotone.get(usize::from(split.feature)).copied().unwrap_or_default())
        })
        .filter(|(_, direction)| is_constrained(*direction))
        .collect();
    if !constrained.is_empty() {
        let weights: Vec<f64> = sums.iter().map(|[_, h]| h + settings.l2).collect();
        keep_directions(&mut values, &weights, &constrained);
    }
    values.into_iter().map(|value| value as f32).collect()
}

/// Sums of the derivatives of `rows` by leaf, in row order.
pub(crate) fn leaf_sums(
    n_leaves: usize,
    leaves: &[u8],
    rows: &[u32],
    gradient_of: &[Gradient],
) -> Vec<Sums> {
    let mut sums = vec![[0.0; 2]; n_leaves];
    for (&leaf, &row) in leaves.iter().zip(rows) {
        let [g, h] = gradient_of[row as usize];
        let sum = &mut sums[usize::from(leaf)];
        sum[0] += f64::from(g);
        sum[1] += f64::from(h);
    }
    sums
}

/// A split of missing from known values has no direction.
fn is_missing_split(columns: &Columns, split: Split) -> bool {
    let is_lowest = columns.column(split.feature).splits_missing && split.border == 0;
    match split.missing {
        MissingSide::Below => is_lowest,
        MissingSide::Above => false,
    }
}

/// Pools violating pairs by weight; what is left after some sweeps is lifted to the
/// largest value below it, which keeps every direction exactly.
fn keep_directions(values: &mut [f64], weights: &[f64], levels: &[(usize, Monotone)]) {
    for _ in 0..POOL_SWEEPS {
        for &(level, direction) in levels {
            for_ordered_pairs(values.len(), level, direction, |low, high| {
                if values[high] < values[low] {
                    let weight = weights[low] + weights[high];
                    let pooled =
                        (weights[low] * values[low] + weights[high] * values[high]) / weight;
                    values[low] = pooled;
                    values[high] = pooled;
                }
            });
        }
    }
    for &(level, direction) in levels {
        for_ordered_pairs(values.len(), level, direction, |low, high| {
            values[high] = values[high].max(values[low]);
        });
    }
}

/// Calls `visit(low, high)` for leaves that differ only in `level`: `low` must not have
/// the larger value.
fn for_ordered_pairs(
    n_leaves: usize,
    level: usize,
    direction: Monotone,
    mut visit: impl FnMut(usize, usize),
) {
    for below in (0..n_leaves).filter(|leaf| leaf >> level & 1 == 0) {
        let above = below | 1 << level;
        match direction {
            Monotone::Increasing => visit(below, above),
            Monotone::Decreasing => visit(above, below),
            Monotone::Free => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn projected_leaves_keep_every_direction(
            mut values in prop::collection::vec(-1.0..1.0_f64, 16),
            weights in prop::collection::vec(0.1..9.0_f64, 16),
        ) {
            let levels = [(0, Monotone::Increasing), (2, Monotone::Decreasing), (3, Monotone::Increasing)];
            keep_directions(&mut values, &weights, &levels);
            for (level, direction) in levels {
                for_ordered_pairs(16, level, direction, |low, high| {
                    assert!(values[low] <= values[high]);
                });
            }
        }
    }
}

//! Growing one oblivious tree: its splits, then its leaf values.

use crate::domain::feature::Monotone;
use crate::model::ensemble::{MissingSide, Split};
use crate::training::blocks::Blocks;
use crate::training::columns::{Columns, is_constrained};
use crate::training::derivatives::{Packed, Scales};
use crate::training::leaves::Leaves;
use crate::training::loss::Loss;
use crate::training::params::ObliviousSettings;
use crate::training::rows::{LeafSums, Rows};
use crate::training::sample::{RowSample, generator, subset};
use crate::training::share_out::share_out;
use crate::training::split::{Candidate, GroupSearch, Level};

/// Sweeps of pairwise pooling before the remaining violations are lifted away.
const POOL_SWEEPS: usize = 8;

/// Grows trees one after the other; buffers are kept from tree to tree.
#[derive(Debug)]
pub(crate) struct Grower<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) monotone: &'a [Monotone],
    pub(crate) settings: &'a ObliviousSettings,
    searches: Vec<GroupSearch>,
    leaves: Leaves,
}

impl<'a> Grower<'a> {
    pub(crate) fn new(
        columns: &'a Columns,
        monotone: &'a [Monotone],
        settings: &'a ObliviousSettings,
    ) -> Self {
        let (searches, leaves) = (Vec::new(), Leaves::default());
        Self { columns, monotone, settings, searches, leaves }
    }

    /// The splits of a tree with their gains, for a loss at the rows' scores so far, as the
    /// tree's own sample of rows and features tells them.
    pub(crate) fn splits(
        &mut self,
        rows: &mut Rows,
        features: &[u16],
        loss: Loss,
        tree: u32,
    ) -> Vec<Candidate> {
        let settings = self.settings;
        let scales = Scales::new(rows.differentiate(loss), rows.raw.len());
        let mut rng = generator(settings.seed, tree.into());
        let features = subset(features, settings.feature_share, &mut rng);
        let sample = RowSample::new(settings.row_share, &mut rng);
        let sampled = (0_u32..).zip(&rows.gradients).filter(|(row, _)| sample.has(*row));
        let sampled = sampled.map(|(row, &gradient)| (row, scales.pack(gradient)));
        self.splits_of(&rows.blocks, &features, scales, sampled)
    }

    /// Fewer than `depth` when nothing gains any more. Groups of features are shared out
    /// over the threads; sums are exact, so the result does not depend on their number.
    fn splits_of(
        &mut self,
        blocks: &Blocks,
        features: &[u16],
        scales: Scales,
        sample: impl Iterator<Item = (u32, Packed)>,
    ) -> Vec<Candidate> {
        self.leaves.fill(sample);
        self.start(features);
        let n_threads = self.settings.n_threads as usize;
        let mut chosen: Vec<Candidate> = Vec::new();
        while chosen.len() < self.settings.depth as usize {
            if let Some(last) = chosen.last() {
                self.leaves.divide(last.split, blocks, n_threads);
            }
            let Some(best) = self.search(blocks, scales) else { break };
            chosen.push(best);
        }
        chosen
    }

    /// Hands the tree's features, which ascend, to one search per group.
    fn start(&mut self, features: &[u16]) {
        let direction = |feature: u16| self.monotone.get(usize::from(feature)).copied();
        let directed: Vec<(u16, Monotone)> = features
            .iter()
            .map(|&feature| (feature, direction(feature).unwrap_or_default()))
            .collect();
        let groups =
            directed.chunk_by(|a, b| GroupSearch::group_of(a.0) == GroupSearch::group_of(b.0));
        let groups: Vec<&[(u16, Monotone)]> = groups.collect();
        self.searches.resize_with(groups.len(), GroupSearch::default);
        for (search, group) in self.searches.iter_mut().zip(groups) {
            search.start(group, self.columns);
        }
    }

    fn search(&mut self, blocks: &Blocks, scales: Scales) -> Option<Candidate> {
        let level = Level {
            columns: self.columns,
            blocks,
            leaves: &self.leaves,
            scales,
            penalty: scales.penalty(self.settings.l2),
        };
        let n_threads = self.leaves.n_threads(self.settings.n_threads as usize);
        share_out(n_threads, self.searches.iter_mut(), |search| search.run(level));
        self.searches.iter().fold(None, |best, search| Candidate::better(best, search.best))
    }
}

/// One Newton step per leaf, times the learning rate. A leaf whose rows tell next to
/// nothing keeps still, and no step is longer than its loss can be trusted for.
pub(crate) fn newton_values(sums: &[LeafSums], settings: &ObliviousSettings) -> Vec<f64> {
    let (second_min, step_max) = (settings.loss.leaf_second_min(), settings.loss.step_max());
    let step = |sums: &LeafSums| {
        if sums.second < second_min {
            return 0.0;
        }
        let step = -sums.first / (sums.second + settings.l2);
        settings.learning_rate * step.clamp(-step_max, step_max)
    };
    sums.iter().map(step).collect()
}

/// Moves leaf values to keep every direction; heavier leaves move less.
pub(crate) fn keep_directions(
    columns: &Columns,
    monotone: &[Monotone],
    splits: &[Split],
    weights: &[f64],
    values: &mut [f64],
) {
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
        project(values, weights, &constrained);
    }
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
fn project(values: &mut [f64], weights: &[f64], levels: &[(usize, Monotone)]) {
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
            project(&mut values, &weights, &levels);
            for (level, direction) in levels {
                for_ordered_pairs(16, level, direction, |low, high| {
                    assert!(values[low] <= values[high]);
                });
            }
        }
    }
}

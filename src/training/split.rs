//! Finding the next question of a tree: gains from histograms.
//!
//! All leaves of a level get the same split, so gains add up over the leaves.

use crate::domain::feature::Monotone;
use crate::model::ensemble::{MissingSide, Split};
use crate::training::blocks::{Blocks, LANES};
use crate::training::columns::{Column, Columns, is_constrained};
use crate::training::derivatives::{Packed, Scales};
use crate::training::histogram::Histograms;
use crate::training::leaves::Leaves;

/// Smallest gain that is worth a level, relative to the level's score.
const GAIN_MIN: f64 = 1e-12;

/// A split and what it gains, in the unit of the loss.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) gain: f64,
    pub(crate) split: Split,
}

impl Candidate {
    /// The better of two; the earlier one wins a tie, so threads cannot matter.
    pub(crate) fn better(earlier: Option<Self>, later: Option<Self>) -> Option<Self> {
        match (earlier, later) {
            (Some(a), Some(b)) if a.gain < b.gain => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        }
    }
}

/// What a search looks at besides its own histograms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) blocks: &'a Blocks,
    pub(crate) leaves: &'a Leaves,
    pub(crate) scales: Scales,
    /// L2 penalty in units of `scales`.
    pub(crate) penalty: f64,
}

/// The search among the features of one group of blocks.
#[derive(Debug, Default)]
pub(crate) struct GroupSearch {
    group: usize,
    features: Vec<(u16, Monotone)>,
    histograms: Histograms,
    /// Scores by border: missing below, missing above.
    scores: [Vec<f64>; 2],
    /// The best split at the current level.
    pub(crate) best: Option<Candidate>,
}

impl GroupSearch {
    /// The group of a feature.
    pub(crate) fn group_of(feature: u16) -> usize {
        usize::from(feature) / LANES
    }

    /// Prepares for a tree that may ask for these features of one group, ascending.
    pub(crate) fn start(&mut self, features: &[(u16, Monotone)], columns: &Columns) {
        self.features.clear();
        self.features.extend_from_slice(features);
        self.group = features.first().map_or(0, |&(feature, _)| Self::group_of(feature));
        self.histograms.start(features.iter().map(|&(feature, _)| {
            (usize::from(feature) % LANES, columns.column(feature).n_borders + 2)
        }));
    }

    /// Counts the leaves of a level and finds the best split among its features.
    pub(crate) fn run(&mut self, level: Level<'_>) {
        self.histograms.count(level.blocks.group(self.group), level.leaves);
        self.best = None;
        for position in 0..self.features.len() {
            self.best = Candidate::better(self.best, self.best_of(position, level));
        }
    }

    /// The best split of one feature, if any gains.
    fn best_of(&mut self, position: usize, level: Level<'_>) -> Option<Candidate> {
        let (feature, monotone) = self.features[position];
        let (column, l2) = (level.columns.column(feature), level.penalty);
        for scores in &mut self.scores {
            scores.clear();
            scores.resize(column.n_borders, 0.0);
        }
        let free = |below, above| free_score(below, above, l2);
        match monotone {
            Monotone::Free => self.scan(position, column, level, free),
            Monotone::Increasing => self.scan(position, column, level, |below, above| {
                if value(below, l2) <= value(above, l2) {
                    free_score(below, above, l2)
                } else {
                    pooled(below, above, l2)
                }
            }),
            Monotone::Decreasing => self.scan(position, column, level, |below, above| {
                if value(below, l2) >= value(above, l2) {
                    free_score(below, above, l2)
                } else {
                    pooled(below, above, l2)
                }
            }),
        }
        if is_constrained(monotone) && column.splits_missing && 0 < column.n_borders {
            self.scores[0][0] = self.missing_score(position, level);
        }
        self.pick(position, column, level)
    }

    /// Adds up the scores of every border, missing below and missing above.
    fn scan(
        &mut self,
        position: usize,
        column: Column,
        level: Level<'_>,
        score: impl Fn(Packed, Packed) -> f64,
    ) {
        let [scores_below, scores_above] = &mut self.scores;
        for (bins, &total) in self.histograms.of(position).zip(level.leaves.totals()) {
            if total == Packed::default() {
                continue;
            }
            let mut known = Packed::default();
            for (&bin, with_above) in bins[1..].iter().zip(scores_above.iter_mut()) {
                known.add(bin);
                *with_above += score(known, total.minus(known));
            }
            if !column.has_missing {
                continue;
            }
            let mut below = bins[0];
            for (&bin, with_below) in bins[1..].iter().zip(scores_below.iter_mut()) {
                below.add(bin);
                *with_below += score(below, total.minus(below));
            }
        }
    }

    /// The score of separating missing from known: no direction to keep.
    fn missing_score(&self, position: usize, level: Level<'_>) -> f64 {
        let leaves = self.histograms.of(position).zip(level.leaves.totals());
        leaves
            .map(|(bins, &total)| {
                let mut below = bins[0];
                below.add(bins[1]);
                free_score(below, total.minus(below), level.penalty)
            })
            .sum()
    }

    fn pick(&self, position: usize, column: Column, level: Level<'_>) -> Option<Candidate> {
        let feature = self.features[position].0;
        let totals = level.leaves.totals().iter();
        let before: f64 = totals.map(|&total| score_of(total, level.penalty)).sum();
        let mut best: Option<Candidate> = None;
        let sides = [MissingSide::Below, MissingSide::Above];
        for (missing, scores) in sides.into_iter().zip(&self.scores) {
            for (border, &score) in (0..=u8::MAX).zip(scores) {
                let split = Split { feature, border, missing };
                let candidate = Candidate { gain: score - before, split };
                best = Candidate::better(best, Some(candidate));
            }
        }
        let mut best = best.filter(|best| GAIN_MIN * before.max(1e-300) < best.gain)?;
        best.gain = level.scales.score(best.gain);
        if !column.has_missing {
            best.split.missing = self.heavier_side(position, best.split.border);
        }
        Some(best)
    }

    /// Without missing rows to learn from, a missing value goes with the majority.
    fn heavier_side(&self, position: usize, border: u8) -> MissingSide {
        let (mut below, mut above) = (0.0, 0.0);
        for bins in self.histograms.of(position) {
            let (low, high) = bins.split_at(usize::from(border) + 2);
            below += low.iter().map(|bin| bin.halves().1).sum::<f64>();
            above += high.iter().map(|bin| bin.halves().1).sum::<f64>();
        }
        if below < above { MissingSide::Above } else { MissingSide::Below }
    }
}

/// Twice the loss that the best value of a leaf saves (second-order), in units.
fn score_of(sums: Packed, l2: f64) -> f64 {
    let (first, second) = sums.halves();
    first * first / (second + l2)
}

fn value(sums: Packed, l2: f64) -> f64 {
    let (first, second) = sums.halves();
    -first / (second + l2)
}

/// `score_of(below) + score_of(above)`, with one division instead of two.
#[inline]
fn free_score(below: Packed, above: Packed, l2: f64) -> f64 {
    let ((first_below, below), (first_above, above)) = (below.halves(), above.halves());
    let (below, above) = (below + l2, above + l2);
    let scaled = first_below * first_below * above + first_above * first_above * below;
    scaled / (below * above)
}

/// A pair that would break its direction gets one value.
fn pooled(mut below: Packed, above: Packed, l2: f64) -> f64 {
    below.add(above);
    score_of(below, l2)
}

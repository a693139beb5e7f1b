//! Finding the next question of a tree: histograms and gains.
//!
//! All leaves of a level get the same split, so gains add up over the leaves. A
//! child's histogram is its parent's minus its sibling's; only the smaller sibling
//! is counted from rows.

use crate::domain::feature::Monotone;
use crate::model::ensemble::{MissingSide, Split};
use crate::training::columns::{Column, is_constrained};
use crate::training::loss::Gradient;

/// Smallest gain that is worth a level, relative to the level's score.
const GAIN_MIN: f64 = 1e-12;

/// Sums of both derivatives.
pub(crate) type Sums = [f64; 2];

/// Rows of a tree's sample, grouped by the leaf they are in so far.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    rows: Vec<u32>,
    gradients: Vec<Gradient>,
    /// Leaf k holds positions `starts[k]..starts[k + 1]`.
    starts: Vec<usize>,
    totals: Vec<Sums>,
}

impl Leaves {
    /// One leaf with all rows.
    pub(crate) fn new(rows: Vec<u32>, gradient_of: &[Gradient]) -> Self {
        let gradients: Vec<Gradient> = rows.iter().map(|&row| gradient_of[row as usize]).collect();
        let starts = vec![0, rows.len()];
        let totals = vec![sum(&gradients)];
        Self { rows, gradients, starts, totals }
    }

    pub(crate) fn n_leaves(&self) -> usize {
        self.totals.len()
    }

    /// Splits every leaf k into leaves 2k (below) and 2k + 1 (above); rows keep order.
    pub(crate) fn divide(&mut self, split: Split, ranks: &[u8]) {
        let mut next = Self {
            rows: Vec::with_capacity(self.rows.len()),
            gradients: Vec::with_capacity(self.rows.len()),
            starts: vec![0],
            totals: Vec::with_capacity(2 * self.n_leaves()),
        };
        let (mut rows_above, mut gradients_above) = (Vec::new(), Vec::new());
        for leaf in 0..self.n_leaves() {
            let (rows, gradients) = self.leaf(leaf);
            for (&row, &gradient) in rows.iter().zip(gradients) {
                if split.is_above(ranks[row as usize]) {
                    rows_above.push(row);
                    gradients_above.push(gradient);
                } else {
                    next.rows.push(row);
                    next.gradients.push(gradient);
                }
            }
            next.close_leaf();
            next.rows.append(&mut rows_above);
            next.gradients.append(&mut gradients_above);
            next.close_leaf();
        }
        *self = next;
    }

    fn leaf(&self, leaf: usize) -> (&[u32], &[Gradient]) {
        let range = self.starts[leaf]..self.starts[leaf + 1];
        (&self.rows[range.clone()], &self.gradients[range])
    }

    fn close_leaf(&mut self) {
        let start = self.starts.last().copied().unwrap_or(0);
        self.totals.push(sum(&self.gradients[start..]));
        self.starts.push(self.rows.len());
    }
}

fn sum(gradients: &[Gradient]) -> Sums {
    let mut total = [0.0; 2];
    for gradient in gradients {
        total[0] += f64::from(gradient[0]);
        total[1] += f64::from(gradient[1]);
    }
    total
}

/// A split and what it gains.
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

/// The histograms of one feature at the current level.
#[derive(Debug, Default)]
pub(crate) struct FeatureSearch {
    pub(crate) feature: u16,
    pub(crate) monotone: Monotone,
    /// `[leaf][rank]`.
    histogram: Vec<Sums>,
    parents: Vec<Sums>,
    scores: [Vec<f64>; 2],
}

impl FeatureSearch {
    /// Counts the current leaves; call once per level, from the root down.
    pub(crate) fn count(&mut self, column: Column<'_>, leaves: &Leaves) {
        let n_bins = column.n_borders + 2;
        std::mem::swap(&mut self.histogram, &mut self.parents);
        self.histogram.clear();
        self.histogram.resize(leaves.n_leaves() * n_bins, [0.0; 2]);
        if leaves.n_leaves() == 1 {
            fill(&mut self.histogram, column.ranks, leaves.leaf(0));
            return;
        }
        let pairs = self.histogram.chunks_exact_mut(2 * n_bins);
        for (parent, (pair, sums)) in pairs.zip(self.parents.chunks_exact(n_bins)).enumerate() {
            let (below, above) = pair.split_at_mut(n_bins);
            let (rows_below, rows_above) = (leaves.leaf(2 * parent), leaves.leaf(2 * parent + 1));
            if rows_below.0.len() <= rows_above.0.len() {
                fill(below, column.ranks, rows_below);
                subtract(above, sums, below);
            } else {
                fill(above, column.ranks, rows_above);
                subtract(below, sums, above);
            }
        }
    }

    /// The best split of this feature, if any gains.
    pub(crate) fn best(
        &mut self,
        column: Column<'_>,
        leaves: &Leaves,
        l2: f64,
    ) -> Option<Candidate> {
        let n_borders = column.n_borders;
        for scores in &mut self.scores {
            scores.clear();
            scores.resize(n_borders, 0.0);
        }
        match self.monotone {
            Monotone::Free => self.scan(column, leaves, |b, a| free_score(b, a, l2)),
            Monotone::Increasing => self.scan(column, leaves, |b, a| {
                if value(b, l2) <= value(a, l2) { free_score(b, a, l2) } else { pooled(b, a, l2) }
            }),
            Monotone::Decreasing => self.scan(column, leaves, |b, a| {
                if value(b, l2) >= value(a, l2) { free_score(b, a, l2) } else { pooled(b, a, l2) }
            }),
        }
        if is_constrained(self.monotone) && column.splits_missing && 0 < n_borders {
            self.scores[0][0] = self.missing_score(n_borders + 2, leaves, l2);
        }
        self.pick(column, leaves, l2)
    }

    /// Adds up the scores of every border, missing below and missing above.
    fn scan(&mut self, column: Column<'_>, leaves: &Leaves, score: impl Fn(Sums, Sums) -> f64) {
        let n_bins = column.n_borders + 2;
        let [scores_below, scores_above] = &mut self.scores;
        for (bins, &total) in self.histogram.chunks_exact(n_bins).zip(&leaves.totals) {
            let missing = bins[0];
            let mut known = [0.0; 2];
            let scores = scores_below.iter_mut().zip(scores_above.iter_mut());
            for (bin, (with_below, with_above)) in bins[1..].iter().zip(scores) {
                known = add(known, *bin);
                *with_above += score(known, minus(total, known));
                if column.has_missing {
                    let below = add(known, missing);
                    *with_below += score(below, minus(total, below));
                }
            }
        }
    }

    /// The score of separating missing from known: no direction to keep.
    fn missing_score(&self, n_bins: usize, leaves: &Leaves, l2: f64) -> f64 {
        let leaves = self.histogram.chunks_exact(n_bins).zip(&leaves.totals);
        leaves
            .map(|(bins, &total)| {
                let below = add(bins[0], bins[1]);
                free_score(below, minus(total, below), l2)
            })
            .sum()
    }

    fn pick(&self, column: Column<'_>, leaves: &Leaves, l2: f64) -> Option<Candidate> {
        let before: f64 = leaves.totals.iter().map(|&total| score_of(total, l2)).sum();
        let mut best: Option<Candidate> = None;
        let sides = [MissingSide::Below, MissingSide::Above];
        for (missing, scores) in sides.into_iter().zip(&self.scores) {
            for (border, &score) in (0..=u8::MAX).zip(scores) {
                let split = Split { feature: self.feature, border, missing };
                let candidate = Candidate { gain: score - before, split };
                best = Candidate::better(best, Some(candidate));
            }
        }
        let mut best = best.filter(|best| GAIN_MIN * before.max(1e-300) < best.gain)?;
        if !column.has_missing {
            best.split.missing = self.heavier_side(column.n_borders + 2, best.split.border);
        }
        Some(best)
    }

    /// Without missing rows to learn from, a missing value goes with the majority.
    fn heavier_side(&self, n_bins: usize, border: u8) -> MissingSide {
        let (mut below, mut above) = (0.0, 0.0);
        for bins in self.histogram.chunks_exact(n_bins) {
            let (low, high) = bins.split_at(usize::from(border) + 2);
            below += low.iter().map(|bin| bin[1]).sum::<f64>();
            above += high.iter().map(|bin| bin[1]).sum::<f64>();
        }
        if below < above { MissingSide::Above } else { MissingSide::Below }
    }
}

fn fill(bins: &mut [Sums], ranks: &[u8], (rows, gradients): (&[u32], &[Gradient])) {
    for (&row, gradient) in rows.iter().zip(gradients) {
        let bin = &mut bins[usize::from(ranks[row as usize])];
        bin[0] += f64::from(gradient[0]);
        bin[1] += f64::from(gradient[1]);
    }
}

fn subtract(out: &mut [Sums], from: &[Sums], part: &[Sums]) {
    for ((out, from), part) in out.iter_mut().zip(from).zip(part) {
        *out = minus(*from, *part);
    }
}

fn add(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1]]
}

fn minus(a: Sums, b: Sums) -> Sums {
    [a[0] - b[0], a[1] - b[1]]
}

/// Twice the loss that the best value of a leaf saves (second-order).
fn score_of([g, h]: Sums, l2: f64) -> f64 {
    g * g / (h.max(0.0) + l2)
}

fn value([g, h]: Sums, l2: f64) -> f64 {
    -g / (h.max(0.0) + l2)
}

fn free_score(below: Sums, above: Sums, l2: f64) -> f64 {
    score_of(below, l2) + score_of(above, l2)
}

/// A pair that would break its direction gets one value.
fn pooled(below: Sums, above: Sums, l2: f64) -> f64 {
    score_of(add(below, above), l2)
}

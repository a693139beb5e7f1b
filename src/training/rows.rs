//! Rows of a fit with their scores: what a tree adds, what is left to learn.
//!
//! Work goes in chunks of a fixed number of rows. Sums are taken per chunk and then
//! in chunk order, so they do not depend on the number of threads.

use std::sync::Arc;

use crate::model::ensemble::Split;
use crate::training::blocks::Blocks;
use crate::training::derivatives::Magnitude;
use crate::training::loss::{Gradient, Loss, weighted_quantile};
use crate::training::share_out::share_out;

/// Rows of a chunk.
const CHUNK: usize = 4_096;

/// Sums over the rows of a leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LeafSums {
    /// First derivatives.
    pub(crate) first: f64,
    /// Second derivatives.
    pub(crate) second: f64,
    /// Weights.
    pub(crate) cover: f64,
}

impl LeafSums {
    fn join(&mut self, other: Self) {
        self.first += other.first;
        self.second += other.second;
        self.cover += other.cover;
    }
}

/// Some rows of a matrix, numbered from 0, with their raw scores.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) targets: Vec<f32>,
    pub(crate) weights: Vec<f32>,
    /// Raw scores so far.
    pub(crate) raw: Vec<f64>,
    /// Derivatives of the loss at `raw`.
    pub(crate) gradients: Vec<Gradient>,
    /// Leaf numbers of the newest tree.
    pub(crate) leaf_of: Vec<u8>,
    n_threads: usize,
}

impl Rows {
    /// Rows that all have the same score.
    pub(crate) fn new(
        blocks: Arc<Blocks>,
        (targets, weights): (Vec<f32>, Vec<f32>),
        bias: f64,
        n_threads: usize,
    ) -> Self {
        let n_rows = blocks.n_rows();
        let n_threads = if n_rows < 2 * CHUNK { 1 } else { n_threads };
        Self {
            blocks,
            targets,
            weights,
            raw: vec![bias; n_rows],
            gradients: vec![[0.0; 2]; n_rows],
            leaf_of: vec![0; n_rows],
            n_threads,
        }
    }

    /// Takes the derivatives of the loss at the scores so far.
    pub(crate) fn differentiate(&mut self, loss: Loss) -> Magnitude {
        let mut magnitudes = vec![Magnitude::default(); self.n_chunks()];
        let rows = self.raw.chunks(CHUNK).zip(self.targets.chunks(CHUNK));
        let rows = rows.zip(self.weights.chunks(CHUNK));
        let tasks = self.gradients.chunks_mut(CHUNK).zip(rows).zip(&mut magnitudes);
        share_out(self.n_threads, tasks, |((gradients, ((raw, targets), weights)), magnitude)| {
            let rows = raw.iter().zip(targets).zip(weights);
            for (gradient, ((&raw, &target), &weight)) in gradients.iter_mut().zip(rows) {
                *gradient = loss.gradient(raw, target.into(), weight.into());
                magnitude.add(*gradient);
            }
        });
        let mut total = Magnitude::default();
        for magnitude in magnitudes {
            total.join(magnitude);
        }
        total
    }

    /// Finds the leaf of every row.
    pub(crate) fn find_leaves(&mut self, splits: &[Split]) {
        let blocks = &self.blocks;
        let tasks = self.leaf_of.chunks_mut(CHUNK).enumerate();
        share_out(self.n_threads, tasks, |(chunk, leaf_of)| {
            blocks.leaf_numbers(splits, chunk * CHUNK, leaf_of);
        });
    }

    /// Sums by leaf; call after [`Rows::find_leaves`].
    pub(crate) fn sums(&self, n_leaves: usize) -> Vec<LeafSums> {
        let mut parts = vec![vec![LeafSums::default(); n_leaves]; self.n_chunks()];
        let rows = self.gradients.chunks(CHUNK).zip(self.weights.chunks(CHUNK));
        let tasks = parts.iter_mut().zip(self.leaf_of.chunks(CHUNK)).zip(rows);
        share_out(self.n_threads, tasks, |((sums, leaf_of), (gradients, weights))| {
            let rows = gradients.iter().zip(weights);
            for (&leaf, (&[first, second], &weight)) in leaf_of.iter().zip(rows) {
                let sums = &mut sums[usize::from(leaf)];
                sums.first += f64::from(first);
                sums.second += f64::from(second);
                sums.cover += f64::from(weight);
            }
        });
        let mut total = vec![LeafSums::default(); n_leaves];
        for part in &parts {
            total.iter_mut().zip(part).for_each(|(total, part)| total.join(*part));
        }
        total
    }

    /// The quantile of what the scores miss, by leaf: the exact step of the pinball loss.
    pub(crate) fn residual_quantiles(&self, level: f64, n_leaves: usize) -> Vec<f64> {
        let mut by_leaf: Vec<Vec<(f64, f32)>> = vec![Vec::new(); n_leaves];
        let rows = self.raw.iter().zip(&self.targets).zip(&self.weights);
        for (&leaf, ((raw, &target), &weight)) in self.leaf_of.iter().zip(rows) {
            by_leaf[usize::from(leaf)].push((f64::from(target) - raw, weight));
        }
        let mut quantiles = vec![0.0; n_leaves];
        let tasks = quantiles.iter_mut().zip(&mut by_leaf);
        share_out(self.n_threads, tasks, |(out, rows)| *out = weighted_quantile(rows, level));
        quantiles
    }

    /// Adds the values of the newest tree's leaves.
    pub(crate) fn add(&mut self, values: &[f64]) {
        let tasks = self.raw.chunks_mut(CHUNK).zip(self.leaf_of.chunks(CHUNK));
        share_out(self.n_threads, tasks, |(raw, leaf_of)| {
            for (raw, &leaf) in raw.iter_mut().zip(leaf_of) {
                *raw += values[usize::from(leaf)];
            }
        });
    }

    /// Mean loss at the scores so far; `None` when no row has weight.
    pub(crate) fn loss(&self, loss: Loss) -> Option<f64> {
        let mut parts = vec![[0.0_f64; 2]; self.n_chunks()];
        let rows = self.raw.chunks(CHUNK).zip(self.targets.chunks(CHUNK));
        let tasks = parts.iter_mut().zip(rows.zip(self.weights.chunks(CHUNK)));
        share_out(self.n_threads, tasks, |(part, ((raw, targets), weights))| {
            for ((&raw, &target), &weight) in raw.iter().zip(targets).zip(weights) {
                part[0] += f64::from(weight) * loss.value(raw, target.into());
                part[1] += f64::from(weight);
            }
        });
        let total = parts.iter().fold([0.0, 0.0], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
        (0.0 < total[1]).then(|| total[0] / total[1])
    }

    fn n_chunks(&self) -> usize {
        self.raw.len().div_ceil(CHUNK)
    }
}

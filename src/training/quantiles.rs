//! Several quantiles of one target at once.
//!
//! All quantiles share their questions: every tree is grown for one of them, in turn,
//! and gets leaves for each. That costs little more than a single quantile, and orders
//! that differ for one differ for all. Each leaf's step is exact: the quantile of what
//! the scores miss there (Koenker and Bassett 1978). Added up, neighboring quantiles may
//! still cross; whoever reads them puts them in order, which brings each closer to the
//! truth (Chernozhukov, Fernandez-Val, Galichon 2010).

use std::sync::Arc;

use crate::model::ensemble::{Ensemble, Split, Tree};
use crate::training::blocks::Blocks;
use crate::training::boost::{Problem, gather};
use crate::training::error::FitError;
use crate::training::grow::Grower;
use crate::training::loss::Loss;
use crate::training::params::ObliviousValidParams;
use crate::training::rows::Rows;

/// Fits one ensemble per level, all with the same questions; with stop rows, as many
/// trees as served those best over all levels together. No direction is kept: a quantile
/// of money or minutes may move either way.
///
/// # Errors
/// [`FitError::NoRows`] without fit rows, [`FitError::Tree`] when the fit diverges.
pub fn boost_quantiles<const N: usize>(
    problem: &Problem<'_>,
    params: &ObliviousValidParams,
    levels: [f64; N],
) -> Result<[Ensemble; N], FitError> {
    let settings = params.settings();
    let mut run = Run::new(problem, params, levels)?;
    let (mut n_best, mut least) = (0, run.stop_loss().unwrap_or(f64::INFINITY));
    for tree in 0..settings.n_trees_max {
        if !run.grow_tree(tree)? {
            break;
        }
        let n_trees = run.trees[0].len();
        match run.stop_loss() {
            None => n_best = n_trees,
            Some(loss) if loss < least => (n_best, least) = (n_trees, loss),
            Some(_) if n_best + settings.patience as usize <= n_trees => break,
            Some(_) => {}
        }
    }
    let mut trees = run.trees.into_iter();
    Ok(run.biases.map(|bias| {
        let mut trees = trees.next().unwrap_or_default();
        trees.truncate(n_best);
        Ensemble::new(bias, trees)
    }))
}

struct Run<'a, const N: usize> {
    problem: &'a Problem<'a>,
    params: &'a ObliviousValidParams,
    losses: [Loss; N],
    biases: [f64; N],
    grower: Grower<'a>,
    /// By level: the same rows with the scores of that level.
    fit: Vec<Rows>,
    stop: Vec<Rows>,
    trees: Vec<Vec<Tree>>,
}

impl<'a, const N: usize> Run<'a, N> {
    fn new(
        problem: &'a Problem<'a>,
        params: &'a ObliviousValidParams,
        levels: [f64; N],
    ) -> Result<Self, FitError> {
        let losses = levels.map(|level| Loss::Quantile { level });
        let (targets, weights) = gather(problem, problem.fit_rows);
        let mut biases = [0.0; N];
        for (bias, loss) in biases.iter_mut().zip(losses) {
            *bias = loss.start(&targets, &weights).ok_or(FitError::NoRows)?;
        }
        let n_threads = params.settings().n_threads as usize;
        let rows = |rows: &[u32]| -> Vec<Rows> {
            let blocks = Arc::new(Blocks::new(problem.columns, rows, n_threads));
            let of_level = |bias| Rows::new(blocks.clone(), gather(problem, rows), bias, n_threads);
            biases.into_iter().map(of_level).collect()
        };
        Ok(Self {
            problem,
            params,
            losses,
            biases,
            grower: Grower::new(problem.columns, &[], params.settings()),
            fit: rows(problem.fit_rows),
            stop: rows(problem.stop_rows),
            trees: vec![Vec::new(); N],
        })
    }

    /// Adds a tree to every level; false when no split gains anything for any of them.
    fn grow_tree(&mut self, tree: u32) -> Result<bool, FitError> {
        // When there is nothing to gain for the level whose turn it is, another may go on.
        for turn in 0..N {
            let level = (tree as usize + turn) % N;
            let splits = self.splits(tree, level);
            if !splits.is_empty() {
                self.add(&splits)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The questions of a tree that is grown for one level.
    fn splits(&mut self, tree: u32, level: usize) -> Vec<Split> {
        let (features, loss) = (self.problem.features, self.losses[level]);
        let chosen = self.grower.splits(&mut self.fit[level], features, loss, tree);
        chosen.iter().map(|best| best.split).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "artifacts hold f32")]
    fn add(&mut self, splits: &[Split]) -> Result<(), FitError> {
        let rate = self.params.settings().learning_rate;
        for (level, trees) in self.trees.iter_mut().enumerate() {
            let Loss::Quantile { level: share } = self.losses[level] else { continue };
            let (fit, stop) = (&mut self.fit[level], &mut self.stop[level]);
            fit.find_leaves(splits);
            let steps = fit.residual_quantiles(share, 1 << splits.len());
            let values: Vec<f32> = steps.iter().map(|step| (rate * step) as f32).collect();
            let sums = fit.sums(values.len());
            let covers: Vec<f32> = sums.iter().map(|sums| sums.cover as f32).collect();
            let tree = Tree::new(splits.to_vec(), &values, &covers)?;
            fit.add(tree.leaves());
            stop.find_leaves(splits);
            stop.add(tree.leaves());
            trees.push(tree);
        }
        Ok(())
    }

    /// Mean loss on the stop rows, over all levels; `None` without such rows.
    fn stop_loss(&self) -> Option<f64> {
        self.stop.iter().zip(self.losses).map(|(stop, loss)| stop.loss(loss)).sum()
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use ndarray::Array2;
    use rand::Rng;

    use super::*;
    use crate::training::columns::Columns;
    use crate::training::params::{ObliviousParams, ObliviousSettings};
    use crate::training::sample::generator;

    #[test]
    fn each_quantile_has_its_share_of_the_targets_below_it_everywhere() {
        let n_rows = 12_000;
        let mut rng = generator(5, 0);
        let matrix = Array2::from_shape_fn((n_rows, 2), |_| rng.r#gen::<f32>());
        // Spread grows with x0, place with x1.
        let target = |row: usize, noise: f32| matrix[[row, 1]] + 4.0 * matrix[[row, 0]] * noise;
        let targets: Vec<f32> = (0..n_rows).map(|row| target(row, rng.r#gen())).collect();
        let columns = Columns::new(matrix.view(), 63, 2).unwrap();
        let rows: Vec<u32> = (0..12_000).collect();
        let (fit_rows, rest) = rows.split_at(6_000);
        let (stop_rows, test_rows) = rest.split_at(2_000);
        let problem = Problem {
            columns: &columns,
            features: &[0, 1],
            monotone: &[],
            targets: &targets,
            weights: &vec![1.0; n_rows],
            fit_rows,
            stop_rows,
        };
        let settings = ObliviousSettings { feature_share: 1.0, depth: 4, ..Default::default() };
        let fit = |n_threads| {
            let settings = ObliviousSettings { n_threads, ..settings.clone() };
            let params = ObliviousParams::new(settings).check().unwrap();
            boost_quantiles(&problem, &params, [0.05, 0.5, 0.95])
        };
        let ensembles = fit(2).unwrap();
        assert_eq!(ensembles, fit(1).unwrap());
        for (ensemble, level) in ensembles.iter().zip([0.05, 0.5, 0.95]) {
            for half in [0.0, 0.5] {
                let of_half = |row: &&u32| (matrix[[**row as usize, 0]] < 0.5) == (half < 0.5);
                let part: Vec<u32> = test_rows.iter().filter(of_half).copied().collect();
                let is_below = |row: &&u32| {
                    let ranks: Vec<u8> =
                        (0..2).map(|feature| columns.ranks(feature)[**row as usize]).collect();
                    f64::from(targets[**row as usize]) <= ensemble.raw(&ranks)
                };
                let share = part.iter().filter(is_below).count() as f64 / part.len() as f64;
                assert!((share - level).abs() < 0.04, "{share} of {level} from {half} on");
            }
        }
    }
}

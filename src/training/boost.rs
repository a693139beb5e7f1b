//! Boosting: one oblivious tree after the other, until later rows stop gaining.

use std::sync::Arc;

use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::Fit;
use ndarray::{ArrayBase, Data, Ix2};

use crate::domain::feature::Monotone;
use crate::model::ensemble::{Ensemble, RankedEnsemble, Split, Tree};
use crate::training::blocks::Blocks;
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::grow::{Grower, keep_directions, newton_values};
use crate::training::loss::Loss;
use crate::training::params::{ObliviousSettings, ObliviousValidParams};
use crate::training::rows::{LeafSums, Rows};
use crate::training::sample::share_of;

/// What boosting learns from; rows and targets are numbered like the matrix.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// The ranked matrix.
    pub columns: &'a Columns,
    /// Features that trees may use.
    pub features: &'a [u16],
    /// Direction of every column; missing entries are free.
    pub monotone: &'a [Monotone],
    /// One per matrix row.
    pub targets: &'a [f32],
    /// One per matrix row.
    pub weights: &'a [f32],
    /// Rows that grow the trees.
    pub fit_rows: &'a [u32],
    /// Later rows that decide when to stop; may be empty.
    pub stop_rows: &'a [u32],
}

/// What boosting made.
#[derive(Clone, Debug)]
pub struct Boosted {
    /// The trees up to the best iteration.
    pub ensemble: Ensemble,
    /// Mean loss on the stop rows at the best iteration; `None` without such rows.
    pub stop_loss: Option<f64>,
    /// Sum of split gains per column over the kept trees.
    pub gains: Vec<f64>,
}

/// One finished tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeDone {
    /// How many trees there are now.
    pub n_trees: u32,
    /// Most trees there can be.
    pub n_trees_max: u32,
    /// Mean loss on the stop rows, if there are any.
    pub stop_loss: Option<f64>,
}

/// Grows trees until the stop rows have not gained for `patience` trees.
///
/// # Errors
/// [`FitError::NoRows`] without fit rows, [`FitError::Tree`] when the fit diverges.
pub fn boost(
    problem: &Problem<'_>,
    params: &ObliviousValidParams,
    on_tree: &mut dyn FnMut(TreeDone),
) -> Result<Boosted, FitError> {
    let settings = params.settings();
    let mut run = Run::new(problem, settings)?;
    let mut best = Best { n_trees: 0, loss: f64::INFINITY };
    if let Some(loss) = run.stop.loss(settings.loss) {
        best.loss = loss;
    }
    for tree in 0..settings.n_trees_max {
        if !run.grow_tree(tree)? {
            break;
        }
        let stop_loss = run.stop.loss(settings.loss);
        let n_trees = tree + 1;
        on_tree(TreeDone { n_trees, n_trees_max: settings.n_trees_max, stop_loss });
        let Some(loss) = stop_loss else {
            best.n_trees = n_trees as usize;
            continue;
        };
        if loss < best.loss {
            best.n_trees = n_trees as usize;
            best.loss = loss;
        } else if best.n_trees + settings.patience as usize <= n_trees as usize {
            break;
        }
    }
    Ok(run.finish(best))
}

/// The iteration with the smallest loss on the stop rows.
#[derive(Clone, Copy)]
struct Best {
    n_trees: usize,
    loss: f64,
}

struct Run<'a> {
    problem: &'a Problem<'a>,
    settings: &'a ObliviousSettings,
    grower: Grower<'a>,
    bias: f64,
    trees: Vec<Tree>,
    /// Gains of each tree: column and gain.
    gains: Vec<Vec<(u16, f64)>>,
    fit: Rows,
    stop: Rows,
}

impl<'a> Run<'a> {
    fn new(problem: &'a Problem<'a>, settings: &'a ObliviousSettings) -> Result<Self, FitError> {
        let (targets, weights) = gather(problem, problem.fit_rows);
        let Some(bias) = settings.loss.start(&targets, &weights) else {
            return Err(FitError::NoRows);
        };
        let n_threads = settings.n_threads as usize;
        let blocks = |rows| Arc::new(Blocks::new(problem.columns, rows, n_threads));
        let fit = Rows::new(blocks(problem.fit_rows), (targets, weights), bias, n_threads);
        let stop_data = gather(problem, problem.stop_rows);
        let stop = Rows::new(blocks(problem.stop_rows), stop_data, bias, n_threads);
        Ok(Self {
            problem,
            settings,
            grower: Grower::new(problem.columns, problem.monotone, settings),
            bias,
            trees: Vec::new(),
            gains: Vec::new(),
            fit,
            stop,
        })
    }

    /// Adds a tree; false when no split gains anything.
    fn grow_tree(&mut self, tree: u32) -> Result<bool, FitError> {
        let (features, loss) = (self.problem.features, self.settings.loss);
        let chosen = self.grower.splits(&mut self.fit, features, loss, tree);
        if chosen.is_empty() {
            return Ok(false);
        }
        self.gains.push(chosen.iter().map(|best| (best.split.feature, best.gain)).collect());
        let splits: Vec<Split> = chosen.iter().map(|best| best.split).collect();
        self.fit.find_leaves(&splits);
        let sums = self.fit.sums(1 << splits.len());
        let tree = self.tree(splits, &sums)?;
        self.fit.add(tree.leaves());
        self.stop.find_leaves(tree.splits());
        self.stop.add(tree.leaves());
        self.trees.push(tree);
        Ok(true)
    }

    #[expect(clippy::cast_possible_truncation, reason = "artifacts hold f32")]
    fn tree(&self, splits: Vec<Split>, sums: &[LeafSums]) -> Result<Tree, FitError> {
        let (columns, monotone) = (self.problem.columns, self.problem.monotone);
        let mut values = match self.settings.loss {
            Loss::Quantile { level } => {
                let rate = self.settings.learning_rate;
                let steps = self.fit.residual_quantiles(level, sums.len()).into_iter();
                steps.map(|step| rate * step).collect()
            }
            Loss::Logistic | Loss::Squared | Loss::Poisson | Loss::Tweedie { .. } => {
                newton_values(sums, self.settings)
            }
        };
        let weights: Vec<f64> = sums.iter().map(|sums| sums.second + self.settings.l2).collect();
        keep_directions(columns, monotone, &splits, &weights, &mut values);
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        let covers: Vec<f32> = sums.iter().map(|sums| sums.cover as f32).collect();
        Ok(Tree::new(splits, &values, &covers)?)
    }

    fn finish(mut self, best: Best) -> Boosted {
        self.trees.truncate(best.n_trees);
        let mut gains = vec![0.0; self.problem.columns.n_features()];
        for &(feature, gain) in self.gains.iter().take(best.n_trees).flatten() {
            gains[usize::from(feature)] += gain;
        }
        let stop_loss = Some(best.loss).filter(|loss| loss.is_finite());
        let ensemble = Ensemble::new(self.bias, self.trees);
        Boosted { ensemble, stop_loss, gains }
    }
}

/// Targets and weights of some rows.
pub(crate) fn gather(problem: &Problem<'_>, rows: &[u32]) -> (Vec<f32>, Vec<f32>) {
    let of = |values: &[f32]| rows.iter().map(|&row| values[row as usize]).collect();
    (of(problem.targets), of(problem.weights))
}

/// Rows are taken to be in time order: the last `stop_share` decide when to stop.
impl<D, T> Fit<ArrayBase<D, Ix2>, T, FitError> for ObliviousValidParams
where
    D: Data<Elem = f32>,
    T: AsSingleTargets<Elem = f32>,
{
    type Object = RankedEnsemble;

    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<RankedEnsemble, FitError> {
        let settings = self.settings();
        let (matrix, n_threads) = (dataset.records(), settings.n_threads as usize);
        let n_rows =
            u32::try_from(matrix.nrows()).map_err(|_| FitError::TooManyRows(matrix.nrows()))?;
        if usize::from(u16::MAX) < matrix.ncols() {
            return Err(FitError::TooManyFeatures(matrix.ncols()));
        }
        let columns = Columns::new(matrix.view(), settings.n_borders_max as usize, n_threads)?;
        let targets = dataset.targets().as_single_targets().to_vec();
        let weights = dataset.weights().map_or_else(|| vec![1.0; targets.len()], <[f32]>::to_vec);
        let rows: Vec<u32> = (0..n_rows).collect();
        let n_stop = share_of(rows.len(), settings.stop_share);
        let (fit_rows, stop_rows) = rows.split_at(rows.len() - n_stop);
        let problem = Problem {
            columns: &columns,
            features: &columns.varying(),
            monotone: &[],
            targets: &targets,
            weights: &weights,
            fit_rows,
            stop_rows,
        };
        let ensemble = boost(&problem, self, &mut |_| {})?.ensemble;
        Ok(RankedEnsemble { binning: columns.binning, ensemble })
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use linfa::dataset::Dataset;
    use ndarray::{Array1, Array2};
    use rand::Rng;

    use super::*;
    use crate::training::params::ObliviousParams;
    use crate::training::sample::generator;

    const ROWS: u16 = 4_000;

    /// Trees of targets that are often 0 and rise with the only feature, beside one far off
    /// that outweighs all others: its first step alone, unbounded, would be 4,000.
    fn fitted_means(loss: Loss) -> Vec<(f32, f64)> {
        let mut rng = generator(5, 0);
        let mut features: Array1<f32> = (0..ROWS).map(|_| rng.gen_range(0.0..1.0)).collect();
        let mut targets = features.mapv(|x| if rng.r#gen::<f32>() < x { 8.0 * x } else { 0.0 });
        (features[0], targets[0]) = (2.0, 1e6);
        let settings = ObliviousSettings { loss, stop_share: 0.0, ..Default::default() };
        let records = features.clone().insert_axis(ndarray::Axis(1));
        let dataset = Dataset::new(records, targets);
        let model = ObliviousParams::new(settings).check().unwrap().fit(&dataset).unwrap();
        let records: Array2<f32> = features.clone().insert_axis(ndarray::Axis(1));
        let raw: Array1<f64> = linfa::traits::Predict::predict(&model, &records);
        features.into_iter().zip(raw.map(|raw| loss.value_map().apply(*raw))).collect()
    }

    /// Median of what is predicted for rows of a range.
    fn middle(rows: &[(f32, f64)], range: std::ops::Range<f32>) -> f64 {
        let within = rows.iter().filter(|(x, _)| range.contains(x));
        let mut means: Vec<f64> = within.map(|(_, mean)| *mean).collect();
        means.sort_by(f64::total_cmp);
        means[means.len() / 2]
    }

    #[test]
    fn losses_on_a_logarithm_stay_near_the_mean_beside_one_giant() {
        for loss in [Loss::Poisson, Loss::Tweedie { power: 1.5 }] {
            let rows = fitted_means(loss);
            assert!(rows.iter().all(|(_, mean)| *mean <= 1.1e6), "{loss:?}");
            // The mean at x is 8 x²: .5 around a quarter, 4.5 around three quarters.
            let (low, high) = (middle(&rows, 0.2..0.3), middle(&rows, 0.7..0.8));
            assert!(
                (0.3..0.9).contains(&low) && (3.5..5.5).contains(&high),
                "{loss:?} {low} {high}"
            );
        }
    }
}

//! Boosting: one oblivious tree after the other, until later rows stop gaining.

use linfa::dataset::{AsSingleTargets, DatasetBase};
use linfa::traits::Fit;
use ndarray::{ArrayBase, Data, Ix2};

use crate::domain::feature::Monotone;
use crate::model::ensemble::{Ensemble, RankedEnsemble, Split, Tree};
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::grow::{Grower, leaf_numbers, leaf_sums, leaf_values};
use crate::training::loss::Gradient;
use crate::training::params::{ObliviousSettings, ObliviousValidParams};
use crate::training::sample::{bernoulli, generator, share_of, subset};
use crate::training::split::Leaves;

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
    /// Raw scores of the stop rows at the best iteration.
    pub stop_raw: Vec<f64>,
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
    let mut best = run.best_so_far();
    for tree in 0..settings.n_trees_max {
        if !run.grow_tree(tree)? {
            break;
        }
        let stop_loss = run.stop_loss();
        let n_trees = tree + 1;
        on_tree(TreeDone { n_trees, n_trees_max: settings.n_trees_max, stop_loss });
        let Some(loss) = stop_loss else {
            best.n_trees = n_trees as usize;
            continue;
        };
        if loss < best.loss {
            best = run.best_so_far();
        } else if best.n_trees + settings.patience as usize <= n_trees as usize {
            break;
        }
    }
    Ok(run.finish(best))
}

struct Best {
    n_trees: usize,
    loss: f64,
    stop_raw: Vec<f64>,
}

struct Run<'a> {
    problem: &'a Problem<'a>,
    settings: &'a ObliviousSettings,
    grower: Grower,
    bias: f64,
    trees: Vec<Tree>,
    /// Gains of each tree: column and gain.
    gains: Vec<Vec<(u16, f64)>>,
    /// Indexed by matrix row; only fit rows are filled.
    gradients: Vec<Gradient>,
    fit_raw: Vec<f64>,
    stop_raw: Vec<f64>,
}

impl<'a> Run<'a> {
    fn new(problem: &'a Problem<'a>, settings: &'a ObliviousSettings) -> Result<Self, FitError> {
        let weighted = |&row: &u32| {
            let weight = f64::from(problem.weights[row as usize]);
            [weight * f64::from(problem.targets[row as usize]), weight]
        };
        let mut total = [0.0; 2];
        for [target, weight] in problem.fit_rows.iter().map(weighted) {
            total = [total[0] + target, total[1] + weight];
        }
        if total[1] <= 0.0 {
            return Err(FitError::NoRows);
        }
        let bias = settings.loss.start(total[0] / total[1]);
        Ok(Self {
            problem,
            settings,
            grower: Grower::default(),
            bias,
            trees: Vec::new(),
            gains: Vec::new(),
            gradients: vec![[0.0; 2]; problem.targets.len()],
            fit_raw: vec![bias; problem.fit_rows.len()],
            stop_raw: vec![bias; problem.stop_rows.len()],
        })
    }

    /// Adds a tree; false when no split gains anything.
    fn grow_tree(&mut self, tree: u32) -> Result<bool, FitError> {
        let problem = self.problem;
        self.differentiate();
        let mut rng = generator(self.settings.seed, tree.into());
        let features = subset(problem.features, self.settings.feature_share, &mut rng);
        let rows = bernoulli(problem.fit_rows, self.settings.row_share, &mut rng);
        let leaves = Leaves::new(rows, &self.gradients);
        let (columns, monotone) = (problem.columns, problem.monotone);
        let chosen = self.grower.splits(columns, monotone, &features, leaves, self.settings);
        if chosen.is_empty() {
            return Ok(false);
        }
        self.gains.push(chosen.iter().map(|best| (best.split.feature, best.gain)).collect());
        let splits: Vec<Split> = chosen.iter().map(|best| best.split).collect();
        let leaf_of = leaf_numbers(columns, &splits, problem.fit_rows);
        let n_leaves = 1 << splits.len();
        let sums = leaf_sums(n_leaves, &leaf_of, problem.fit_rows, &self.gradients);
        let values = leaf_values(columns, monotone, &splits, &sums, self.settings);
        add_leaves(&mut self.fit_raw, &leaf_of, &values);
        let stop_leaf_of = leaf_numbers(columns, &splits, problem.stop_rows);
        add_leaves(&mut self.stop_raw, &stop_leaf_of, &values);
        let covers = self.covers(n_leaves, &leaf_of);
        self.trees.push(Tree::new(splits, &values, &covers)?);
        Ok(true)
    }

    fn differentiate(&mut self) {
        let problem = self.problem;
        for (&row, &raw) in problem.fit_rows.iter().zip(&self.fit_raw) {
            let row = row as usize;
            let (target, weight) = (problem.targets[row], problem.weights[row]);
            self.gradients[row] = self.settings.loss.gradient(raw, target.into(), weight.into());
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "artifacts hold f32")]
    fn covers(&self, n_leaves: usize, leaf_of: &[u8]) -> Vec<f32> {
        let mut covers = vec![0.0_f64; n_leaves];
        for (&leaf, &row) in leaf_of.iter().zip(self.problem.fit_rows) {
            covers[usize::from(leaf)] += f64::from(self.problem.weights[row as usize]);
        }
        covers.into_iter().map(|cover| cover as f32).collect()
    }

    fn stop_loss(&self) -> Option<f64> {
        let problem = self.problem;
        let (mut loss, mut total) = (0.0, 0.0);
        for (&row, &raw) in problem.stop_rows.iter().zip(&self.stop_raw) {
            let weight = f64::from(problem.weights[row as usize]);
            let target = f64::from(problem.targets[row as usize]);
            loss += weight * self.settings.loss.value(raw, target);
            total += weight;
        }
        (0.0 < total).then(|| loss / total)
    }

    fn best_so_far(&self) -> Best {
        Best {
            n_trees: self.trees.len(),
            loss: self.stop_loss().unwrap_or(f64::INFINITY),
            stop_raw: self.stop_raw.clone(),
        }
    }

    fn finish(mut self, best: Best) -> Boosted {
        self.trees.truncate(best.n_trees);
        let mut gains = vec![0.0; self.problem.columns.n_features()];
        for &(feature, gain) in self.gains.iter().take(best.n_trees).flatten() {
            gains[usize::from(feature)] += gain;
        }
        let stop_loss = Some(best.loss).filter(|loss| loss.is_finite());
        let ensemble = Ensemble::new(self.bias, self.trees);
        Boosted { ensemble, stop_loss, stop_raw: best.stop_raw, gains }
    }
}

fn add_leaves(raw: &mut [f64], leaf_of: &[u8], values: &[f32]) {
    for (raw, &leaf) in raw.iter_mut().zip(leaf_of) {
        *raw += f64::from(values[usize::from(leaf)]);
    }
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

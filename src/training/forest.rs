//! Baseline of every report: a random forest (linfa's), small enough for that.
//!
//! linfa's trees answer with a label, not a share; its forest drops weights and draws
//! features per tree. So the forest learns from as many good rows as bad ones, the
//! probability is the share of its trees that vote bad, and the odds are then moved back
//! to the share of bad rows. A leaf with as many good rows as bad ones takes either side
//! by the order of a hash map: the last digits differ from run to run.

use linfa::dataset::{Dataset, DatasetBase};
use linfa::traits::{Fit, Predict};
use linfa_ensemble::{EnsembleLearnerParams, RandomForest};
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2, ArrayView2, Axis, Ix1};
use rand_chacha::ChaCha8Rng;

use crate::training::error::FitError;
use crate::training::sample::{bernoulli, generator};
use crate::training::set::{HeadTarget, TrainingSet};

/// About how many rows of each label the trees draw from.
pub const ROWS_PER_LABEL_MAX: usize = 2_000;
/// Trees: each costs linfa a pass over all rows and features per node.
pub const N_TREES: usize = 40;
/// Levels of a tree.
const DEPTH: usize = 10;
/// Share of the features a tree may use.
const FEATURE_SHARE: f64 = 0.3;
/// Fewest rows of a leaf.
const LEAF_ROWS_MIN: f32 = 5.0;
/// Seed of the samples.
const SEED: u64 = 7;
/// Where an unknown value stands: below every known one.
const UNKNOWN: f32 = -1.0;

/// A random forest on the ranks of the features.
pub struct ForestBaseline {
    /// Known values of the rows learned from, ascending, per column.
    sorted: Vec<Vec<f32>>,
    forest: RandomForest<f32, bool>,
    /// Odds of the label among all rows, over its odds among the rows learned from.
    odds_ratio: f64,
}

/// Fits the baseline of one head.
///
/// # Errors
/// [`FitError::Baseline`] when there is one label only or linfa gives up;
/// [`FitError::Set`] when the set does not fit together.
pub fn forest(set: &TrainingSet, target: &HeadTarget) -> Result<ForestBaseline, FitError> {
    set.check()?;
    let failed = |reason: String| FitError::Baseline { head: target.id.clone(), reason };
    let (bad, good): (Vec<u32>, Vec<u32>) =
        set.rows_by_time(target).into_iter().partition(|&row| is_bad(target, row));
    if bad.is_empty() || good.is_empty() {
        return Err(failed("there is one label only".to_owned()));
    }
    let n_each = bad.len().min(good.len()).min(ROWS_PER_LABEL_MAX);
    let draw = |rows: &[u32], stream| {
        let share = n_each as f64 / rows.len() as f64;
        bernoulli(rows, share, &mut generator(SEED, stream))
    };
    let (bad_drawn, good_drawn) = (draw(&bad, 0), draw(&good, 1));
    let odds_ratio =
        bad.len() as f64 / good.len() as f64 * good_drawn.len() as f64 / bad_drawn.len() as f64;
    let rows: Vec<u32> = bad_drawn.into_iter().chain(good_drawn).collect();
    let numbers: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    let features = set.features.select(Axis(0), &numbers);
    let sorted: Vec<Vec<f32>> =
        features.columns().into_iter().map(|column| known(column.iter())).collect();
    let records = ranks(&sorted, features.view());
    let labels: Array1<bool> = rows.iter().map(|&row| is_bad(target, row)).collect();
    let dataset: Dataset<f32, bool, Ix1> = DatasetBase::new(records, labels);
    let forest = params().fit(&dataset).map_err(|error| failed(error.to_string()))?;
    Ok(ForestBaseline { sorted, forest, odds_ratio })
}

impl ForestBaseline {
    /// Probabilities of label 1; shape `[n_rows]`. Never 0 or 1: each side has half a vote.
    pub fn predict(&self, features: &Array2<f32>) -> Vec<f64> {
        let ranks = ranks(&self.sorted, features.view());
        let mut votes = vec![0.5; features.nrows()];
        for (tree, columns) in self.forest.models.iter().zip(&self.forest.model_features) {
            let verdicts: Array1<bool> = tree.predict(&ranks.select(Axis(1), columns));
            for (votes, verdict) in votes.iter_mut().zip(verdicts) {
                *votes += f64::from(u8::from(verdict));
            }
        }
        let n_votes = self.forest.models.len() as f64 + 1.0;
        let probability = |votes: f64| {
            let odds = self.odds_ratio * votes / (n_votes - votes);
            odds / (1.0 + odds)
        };
        votes.into_iter().map(probability).collect()
    }
}

fn params() -> EnsembleLearnerParams<linfa_trees::DecisionTreeParams<f32, bool>, ChaCha8Rng> {
    let tree = DecisionTree::params().max_depth(Some(DEPTH)).min_weight_leaf(LEAF_ROWS_MIN);
    EnsembleLearnerParams::new_fixed_rng(tree, generator(SEED, 2))
        .ensemble_size(N_TREES)
        .feature_proportion(FEATURE_SHARE)
}

fn is_bad(target: &HeadTarget, row: u32) -> bool {
    0.5 < target.values[row as usize]
}

fn known<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<f32> {
    let mut known: Vec<f32> = values.copied().filter(|value| !value.is_nan()).collect();
    known.sort_unstable_by(f32::total_cmp);
    known
}

/// Every value as the share of known training values below it. linfa takes values closer
/// than 1e-5 for equal and cannot sort NaN: ranks are far enough apart, whatever the unit.
fn ranks(sorted: &[Vec<f32>], features: ArrayView2<'_, f32>) -> Array2<f32> {
    Array2::from_shape_fn(features.dim(), |(row, column)| {
        let (value, known) = (features[[row, column]], &sorted[column]);
        if value.is_nan() {
            return UNKNOWN;
        }
        known.partition_point(|&below| below < value) as f32 / known.len().max(1) as f32
    })
}

impl std::fmt::Debug for ForestBaseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n_trees = self.forest.models.len();
        f.debug_struct("ForestBaseline").field("n_trees", &n_trees).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::domain::feature::CatalogSchema;
    use crate::domain::head::{HeadId, HeadKind};
    use crate::domain::time::Timestamp;
    use crate::training::bundle::tests::plain_spec;
    use crate::training::metrics::ranking::{Ranked, ranking_figures};

    const ROWS: usize = 1_500;

    /// A small-valued feature that tells, with gaps, and one that does not; `share` is bad.
    fn set_with(share: f32) -> TrainingSet {
        let mut rng = generator(3, 0);
        let mut values = Vec::new();
        let mut features = Array2::zeros((ROWS, 2));
        for mut row in features.rows_mut() {
            let (telling, noise): (f32, f32) = (rng.gen_range(-1.0..1.0), rng.gen_range(-0.2..0.2));
            row[0] = if rng.gen_bool(0.05) { f32::NAN } else { telling * 1e-6 };
            row[1] = rng.gen_range(-1.0..1.0);
            values.push(f32::from(u8::from(1.0 - 2.0 * share < telling + noise)));
        }
        let id = HeadId("payment_fraud".into());
        TrainingSet {
            features,
            specs: vec![plain_spec("a"), plain_spec("b")],
            schema: CatalogSchema::default(),
            times: vec![Timestamp(0); ROWS],
            weights: vec![1.0; ROWS],
            heads: vec![HeadTarget { id, kind: HeadKind::Risk, values }],
        }
    }

    #[test]
    fn ranks_order_values_and_keep_the_unknown_apart() {
        let features = ndarray::array![[3e-9_f32], [f32::NAN], [1e-9], [2e-9]];
        let sorted = vec![known(features.column(0).iter())];
        let found = ranks(&sorted, features.view());
        assert_eq!(found.column(0).to_vec(), [2.0 / 3.0, UNKNOWN, 0.0, 1.0 / 3.0]);
    }

    #[test]
    fn probabilities_keep_to_the_share_of_bad_rows_and_rank_them() {
        for share in [0.15, 0.85] {
            let set = set_with(share);
            let target = &set.heads[0];
            let probabilities = forest(&set, target).unwrap().predict(&set.features);
            let mean = probabilities.iter().sum::<f64>() / ROWS as f64;
            assert!((mean - f64::from(share)).abs() < 0.1, "mean {mean} for a share of {share}");
            let ranked = probabilities.iter().zip(&target.values);
            let ranked: Vec<Ranked> =
                ranked.map(|(&score, &label)| Ranked { score, is_positive: 0.5 < label }).collect();
            let auc = ranking_figures(&ranked, 0.01, 1).auc.value;
            assert!(0.9 < auc, "{auc} for a share of {share}");
        }
    }

    #[test]
    fn one_label_only_is_refused() {
        let mut set = set_with(0.5);
        set.heads[0].values.fill(0.0);
        let refused = forest(&set, &set.heads[0]);
        assert!(matches!(refused, Err(FitError::Baseline { .. })), "{refused:?}");
    }
}

//! Baselines that every report shows: linfa's learners, and our own trees on
//! the order alone.

use linfa::dataset::{Dataset, DatasetBase};
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ArrayView1};

use crate::model::calibration::sigmoid;
use crate::training::error::FitError;
use crate::training::forest::forest;
use crate::training::sample::{bernoulli, generator};
use crate::training::set::{HeadTarget, TrainingSet};

/// About how many rows the line is fitted to at most.
pub const ROWS_MAX: usize = 50_000;
/// Standardized values are clipped here: one heavy tail must not rule the line.
const CLIP: f32 = 5.0;
/// L2 penalty of the coefficients.
const ALPHA: f32 = 1.0;
/// Most L-BFGS iterations.
const ITERATIONS_MAX: u64 = 100;
/// Seed of the row sample.
const SEED: u64 = 7;

/// A learner of linfa's that reports are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learner {
    /// Logistic regression, [`logistic`].
    Line,
    /// Random forest, [`forest`].
    Forest,
}

impl Learner {
    /// Fits one head and gives the probabilities of label 1 of the `test` rows.
    ///
    /// # Errors
    /// [`FitError::Baseline`] when linfa gives up; [`FitError::Set`] when the set does not
    /// fit together.
    pub fn judge(
        self,
        set: &TrainingSet,
        target: &HeadTarget,
        test: &Array2<f32>,
    ) -> Result<Vec<f64>, FitError> {
        match self {
            Self::Line => Ok(logistic(set, target)?.predict(test)),
            Self::Forest => Ok(forest(set, target)?.predict(test)),
        }
    }
}

/// Logistic regression (linfa's) on standardized features.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticBaseline {
    scales: Vec<Scale>,
    coefficients: Vec<f64>,
    intercept: f64,
}

/// Mean and standard deviation of a column's known values.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    mean: f32,
    deviation: f32,
}

/// Fits the baseline of one head. Unknown values count as the mean.
///
/// # Errors
/// [`FitError::Baseline`] when linfa gives up, for example with one class only;
/// [`FitError::Set`] when the set does not fit together.
pub fn logistic(set: &TrainingSet, target: &HeadTarget) -> Result<LogisticBaseline, FitError> {
    set.check()?;
    let rows = sampled_rows(set, target);
    let scales: Vec<Scale> = set
        .features
        .columns()
        .into_iter()
        .map(|column| Scale::of(rows.iter().map(|&row| column[row as usize])))
        .collect();
    let records = Array2::from_shape_fn((rows.len(), scales.len()), |(row, column)| {
        scales[column].standardize(set.features[[rows[row] as usize, column]])
    });
    let labels: Array1<bool> = rows.iter().map(|&row| 0.5 < target.values[row as usize]).collect();
    let dataset: Dataset<f32, bool, ndarray::Ix1> = DatasetBase::new(records, labels);
    let fitted = LogisticRegression::default()
        .alpha(ALPHA)
        .max_iterations(ITERATIONS_MAX)
        .fit(&dataset)
        .map_err(|error| FitError::Baseline {
            head: target.id.clone(),
            reason: error.to_string(),
        })?;
    // linfa predicts its *majority* class (documented as the larger one): turn the
    // line around when that is the negative class.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    Ok(LogisticBaseline {
        scales,
        coefficients: fitted.params().iter().map(|&c| sign * f64::from(c)).collect(),
        intercept: sign * f64::from(fitted.intercept()),
    })
}

impl LogisticBaseline {
    /// Probabilities of label 1; shape `[n_rows]`.
    pub fn predict(&self, features: &Array2<f32>) -> Vec<f64> {
        features.outer_iter().map(|row| self.predict_row(row)).collect()
    }

    fn predict_row(&self, row: ArrayView1<'_, f32>) -> f64 {
        let mut raw = self.intercept;
        for ((&value, scale), coefficient) in row.iter().zip(&self.scales).zip(&self.coefficients) {
            raw += coefficient * f64::from(scale.standardize(value));
        }
        sigmoid(raw)
    }
}

/// The set with only the features that the order itself carries: what a system without
/// a graph would see.
pub fn order_only(set: &TrainingSet) -> TrainingSet {
    let kept: Vec<usize> = set
        .specs
        .iter()
        .enumerate()
        .filter(|(_, spec)| !spec.is_graph)
        .map(|(column, _)| column)
        .collect();
    TrainingSet {
        features: set.features.select(ndarray::Axis(1), &kept),
        specs: kept.iter().map(|&column| set.specs[column].clone()).collect(),
        schema: set.schema.clone(),
        times: set.times.clone(),
        weights: set.weights.clone(),
        heads: set.heads.clone(),
    }
}

fn sampled_rows(set: &TrainingSet, target: &HeadTarget) -> Vec<u32> {
    let rows = set.rows_by_time(target);
    let share = ROWS_MAX as f64 / rows.len().max(1) as f64;
    let mut sampled = bernoulli(&rows, share, &mut generator(SEED, 0));
    sampled.truncate(ROWS_MAX + ROWS_MAX / 10);
    sampled
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, reason = "statistics of f32 columns")]
    fn of(values: impl Iterator<Item = f32>) -> Self {
        let (mut n, mut sum, mut squares) = (0.0_f64, 0.0, 0.0);
        for value in values.filter(|value| value.is_finite()).map(f64::from) {
            n += 1.0;
            sum += value;
            squares += value * value;
        }
        let mean = sum / n.max(1.0);
        let variance = (squares / n.max(1.0) - mean * mean).max(0.0);
        Self { mean: mean as f32, deviation: variance.sqrt() as f32 }
    }

    /// Standard deviations from the mean, clipped; 0 for unknown and constant values.
    fn standardize(self, value: f32) -> f32 {
        if value.is_nan() || self.deviation <= 0.0 {
            return 0.0;
        }
        ((value - self.mean) / self.deviation).clamp(-CLIP, CLIP)
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

    #[test]
    fn the_rarer_label_gets_the_higher_probability_whichever_it_is() {
        for share in [0.1, 0.9] {
            let mut rng = generator(3, 0);
            let features = Array2::from_shape_fn((4_000, 2), |_| rng.gen_range(-1.0_f32..1.0));
            let cut = 1.0 - 2.0 * share;
            let values: Vec<f32> = features
                .outer_iter()
                .map(|row| f32::from(u8::from(cut < row[0] + rng.gen_range(-0.3..0.3))))
                .collect();
            let id = HeadId("payment_fraud".into());
            let target = HeadTarget { id, kind: HeadKind::Risk, values };
            let set = TrainingSet {
                specs: vec![plain_spec("a"), plain_spec("b")],
                schema: CatalogSchema::default(),
                times: vec![Timestamp(0); 4_000],
                weights: vec![1.0; 4_000],
                heads: vec![target.clone()],
                features,
            };
            let probabilities = logistic(&set, &target).unwrap().predict(&set.features);
            let ranked: Vec<Ranked> = probabilities
                .iter()
                .zip(&target.values)
                .map(|(&score, &label)| Ranked { score, is_positive: 0.5 < label })
                .collect();
            assert!(0.9 < ranking_figures(&ranked, 0.01, 1).auc.value);
        }
    }
}

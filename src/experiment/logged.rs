//! Choices as they were logged, and what another policy would have chosen.

use ndarray::Array2;

use crate::experiment::refusal::Refusal;

/// How far probabilities of a row may be from 1 in sum.
const SUM_TOLERANCE: f64 = 1e-9;

/// Choices, what they brought, and a target policy.
#[derive(Clone, Debug)]
pub struct LoggedChoices {
    /// What each row brought, in the unit of the report.
    pub rewards: Vec<f64>,
    /// Which of the actions was chosen.
    pub actions: Vec<usize>,
    /// With which probability it was chosen, in (0, 1].
    pub propensities: Vec<f64>,
    /// Probability of every action under the target; shape `[rows, actions]`.
    pub target: Array2<f64>,
    /// What a model predicts of every action, fitted without the row's ring; the same shape.
    pub predicted: Array2<f64>,
    /// Rows of one ring hang together.
    pub rings: Vec<u64>,
}

impl LoggedChoices {
    /// True when all columns have as many rows, all numbers are finite and probabilities are
    /// some.
    pub fn is_sound(&self) -> bool {
        let n = self.rewards.len();
        let n_actions = self.target.ncols();
        let lengths = [
            self.actions.len(),
            self.propensities.len(),
            self.target.nrows(),
            self.predicted.nrows(),
            self.rings.len(),
        ];
        let rows = self.target.rows();
        lengths.into_iter().all(|length| length == n)
            && self.predicted.ncols() == n_actions
            && self.actions.iter().all(|action| *action < n_actions)
            && self.rewards.iter().chain(&self.predicted).all(|it| it.is_finite())
            && self.propensities.iter().all(|p| 0.0 < *p && *p <= 1.0)
            && self.target.iter().all(|p| 0.0 <= *p)
            && rows.into_iter().all(|row| (row.sum() - 1.0).abs() < SUM_TOLERANCE)
    }

    /// How many times as often as the log the target chooses what was chosen, row by row.
    pub fn weights(&self) -> Vec<f64> {
        let rows = self.actions.iter().zip(&self.propensities).enumerate();
        rows.map(|(row, (action, propensity))| self.target[[row, *action]] / propensity).collect()
    }

    /// What the model predicts of the target's choices, row by row.
    pub fn predicted_under_target(&self) -> Vec<f64> {
        let rows = self.target.rows().into_iter().zip(self.predicted.rows());
        rows.map(|(target, predicted)| target.dot(&predicted)).collect()
    }
}

/// How far a log reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Rows.
    pub n: u64,
    /// Rows that count once they are weighted: (Σw)² / Σw² (Kish, "Survey sampling", 1965).
    pub n_effective: f64,
    /// Rings that count, their rows being as many as they are: (Σn)² / Σn².
    pub rings_effective: f64,
    /// Mean weight; 1 when propensities are right.
    pub mean_weight: f64,
    /// Standard error of it, by ring.
    pub mean_weight_error: f64,
    /// Largest weight.
    pub max_weight: f64,
    /// Largest weight's share of all.
    pub max_weight_share: f64,
}

/// Fewest effective rows: at 130, intervals that say 95 % held 88 % of the time (measured on a
/// simulation by the authors of the specification).
pub const N_EFFECTIVE_MIN: f64 = 200.0;
/// Fewest effective rings for an interval.
pub const RINGS_EFFECTIVE_MIN: f64 = 20.0;
/// Largest share of all weight in one row.
pub const WEIGHT_SHARE_MAX: f64 = 0.05;
/// Farthest that the mean weight may be from 1, in standard errors.
pub const WEIGHT_ERRORS_MAX: f64 = 3.0;

impl Reach {
    /// Of a log.
    pub fn new(log: &LoggedChoices) -> Self {
        let weights = log.weights();
        let n = weights.len() as f64;
        let sum: f64 = weights.iter().sum();
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        let max_weight = weights.iter().copied().fold(0.0, f64::max);
        let mean_weight = sum / n;
        let apart: Vec<f64> = weights.iter().map(|weight| weight - mean_weight).collect();
        let (mean_weight_error, rings_effective) = error_by_ring(&apart, &log.rings);
        Self {
            n: weights.len() as u64,
            n_effective: sum * sum / squares,
            rings_effective,
            mean_weight,
            mean_weight_error,
            max_weight,
            max_weight_share: max_weight / sum,
        }
    }

    /// Every reason not to estimate from the log.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        // What is not a number is a reason, too.
        let mut require = |holds: bool, refusal| {
            if !holds {
                refusals.push(refusal);
            }
        };
        let off = (self.mean_weight - 1.0).abs();
        require(RINGS_EFFECTIVE_MIN <= self.rings_effective, Refusal::TooFewClusters);
        require(N_EFFECTIVE_MIN <= self.n_effective, Refusal::TooFewEffectiveRows);
        require(self.max_weight_share <= WEIGHT_SHARE_MAX, Refusal::WeightConcentrated);
        let allowed = WEIGHT_ERRORS_MAX * self.mean_weight_error;
        // With equal weights the error is 0, and so is the distance but for rounding.
        require(off <= allowed.max(SUM_TOLERANCE), Refusal::PropensitiesWrong);
        refusals
    }
}

/// Standard error of a mean whose rows deviate by `apart` and hang together by ring; and the
/// effective number of rings.
pub fn error_by_ring(apart: &[f64], rings: &[u64]) -> (f64, f64) {
    let mut order: Vec<usize> = (0..apart.len()).collect();
    order.sort_by_key(|row| (rings[*row], *row));
    let (mut n_rings, mut sum_squares, mut sizes) = (0.0, 0.0, 0.0);
    for ring in order.chunk_by(|a, b| rings[*a] == rings[*b]) {
        let sum: f64 = ring.iter().map(|row| apart[*row]).sum();
        n_rings += 1.0;
        sum_squares += sum * sum;
        sizes += ring.len() as f64 * ring.len() as f64;
    }
    let n = apart.len() as f64;
    let error = (n_rings / (n_rings - 1.0) * sum_squares).sqrt() / n;
    (error, n * n / sizes)
}

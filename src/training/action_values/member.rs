//! What one bootstrap of a log says that actions are worth.

use linfa::ParamGuard as _;
use rand::Rng as _;
use rand_distr::Exp1;

use crate::domain::scramble::{SEED_STEP, scramble};
use crate::model::ensemble::Ensemble;
use crate::training::action_values::log::ActionLog;
use crate::training::action_values::settings::{LearnerSettings, Weighting};
use crate::training::boost::{Problem, boost};
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::loss::Loss;
use crate::training::params::{ObliviousParams, ObliviousSettings};
use crate::training::sample::generator;

/// Fewest effective rows of an action for trees of its own.
const OWN_ROWS_MIN: f64 = 30.0;

/// Trees over all rows, which share what actions have in common, and for each action trees of
/// its own for what they leave over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    shared: Ensemble,
    /// By action; without trees where there are too few rows.
    own: Vec<Option<Ensemble>>,
}

/// A bootstrap of a log.
struct Bootstrap<'a> {
    log: &'a ActionLog,
    columns: &'a Columns,
    settings: &'a LearnerSettings,
    /// Number of the member.
    member: u64,
    /// Weight of every row: exponential, so no row is lost (Rubin 1981).
    weights: Vec<f32>,
}

impl Member {
    /// Fits the trees to a bootstrap.
    pub(crate) fn fit(
        log: &ActionLog,
        columns: &Columns,
        n_effective: &[f64],
        settings: &LearnerSettings,
        member: u64,
    ) -> Result<Self, FitError> {
        let mut dice = generator(settings.seed, member);
        let weights = log.actions.iter().map(|_| dice.sample(Exp1)).collect();
        let bootstrap = Bootstrap { log, columns, settings, member, weights };
        let shared = bootstrap.shared()?;
        let left = bootstrap.left_over(&shared);
        let own = n_effective.iter().enumerate().map(|(action, n_effective)| {
            let is_enough = OWN_ROWS_MIN <= *n_effective;
            is_enough.then(|| bootstrap.own(action, &left, *n_effective)).transpose()
        });
        let own = own.collect::<Result<_, _>>()?;
        Ok(Self { shared, own })
    }

    /// What an action is worth; the ranks say that it is taken.
    pub(crate) fn value(&self, ranks: &[u8], action: usize) -> f64 {
        let own = self.own.get(action).and_then(Option::as_ref);
        self.shared.raw(ranks) + own.map_or(0.0, |own| own.raw(ranks))
    }
}

#[cfg(test)]
impl Member {
    /// True when an action has trees of its own.
    pub(crate) fn has_own(&self, action: usize) -> bool {
        self.own[action].is_some()
    }
}

impl Bootstrap<'_> {
    /// Trees over all rows and columns.
    fn shared(&self) -> Result<Ensemble, FitError> {
        let problem = Problem {
            columns: self.columns,
            features: &self.columns.varying(),
            monotone: &[],
            targets: &self.log.rewards,
            weights: &self.weights,
            fit_rows: &self.all_rows(),
            stop_rows: &[],
        };
        self.grow(&problem, &self.settings.shared, 0)
    }

    /// Rewards less what trees say.
    #[expect(clippy::cast_possible_truncation, reason = "targets are f32")]
    fn left_over(&self, shared: &Ensemble) -> Vec<f32> {
        let rows = self.all_rows();
        let bias = shared.bias();
        let mut left: Vec<f64> = self.log.rewards.iter().map(|it| f64::from(*it) - bias).collect();
        for tree in shared.trees() {
            let leaves = self.columns.leaf_numbers(tree.splits(), &rows);
            for (left, leaf) in left.iter_mut().zip(leaves) {
                *left -= tree.leaves()[usize::from(leaf)];
            }
        }
        left.into_iter().map(|it| it as f32).collect()
    }

    /// Trees of one action.
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    fn own(&self, action: usize, left: &[f32], n_effective: f64) -> Result<Ensemble, FitError> {
        let rows = self.log.rows_of(action);
        let mut weights = self.weights.clone();
        match self.settings.weighting {
            Weighting::Even => {}
            Weighting::InversePropensity => {
                let inverse = |row: &u32| 1.0 / self.log.propensities[*row as usize];
                // In all they weigh as many rows as they are worth, so that l2 stays in rows.
                let scale = n_effective / rows.iter().map(inverse).sum::<f64>();
                for row in &rows {
                    weights[*row as usize] *= (scale * inverse(row)) as f32;
                }
            }
        }
        let mut features = self.columns.varying();
        features.retain(|feature| usize::from(*feature) < self.log.features.ncols());
        let problem = Problem {
            columns: self.columns,
            features: &features,
            monotone: &[],
            targets: left,
            weights: &weights,
            fit_rows: &rows,
            stop_rows: &[],
        };
        self.grow(&problem, &self.settings.own, action as u64 + 1)
    }

    /// Grows trees with a seed of their own. Members share the threads out, so trees get one.
    fn grow(
        &self,
        problem: &Problem<'_>,
        settings: &ObliviousSettings,
        stream: u64,
    ) -> Result<Ensemble, FitError> {
        let of_member = scramble(self.settings.seed.wrapping_add(self.member));
        let seed = scramble(of_member.wrapping_add(stream.wrapping_mul(SEED_STEP)));
        let (loss, n_threads) = (Loss::Squared, 1);
        let settings = ObliviousSettings { loss, n_threads, seed, ..settings.clone() };
        let params = ObliviousParams::new(settings).check()?;
        Ok(boost(problem, &params, &mut |_| {})?.ensemble)
    }

    fn all_rows(&self) -> Vec<u32> {
        (0_u32..).zip(&self.log.actions).map(|(row, _)| row).collect()
    }
}

//! What a policy would have brought, from a log of what another one chose.
//!
//! `w` is the weight of a row (target probability ÷ propensity), `r` its reward, `q` what the
//! model predicts of the chosen action and `d` what it predicts of the target's choices. Every
//! estimate is a mean over rows:
//!
//! ```text
//! Ips              min(w, λ) r              Horvitz and Thompson 1952; clipped: Ionides 2008
//! Snips            w r / w̄                  Swaminathan and Joachims 2015
//! Direct           d
//! DoublyRobust     d + min(w, λ)(r − q)     Dudík, Langford and Li 2011
//! SelfNormalizedDr d + w (r − q) / w̄
//! Switch           d + w (r − q) if w ≤ λ   Wang, Agarwal and Dudík 2017
//! Shrunk           d + λw/(w² + λ) (r − q)  Su and others 2020 (DRos)
//! SubGaussianIps   w/(1 − λ + λw) r         Metelli and others 2021
//! SubGaussianDr    d + w/(1 − λ + λw) (r − q)
//! ```

use crate::experiment::distributions::t_tail_quantile;
use crate::experiment::logged::{LoggedChoices, Reach, error_by_ring};
use crate::experiment::refusal::{Answer, Refusal};

/// Farthest that the two headline estimates may be apart, in standard errors.
const DISAGREEMENT_MAX: f64 = 3.0;

/// A way to estimate; the numbers are `λ`, infinite for no clipping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimator {
    /// Weighted rewards.
    Ips(f64),
    /// Weighted rewards over the mean weight.
    Snips,
    /// The model alone; never a headline.
    Direct,
    /// The model, corrected by weighted misses.
    DoublyRobust(f64),
    /// The same over the mean weight.
    SelfNormalizedDr,
    /// The same, the model alone where the weight is above λ.
    Switch(f64),
    /// The same with shrunk weights.
    Shrunk(f64),
    /// Weighted rewards, weights bent down smoothly.
    SubGaussianIps(f64),
    /// The model, corrected likewise.
    SubGaussianDr(f64),
}

/// An estimate with its doubt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Mean reward under the target.
    pub value: f64,
    /// Standard error, rings drawn as a whole.
    pub standard_error: f64,
    /// 95 % interval, by Student's t with one less than the effective rings.
    pub interval: (f64, f64),
}

/// Level of intervals.
const ALPHA: f64 = 0.05;

impl Estimator {
    /// What each row adds; the estimate is the mean of these.
    pub fn rounds(self, log: &LoggedChoices) -> Vec<f64> {
        let parts = self.kept_weights(log).into_iter().zip(self.weighed(log));
        let parts = parts.map(|(weight, weighed)| weight * weighed);
        if self.has_model() {
            log.predicted_under_target().into_iter().zip(parts).map(|(d, part)| d + part).collect()
        } else {
            parts.collect()
        }
    }

    /// The weight that each row has in the estimate, in place of `w`.
    pub fn kept_weights(self, log: &LoggedChoices) -> Vec<f64> {
        let weights = log.weights();
        let mean_weight = mean(&weights);
        let kept = |w: f64| match self {
            Self::Ips(most) | Self::DoublyRobust(most) => w.min(most),
            Self::Snips | Self::SelfNormalizedDr => w / mean_weight,
            Self::Direct => 0.0,
            Self::Switch(most) if most < w => 0.0,
            Self::Switch(_) => w,
            Self::Shrunk(lambda) => lambda * w / (w * w + lambda),
            Self::SubGaussianIps(lambda) | Self::SubGaussianDr(lambda) => {
                w / (1.0 - lambda + lambda * w)
            }
        };
        weights.into_iter().map(kept).collect()
    }

    /// What of each row is weighed: its reward, or what the model missed of it.
    pub fn weighed(self, log: &LoggedChoices) -> Vec<f64> {
        if !self.has_model() {
            return log.rewards.clone();
        }
        let rows = log.rewards.iter().zip(&log.actions).enumerate();
        rows.map(|(row, (reward, action))| reward - log.predicted[[row, *action]]).collect()
    }

    fn has_model(self) -> bool {
        match self {
            Self::Ips(_) | Self::Snips | Self::SubGaussianIps(_) => false,
            Self::Direct
            | Self::DoublyRobust(_)
            | Self::SelfNormalizedDr
            | Self::Switch(_)
            | Self::Shrunk(_)
            | Self::SubGaussianDr(_) => true,
        }
    }

    /// The estimate alone.
    pub fn value(self, log: &LoggedChoices) -> f64 {
        mean(&self.rounds(log))
    }

    /// The estimate with its doubt. The mean weight below a self-normalized one is as much
    /// drawn as the sum above it, so its rows deviate by `w (r − V) / w̄` (Owen, "Monte Carlo
    /// theory, methods and examples", 2013, chapter 9); a denominator that is taken for fixed
    /// gives intervals up to eight times too wide.
    pub fn estimate(self, log: &LoggedChoices) -> Estimate {
        let rounds = self.rounds(log);
        let value = mean(&rounds);
        let weights = log.weights();
        let mean_weight = mean(&weights);
        let correction = || {
            let miss = |row: usize| log.rewards[row] - log.predicted[[row, log.actions[row]]];
            (0..rounds.len()).map(|row| weights[row] * miss(row)).sum::<f64>()
                / weights.iter().sum::<f64>()
        };
        let pull = match self {
            Self::Snips => value,
            Self::SelfNormalizedDr => correction(),
            Self::Ips(_)
            | Self::Direct
            | Self::DoublyRobust(_)
            | Self::Switch(_)
            | Self::Shrunk(_)
            | Self::SubGaussianIps(_)
            | Self::SubGaussianDr(_) => 0.0,
        };
        let apart = rounds.iter().zip(&weights);
        let apart: Vec<f64> =
            apart.map(|(round, w)| round - value - (w / mean_weight - 1.0) * pull).collect();
        let (standard_error, rings) = error_by_ring(&apart, &log.rings);
        let half = t_tail_quantile(ALPHA / 2.0, (rings - 1.0).max(1.0)) * standard_error;
        Estimate { value, standard_error, interval: (value - half, value + half) }
    }
}

/// The value of the target: doubly robust, unless the log cannot carry it.
///
/// # Errors
/// Every [`Refusal`] that holds, of the log's reach or since the doubly robust and the
/// self-normalized estimate are too far apart.
pub fn headline(log: &LoggedChoices) -> Answer<Estimate> {
    if log.rewards.is_empty() || !log.is_sound() {
        return Err(vec![Refusal::TooFewUnits]);
    }
    let mut refusals = Reach::new(log).refusals();
    let robust = Estimator::DoublyRobust(f64::INFINITY).estimate(log);
    let plain = Estimator::Snips.estimate(log);
    let doubt = robust.standard_error.hypot(plain.standard_error);
    let do_agree = (robust.value - plain.value).abs() <= DISAGREEMENT_MAX * doubt;
    if !do_agree {
        refusals.push(Refusal::EstimatesDisagree);
    }
    if refusals.is_empty() { Ok(robust) } else { Err(refusals) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Twelve rows of three actions, checkable by hand.
    fn micro() -> LoggedChoices {
        let target = [[0.2, 0.6, 0.2], [0.1, 0.1, 0.8]];
        let predicted = [
            [0.6, 0.4, 0.1],
            [0.5, 0.4, 0.2],
            [0.55, 0.35, 0.15],
            [0.7, 0.3, 0.2],
            [0.65, 0.3, 0.25],
            [0.6, 0.2, 0.3],
        ];
        let propensities = [0.5, 0.25, 0.25, 0.8, 0.1, 0.1];
        LoggedChoices {
            rewards: vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
            actions: (0..12).map(|row| row % 3).collect(),
            propensities: (0..12).map(|row| propensities[row % 6]).collect(),
            target: Array2::from_shape_fn((12, 3), |(row, at)| target[row % 6 / 3][at]),
            predicted: Array2::from_shape_fn((12, 3), |(row, at)| predicted[row % 6][at]),
            rings: (0..12).collect(),
        }
    }

    /// Open Bandit Pipeline 0.5.7 (Apache-2.0) on the same rows.
    #[test]
    fn estimates_are_those_of_the_open_bandit_pipeline() {
        let log = micro();
        let expected = [
            (Estimator::Ips(f64::INFINITY), 0.337_5),
            (Estimator::Ips(1.0), 0.220_833_333_333_333_33),
            (Estimator::Snips, 0.159_135_559_921_414_57),
            (Estimator::Direct, 0.330_833_333_333_333_37),
            (Estimator::DoublyRobust(f64::INFINITY), -0.016_25),
            (Estimator::DoublyRobust(2.0), 0.277_083_333_333_333_3),
            (Estimator::SelfNormalizedDr, 0.167_179_109_364_767_51),
            (Estimator::Switch(5.0), 0.383_75),
            (Estimator::Shrunk(1.0), 0.335_474_911_375_312_43),
            (Estimator::SubGaussianIps(0.05), 0.326_399_974_726_913_2),
            (Estimator::SubGaussianDr(0.5), 0.278_172_268_907_563),
        ];
        for (estimator, value) in expected {
            let found = estimator.value(&log);
            assert!((found - value).abs() < 1e-12, "{estimator:?}: {found} is not {value}");
        }
    }

    #[test]
    fn standard_errors_are_those_of_a_hand_computation() {
        let log = micro();
        let error = |estimator: Estimator| estimator.estimate(&log).standard_error;
        // sd / √12, with 11 below the sum of squares; the second likewise of w (r − V) / w̄.
        assert!((error(Estimator::Ips(f64::INFINITY)) - 0.205_683_910_921_883_3).abs() < 1e-12);
        assert!((error(Estimator::Snips) - 0.118_690_171_684_913_57).abs() < 1e-12);
        assert!((Reach::new(&log).n_effective - 4.524_602_474_655_303).abs() < 1e-12);
    }

    #[test]
    fn twelve_rows_are_too_few_and_say_so_without_a_number() {
        let refusals = headline(&micro()).unwrap_err();
        let expected =
            [Refusal::TooFewClusters, Refusal::TooFewEffectiveRows, Refusal::WeightConcentrated];
        for refusal in expected {
            assert!(refusals.contains(&refusal), "{refusals:?}");
        }
    }

    /// Two actions; the second brings 1 more for every third kind of row.
    fn drawn(dice: &mut ChaCha8Rng, n: usize, shift: f64) -> LoggedChoices {
        let kinds: Vec<usize> = (0..n).map(|_| dice.gen_range(0..3)).collect();
        let chance = |kind: usize| [0.3, 0.5, 0.8][kind];
        let actions: Vec<usize> =
            kinds.iter().map(|kind| usize::from(dice.gen_bool(chance(*kind)))).collect();
        let value = |kind: usize, action: usize| {
            shift + kind as f64 + if kind == 2 { action as f64 } else { 0.0 }
        };
        let rewards = kinds.iter().zip(&actions);
        let rewards =
            rewards.map(|(kind, action)| value(*kind, *action) + dice.gen_range(-2.0..2.0));
        let rewards = rewards.collect();
        let propensity = |(kind, action): (&usize, &usize)| {
            if *action == 1 { chance(*kind) } else { 1.0 - chance(*kind) }
        };
        LoggedChoices {
            rewards,
            propensities: kinds.iter().zip(&actions).map(propensity).collect(),
            actions,
            target: Array2::from_shape_fn((n, 2), |(_, at)| at as f64),
            // A model that knows the kinds, but nothing of the actions.
            predicted: Array2::from_shape_fn((n, 2), |(row, _)| shift + kinds[row] as f64),
            rings: (0..n as u64).map(|row| row / 2).collect(),
        }
    }

    /// Truth: the mean over kinds of 0, 1 and 3, plus the shift.
    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say_whatever_the_level_of_rewards() {
        let mut dice = ChaCha8Rng::seed_from_u64(6);
        let widths = [0.0, 100.0].map(|shift| {
            let (n_runs, mut width, mut n_answered) = (400, 0.0, 0);
            let mut covered = [0; 2];
            for _ in 0..n_runs {
                let log = drawn(&mut dice, 1_000, shift);
                n_answered += i32::from(headline(&log).is_ok());
                let ways = [Estimator::Snips, Estimator::DoublyRobust(f64::INFINITY)];
                let ends = ways.map(|way| way.estimate(&log).interval);
                width += ends[0].1 - ends[0].0;
                for (count, (low, high)) in covered.iter_mut().zip(ends) {
                    *count += i32::from((low..=high).contains(&(shift + 4.0 / 3.0)));
                }
            }
            // At three standard errors each of two tests refuses a sound log once in 370 runs.
            assert!(n_runs * 98 / 100 < n_answered, "{n_answered}");
            for count in covered {
                let share = f64::from(count) / f64::from(n_runs);
                assert!((0.92..0.98).contains(&share), "{covered:?} of {n_runs}");
            }
            width
        });
        // A denominator taken for fixed would widen it with every unit of shift.
        assert!((widths[1] / widths[0] - 1.0).abs() < 0.05, "{widths:?}");
    }

    #[test]
    fn propensities_that_are_wrong_are_found() {
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let mut log = drawn(&mut dice, 2_000, 0.0);
        for propensity in &mut log.propensities {
            *propensity = (*propensity * 0.8).min(1.0);
        }
        assert!(headline(&log).unwrap_err().contains(&Refusal::PropensitiesWrong));
    }
}

//! What each action is worth, learned from choices with known chances.
//!
//! [`log`] is what comes in, [`member`] learns from one bootstrap of it. The mean over the
//! bootstraps is the value of an action; how they disagree says how sure that is.

use ndarray::{Array1, Array2, Axis};
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::model::binning::Binning;
use crate::training::action_values::log::ActionLog;
use crate::training::action_values::member::Member;
use crate::training::action_values::settings::{LearnerSettings, check};
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::sample::generator;
use crate::training::share_out::share_out;

pub mod confidence;
pub mod log;
pub(crate) mod member;
pub mod settings;
#[cfg(test)]
mod tests;

/// Draws that vote on which action is the best.
const N_DRAWS: usize = 256;
/// Parts of the orders that an action's rows are told apart by: its value in one of them is as
/// uncertain as a mean of that share of its rows. Of 0 to 9, between 2 and 9 give votes that go
/// best with hits on ten simulated logs of other seeds than the gates' (2026-11-28).
const N_PARTS: f64 = 4.0;
/// Stream of the generator that the draws come from; those below are the members'.
const DRAWS_STREAM: u64 = u64::MAX;

/// What each action is worth for any order, as far as a log tells.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionValues {
    /// Borders of the features, then of a column per action.
    binning: Binning,
    members: Vec<Member>,
    /// How much every draw takes of each member's deviation, then of each action's `noise`;
    /// shape `[N_DRAWS, n_members + n_actions]`.
    draws: Array2<f64>,
    /// Standard error of every action's value that bootstraps do not show.
    noise: Vec<f64>,
    /// As [`ActionLog::n_effective`].
    n_effective: Vec<f64>,
}

/// What an action is worth for an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionValue {
    /// Number of the action.
    pub action: usize,
    /// Mean over the bootstraps, in the unit of the rewards.
    pub value: f64,
    /// Standard deviation over the bootstraps.
    pub standard_error: f64,
    /// Share of draws from the posterior in which no action is worth more. It ranks by
    /// confidence, but it is no probability: see [`confidence`].
    pub vote: f64,
}

/// Learns what actions are worth.
///
/// # Errors
/// [`FitError::ActionLog`] when the log does not fit together, [`FitError::Params`] for a
/// setting out of range; the other variants for logs that are too large and fits that diverge.
pub fn learn(log: &ActionLog, settings: &LearnerSettings) -> Result<ActionValues, FitError> {
    check(settings)?;
    log.check()?;
    let (n_rows, n_features) = log.features.dim();
    if u32::try_from(n_rows).is_err() {
        return Err(FitError::TooManyRows(n_rows));
    }
    if usize::from(u16::MAX) < n_features + log.n_actions {
        return Err(FitError::TooManyFeatures(n_features + log.n_actions));
    }
    let n_borders_max = settings.shared.n_borders_max as usize;
    let matrix = log.with_actions();
    let columns = Columns::new(matrix.view(), n_borders_max, settings.n_threads)?;
    let n_effective: Vec<f64> = (0..log.n_actions).map(|it| log.n_effective(it)).collect();
    let mut members = Vec::new();
    members.resize_with(settings.n_members, || Err(FitError::NoRows));
    share_out(settings.n_threads, members.iter_mut().enumerate(), |(at, member)| {
        *member = Member::fit(log, &columns, &n_effective, settings, at as u64);
    });
    let members = members.into_iter().collect::<Result<Vec<Member>, FitError>>()?;
    let (binning, draws) = (columns.binning, draws(log.n_actions, settings));
    let mut values = ActionValues { binning, members, draws, noise: Vec::new(), n_effective };
    values.noise = values.noise(log, &matrix);
    Ok(values)
}

/// Standard normal numbers. Those for members are over `√(n − 1)`: so weighted, deviations keep
/// their covariance.
fn draws(n_actions: usize, settings: &LearnerSettings) -> Array2<f64> {
    let mut dice = generator(settings.seed, DRAWS_STREAM);
    let n_members = settings.n_members;
    let scale = 1.0 / (n_members as f64 - 1.0).sqrt();
    Array2::from_shape_fn((N_DRAWS, n_members + n_actions), |(_, at)| {
        let drawn: f64 = dice.sample(StandardNormal);
        if at < n_members { scale * drawn } else { drawn }
    })
}

impl ActionValues {
    /// What every action is worth for an order, most first; equals by their number.
    pub fn ranked(&self, features: &[f32]) -> Vec<ActionValue> {
        let by_member = self.by_member(features);
        let n_members = self.members.len() as f64;
        let votes = self.votes(&by_member);
        let actions = by_member.columns().into_iter().zip(votes).enumerate();
        let mut ranked: Vec<ActionValue> = actions
            .map(|(action, (values, vote))| {
                let value = values.sum() / n_members;
                let squares: f64 = values.iter().map(|it| (it - value) * (it - value)).sum();
                let standard_error = (squares / (n_members - 1.0)).sqrt();
                ActionValue { action, value, standard_error, vote }
            })
            .collect();
        ranked.sort_by(|a, b| b.value.total_cmp(&a.value));
        ranked
    }

    /// What each bootstrap holds every action for; shape `[n_members, n_actions]`.
    pub fn by_member(&self, features: &[f32]) -> Array2<f64> {
        let n_actions = self.n_effective.len();
        let n_features = self.binning.n_features() - n_actions;
        let mut values = features.to_vec();
        values.resize(n_features, f32::NAN);
        values.resize(n_features + n_actions, 0.0);
        let mut ranks = Vec::new();
        let mut by_member = Array2::zeros((self.members.len(), n_actions));
        for (action, mut column) in by_member.columns_mut().into_iter().enumerate() {
            values[n_features + action] = 1.0;
            self.binning.ranks_into(&values, &mut ranks);
            values[n_features + action] = 0.0;
            for (value, member) in column.iter_mut().zip(&self.members) {
                *value = member.value(&ranks, action);
            }
        }
        by_member
    }

    /// Evenly drawn choices that would tell as much about an action as those of the log do.
    pub fn n_effective(&self, action: usize) -> f64 {
        self.n_effective.get(action).copied().unwrap_or(0.0)
    }

    /// Standard error of each action's value: of a mean over one of [`N_PARTS`] parts of its
    /// effective rows, at least one, whose rewards scatter as they do around all values.
    fn noise(&self, log: &ActionLog, matrix: &Array2<f32>) -> Vec<f64> {
        let mut squares = 0.0;
        let mut ranks = Vec::new();
        let rows = matrix.rows().into_iter().zip(&log.actions).zip(&log.rewards);
        for ((row, &action), &reward) in rows {
            self.binning.ranks_into(&row.to_vec(), &mut ranks);
            let values = self.members.iter().map(|member| member.value(&ranks, action));
            let left = f64::from(reward) - values.sum::<f64>() / self.members.len() as f64;
            squares += left * left;
        }
        let variance = squares / log.rewards.len() as f64;
        let error = |n_effective: &f64| (variance * N_PARTS / n_effective.max(1.0)).sqrt();
        self.n_effective.iter().map(error).collect()
    }

    /// Share of draws that each action is the best in. A draw is the mean plus the members'
    /// deviations, each times a normal number: bootstraps scatter around the mean as the
    /// truth does, actions moving together. What held-back trees get wrong in all bootstraps
    /// alike comes on top, by action.
    fn votes(&self, by_member: &Array2<f64>) -> Vec<f64> {
        let (n_members, n_actions) = by_member.dim();
        let means = by_member.sum_axis(Axis(0)) / n_members as f64;
        let deviations = by_member - &means;
        let mut votes = vec![0.0; n_actions];
        for draw in self.draws.rows() {
            let (of_members, of_actions) = draw.split_at(Axis(0), n_members);
            let mut drawn = means.clone() + of_members.dot(&deviations);
            for ((drawn, share), noise) in drawn.iter_mut().zip(of_actions).zip(&self.noise) {
                *drawn += share * noise;
            }
            votes[largest(&drawn)] += 1.0 / N_DRAWS as f64;
        }
        votes
    }
}

/// Position of the largest value; the first of equals.
fn largest(values: &Array1<f64>) -> usize {
    let is_less = |a: usize, b: usize| values[a] < values[b];
    (1..values.len()).fold(0, |best, at| if is_less(best, at) { at } else { best })
}

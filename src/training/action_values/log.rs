//! Choices, the chances that they were drawn with, and what came of them.

use ndarray::Array2;

/// Choices, the chances that they were drawn with, and what came of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionLog {
    /// What was known beforehand; a row per choice.
    pub features: Array2<f32>,
    /// How many actions there are; they are numbered from 0.
    pub n_actions: usize,
    /// The action taken, per row.
    pub actions: Vec<usize>,
    /// Probability, known beforehand, that this action is taken, per row.
    pub propensities: Vec<f64>,
    /// What came of it, per row; any unit.
    pub rewards: Vec<f32>,
}

/// A log that nothing can be learned from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionLogError {
    /// A column of another length than there are rows.
    #[error("there are {n_rows} rows of features and {n_values} {what}")]
    Length {
        /// Which column.
        what: &'static str,
        /// Rows of features.
        n_rows: usize,
        /// Values of the column.
        n_values: usize,
    },
    /// An action that there is not.
    #[error("row {row} has action {action} of {n_actions}")]
    Action {
        /// Which row.
        row: usize,
        /// Its action.
        action: usize,
        /// How many there are.
        n_actions: usize,
    },
    /// A propensity that is none.
    #[error("row {row} has propensity {propensity}, which is not above 0 and at most 1")]
    Propensity {
        /// Which row.
        row: usize,
        /// Its propensity.
        propensity: f64,
    },
    /// A reward that is no number.
    #[error("row {row} has reward {reward}")]
    Reward {
        /// Which row.
        row: usize,
        /// Its reward.
        reward: f32,
    },
}

impl ActionLog {
    /// Checks that the columns fit together.
    ///
    /// # Errors
    /// [`ActionLogError`] for the first fault.
    pub fn check(&self) -> Result<(), ActionLogError> {
        let n_rows = self.features.nrows();
        let columns = [
            ("actions", self.actions.len()),
            ("propensities", self.propensities.len()),
            ("rewards", self.rewards.len()),
        ];
        for (what, n_values) in columns {
            if n_values != n_rows {
                return Err(ActionLogError::Length { what, n_rows, n_values });
            }
        }
        let n_actions = self.n_actions;
        for (row, &action) in self.actions.iter().enumerate() {
            if n_actions <= action {
                return Err(ActionLogError::Action { row, action, n_actions });
            }
        }
        for (row, &propensity) in self.propensities.iter().enumerate() {
            if !(0.0 < propensity && propensity <= 1.0) {
                return Err(ActionLogError::Propensity { row, propensity });
            }
        }
        for (row, &reward) in self.rewards.iter().enumerate() {
            if !reward.is_finite() {
                return Err(ActionLogError::Reward { row, reward });
            }
        }
        Ok(())
    }

    /// Numbers of the rows with an action.
    pub(crate) fn rows_of(&self, action: usize) -> Vec<u32> {
        let rows = (0_u32..).zip(&self.actions);
        rows.filter(|(_, taken)| **taken == action).map(|(row, _)| row).collect()
    }

    /// Evenly drawn choices that would tell as much about an action: `(Σ w)² / Σ w²`, `w` being
    /// the inverse propensities (Kish 1965).
    pub fn n_effective(&self, action: usize) -> f64 {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (taken, propensity) in self.actions.iter().zip(&self.propensities) {
            if *taken == action {
                sum += 1.0 / propensity;
                squares += 1.0 / (propensity * propensity);
            }
        }
        if 0.0 < squares { sum * sum / squares } else { 0.0 }
    }

    /// The features, then a column per action that is 1 where it was taken and else 0.
    pub(crate) fn with_actions(&self) -> Array2<f32> {
        let (n_rows, n_features) = self.features.dim();
        let shape = (n_rows, n_features + self.n_actions);
        Array2::from_shape_fn(shape, |(row, column)| match column.checked_sub(n_features) {
            None => self.features[[row, column]],
            Some(action) => f32::from(u8::from(self.actions[row] == action)),
        })
    }
}

//! What a model learns from: one feature matrix, several targets.

use ndarray::Array2;

use crate::domain::feature::{CatalogSchema, FeatureSpec};
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::time::Timestamp;

/// Rows are orders, each with the features it had when it was placed.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    /// Shape `[n_rows, n_features]`; NaN = unknown.
    pub features: Array2<f32>,
    /// One per column.
    pub specs: Vec<FeatureSpec>,
    /// What the source offers; the catalog follows from it.
    pub schema: CatalogSchema,
    /// When each order was placed; any order.
    pub times: Vec<Timestamp>,
    /// One per row, not negative; 1 for a plain row.
    pub weights: Vec<f32>,
    /// What to predict.
    pub heads: Vec<HeadTarget>,
}

/// What a probability head may be told.
const LABELS: [f32; 2] = [0.0, 1.0];

/// What one head has to predict.
#[derive(Clone, Debug)]
pub struct HeadTarget {
    /// Which head.
    pub id: HeadId,
    /// 0 or 1 for probabilities, any number for values.
    pub kind: HeadKind,
    /// One per row; NaN = not known, or not known yet.
    pub values: Vec<f32>,
}

/// A training set whose parts do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// A part has another number of rows than the matrix.
    #[error("{part} has {found} rows, the feature matrix has {expected}")]
    Rows {
        /// Which part.
        part: String,
        /// Its rows.
        found: usize,
        /// Rows of the matrix.
        expected: usize,
    },
    /// The specs do not describe the columns.
    #[error("{n_specs} feature specs describe {n_columns} columns")]
    Columns {
        /// Number of specs.
        n_specs: usize,
        /// Columns of the matrix.
        n_columns: usize,
    },
    /// A weight is negative or not a number.
    #[error("weight of row {row} is negative or not finite")]
    Weight {
        /// Which row.
        row: usize,
    },
    /// A label of a probability head is neither 0 nor 1, or a value is infinite.
    #[error("target of head {head} in row {row} is {value}, not what its kind allows")]
    Target {
        /// Which head.
        head: HeadId,
        /// Which row.
        row: usize,
        /// The target.
        value: String,
    },
}

impl TrainingSet {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`SetError`] for the first part that does not.
    pub fn check(&self) -> Result<(), SetError> {
        let (n_rows, n_columns) = self.features.dim();
        if self.specs.len() != n_columns {
            return Err(SetError::Columns { n_specs: self.specs.len(), n_columns });
        }
        check_rows("times", self.times.len(), n_rows)?;
        check_rows("weights", self.weights.len(), n_rows)?;
        let is_bad = |weight: &f32| !weight.is_finite() || *weight < 0.0;
        if let Some(row) = self.weights.iter().position(is_bad) {
            return Err(SetError::Weight { row });
        }
        self.heads.iter().try_for_each(|target| target.check(n_rows))
    }

    /// Rows whose target is known, by time and then by position.
    pub fn rows_by_time(&self, target: &HeadTarget) -> Vec<u32> {
        let known = target.values.iter().enumerate().filter(|(_, value)| !value.is_nan());
        let mut rows: Vec<u32> = known.filter_map(|(row, _)| u32::try_from(row).ok()).collect();
        rows.sort_by_key(|&row| (self.times[row as usize], row));
        rows
    }
}

impl HeadTarget {
    fn check(&self, n_rows: usize) -> Result<(), SetError> {
        check_rows(&self.id.0, self.values.len(), n_rows)?;
        let is_bad = |value: &f32| match self.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => {
                !value.is_nan() && !LABELS.contains(value)
            }
            HeadKind::ImpactValue => value.is_infinite(),
        };
        match self.values.iter().position(is_bad) {
            None => Ok(()),
            Some(row) => {
                let (head, value) = (self.id.clone(), self.values[row].to_string());
                Err(SetError::Target { head, row, value })
            }
        }
    }
}

fn check_rows(part: &str, found: usize, expected: usize) -> Result<(), SetError> {
    if found == expected {
        Ok(())
    } else {
        Err(SetError::Rows { part: part.to_owned(), found, expected })
    }
}

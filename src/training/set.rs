//! What a model learns from: one feature matrix, several targets.

use ndarray::{Array2, Axis};

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

    /// Adds the rows of another set with the same columns. A head that only one of them has
    /// is not known in the rows of the other.
    ///
    /// # Errors
    /// [`SetError::Columns`] when the columns are not the same.
    pub fn append(&mut self, other: Self) -> Result<(), SetError> {
        let (n_before, n_added) = (self.times.len(), other.times.len());
        let columns = (other.specs.len(), self.features.ncols());
        let differ = SetError::Columns { n_specs: columns.0, n_columns: columns.1 };
        if self.specs != other.specs {
            return Err(differ);
        }
        self.features.append(Axis(0), other.features.view()).map_err(|_| differ)?;
        self.times.extend(other.times);
        self.weights.extend(other.weights);
        for added in other.heads {
            match self.heads.iter_mut().find(|head| head.id == added.id) {
                // Values that happened to be 0 and 1 in one of the sets are values all the same.
                Some(head) if added.kind == HeadKind::ImpactValue => {
                    head.kind = added.kind;
                    head.values.extend(added.values);
                }
                Some(head) => head.values.extend(added.values),
                None => {
                    let mut values = vec![f32::NAN; n_before];
                    values.extend(added.values);
                    self.heads.push(HeadTarget { values, ..added });
                }
            }
        }
        self.heads.iter_mut().for_each(|head| head.values.resize(n_before + n_added, f32::NAN));
        Ok(())
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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::training::bundle::tests::plain_spec;

    fn set(head: &str, values: [f32; 2]) -> TrainingSet {
        TrainingSet {
            features: array![[1.0], [f32::NAN]],
            specs: vec![plain_spec("amount")],
            schema: CatalogSchema::default(),
            times: vec![Timestamp(2), Timestamp(1)],
            weights: vec![1.0; 2],
            heads: vec![HeadTarget {
                id: HeadId(head.into()),
                kind: HeadKind::Risk,
                values: values.to_vec(),
            }],
        }
    }

    #[test]
    fn a_head_that_one_market_lacks_is_unknown_there() {
        let mut both = set("fake_order", [0.0, 1.0]);
        both.append(set("promo_abuse", [1.0, 0.0])).unwrap();
        both.append(set("fake_order", [1.0, 1.0])).unwrap();
        both.check().unwrap();
        let known = |at: usize| {
            let values = &both.heads[at].values;
            values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect::<Vec<_>>()
        };
        let [zero, one] = [Some(0.0), Some(1.0)];
        assert_eq!(known(0), [zero, one, None, None, one, one]);
        assert_eq!(known(1), [None, None, one, zero, None, None]);
        assert_eq!(both.features.dim(), (6, 1));
    }

    #[test]
    fn other_columns_are_refused() {
        let mut one = set("fake_order", [0.0, 1.0]);
        let mut other = set("fake_order", [0.0, 1.0]);
        other.specs[0].id = "another".into();
        assert!(one.append(other).is_err());
        one.check().unwrap();
    }
}

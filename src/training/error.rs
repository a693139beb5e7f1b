//! Why a model could not be trained.

use crate::domain::head::HeadId;
use crate::model::artifact;
use crate::model::background::BackgroundError;
use crate::model::binning::BinningError;
use crate::model::ensemble::TreeError;
use crate::training::action_values::log::ActionLogError;
use crate::training::params::ParamsError;
use crate::training::set::SetError;

/// Why a model could not be trained.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A setting is out of range.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// The training set does not fit together.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A log of choices that does not fit together.
    #[error(transparent)]
    ActionLog(#[from] ActionLogError),
    /// No rows to learn from.
    #[error("there are no rows to learn from")]
    NoRows,
    /// More columns than split positions can name.
    #[error("{0} features are more than 65,535")]
    TooManyFeatures(usize),
    /// Too many rows to number.
    #[error("{0} rows are more than 4,294,967,295")]
    TooManyRows(usize),
    /// No head had enough labels.
    #[error("no head can be trained: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoHead(Vec<SkippedHead>),
    /// Borders that cannot be used.
    #[error(transparent)]
    Binning(#[from] BinningError),
    /// A tree that cannot be used: a diverging fit.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Rows that are no background.
    #[error(transparent)]
    Background(#[from] BackgroundError),
    /// The finished parts do not fit together.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// A learner from linfa gave up.
    #[error("the baseline of head {head} failed: {reason}")]
    Baseline {
        /// Which head.
        head: HeadId,
        /// What the learner said.
        reason: String,
    },
    /// Something linfa reports by itself.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// A head without enough labels to learn from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "head {head} has {n_rows} labeled rows and {n_rare} of its rarer label, needs {n_rows_min} and {n_rare_min}"
)]
pub struct SkippedHead {
    /// Which head.
    pub head: HeadId,
    /// Rows with a label.
    pub n_rows: u64,
    /// Rows of the rarer label; all rows for value heads.
    pub n_rare: u64,
    /// Fewest rows accepted.
    pub n_rows_min: u64,
    /// Fewest rows of the rarer label accepted.
    pub n_rare_min: u64,
}

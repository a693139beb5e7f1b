//! What can end an import.

use std::path::PathBuf;

use crate::import::mistake::MappingErrors;

/// What can end an import; a bad row does not, too many of them do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mapping names columns that the input does not have.
    #[error(transparent)]
    Mapping(Box<MappingErrors>),
    /// The input cannot be read.
    #[error("cannot read {path}")]
    Input {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The input has no header or, as JSON Lines, no object.
    #[error("{path} has no rows")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// Events, rejects or a sorting run cannot be written or read back.
    #[error("cannot write {path}")]
    Output {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was set aside for sorting does not read back.
    #[error("record set aside in {path} is damaged")]
    Damaged {
        /// Folder of the sorting runs.
        path: PathBuf,
    },
    /// More rows than `source.max_reject_share` allows are bad.
    #[error(
        "{rejected} of {rows} rows are bad, source.max_reject_share allows {max_reject_share} of \
         them{worst}; first: {first}; all: {rejects_path}"
    )]
    TooManyRejects {
        /// Bad rows.
        rejected: u64,
        /// All rows.
        rows: u64,
        /// The share that is allowed.
        max_reject_share: f64,
        /// Where the bad rows are listed.
        rejects_path: PathBuf,
        /// The first of them.
        first: String,
        /// What is wrong most often, with the place in the mapping; may be empty.
        worst: String,
    },
}

impl From<MappingErrors> for Error {
    fn from(errors: MappingErrors) -> Self {
        Self::Mapping(Box::new(errors))
    }
}

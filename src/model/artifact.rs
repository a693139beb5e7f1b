//! Bundles as files: written once, read with every checksum verified.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::head::HeadId;
use crate::model::calibration::Calibration;
use crate::model::conformal::OuterQuantiles;
use crate::model::ensemble::Ensemble;
use crate::model::parts::Misfit;

/// Name of the manifest's file.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the model card's file.
pub const CARD_FILE: &str = "card.md";

/// The content of a head's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadArtifact {
    /// From raw to calibrated.
    pub calibration: Calibration,
    /// The trees.
    pub ensemble: Ensemble,
    /// Of a value head: where nearly all outcomes lie.
    pub quantiles: Option<OuterQuantiles>,
}

/// Why a bundle cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot {verb} {path}")]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what its name says.
    #[error("{path} is not a valid artifact: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The layout is of another build.
    #[error(
        "{path} is of bundle format {found}, this program reads {expected}: train it again with `orderlens train`"
    )]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// What the file says.
        found: u32,
        /// What this build reads.
        expected: u32,
    },
    /// A file was changed after it was written.
    #[error("artifact {path} has checksum {found}, its manifest says {expected}")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// BLAKE3 of the file.
        found: Box<str>,
        /// BLAKE3 in the manifest.
        expected: Box<str>,
    },
    /// The features are not those the bundle was trained on.
    #[error("artifact {path} was trained on feature schema {expected}, it lists {found}")]
    SchemaMismatch {
        /// The manifest.
        path: PathBuf,
        /// Hash of the listed features.
        found: Box<str>,
        /// Hash the manifest was written with.
        expected: Box<str>,
    },
    /// The borders do not belong to the features.
    #[error("artifact {path} has borders for {found} features, it lists {expected}")]
    BinningWidth {
        /// The manifest.
        path: PathBuf,
        /// Number of border lists.
        found: usize,
        /// Number of features.
        expected: usize,
    },
    /// A split asks for a border that does not exist.
    #[error("head {head} in {path} splits at border {border} of feature {feature}: there is none")]
    UnknownBorder {
        /// The head's file.
        path: PathBuf,
        /// Which head.
        head: HeadId,
        /// Position of the feature.
        feature: u16,
        /// Position of the border.
        border: u8,
    },
    /// Contributions do not add up to the score.
    #[error("the heads of {path} are not additive: {residual} steps are left over")]
    Additivity {
        /// The manifest.
        path: PathBuf,
        /// Largest |base + Σ contributions − raw| found, in steps of the head's scale.
        residual: i64,
    },
    /// A part belongs to another bundle.
    #[error("{path} does not fit its bundle")]
    Misfit {
        /// The part's file.
        path: PathBuf,
        /// What does not fit.
        source: Misfit,
    },
    /// A part that this build does not know.
    #[error("bundle {path} has a part `{name}`, which this build does not know")]
    UnknownPart {
        /// The bundle's folder.
        path: PathBuf,
        /// Name of the part.
        name: Box<str>,
    },
    /// A part that every bundle has is not listed.
    #[error("bundle {path} has no part `{name}`")]
    MissingPart {
        /// The bundle's folder.
        path: PathBuf,
        /// Name of the part.
        name: &'static str,
    },
    /// A file name that leaves the bundle.
    #[error("artifact {path} names the file `{file}`, which is outside of it")]
    OutsidePath {
        /// The manifest.
        path: PathBuf,
        /// The name.
        file: Box<str>,
    },
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Io { verb: "read", path: path.to_owned(), source })
}

/// Writes a file whole, making its folder if needed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let error = |source| Error::Io { verb: "write", path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(error)?;
    }
    fs::write(path, bytes).map_err(error)
}

/// Reads a JSON file whose checksum must be this one.
pub(crate) fn read_checked<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<T, Error> {
    let bytes = read(path)?;
    let found = checksum(&bytes);
    if *found == *expected {
        parse(path, &bytes)
    } else {
        Err(Error::Checksum { path: path.to_owned(), found, expected: expected.into() })
    }
}

/// The JSON that goes to `path`.
pub(crate) fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|source| Error::Json { path: path.to_owned(), source })
}

/// Reads JSON that came from `path`.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Json { path: path.to_owned(), source })
}

/// BLAKE3, 64 hex digits.
pub(crate) fn checksum(bytes: &[u8]) -> Box<str> {
    blake3::hash(bytes).to_hex().as_str().into()
}

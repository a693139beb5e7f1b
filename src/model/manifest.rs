//! What a bundle says about itself: the first file that is read.

use serde::{Deserialize, Serialize};

use crate::domain::feature::{CatalogSchema, FeatureSpec};
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::time::Timestamp;
use crate::model::binning::Binning;

/// Version of the file layout that this build reads and writes.
pub const FORMAT_VERSION: u32 = 2;

/// The content of `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Layout of the files: [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Name of the bundle, `risk`.
    pub name: Box<str>,
    /// Version of the bundle, `2026-11-22`.
    pub version: Box<str>,
    /// True when the training data was simulated: never a claim about real orders.
    pub is_synthetic: bool,
    /// Seed of the fit.
    pub seed: u64,
    /// What the fit saw.
    pub window: TrainingWindow,
    /// What the source offers; the catalog follows from it.
    pub schema: CatalogSchema,
    /// BLAKE3 over `features`, 64 hex digits: see [`schema_hash`].
    pub schema_hash: Box<str>,
    /// The features used, in the order of the feature vector.
    pub features: Vec<FeatureSpec>,
    /// Their borders, in the same order.
    pub binning: Binning,
    /// The heads, in scoring order.
    pub heads: Vec<HeadEntry>,
    /// Further files, by name.
    pub parts: Vec<PartEntry>,
}

/// A file of a bundle beside its heads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartEntry {
    /// Which part; its file is `<name>.json`.
    pub name: Box<str>,
    /// BLAKE3 of that file, 64 hex digits.
    pub checksum: Box<str>,
}

/// The rows a bundle was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingWindow {
    /// Time of the first row.
    pub from: Timestamp,
    /// Time of the last row.
    pub to: Timestamp,
    /// Number of rows.
    pub n_rows: u64,
}

/// One head of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadEntry {
    /// Which head.
    pub id: HeadId,
    /// What its numbers mean.
    pub kind: HeadKind,
    /// Its file, relative to the bundle.
    pub file: Box<str>,
    /// BLAKE3 of that file, 64 hex digits.
    pub checksum: Box<str>,
    /// Number of trees.
    pub n_trees: u32,
    /// Rows with a label.
    pub n_rows: u64,
    /// Rows whose label is 1; 0 for value heads.
    pub n_positive: u64,
    /// Figures on the held-out later slice.
    pub metrics: Vec<MetricSummary>,
}

/// A figure with its 90 % bootstrap interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSummary {
    /// Name, `average_precision`.
    pub name: Box<str>,
    /// Figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// BLAKE3 of the specs as JSON, 64 hex digits: equal exactly when the features are.
pub fn schema_hash(features: &[FeatureSpec]) -> Box<str> {
    let text = serde_json::to_vec(features).unwrap_or_default();
    blake3::hash(&text).to_hex().as_str().into()
}

//! What a bundle says about itself, for people.

use serde::Serialize;

use crate::domain::head::{HeadId, HeadKind};
use crate::domain::time::Timestamp;

/// What a bundle says about itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelDescription {
    /// Name and version, `risk/1`.
    pub name: Box<str>,
    /// BLAKE3 of its manifest, 64 hex digits.
    pub hash: Box<str>,
    /// True when it learned from simulated orders.
    pub is_synthetic: bool,
    /// Time of the first row that it learned from.
    pub from: Timestamp,
    /// Time of the last.
    pub to: Timestamp,
    /// Rows that it learned from.
    pub n_rows: u64,
    /// Features that it reads.
    pub n_features: usize,
    /// What it predicts, in scoring order.
    pub heads: Vec<HeadDescription>,
}

/// What is known about a head.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadDescription {
    /// Which.
    pub head: HeadId,
    /// What its numbers mean.
    pub kind: HeadKind,
    /// Trees.
    pub n_trees: u32,
    /// Rows with a label.
    pub n_rows: u64,
    /// Rows whose label is 1; 0 for values.
    pub n_positive: u64,
    /// Figures on the held-out later slice.
    pub figures: Vec<ModelFigure>,
    /// Held-out rows by ascending score.
    pub reliability: Vec<ReliabilityRow>,
}

/// A figure with its 90 % interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelFigure {
    /// Name, `average_precision`.
    pub name: Box<str>,
    /// Figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Held-out rows with scores next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityRow {
    /// Rows.
    pub n: u64,
    /// Mean of the calibrated predictions.
    pub predicted: f64,
    /// Share of positives, or mean of the observed values.
    pub observed: f64,
}

//! Makes the answer about one order: a pure function of state and request.
//!
//! Serving, dry runs, what-ifs, replays and back-tests all call it.

use std::sync::Arc;

use crate::decision::decide::{DecideInput, Recalibrate, decide};
use crate::decision::strategy::Strategy;
use crate::domain::decision::{
    Decision, DecisionId, DecisionState, DecisionTimes, DegradedReason, Probability, Stage,
    StageTiming, Versions,
};
use crate::domain::record::ScoreRequest;
use crate::domain::time::Timestamp;
use crate::feature::catalog::Catalog;
use crate::feature::catalog::UnknownFeature;
use crate::graph::evidence::EvidenceWant;
use crate::graph::knowledge::KnowledgeGraph;
use crate::model::bundle::Bundle;

/// Contributions whose graph evidence is shown, over all risks of one answer.
pub const EVIDENCE_FEATURES_MAX: usize = 6;
/// Answers with fewer known inputs than this share are flagged.
pub const KNOWN_INPUTS_MIN: f64 = 0.1;

/// A strategy with the file it came from.
#[derive(Debug)]
pub struct ActiveStrategy {
    /// The checked strategy.
    pub strategy: Strategy,
    /// BLAKE3 of the file, 64 hex digits.
    pub hash: Box<str>,
    /// The file.
    pub toml: Box<str>,
}

/// A model and a strategy, ready to judge.
#[derive(Debug, Clone)]
pub struct Judge {
    bundle: Arc<Bundle>,
    catalog: Arc<Catalog>,
    strategy: Arc<ActiveStrategy>,
    build: Box<str>,
}

/// What is not a function of the request: who asks for determinism passes the same again.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Id of the new decision.
    pub decision_id: DecisionId,
    /// When the request arrived.
    pub received_time: Timestamp,
    /// Version of the program.
    pub build: Box<str>,
}

/// A monotonic clock in nanoseconds; a replay passes one that stands still.
pub type Stopwatch = fn() -> u64;

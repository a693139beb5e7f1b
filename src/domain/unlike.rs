//! Orders unlike those a model was trained on, and what is unusual about them.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::text::Text;

/// How unlike the training data an order is.
///
/// An answer about an order that no training row resembled is a guess; this says so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnlikeTraining {
    /// True when the order stands out more than nearly all training rows.
    pub is_unlike: bool,
    /// Surprise above that of the average training row, nats.
    pub surprise: f64,
    /// Surprise from which an order stands out, nats.
    pub surprise_max: f64,
    /// What is unusual, most unusual first; empty unless `is_unlike`.
    pub reasons: Vec<UnlikeReason>,
}

/// One unusual thing about an order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnlikeReason {
    /// In which way.
    pub kind: UnlikeKind,
    /// Feature id.
    pub feature: Arc<str>,
    /// The feature that makes the value unusual, empty when it is so by itself.
    pub beside: Arc<str>,
    /// Its share of the surprise, nats.
    pub surprise: f64,
    /// The sentence.
    pub text: Text,
}

/// In which way a value is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlikeKind {
    /// Below everything seen.
    BelowRange,
    /// Above everything seen.
    AboveRange,
    /// Not known, though it always was.
    NeverMissing,
    /// Seen, but rarely beside the value of another feature.
    RareTogether,
    /// Seen, but rarely.
    Rare,
}

//! What is known of a head when an order is read.

use crate::domain::head::HeadId;
use crate::domain::time::Timestamp;
use crate::graph::knowledge::KnowledgeGraph;

/// Judged orders that the head's overall rate counts as, in shares of known-bad ones. For
/// categories 10 and 30 tell best, 1 and 100 a little worse: AUC 0.779 and 0.778 against
/// 0.772 and 0.774 of the share alone (400 words, 60,000 orders, 2026-11-26).
const PRIOR_ORDERS: f64 = 10.0;

/// A head as the graph knows it at the instant of reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadNow {
    /// Its slot in the graph, once a verdict of it was told.
    pub(super) slot: Option<u8>,
    /// Share of bad ones among all verdicts so far.
    pub(super) rate: f64,
}

impl HeadNow {
    /// Looks a head up.
    pub(super) fn read(graph: &KnowledgeGraph, head: &HeadId, as_of: Timestamp) -> Self {
        let slot = graph.head_slot(head);
        let rate = slot.and_then(|slot| graph.known_bad_rate(slot, as_of)).unwrap_or(f64::NAN);
        Self { slot, rate }
    }
}

/// (bad + [`PRIOR_ORDERS`] × overall rate) / (judged + [`PRIOR_ORDERS`]).
///
/// Source: the m-estimate of Cestnik (Estimating probabilities, ECAI 1990), as used for
/// categories by Micci-Barreca (SIGKDD Explorations 3(1), 2001).
pub(super) fn shrunk(n_bad: f64, n_known: f64, rate: f64) -> f64 {
    PRIOR_ORDERS.mul_add(rate, n_bad) / (n_known + PRIOR_ORDERS)
}

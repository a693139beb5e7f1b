//! What an import did, for people and for `--json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::domain::time::Timestamp;
use crate::import::reject::Reject;

/// What an import did. `rows = accepted + filtered + rejected + unmatched`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ImportSummary {
    /// Rows of the source.
    pub rows: u64,
    /// Rows that are part of an order or told a later fact.
    pub accepted: u64,
    /// Rows that the mapping's filters leave out.
    pub filtered: u64,
    /// Bad rows.
    pub rejected: u64,
    /// Rows with a later fact that has no earlier order to belong to; no error.
    pub unmatched: u64,
    /// Bad rows by reason.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// The first bad rows; all of them are in `rejects_path`.
    pub first_rejects: Vec<Reject>,
    /// Where bad and unmatched rows are listed; none when there are none.
    pub rejects_path: Option<PathBuf>,
    /// Orders written.
    pub orders: u64,
    /// Their items.
    pub items: u64,
    /// Values that were dropped because another row of the order said otherwise.
    pub conflicts: u64,
    /// Words without a place in their map; they count as unknown.
    pub unmapped: u64,
    /// Events written, labels among them.
    pub events: u64,
    /// Events written by kind of fact.
    pub events_by_fact: BTreeMap<&'static str, u64>,
    /// Labels by head.
    pub labels: BTreeMap<Box<str>, LabelCounts>,
    /// Time of the first accepted row.
    pub first_time: Option<Timestamp>,
    /// Time of the last accepted row: labels that need later rows are censored.
    pub last_time: Option<Timestamp>,
}

/// Labels of one head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LabelCounts {
    /// Label events written.
    pub events: u64,
    /// Orders with a label other than 0.
    pub positive_orders: u64,
    /// Orders with label 0.
    pub negative_orders: u64,
    /// Orders without label because their horizon ends after the data.
    pub censored_orders: u64,
    /// Orders without label because the source does not tell, or no account to match.
    pub unlabeled_orders: u64,
}

//! How full the graph is, and what its limits kept out.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// What the graph holds at a position of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphStatus {
    /// Entities remembered.
    pub n_entities: u64,
    /// Orders kept, at most as many as the budget allows.
    pub n_orders_kept: u64,
    /// The end of the last minute whose orders were shed; `None` when none were.
    pub shed_until: Option<Timestamp>,
    /// True when reads do not reach as far back as the retention for that reason.
    pub is_cut_by_shedding: bool,
    /// What was taken in and what was not.
    pub counts: GraphCounts,
}

/// What the graph took in since the first record, and what its limits kept out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphCounts {
    /// Orders folded in.
    pub n_orders: u64,
    /// Facts older than the retention, ignored.
    pub n_too_late: u64,
    /// Orders, and steps of one, that were already there, ignored.
    pub n_repeated: u64,
    /// Facts whose order never came, dropped for lack of room.
    pub n_early_dropped: u64,
    /// Words that count together with others, since their category has too many.
    pub n_words_shared: u64,
    /// Words of categories beyond those that are remembered.
    pub n_words_left_out: u64,
    /// Orders dropped for lack of room, which the retention would have kept.
    pub n_shed: u64,
}

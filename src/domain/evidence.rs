//! The part of the graph that shows what graph features counted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityRef;
use crate::domain::risk::Probability;
use crate::domain::time::Timestamp;

/// Most nodes one answer's evidence may hold; more are cut and `truncated` is set.
pub const EVIDENCE_NODES_MAX: usize = 50;
/// Most events that a link names, the newest.
pub const LINK_EVENTS_MAX: usize = 16;
/// A link made by more orders than this is not weighed: see [`EvidenceEdge::delta_if_removed`].
pub const WEIGHED_ORDERS_MAX: usize = 64;

/// A small typed sub-graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Nodes, the order's own entities first; at most [`EVIDENCE_NODES_MAX`].
    pub nodes: Vec<EvidenceNode>,
    /// Links between them, by node position.
    pub edges: Vec<EvidenceEdge>,
    /// True when fewer nodes or edges are shown than the features counted.
    pub is_truncated: bool,
}

/// A node of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceNode {
    /// Which entity; personal ones are pseudonyms.
    pub entity: EntityRef,
    /// Orders seen on it before the decision.
    pub n_orders: u64,
    /// Orders on it that were known to be bad before the decision.
    pub n_bad: u64,
    /// True when the entity is shared by so many that sharing it says little.
    pub is_hub: bool,
    /// True when the judged order itself touches it.
    pub is_of_order: bool,
}

/// A link: two entities met in orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceEdge {
    /// Position of one end in [`Evidence::nodes`]: the end that the orders would not have
    /// named if the link were not there. The shared thing, not the account that used it,
    /// and never a SKU; of other pairs the end whose past a feature reads.
    pub from: u32,
    /// Position of the other end.
    pub to: u32,
    /// Orders that link the two, of any age.
    pub n_orders: u64,
    /// Events that told these orders, newest first; at most [`LINK_EVENTS_MAX`].
    pub event_ids: Vec<Box<str>>,
    /// First of them.
    pub first_seen: Timestamp,
    /// Last of them; within the window of every feature below that counts links of a window.
    pub last_seen: Timestamp,
    /// Feature ids that this link is evidence for; sorted.
    pub features: Vec<Arc<str>>,
    /// What the leading risk would be without the link; `None` when that risk is low, when
    /// more than [`WEIGHED_ORDERS_MAX`] orders make the link, or when the answer was made by
    /// a build that did not weigh links.
    pub delta_if_removed: Option<DeltaIfRemoved>,
}

/// The leading risk of a decision as it would be if the orders of one link had not named
/// the link's end [`EvidenceEdge::from`]. All else stays, later verdicts on these orders too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeltaIfRemoved {
    /// Change of the log-odds under the strategy's weights; below 0 when the link raises the
    /// risk.
    pub log_odds: f64,
    /// The calibrated probability without the link.
    pub probability: Probability,
}

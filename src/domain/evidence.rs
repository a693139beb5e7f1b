//! The part of the graph that shows what graph features counted.

use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityRef;
use crate::domain::time::Timestamp;

/// Most nodes one answer's evidence may hold; more are cut and `truncated` is set.
pub const EVIDENCE_NODES_MAX: usize = 50;

/// A small typed sub-graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceEdge {
    /// Position of one end in [`Evidence::nodes`].
    pub from: u32,
    /// Position of the other end.
    pub to: u32,
    /// Orders that link the two, of any age.
    pub n_orders: u64,
    /// First of them.
    pub first_seen: Timestamp,
    /// Last of them; within the window of every feature below that counts links of a window.
    pub last_seen: Timestamp,
    /// Feature ids that this link is evidence for; sorted.
    pub features: Vec<Box<str>>,
}

//! A bounded view of the graph around entities, and how it is asked for.

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::identity::Identity;
use crate::domain::order_step::LostStep;
use crate::domain::time::Timestamp;

/// Most entities that one view starts from.
pub const SEEDS_MAX: usize = 16;
/// Most hops from the nearest seed.
pub const HOPS_MAX: u32 = 3;
/// Most nodes of a view.
pub const VIEW_NODES_MAX: u32 = 500;
/// Most links that are followed from one node.
pub const FAN_OUT_MAX: u32 = 50;
/// Most lost steps shown of one node.
pub const LOST_STEPS_MAX: usize = 8;

/// Which part of the graph to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighborhoodQuery {
    /// Where to start; at most [`SEEDS_MAX`], in the order in which they are shown.
    pub seeds: Vec<EntityRef>,
    /// How many links away from the nearest seed; at most [`HOPS_MAX`].
    pub n_hops: u32,
    /// Kinds to walk to; empty is every kind. Seeds may be of any.
    pub kinds: Vec<EntityKind>,
    /// Only links by an order at or after this instant.
    pub since: Option<Timestamp>,
    /// The view is that of this instant; `None` is now.
    pub as_of: Option<Timestamp>,
    /// Most nodes, seeds included; at most [`VIEW_NODES_MAX`].
    pub n_nodes_max: u32,
    /// Most links followed from one node, the most recent; at most [`FAN_OUT_MAX`].
    pub fan_out_max: u32,
}

/// The part of the graph around the seeds, as of an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighborhood {
    /// The seeds first, then hop by hop; a node's neighbors by the last order that links
    /// them, newest first.
    pub nodes: Vec<NeighborhoodNode>,
    /// Other accounts of the consumers of the seeds that are accounts, by seed, then the
    /// most confident first.
    pub identities: Vec<Identity>,
    /// Links between the nodes that were followed, each once, sorted by their ends.
    pub edges: Vec<NeighborhoodEdge>,
    /// True when links or nodes within the asked range were left out.
    pub is_truncated: bool,
    /// The instant that is shown.
    pub as_of: Timestamp,
}

/// A node of the view; counts reach from the beginning to the instant shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighborhoodNode {
    /// Which entity; personal ones are pseudonyms.
    pub entity: EntityRef,
    /// Links to the nearest seed; 0 for a seed.
    pub n_hops: u32,
    /// Orders on it; 0 for a seed that was never seen.
    pub n_orders: u64,
    /// Orders on it that were known to be bad.
    pub n_bad: u64,
    /// True when so many share it that sharing it says little.
    pub is_hub: bool,
    /// Steps of its orders that do not count, since another step of the same order stands
    /// against them, newest first; at most [`LOST_STEPS_MAX`], of accounts, SKUs and merchants.
    pub lost_steps: Vec<LostStep>,
    /// When it was first part of an order.
    pub first_seen: Option<Timestamp>,
    /// When it was last part of an order.
    pub last_seen: Option<Timestamp>,
    /// True when links of this node were left out.
    pub is_truncated: bool,
}

/// Two entities that met in orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NeighborhoodEdge {
    /// Position of the end that was reached first.
    pub from: u32,
    /// Position of the other end.
    pub to: u32,
    /// Orders that link the two in the asked range.
    pub n_orders: u64,
    /// First order that links the two, of any age.
    pub first_seen: Timestamp,
    /// Last order that links the two, in the asked range.
    pub last_seen: Timestamp,
}

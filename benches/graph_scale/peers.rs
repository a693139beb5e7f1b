//! The same features from petgraph's plain graph.

use std::collections::BTreeSet;

use orderlens::domain::entity::EntityKey;
use orderlens::domain::order::Order;
use orderlens::domain::time::{Span, Timestamp};
use petgraph::Direction;
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use rustc_hash::FxHashMap;

use crate::stream::KINDS;

/// Windows of every feature.
pub(crate) const WINDOWS: [Span; 4] = [Span::HOUR, Span::DAY, Span::days(7), Span::days(30)];

/// Of one entity: orders, amounts in minor units and different accounts, by window.
pub(crate) type Past = [[i64; WINDOWS.len()]; 3];

/// Something that takes in orders and tells the past of their entities.
pub(crate) trait Peer {
    /// Takes in an order.
    fn apply(&mut self, time: Timestamp, order: &Order);
    /// The past of every entity of an order.
    fn extract(&mut self, time: Timestamp, order: &Order) -> [Past; KINDS.len()];
}

/// Entities and orders as nodes, an edge per entity of an order.
///
/// Entities find their newest orders first.
#[derive(Default)]
pub(crate) struct PlainGraph {
    graph: StableDiGraph<OrderNode, ()>,
    entities: FxHashMap<(usize, u128), NodeIndex>,
}

/// What an order says; empty for entities.
#[derive(Clone, Copy, Default)]
struct OrderNode {
    time: Timestamp,
    minor_units: i64,
    account: u32,
}

impl PlainGraph {
    /// Its name in the table.
    pub(crate) const NAME: &'static str = "StableDiGraph";

    fn entity(&mut self, kind: usize, order: &Order) -> NodeIndex {
        let graph = &mut self.graph;
        let key = (kind, number(kind, order));
        *self.entities.entry(key).or_insert_with(|| graph.add_node(OrderNode::default()))
    }

    fn past(&self, entity: NodeIndex, time: Timestamp) -> Past {
        let mut past = Past::default();
        let mut accounts: [BTreeSet<u32>; WINDOWS.len()] = Default::default();
        for node in self.graph.neighbors_directed(entity, Direction::Outgoing) {
            let met = self.graph[node];
            let first = WINDOWS.partition_point(|window| met.time <= time - *window);
            if first == WINDOWS.len() {
                break;
            }
            for at in first..WINDOWS.len() {
                past[0][at] += 1;
                past[1][at] += met.minor_units;
                accounts[at].insert(met.account);
            }
        }
        past[2] = accounts.map(|accounts| i64::try_from(accounts.len()).unwrap_or(i64::MAX));
        past
    }
}

impl Peer for PlainGraph {
    fn apply(&mut self, time: Timestamp, order: &Order) {
        let account = self.entity(0, order).index() as u32;
        let minor_units = minor_units(order);
        let node = self.graph.add_node(OrderNode { time, minor_units, account });
        for kind in 0..KINDS.len() {
            let entity = self.entity(kind, order);
            self.graph.add_edge(entity, node, ());
        }
    }

    fn extract(&mut self, time: Timestamp, order: &Order) -> [Past; KINDS.len()] {
        std::array::from_fn(|kind| match self.entities.get(&(kind, number(kind, order))) {
            Some(&entity) => self.past(entity, time),
            None => Past::default(),
        })
    }
}

pub(crate) fn minor_units(order: &Order) -> i64 {
    order.amount.map_or(0, |amount| amount.minor_units)
}

/// The key of an order's entity as a number.
pub(crate) fn number(kind: usize, order: &Order) -> u128 {
    match order.entities[kind].key {
        EntityKey::Hashed(number) => number,
        EntityKey::Plain(_) | EntityKey::Twice(_) => 0,
    }
}

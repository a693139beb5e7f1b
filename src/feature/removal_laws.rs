//! Laws of a link that is taken away.
//!
//! Every feature reads as if it had never been there, and afterwards as before.

use proptest::prelude::*;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::order::Order;
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::feature::laws::{differences, order, schema, stream};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;

/// How long the graph remembers, and as of when it is read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    retention: Span,
    as_of: Timestamp,
}

fn graph_of(events: &[Event], retention: Span) -> KnowledgeGraph {
    let settings = GraphSettings { hub_accounts_min: 3, retention, ..GraphSettings::default() };
    let mut graph = KnowledgeGraph::new(settings);
    for event in events {
        graph.apply(event);
    }
    graph
}

/// The link that one of the orders makes between two of its entities; the first is no SKU.
fn link(events: &[Event], picks: [prop::sample::Index; 3]) -> Option<(EntityRef, EntityRef)> {
    let placed = |event: &Event| {
        let Fact::OrderPlaced(order) = &event.fact else { return None };
        Some(order.clone())
    };
    let orders: Vec<Order> = events.iter().filter_map(placed).collect();
    let order = orders.get(picks[0].index(orders.len().max(1)))?;
    let meets = |entity: &&EntityRef| entity.kind != EntityKind::Region;
    let named: Vec<&EntityRef> = order.entities.iter().filter(meets).collect();
    let leaving = (*named.get(picks[1].index(named.len().max(1)))?).clone();
    let others: Vec<&EntityRef> = order.nodes().filter(|other| **other != leaving).collect();
    let other = (*others.get(picks[2].index(others.len().max(1)))?).clone();
    Some((leaving, other))
}

/// The same events, but the orders of a link do not name its first end.
fn without(events: &[Event], link: &(EntityRef, EntityRef), reading: Reading) -> Vec<Event> {
    let newest = events.iter().map(|event| event.event_time).max();
    let horizon = newest.map(|newest| newest - reading.retention);
    let mut events = events.to_vec();
    for event in &mut events {
        let is_kept = horizon <= Some(event.event_time) && event.event_time <= reading.as_of;
        if let Fact::OrderPlaced(order) = &mut event.fact
            && is_kept
            && order.nodes().any(|entity| *entity == link.1)
        {
            order.entities.retain(|entity| *entity != link.0);
        }
    }
    events
}

/// What an order says of its account besides is not part of the link.
fn forget_opening(events: &mut [Event]) {
    for event in events {
        if let Fact::OrderPlaced(order) = &mut event.fact {
            order.account_created_at = None;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn without_a_link_features_read_as_if_its_orders_had_not_named_it_and_then_as_before(
        events in stream(), picks in prop::array::uniform3(any::<prop::sample::Index>()),
        hour in 0_i64..1_010, is_forgetful in any::<bool>(),
        probe in (prop::array::uniform6(0_u8..7), 0_i64..50_000),
    ) {
        let mut events = events;
        let Some(link) = link(&events, picks) else { return Ok(()) };
        if link.0.kind == EntityKind::Account {
            forget_opening(&mut events);
        }
        let retention = if is_forgetful { Span::days(20) } else { Span::days(400) };
        let reading = Reading { retention, as_of: Timestamp(Span::hours(hour).0) };
        let as_of = reading.as_of;
        let mut graph = graph_of(&events, retention);
        let before = (graph.state_hash(), graph_of(&events, retention));
        let expected = graph_of(&without(&events, &link, reading), retention);
        let catalog = Catalog::new(&schema(&events));
        let order = order(255, probe.0, probe.1);
        let found = graph.without_link((&link.0, &link.1), as_of, |graph| {
            differences(&catalog, (graph, &expected), &order, as_of)
        });
        prop_assert_eq!(found.unwrap_or_default(), vec![]);
        prop_assert_eq!(graph.state_hash(), before.0);
        let end = Timestamp(Span::hours(1_010).0);
        for as_of in [as_of, end] {
            let again = differences(&catalog, (&graph, &before.1), &order, as_of);
            prop_assert_eq!(again, vec![]);
        }
    }
}

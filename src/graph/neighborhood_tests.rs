//! Views of the graph: what is in them, in which order, and how they end.

use proptest::prelude::*;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{
    CancelLevel, CancelReason, CancelSource, CancelType, Event, Fact, OrderAmount, OrderCancelled,
};
use crate::domain::neighborhood::{Neighborhood, NeighborhoodQuery};
use crate::domain::order::Order;
use crate::domain::order_step::{LostStep, OrderStepKind};
use crate::domain::time::Span;
use crate::graph::laws::{ACCOUNT, DEVICE, IP, at, entity, graph, order, placed};

fn query(seed: EntityRef, n_hops: u32) -> NeighborhoodQuery {
    NeighborhoodQuery {
        seeds: vec![seed],
        n_hops,
        kinds: Vec::new(),
        since: None,
        as_of: None,
        n_nodes_max: 100,
        fan_out_max: 20,
    }
}

fn entities(view: &Neighborhood) -> Vec<EntityRef> {
    view.nodes.iter().map(|node| node.entity.clone()).collect()
}

/// Account 1 and 2 share device 1; 2 and 3 share device 2, an hour apart each.
fn chain() -> Vec<Event> {
    let met = [(1, 1), (2, 1), (2, 2), (3, 2)].into_iter().zip(0_u32..);
    met.map(|((account, device), hour)| {
        let nodes = [(ACCOUNT, account), (DEVICE, device), (IP, 7)];
        placed(i64::from(hour), order(hour as usize, &nodes))
    })
    .collect()
}

#[test]
fn a_payment_that_lost_against_a_cancellation_is_shown_at_the_account_once_both_are_known() {
    let placed = placed(0, order(1, &[(ACCOUNT, 1), (DEVICE, 1)]));
    let Fact::OrderPlaced(Order { key, .. }) = placed.fact.clone() else { return };
    let reason = CancelReason {
        source: CancelSource::Customer,
        r#type: CancelType::Other,
        level: CancelLevel::BeforePayment,
    };
    let paid = Fact::OrderPaid(OrderAmount { order: key.clone(), amount: None });
    let cancelled = Fact::OrderCancelled(OrderCancelled { order: key, reason });
    let step = |event_time, fact| Event { event_time, fact, ..placed.clone() };
    let (lost_time, stands_time) = (at(1), at(1) + Span(999_999));
    let told = [step(lost_time, paid), step(stands_time, cancelled), placed.clone()];
    let graph = graph(&told);
    let shown = |kind, as_of| {
        let view = graph.neighborhood(&query(entity(kind, 1), 1), as_of);
        view.nodes[0].lost_steps.clone()
    };
    let (lost, stands) = (OrderStepKind::Paid, OrderStepKind::Cancelled);
    assert_eq!(shown(ACCOUNT, lost_time), []);
    let expected = LostStep { lost_time, lost, stands_time, stands };
    assert_eq!(shown(ACCOUNT, stands_time), [expected]);
    assert_eq!(shown(DEVICE, stands_time), []);
}

#[test]
fn a_view_grows_hop_by_hop_with_the_newest_link_first() {
    let graph = graph(&chain());
    let mut asked = query(entity(ACCOUNT, 2), 1);
    asked.kinds = vec![DEVICE, ACCOUNT];
    let one = graph.neighborhood(&asked, at(9));
    assert_eq!(entities(&one), [entity(ACCOUNT, 2), entity(DEVICE, 2), entity(DEVICE, 1)]);
    asked.n_hops = 2;
    let two = graph.neighborhood(&asked, at(9));
    assert_eq!(entities(&two)[3..], [entity(ACCOUNT, 3), entity(ACCOUNT, 1)]);
    let hops: Vec<u32> = two.nodes.iter().map(|node| node.n_hops).collect();
    assert_eq!(hops, [0, 1, 1, 2, 2]);
    let ends: Vec<(u32, u32)> = two.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    assert_eq!(ends, [(0, 1), (0, 2), (1, 3), (2, 4)]);
    assert!(!one.is_truncated && !two.is_truncated);
}

#[test]
fn a_view_shows_only_links_of_its_range() {
    let graph = graph(&chain());
    let mut asked = query(entity(IP, 7), 1);
    asked.kinds = vec![ACCOUNT];
    asked.since = Some(at(2));
    let recent = graph.neighborhood(&asked, at(9));
    assert_eq!(entities(&recent)[1..], [entity(ACCOUNT, 3), entity(ACCOUNT, 2)]);
    assert_eq!((recent.edges[1].n_orders, recent.edges[1].first_seen), (1, at(1)));
    asked.since = None;
    asked.as_of = Some(at(0));
    assert_eq!(entities(&graph.neighborhood(&asked, at(9)))[1..], [entity(ACCOUNT, 1)]);
}

#[test]
fn what_is_left_out_is_said_at_the_node_and_of_the_whole() {
    let graph = graph(&chain());
    let mut asked = query(entity(IP, 7), 1);
    asked.kinds = vec![ACCOUNT];
    for (n_nodes_max, fan_out_max) in [(100, 2), (3, 20)] {
        (asked.n_nodes_max, asked.fan_out_max) = (n_nodes_max, fan_out_max);
        let view = graph.neighborhood(&asked, at(9));
        assert_eq!(entities(&view)[1..], [entity(ACCOUNT, 3), entity(ACCOUNT, 2)]);
        assert!(view.is_truncated && view.nodes[0].is_truncated);
        assert!(!view.nodes[1].is_truncated);
    }
    // What is cut lies before the range: nothing of it is missing.
    (asked.n_nodes_max, asked.fan_out_max, asked.since) = (100, 3, Some(at(3)));
    assert!(!graph.neighborhood(&asked, at(9)).is_truncated);
}

#[test]
fn a_region_is_shown_but_not_walked_through() {
    let region = EntityKind::Region;
    let events: Vec<Event> =
        (0..3_u32).map(|n| placed(0, order(n as usize, &[(ACCOUNT, n), (region, 1)]))).collect();
    let graph = graph(&events);
    let view = graph.neighborhood(&query(entity(ACCOUNT, 1), 3), at(9));
    assert_eq!(entities(&view), [entity(ACCOUNT, 1), entity(region, 1)]);
    let alone = graph.neighborhood(&query(entity(region, 1), 3), at(9));
    assert_eq!((alone.nodes.len(), alone.nodes[0].n_orders), (1, 3));
}

#[test]
fn a_seed_that_was_never_seen_comes_alone() {
    let view = graph(&chain()).neighborhood(&query(entity(ACCOUNT, 99), 3), at(9));
    assert_eq!((view.nodes.len(), view.nodes[0].n_orders, view.is_truncated), (1, 0, false));
}

proptest! {
    #[test]
    fn a_view_keeps_its_limits_and_is_the_same_every_time(
        links in prop::collection::vec((0_u32..12, 0_u32..8, 0_u32..3, 0_i64..60), 1..80),
        seed in 0_u32..12, n_hops in 0_u32..4, n_nodes_max in 1_u32..12, fan_out_max in 1_u32..6,
        since in prop::option::of(0_i64..60),
    ) {
        let placed = links.iter().enumerate().map(|(id, &(account, device, ip, hour))| {
            placed(hour, order(id, &[(ACCOUNT, account), (DEVICE, device), (IP, ip)]))
        });
        let graph = graph(&placed.collect::<Vec<_>>());
        let asked = NeighborhoodQuery {
            n_nodes_max, fan_out_max, since: since.map(at), ..query(entity(ACCOUNT, seed), n_hops)
        };
        let view = graph.neighborhood(&asked, at(50));
        prop_assert!(view.nodes.len() <= n_nodes_max as usize);
        prop_assert_eq!(&view, &graph.neighborhood(&asked, at(50)));
        for edge in &view.edges {
            prop_assert!(edge.from < edge.to && 0 < edge.n_orders);
            prop_assert!(edge.first_seen <= edge.last_seen && edge.last_seen <= at(50));
            prop_assert!(asked.since.is_none_or(|since| since <= edge.last_seen));
            let hops = [edge.from, edge.to].map(|end| view.nodes[end as usize].n_hops);
            prop_assert!(hops.iter().all(|&hops| hops <= n_hops));
            // A link that a near node was not let show may come back from a far one.
            prop_assert!(view.is_truncated || hops[0].abs_diff(hops[1]) <= 1);
        }
        // Every node but the seeds hangs on one that is nearer.
        for (place, node) in view.nodes.iter().enumerate().skip(1) {
            let mut ends = view.edges.iter().filter(|edge| edge.to as usize == place);
            prop_assert!(ends.any(|edge| view.nodes[edge.from as usize].n_hops < node.n_hops));
        }
    }
}

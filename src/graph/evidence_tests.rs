//! What evidence shows: what the feature counted, and a word when it is less.

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::Event;
use crate::domain::evidence::{
    EVIDENCE_NODES_MAX, Evidence, EvidenceEdge, LINK_EVENTS_MAX, WEIGHED_ORDERS_MAX,
};
use crate::domain::head::RiskType;
use crate::domain::order::OrderItem;
use crate::graph::evidence::{EvidenceWant, Shows};
use crate::graph::history::Window;
use crate::graph::laws::{ACCOUNT, DEVICE, IP, at, bad, entity, graph, order, placed};

fn want(entity: EntityKind, shows: Shows) -> EvidenceWant {
    EvidenceWant { feature: "f".into(), entity, shows }
}

/// Account `n` orders at hour `n`, all from one IP, each with a device of its own.
fn crowd(n_accounts: u32) -> Vec<Event> {
    let order = |n: u32| order(n as usize, &[(ACCOUNT, n), (IP, 1), (DEVICE, n)]);
    (0..n_accounts).map(|n| placed(i64::from(n), order(n))).collect()
}

/// What the links for the feature lead to, in the order in which the nodes are shown.
fn linked(evidence: &Evidence) -> Vec<EntityRef> {
    let ends = evidence.edges.iter().flat_map(|edge| [edge.from, edge.to]);
    let mut ends: Vec<usize> = ends.map(|at| at as usize).filter(|&at| at != 0).collect();
    ends.sort_unstable();
    ends.into_iter().map(|at| evidence.nodes[at].entity.clone()).collect()
}

#[test]
fn accounts_that_met_the_ip_before_the_window_are_no_evidence() {
    let graph = graph(&crowd(30));
    let wants = [want(IP, Shows::Met(ACCOUNT, Window::Hour))];
    let evidence = graph.evidence(&order(99, &[(IP, 1)]), at(29), &wants);
    assert_eq!(linked(&evidence), [entity(ACCOUNT, 29)]);
    assert!(!evidence.is_truncated);
}

#[test]
fn fewer_links_than_counted_are_the_newest_and_said_to_be_cut() {
    let graph = graph(&crowd(30));
    let wants = [want(IP, Shows::Met(ACCOUNT, Window::Day))];
    let evidence = graph.evidence(&order(99, &[(IP, 1)]), at(29), &wants);
    let mut shown = linked(&evidence);
    shown.sort();
    let mut newest: Vec<EntityRef> = (24..30).map(|n| entity(ACCOUNT, n)).collect();
    newest.sort();
    assert_eq!(shown, newest);
    assert!(evidence.is_truncated);
}

#[test]
fn orders_are_shown_by_who_placed_them_in_the_window() {
    let graph = graph(&crowd(5));
    let wants = [want(IP, Shows::Orders(Window::Hour))];
    let evidence = graph.evidence(&order(99, &[(IP, 1)]), at(4), &wants);
    assert_eq!(linked(&evidence), [entity(ACCOUNT, 4)]);
    let wants = [want(IP, Shows::LastOrder)];
    let evidence = graph.evidence(&order(99, &[(IP, 1)]), at(400), &wants);
    assert_eq!(linked(&evidence), [entity(ACCOUNT, 4)]);
}

#[test]
fn fresh_accounts_are_those_first_seen_within_a_day() {
    let mut events = crowd(3);
    events.push(placed(-48, order(50, &[(ACCOUNT, 1)])));
    let wants = [want(IP, Shows::FreshAccounts(Window::Day))];
    let evidence = graph(&events).evidence(&order(99, &[(IP, 1)]), at(3), &wants);
    let mut shown = linked(&evidence);
    shown.sort();
    let mut fresh = [entity(ACCOUNT, 0), entity(ACCOUNT, 2)];
    fresh.sort();
    assert_eq!(shown, fresh);
}

#[test]
fn bad_orders_are_shown_by_accounts_that_have_one_in_the_window() {
    let mut events = crowd(60);
    events.push(bad(70, &order(30, &[])));
    let graph = graph(&events);
    let head = RiskType::PaymentFraud.head();
    let shown = |hour: i64| {
        let wants = [want(IP, Shows::Bad(head.clone(), Window::Day))];
        graph.evidence(&order(99, &[(IP, 1)]), at(hour), &wants)
    };
    assert_eq!(linked(&shown(80)), [entity(ACCOUNT, 30)]);
    assert!(!shown(80).is_truncated);
    assert_eq!(linked(&shown(95)), []);
}

#[test]
fn a_bad_order_whose_account_is_out_of_sight_is_said_to_be_left_out() {
    let mut events = crowd(100);
    events.push(bad(120, &order(3, &[])));
    let wants = [want(IP, Shows::Bad(RiskType::PaymentFraud.head(), Window::Day))];
    let evidence = graph(&events).evidence(&order(199, &[(IP, 1)]), at(121), &wants);
    assert_eq!(linked(&evidence), []);
    assert!(evidence.is_truncated);
}

#[test]
fn a_pair_that_never_met_is_shown_without_a_link() {
    let graph = graph(&crowd(3));
    let wants = [want(ACCOUNT, Shows::Pair(DEVICE, Window::Ever))];
    let met = graph.evidence(&order(99, &[(ACCOUNT, 1), (DEVICE, 1)]), at(5), &wants);
    assert_eq!((met.nodes.len(), met.edges.len()), (2, 1));
    let strangers = graph.evidence(&order(99, &[(ACCOUNT, 1), (DEVICE, 2)]), at(5), &wants);
    assert_eq!((strangers.nodes.len(), strangers.edges.len()), (2, 0));
    assert!(!strangers.is_truncated);
}

#[test]
fn ring_evidence_is_the_shortest_way_to_the_bad_account() {
    let stolen = order(2, &[(ACCOUNT, 2), (DEVICE, 1), (IP, 9)]);
    let events = [
        placed(0, order(1, &[(ACCOUNT, 1), (DEVICE, 1), (IP, 9)])),
        placed(1, stolen.clone()),
        placed(2, order(3, &[(ACCOUNT, 1), (DEVICE, 5)])),
        bad(3, &stolen),
    ];
    let wants = [want(ACCOUNT, Shows::Ring)];
    let evidence = graph(&events).evidence(&order(4, &[(ACCOUNT, 1)]), at(5), &wants);
    let shown: Vec<(EntityKind, u64)> =
        evidence.nodes.iter().map(|node| (node.entity.kind, node.n_bad)).collect();
    assert_eq!(shown, [(ACCOUNT, 0), (DEVICE, 1), (ACCOUNT, 1)]);
    assert_eq!(evidence.edges.len(), 2);
    assert!(!evidence.is_truncated && evidence.nodes[0].is_of_order);
}

#[test]
fn a_ring_member_behind_a_link_that_is_not_looked_at_is_said_to_be_left_out() {
    // The two met on a device that each has since replaced more often than links are followed.
    let mut events = vec![
        placed(0, order(0, &[(ACCOUNT, 1), (DEVICE, 1)])),
        placed(1, order(1, &[(ACCOUNT, 2), (DEVICE, 1)])),
    ];
    events.extend((2..30).map(|n| {
        let account = 1 + n % 2;
        placed(i64::from(n), order(n as usize, &[(ACCOUNT, account), (DEVICE, 100 + n)]))
    }));
    let wants = [want(ACCOUNT, Shows::Ring)];
    let evidence = graph(&events).evidence(&order(99, &[(ACCOUNT, 1)]), at(40), &wants);
    assert_eq!(evidence.nodes.len(), 1);
    assert!(evidence.is_truncated);
}

#[test]
fn evidence_keeps_its_limits_and_is_the_same_every_time() {
    let graph = graph(&crowd(60));
    let wants: Vec<EvidenceWant> = [ACCOUNT, DEVICE]
        .into_iter()
        .map(|kind| want(IP, Shows::Met(kind, Window::Ever)))
        .collect();
    let probe = order(99, &[(IP, 1), (ACCOUNT, 3)]);
    let evidence = graph.evidence(&probe, at(80), &wants);
    assert!(evidence.is_truncated && evidence.nodes.len() <= EVIDENCE_NODES_MAX);
    assert_eq!(evidence.nodes[0].entity, entity(IP, 1));
    assert_eq!(evidence, graph.evidence(&probe, at(80), &wants));
}

#[test]
fn other_accounts_of_a_consumer_are_shown_with_the_phone_even_of_a_new_account() {
    let phone = EntityKind::Phone;
    let told = [(1, 0), (2, 1)].map(|(account, hour)| {
        placed(hour, order(account as usize, &[(ACCOUNT, account), (phone, 7), (IP, 1)]))
    });
    let graph = graph(&told);
    let wants = [want(ACCOUNT, Shows::Identity)];
    for (account, n_edges) in [(1, 2), (9, 2)] {
        let judged = order(99, &[(ACCOUNT, account), (phone, 7)]);
        let evidence = graph.evidence(&judged, at(9), &wants);
        let shown: Vec<EntityRef> = evidence.nodes.iter().map(|node| node.entity.clone()).collect();
        assert!(shown.contains(&entity(phone, 7)) && shown.contains(&entity(ACCOUNT, 2)));
        assert_eq!((evidence.edges.len(), evidence.is_truncated), (n_edges, false));
    }
}

#[test]
fn what_joins_the_accounts_of_a_day_is_shown_with_them() {
    // Two of three accounts at the network shared a device weeks ago.
    let mut events = vec![
        placed(-400, order(1, &[(ACCOUNT, 1), (DEVICE, 7), (IP, 5)])),
        placed(-399, order(2, &[(ACCOUNT, 2), (DEVICE, 7), (IP, 6)])),
    ];
    events.extend(
        (1_u32..4).map(|n| placed(n.into(), order(10 + n as usize, &[(ACCOUNT, n), (IP, 1)]))),
    );
    let wants = [want(IP, Shows::Acquainted)];
    let evidence = graph(&events).evidence(&order(99, &[(IP, 1)]), at(5), &wants);
    let ends = |edge: &EvidenceEdge| {
        [edge.from, edge.to].map(|at| evidence.nodes[at as usize].entity.clone())
    };
    let links: Vec<[EntityRef; 2]> = evidence.edges.iter().map(ends).collect();
    for n in 1..4 {
        assert!(links.contains(&[entity(IP, 1), entity(ACCOUNT, n)]), "{n}");
    }
    for n in 1..3 {
        assert!(links.contains(&[entity(DEVICE, 7), entity(ACCOUNT, n)]), "{n}");
    }
    assert_eq!((links.len(), evidence.is_truncated), (5, false));
}

#[test]
fn buyers_of_one_ring_are_shown_with_what_joins_them() {
    let bought = |hour: i64, id: usize, nodes: &[(EntityKind, u32)]| {
        placed(hour, order(id, &[nodes, &[(EntityKind::Sku, 3)]].concat()))
    };
    let events = [
        bought(0, 1, &[(ACCOUNT, 1), (DEVICE, 7)]),
        bought(1, 2, &[(ACCOUNT, 2), (DEVICE, 7)]),
        bought(2, 3, &[(ACCOUNT, 3), (DEVICE, 8)]),
    ];
    let mut judged = order(99, &[]);
    judged.items.push(OrderItem { sku: entity(EntityKind::Sku, 3), quantity: 1, unit_price: None });
    let wants = [want(EntityKind::Sku, Shows::JoinedBuyers(Window::Week))];
    let evidence = graph(&events).evidence(&judged, at(5), &wants);
    let shown: Vec<EntityRef> = evidence.nodes.iter().map(|node| node.entity.clone()).collect();
    for joined in [entity(ACCOUNT, 1), entity(ACCOUNT, 2), entity(DEVICE, 7)] {
        assert!(shown.contains(&joined), "{joined:?}");
    }
    // A SKU to each buyer, the device to each buyer; the third bought alone.
    assert_eq!((shown.len(), evidence.edges.len()), (4, 4));
}

/// Orders of one account with one device, an hour apart.
fn meetings(n: u32) -> Vec<Event> {
    let met = [(ACCOUNT, 1), (DEVICE, 2)];
    (0..n).map(|n| placed(i64::from(n), order(n as usize, &met))).collect()
}

#[test]
fn a_link_names_the_events_that_made_it_and_the_thing_leaves_rather_than_the_account() {
    let mut events = meetings(20);
    for (n, event) in events.iter_mut().enumerate() {
        event.event_id = format!("event {n}").into();
    }
    let graph = graph(&events);
    for (asked, of) in [(ACCOUNT, DEVICE), (DEVICE, ACCOUNT)] {
        let wants = [want(asked, Shows::Met(of, Window::Ever))];
        let probe = order(99, &[(ACCOUNT, 1), (DEVICE, 2)]);
        let evidence = graph.evidence(&probe, at(50), &wants);
        let edge = &evidence.edges[0];
        assert_eq!(evidence.nodes[edge.from as usize].entity, entity(DEVICE, 2));
        assert_eq!((edge.n_orders, edge.event_ids.len()), (20, LINK_EVENTS_MAX));
        assert_eq!((&*edge.event_ids[0], &*edge.event_ids[15]), ("event 19", "event 4"));
    }
}

#[test]
fn a_link_of_too_many_orders_or_of_none_is_not_taken_away() {
    let most = u32::try_from(WEIGHED_ORDERS_MAX).unwrap();
    let (device, account, stranger) = (entity(DEVICE, 2), entity(ACCOUNT, 1), entity(DEVICE, 3));
    let n_left = |n: u32, link: (&EntityRef, &EntityRef)| {
        let mut graph = graph(&meetings(n));
        graph.without_link(link, at(500), |graph| {
            let past = graph.history_of(&device, at(500));
            (past.totals(Window::Ever).n_orders, past.n_distinct(ACCOUNT, Window::Ever))
        })
    };
    assert_eq!(n_left(most, (&device, &account)), Some((0, 0)));
    assert_eq!(n_left(most, (&account, &device)), Some((u64::from(most), 0)));
    assert_eq!(n_left(most + 1, (&device, &account)), None);
    assert_eq!(n_left(3, (&stranger, &account)), None);
}

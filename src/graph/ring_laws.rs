//! A ring is what a search from scratch through all that is remembered finds.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::Bfs;
use proptest::prelude::*;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::Event;
use crate::domain::time::Span;
use crate::graph::knowledge::{KnowledgeGraph, RING_KINDS};
use crate::graph::laws::{ACCOUNT, DEVICE, IP, at, entity, graph, order, past, placed};
use crate::graph::settings::{GraphSettings, RING_ACCOUNTS_MAX};

const ADDRESS: EntityKind = EntityKind::Address;
const N_ACCOUNTS: u32 = 15;
const N_CARRIERS: u32 = 6;
const RETENTION: Span = Span::hours(20);
const LINK_ACCOUNTS_MAX: u32 = 4;

/// An order of the stream: when, by whom, and the number of each thing it names.
type Told = (i64, u32, [u32; 2]);

fn events(told: &[Told]) -> Vec<Event> {
    let event = |(id, &(hour, account, [device, address])): (usize, &Told)| {
        placed(hour, order(id, &[(ACCOUNT, account), (DEVICE, device), (ADDRESS, address)]))
    };
    told.iter().enumerate().map(event).collect()
}

fn folded(events: &[Event]) -> KnowledgeGraph {
    let settings = GraphSettings {
        retention: RETENTION,
        ring_link_accounts_max: LINK_ACCOUNTS_MAX,
        ..GraphSettings::default()
    };
    let mut graph = KnowledgeGraph::new(settings);
    for event in events {
        graph.apply(event);
    }
    graph
}

fn ring(graph: &KnowledgeGraph, account: u32, hour: i64) -> BTreeSet<EntityRef> {
    let ring = past(graph, ACCOUNT, account, hour).ring();
    ring.into_iter().map(|node| graph.entity(node).unwrap().clone()).collect()
}

/// Accounts that a search with petgraph reaches from one over what few share.
fn reached(told: &[&Told], account: u32) -> BTreeSet<EntityRef> {
    let mut holders: BTreeMap<(usize, u32), BTreeSet<u32>> = BTreeMap::new();
    for (_, account, things) in told {
        for thing in things.iter().copied().enumerate() {
            holders.entry(thing).or_default().insert(*account);
        }
    }
    let mut links = UnGraph::<u32, ()>::default();
    let accounts: Vec<NodeIndex> = (0..N_ACCOUNTS).map(|account| links.add_node(account)).collect();
    for holders in holders.values().filter(|few| few.len() <= LINK_ACCOUNTS_MAX as usize) {
        let thing = links.add_node(u32::MAX);
        for &holder in holders {
            links.add_edge(thing, accounts[holder as usize], ());
        }
    }
    let mut search = Bfs::new(&links, accounts[account as usize]);
    let mut reached = BTreeSet::new();
    while let Some(node) = search.next(&links) {
        if links[node] != u32::MAX {
            reached.insert(entity(ACCOUNT, links[node]));
        }
    }
    if reached.len() < 2 { BTreeSet::new() } else { reached }
}

proptest! {
    #[test]
    fn a_ring_equals_a_search_from_scratch_at_any_instant_whatever_was_told_first(
        told in prop::collection::vec(
            (0_i64..40, 0..N_ACCOUNTS, prop::array::uniform2(0..N_CARRIERS)), 1..60,
        ),
        hour in 0_i64..40, from in any::<prop::sample::Index>(),
    ) {
        let newest = told.iter().map(|order| order.0).max().unwrap_or(0);
        let horizon = newest - RETENTION.0 / Span::HOUR.0;
        // What is too old when it comes is refused, so only the order of the rest is free.
        let kept: Vec<Told> = told.into_iter().filter(|order| horizon <= order.0).collect();
        let remembered: Vec<&Told> = kept.iter().filter(|order| order.0 <= hour).collect();
        let mut other = events(&kept);
        other.rotate_left(from.index(kept.len()));
        other.reverse();
        let graphs = [folded(&events(&kept)), folded(&other)];
        for account in 0..N_ACCOUNTS {
            let expected = reached(&remembered, account);
            for graph in &graphs {
                prop_assert_eq!(ring(graph, account, hour), expected.clone());
            }
        }
    }
}

#[test]
fn a_ring_falls_apart_when_the_order_that_joined_it_is_forgotten() {
    // Account 2 joins the devices of the others; each goes on with a device of its own.
    let mut told = vec![(0, 1, [1, 1]), (0, 2, [1, 2]), (1, 2, [2, 2]), (1, 3, [2, 3])];
    told.extend([(19, 1, [1, 1]), (19, 3, [2, 3]), (19, 2, [9, 9])]);
    let graph = folded(&events(&told));
    let joined = [1, 2, 3].map(|account| entity(ACCOUNT, account));
    assert_eq!(ring(&graph, 1, 19), BTreeSet::from(joined));
    told.push((22, 4, [4, 4]));
    let graph = folded(&events(&told));
    for account in 1..=4 {
        assert_eq!(ring(&graph, account, 22), BTreeSet::new(), "{account}");
    }
}

#[test]
fn an_address_that_turns_out_to_be_shared_by_a_crowd_links_nobody_from_then_on() {
    let events: Vec<Event> = (0..100)
        .map(|n| placed(i64::from(n), order(n as usize, &[(ACCOUNT, n), (ADDRESS, 1), (IP, 1)])))
        .collect();
    let graph = graph(&events);
    let limit = i64::from(GraphSettings::default().ring_link_accounts_max);
    let n_linked = |account, hour| past(&graph, ACCOUNT, account, hour).ring().len();
    assert_eq!(n_linked(0, limit - 1), 40);
    assert_eq!((n_linked(0, limit), n_linked(99, 200)), (0, 0));
}

#[test]
fn a_ring_that_is_cut_keeps_the_nearest_members_whatever_was_told_first() {
    // Each account shares a device with the next one, all in one hour.
    let mut chain: Vec<Event> = Vec::new();
    for n in 0..200_u32 {
        for device in [n, n + 1] {
            let id = 2 * n as usize + (device - n) as usize;
            chain.push(placed(0, order(id, &[(ACCOUNT, n), (DEVICE, device)])));
        }
    }
    let told = graph(&chain);
    chain.reverse();
    let backwards = graph(&chain);
    for account in [0, 100, 199] {
        let found = ring(&told, account, 1);
        assert_eq!(found.len(), RING_ACCOUNTS_MAX);
        assert_eq!(found, ring(&backwards, account, 1));
        let is_near = |n: u32| n.abs_diff(account) < 32;
        let near = (0..200).filter(|&n| is_near(n)).map(|n| entity(ACCOUNT, n));
        assert!(near.into_iter().all(|member| found.contains(&member)), "{account}");
    }
}

#[test]
fn only_accounts_have_rings_and_only_what_strangers_do_not_share_joins_them() {
    for kind in EntityKind::ALL.into_iter().filter(|&kind| kind != ACCOUNT) {
        let pair = [1, 2].map(|n| placed(0, order(n as usize, &[(ACCOUNT, n), (kind, 7)])));
        let graph = graph(&pair);
        let n_joined = if RING_KINDS.contains(&kind) { 2 } else { 0 };
        assert_eq!(past(&graph, ACCOUNT, 1, 1).ring().len(), n_joined, "{kind:?}");
        let history = graph.history_of(&entity(kind, 7), at(1));
        assert_eq!(history.ring(), []);
    }
}

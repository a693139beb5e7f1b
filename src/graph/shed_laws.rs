//! A graph over its budget is one whose retention ends where it shed.

use std::fmt::Write;

use proptest::prelude::*;

use crate::domain::entity::EntityKind;
use crate::domain::event::{Event, Fact};
use crate::domain::time::{Span, Timestamp};
use crate::graph::arena::MINUTE;
use crate::graph::history::Window;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::laws::{ACCOUNT, IP, at, bad, order, past, placed};
use crate::graph::settings::{GraphSettings, SWEPT_ORDERS_MAX};
use crate::graph::storage_laws::{KINDS, N_SKUS, Seen, entity, stream, told};

/// Longer than any stream, so that only the budget drops orders.
const RETENTION: Span = Span::days(4_000);

fn settings(orders_max: u32) -> GraphSettings {
    GraphSettings { retention: RETENTION, orders_max, ..GraphSettings::default() }
}

/// Every fourth order is bad; its verdict comes first, so that none comes after its order
/// was shed.
fn folded(orders_max: u32, orders: &[(usize, &Seen)]) -> KnowledgeGraph {
    let mut graph = KnowledgeGraph::new(settings(orders_max));
    for &(id, seen) in orders {
        let event = told(id, seen);
        if let Fact::OrderPlaced(order) = &event.fact
            && id.is_multiple_of(4)
        {
            graph.apply(&Event { event_time: seen.time, ..bad(0, order) });
        }
        graph.apply(&event);
    }
    graph
}

/// All that histories tell of every entity of the stream.
fn reads(graph: &KnowledgeGraph, as_of: Timestamp) -> String {
    let mut text = String::new();
    let kinds = KINDS.into_iter().chain([(EntityKind::Sku, N_SKUS)]);
    for (kind, n) in kinds.flat_map(|(kind, n_max)| (0..n_max).map(move |n| (kind, n))) {
        let history = graph.history_of(&entity(kind, n), as_of);
        let mut ring: Vec<_> = history.ring().iter().filter_map(|&it| graph.entity(it)).collect();
        ring.sort_unstable();
        let seen = (history.first_seen(), history.last_seen());
        let whole = (seen, history.n_bad(), history.hub_traits(), ring);
        writeln!(text, "{kind:?} {n}: {whole:?}").unwrap();
        for window in Window::ALL {
            let sums = (history.totals(window), history.totals_before(window));
            let labels = history.labels(0, window);
            let met = EntityKind::ALL.map(|kind| history.n_distinct(kind, window));
            writeln!(text, "  {window:?}: {sums:?} {labels:?} {met:?}").unwrap();
        }
    }
    text
}

/// At an instant before all that is kept, nothing is there but what totals over ever keep.
fn check_before(graph: &KnowledgeGraph, as_of: Timestamp) -> Result<(), TestCaseError> {
    for (kind, n) in KINDS.into_iter().flat_map(|(kind, n_max)| (0..n_max).map(move |n| (kind, n)))
    {
        let history = graph.history_of(&entity(kind, n), as_of);
        for window in Window::ALL {
            let met = EntityKind::ALL.map(|kind| history.n_distinct(kind, window));
            prop_assert_eq!(met, [0; EntityKind::ALL.len()]);
            prop_assert!(window == Window::Ever || history.totals(window).n_orders == 0);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_budget_hashes_and_reads_as_a_retention_that_ends_there_whatever_was_told_first(
        orders in stream(), orders_max in 20_u32..300, minutes_ago in 0_i64..5_000,
        from in any::<prop::sample::Index>(),
    ) {
        let told: Vec<(usize, &Seen)> = orders.iter().enumerate().collect();
        let mut other = told.clone();
        other.rotate_left(from.index(told.len()));
        other.reverse();
        let mut all = folded(u32::MAX, &told);
        let newest = orders.iter().map(|seen| seen.time).max().unwrap();
        for mut graph in [folded(orders_max, &told), folded(orders_max, &other)] {
            let n_since = |time| orders.iter().filter(|seen| time <= seen.time).count();
            let until = graph.shed_until();
            prop_assert_eq!(until.is_some(), (orders_max as usize) < orders.len());
            if let Some(until) = until {
                prop_assert!(n_since(until) <= orders_max as usize);
                prop_assert!((orders_max as usize) < n_since(until - MINUTE), "more than it must");
            }
            let (n_shed, n_kept) = (graph.counts().n_shed, graph.size().1);
            prop_assert!(n_kept <= orders_max as usize);
            prop_assert_eq!(n_shed + n_kept as u64, orders.len() as u64);

            let retention = until.map_or(RETENTION, |until| newest - until);
            let shared = GraphSettings { retention, ..settings(u32::MAX) };
            all.follow(shared.clone());
            graph.follow(shared);
            prop_assert_eq!(graph.state_hash(), all.state_hash());
            if let Some(until) = until {
                check_before(&graph, until - Span(1))?;
            }
            let as_of = (newest - Span::minutes(minutes_ago)).max(until.unwrap_or(newest));
            prop_assert_eq!(reads(&graph, as_of), reads(&all, as_of));
        }
    }
}

/// A graph of the first orders of account 1, one an hour.
fn hourly(settings: GraphSettings, n_orders: u32) -> KnowledgeGraph {
    let mut graph = KnowledgeGraph::new(settings);
    for hour in 0..n_orders {
        graph.apply(&placed(hour.into(), order(hour as usize, &[(ACCOUNT, 1)])));
    }
    graph
}

#[test]
fn what_is_over_the_budget_is_counted_and_left_in_totals_over_ever() {
    let mut graph = hourly(settings(10), 10);
    assert_eq!((graph.counts().n_shed, graph.is_cut_by_shedding()), (0, false));
    graph.apply(&placed(10, order(10, &[(ACCOUNT, 1)])));
    assert_eq!((graph.counts().n_shed, graph.is_cut_by_shedding()), (1, true));
    assert_eq!(graph.shed_until(), Some(at(0) + MINUTE));
    // Older than all that is kept, and than what was shed.
    graph.apply(&placed(-5, order(99, &[(ACCOUNT, 1)])));
    assert_eq!((graph.counts().n_shed, graph.size().1), (2, 10));
    let history = past(&graph, ACCOUNT, 1, 10);
    assert_eq!(history.totals(Window::Ever).n_orders, 12);
    assert_eq!(history.totals(Window::Day).n_orders, 10);
    assert_eq!(history.first_seen(), Some(at(-5)));
}

#[test]
fn a_retention_that_passed_what_was_shed_is_what_cuts_reads_again() {
    let mut graph = hourly(settings(10), 20);
    assert!(graph.is_cut_by_shedding());
    let days = RETENTION.0 / Span::DAY.0;
    graph.apply(&placed(24 * days + 15, order(99, &[(ACCOUNT, 1)])));
    assert!(!graph.is_cut_by_shedding());
    assert_eq!(graph.counts().n_shed, 10);
}

#[test]
fn a_smaller_budget_is_reached_a_few_orders_with_every_fact() {
    let mut graph = hourly(settings(100), 100);
    graph.follow(settings(50));
    for n_facts in 1..=50 {
        graph.apply(&placed(100, order(100, &[(ACCOUNT, 1)])));
        let n_dropped = (n_facts * SWEPT_ORDERS_MAX).min(51);
        assert_eq!(graph.size().1, 101 - n_dropped, "{n_facts} facts");
        let n_read = past(&graph, ACCOUNT, 1, 100).totals(Window::Month).n_orders;
        assert_eq!(n_read, (101 - n_dropped) as u64);
    }
}

#[test]
fn a_retention_drops_orders_that_do_not_count_as_shed() {
    let short = GraphSettings { retention: Span::hours(5), ..settings(10) };
    let graph = hourly(short, 50);
    assert_eq!((graph.counts().n_shed, graph.shed_until()), (0, None));
}

#[test]
fn a_hub_reads_as_of_before_all_that_is_kept_without_going_below_nothing() {
    let mut graph = hourly(settings(30), 60);
    graph.apply(&placed(60, order(60, &[(ACCOUNT, 1), (IP, 1)])));
    let history = past(&graph, ACCOUNT, 1, 5);
    assert_eq!(history.totals(Window::Day).n_orders, 0);
    assert_eq!(history.n_distinct(IP, Window::Day), 0);
}

//! A node that moved into another leaves a graph that was told one name.

use proptest::prelude::*;

use crate::domain::entity::{EntityKey, EntityRef};
use crate::domain::event::{Event, Fact};
use crate::domain::head::RiskType;
use crate::domain::time::Span;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::laws::bad;
use crate::graph::settings::GraphSettings;
use crate::graph::storage_laws::{KINDS, Seen, entity, stream, told};

/// By the position of a kind and a number: whoever is meant, under the name of before.
fn before(kind: usize, n: u32) -> EntityRef {
    entity(KINDS[kind].0, n)
}

/// The same under another name.
fn later(kind: usize, n: u32) -> EntityRef {
    EntityRef { kind: KINDS[kind].0, key: EntityKey::Hashed(u128::from(n) + (1 << 64)) }
}

/// The stream with verdicts and sign-ups; those who are told of from `from` on have their other
/// name.
fn events(orders: &[Seen], (kind, n): (usize, u32), from: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for (id, seen) in orders.iter().enumerate() {
        let placed = told(id, seen);
        let Fact::OrderPlaced(order) = &placed.fact else { continue };
        let mut verdict = bad(0, order);
        verdict.event_time = placed.event_time + Span::hours(3);
        if let Fact::Label(label) = &mut verdict.fact {
            label.head = RiskType::ALL[id % 2].head();
            label.concerns = if id % 3 == 0 { vec![before(kind, n)] } else { Vec::new() };
        }
        // Some verdicts come before their order.
        let mut told = if id % 5 == 0 { vec![verdict, placed] } else { vec![placed, verdict] };
        told.truncate(if id % 4 == 3 { 1 } else { 2 });
        for mut event in told {
            if from <= id {
                let named = event.persons_mut().into_iter().filter(|it| **it == before(kind, n));
                named.for_each(|it| *it = later(kind, n));
            }
            events.push(event);
        }
    }
    events
}

fn graph_of(events: &[Event]) -> KnowledgeGraph {
    let settings =
        GraphSettings { retention: Span::days(8), hub_accounts_min: 3, ..GraphSettings::default() };
    let mut graph = KnowledgeGraph::new(settings);
    for event in events {
        graph.apply(event);
    }
    graph
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_graph_of_two_names_that_are_united_is_that_of_one(
        orders in stream(), kind in 0_usize..4, n in 0_u32..40, from in any::<prop::sample::Index>(),
        until in any::<prop::sample::Index>(),
    ) {
        let who = (kind, n % KINDS[kind].1);
        let from = from.index(orders.len());
        let (one, two) = (events(&orders, who, orders.len()), events(&orders, who, from));
        // They are united at some time, and told of as one from there on.
        let until = until.index(one.len());
        let mut expected = graph_of(&one);
        let mut graph = graph_of(&two[..until]);
        let moved = graph.place_of(&later(who.0, who.1));
        if moved.is_none() {
            graph = graph_of(&one[..until]);
        }
        graph.unite(&later(who.0, who.1), &before(who.0, who.1));
        for event in &one[until..] {
            graph.apply(event);
        }
        if let Some(place) = moved {
            let key = EntityKey::Plain(format!("moved-{place}").into());
            expected.node_for(&EntityRef { kind: KINDS[who.0].0, key });
            expected.node_for(&before(who.0, who.1));
        }
        prop_assert_eq!(graph.state_hash(), expected.state_hash());
        let bytes = postcard::to_stdvec(&graph).unwrap();
        let again: KnowledgeGraph = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(again.state_hash(), expected.state_hash());
    }
}

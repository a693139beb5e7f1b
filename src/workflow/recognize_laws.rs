//! Rotations and erasures lead where a graph does that knows the last names.

use proptest::prelude::*;

use crate::domain::entity::{EntityKey, EntityKind, EntityRef, Twice};
use crate::domain::erasure::IdentifierErased;
use crate::domain::event::{Event, Fact};
use crate::domain::neighborhood::{Neighborhood, NeighborhoodQuery};
use crate::domain::pseudonym::PseudonymLinked;
use crate::domain::record::{ReceivedEvent, Record};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;
use crate::workflow::approved_orders::BackgroundRule;
use crate::workflow::fixtures::{at, event, order};
use crate::workflow::state::State;

/// Between the hashes by a secret and by the next one.
const NEXT: u128 = 1 << 100;

/// What somebody does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Orders, from a device, under the secrets of rotation so and so.
    Order { account: u128, device: u128, keys: (usize, usize) },
    /// Wants to be forgotten.
    Erase { account: u128, keys: (usize, usize) },
}

fn act() -> impl Strategy<Value = Act> {
    // Doors of before the first, within one of two, and after both rotations.
    let keys = prop_oneof![Just((0, 0)), Just((1, 0)), Just((1, 1)), Just((2, 1)), Just((2, 2))];
    (0_u128..4, 0_u128..3, keys, 0_u8..12).prop_map(|(account, device, keys, which)| match which {
        0 => Act::Erase { account, keys },
        _ => Act::Order { account, device, keys },
    })
}

/// Identifier `n` of a kind, by the secrets with these numbers.
fn hashed(kind: EntityKind, n: u128, (current, previous): (usize, usize)) -> EntityRef {
    let by = |secret: usize| n + 1 + (kind as u128) * 100 + NEXT * secret as u128;
    let key = if current == previous {
        EntityKey::Hashed(by(current))
    } else {
        EntityKey::Twice(Box::new(Twice { current: by(current), previous: by(previous) }))
    };
    EntityRef { kind, key }
}

/// As the sequencer does, without an engine.
fn recognize(state: &mut State, entity: &mut EntityRef) {
    if let Some(recognized) = state.recognize(entity) {
        if let Some(pseudonym) = recognized.linked {
            let known_as = recognized.known_as.clone();
            let link = PseudonymLinked { pseudonym, known_as, at: at(0) };
            state.fold(&Record::PseudonymLinked(link));
        }
        *entity = recognized.known_as;
    }
}

/// A state, and the orders that it was told, by the names that it knew.
struct Told {
    state: State,
    orders: Vec<(Event, Timestamp)>,
}

impl Told {
    fn order(&mut self, n: usize, named: [EntityRef; 2]) {
        let time = at(i64::try_from(n).unwrap());
        let mut placed = order(u32::try_from(n).unwrap());
        placed.entities = named.into();
        placed.entities.iter_mut().for_each(|it| recognize(&mut self.state, it));
        let event = event(format!("e{n}"), time, Fact::OrderPlaced(placed));
        self.orders.push((event.clone(), time));
        self.state.fold(&Record::Event(ReceivedEvent { event, received_time: time }));
    }

    /// Erases somebody; none of the names is known any more.
    fn erase(&mut self, n: usize, mut entity: EntityRef) -> Result<(), TestCaseError> {
        recognize(&mut self.state, &mut entity);
        let state = &mut self.state;
        let others = entity.key.hashes().into_iter();
        let others = others.flat_map(|hash| state.pseudonyms.others(hash));
        let other = |hash| EntityRef { kind: entity.kind, key: EntityKey::Hashed(hash) };
        let gone = (entity.clone(), others.map(other).collect());
        let at = at(i64::try_from(n).unwrap());
        let signature = Signature { by: "a".into(), at, note: Box::default() };
        let record = IdentifierErased::new(gone, state.access.head(), signature);
        state.fold(&Record::IdentifierErased(record.clone()));
        for entity in record.all() {
            prop_assert!(!state.graph.knows(entity));
            prop_assert_eq!(state.recognize(entity), None);
        }
        for (event, _) in &mut self.orders {
            let Fact::OrderPlaced(order) = &mut event.fact else { continue };
            order.entities.retain(|it| record.all().all(|gone| gone != it));
        }
        Ok(())
    }

    fn view(&self, graph: &KnowledgeGraph, mut seed: EntityRef) -> Neighborhood {
        self.state.name(&mut seed);
        let query = NeighborhoodQuery {
            seeds: vec![seed],
            n_hops: 3,
            kinds: Vec::new(),
            since: None,
            as_of: None,
            n_nodes_max: 99,
            fan_out_max: 50,
        };
        graph.neighborhood(&query, at(99))
    }

    /// A graph that was told the names of now.
    fn graph(&self) -> KnowledgeGraph {
        let mut graph = KnowledgeGraph::new(GraphSettings::default());
        for (event, time) in &self.orders {
            let mut event = event.clone();
            event.persons_mut().into_iter().for_each(|it| self.state.name(it));
            graph.apply_received(&event, *time);
        }
        graph
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_was_rotated_and_erased_all_reads_are_those_of_a_graph_told_the_last_names(
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let state = State::empty(BackgroundRule::OFF);
        let mut told = Told { state, orders: Vec::new() };
        for (n, act) in acts.iter().enumerate() {
            match *act {
                Act::Order { account, device, keys } => {
                    let account = hashed(EntityKind::Account, account, keys);
                    told.order(n, [account, hashed(EntityKind::Device, device, keys)]);
                }
                Act::Erase { account, keys } => {
                    told.erase(n, hashed(EntityKind::Account, account, keys))?;
                }
            }
        }
        let graph = told.graph();
        let state = &told.state;
        prop_assert_eq!(state.graph.n_known().0, graph.n_known().0);
        for kind in [EntityKind::Account, EntityKind::Device] {
            for (n, secret) in (0..4).flat_map(|n| (0..3).map(move |secret| (n, secret))) {
                let mut name = hashed(kind, n, (secret, secret));
                prop_assert_eq!(told.view(&state.graph, name.clone()), told.view(&graph, name.clone()));
                state.name(&mut name);
                let EntityKey::Hashed(hash) = name.key else { panic!("{name:?}") };
                prop_assert_eq!(hash % NEXT, n + 1 + (kind as u128) * 100, "somebody else");
            }
        }
        let bytes = postcard::to_stdvec(state).unwrap();
        let again: State = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&again.pseudonyms, &state.pseudonyms);
        prop_assert_eq!(again.graph.state_hash(), state.graph.state_hash());
    }
}

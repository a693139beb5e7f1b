//! A thousand orders of telling, one state.
//!
//! A simulated marketplace is told in order, each fact once, and then as sources tell it:
//! shuffled as far as the allowed lateness, facts before their order, everything up to
//! three times. What the graph knows must hash the same, and orders must read the same.
//! Clocks show hours, so that many facts share an instant.

use std::collections::BTreeSet;
use std::mem::{Discriminant, discriminant};
use std::num::NonZero;
use std::thread;

use orderlens::domain::entity::{EntityKind, IdentityKey};
use orderlens::domain::event::{Event, Fact};
use orderlens::domain::head::RiskType;
use orderlens::domain::order::Order;
use orderlens::domain::record::{ReceivedEvent, Record};
use orderlens::domain::time::{Span, Timestamp};
use orderlens::feature::catalog::Catalog;
use orderlens::feature::schema::SchemaBuilder;
use orderlens::graph::knowledge::KnowledgeGraph;
use orderlens::graph::settings::GraphSettings;
use orderlens::simulator::settings::SimulationSettings;
use orderlens::simulator::world::Simulation;
use orderlens::workflow::approved_orders::BackgroundRule;
use orderlens::workflow::state::State;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_PERMUTATIONS: usize = 1_000;
const N_TOLD_MAX: u32 = 3;
const N_PROBES: usize = 20;
/// Kinds of facts that the simulator tells: all but what operators choose.
const N_KINDS: usize = 14;
/// Probes whose features are compared after one permutation.
const N_PROBES_READ: usize = 2;
/// Long enough for labels, refunds and chargebacks to come.
const DAYS: u32 = 40;
const ORDERS_PER_DAY: u32 = 1;
/// One of so many prices is told: there are more of them than of all else.
const PRICE_STEP: usize = 100;
/// The risks whose labels are told, for the same reason.
const HEADS: [RiskType; 2] = [RiskType::PaymentFraud, RiskType::PromoAbuse];
const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// When a fact comes in.
type Arrival<'a> = (Timestamp, &'a Event);

/// What every permutation must lead to.
struct Expected<'a> {
    hash: [u8; 32],
    catalog: Catalog,
    as_of: Timestamp,
    probes: Vec<(&'a Order, Vec<u32>)>,
}

fn stream() -> Vec<Event> {
    let settings = SimulationSettings::new(5, START, DAYS, ORDERS_PER_DAY);
    let identity = IdentityKey::from_secret(b"permutations");
    let mut events: Vec<Event> =
        Simulation::new(settings, identity).map(|told| told.event).collect();
    let mut n_prices = 0;
    events.retain(|event| {
        if let Fact::Label(label) = &event.fact {
            return HEADS.iter().any(|head| head.head() == label.head);
        }
        let is_price = matches!(event.fact, Fact::MarketPrice(_));
        n_prices += usize::from(is_price);
        !is_price || n_prices.is_multiple_of(PRICE_STEP)
    });
    for event in &mut events {
        event.event_time = hour(event.event_time);
        event.ingest_time = event.ingest_time.map(hour);
    }
    events
}

fn hour(time: Timestamp) -> Timestamp {
    Timestamp(time.0 - time.0.rem_euclid(Span::HOUR.0))
}

/// The facts as their sources tell them: late, in another order, up to three times.
fn shuffled(events: &[Event], lateness: Span, seed: usize) -> Vec<Arrival<'_>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
    let mut arrivals = Vec::new();
    for event in events {
        for _ in 0..rng.gen_range(1..=N_TOLD_MAX) {
            let late = Span(rng.gen_range(0..=lateness.0));
            arrivals.push((event.known_at() + late, event));
        }
    }
    arrivals.sort_by_key(|&(received_time, _)| received_time);
    arrivals
}

/// Folds what comes in, each fact the first time only, as the engine does.
fn fold(arrivals: &[Arrival<'_>]) -> KnowledgeGraph {
    let mut state = State::empty(BackgroundRule::OFF);
    for &(received_time, event) in arrivals {
        if state.told(&event.event_id).is_none() {
            state.fold(&Record::Event(ReceivedEvent { event: event.clone(), received_time }));
        }
    }
    state.graph
}

fn orders(events: &[Event]) -> Vec<&Order> {
    let mut orders = Vec::new();
    for event in events {
        if let Fact::OrderPlaced(order) = &event.fact {
            orders.push(order);
        }
    }
    orders
}

impl<'a> Expected<'a> {
    /// What telling in order leads to.
    fn new(events: &'a [Event]) -> Self {
        let mut schema = SchemaBuilder::default();
        for event in events {
            schema.observe(event);
        }
        let mut in_order: Vec<Arrival<'_>> =
            events.iter().map(|event| (event.known_at(), event)).collect();
        in_order.sort_by_key(|&(received_time, _)| received_time);
        let graph = fold(&in_order);
        let as_of = in_order.last().expect("a stream of facts").0;
        let orders = orders(events);
        let probes = orders.iter().step_by(orders.len() / N_PROBES);
        let probes = probes.map(|&order| (order, Vec::new())).collect();
        let catalog = Catalog::new(&schema.finish());
        let mut expected = Self { hash: graph.state_hash(), catalog, as_of, probes };
        for at in 0..expected.probes.len() {
            expected.probes[at].1 = expected.features(&graph, expected.probes[at].0);
        }
        expected
    }

    /// Every feature of an order, to the bit.
    fn features(&self, graph: &KnowledgeGraph, order: &Order) -> Vec<u32> {
        let mut values = Vec::new();
        self.catalog.extract(graph, order, self.as_of, &mut values);
        values.iter().map(|value| value.to_bits()).collect()
    }

    fn check(&self, events: &[Event], seed: usize) {
        let lateness =
            if seed.is_multiple_of(2) { GraphSettings::default().lateness } else { Span::DAY };
        let graph = fold(&shuffled(events, lateness, seed));
        assert!(graph.state_hash() == self.hash, "permutation {seed} leads to another state");
        let first = seed * N_PROBES_READ % N_PROBES;
        for (order, expected) in self.probes.iter().cycle().skip(first).take(N_PROBES_READ) {
            let specs = self.catalog.specs().iter();
            let found = self.features(&graph, order);
            for (spec, (found, expected)) in specs.zip(found.iter().zip(expected)) {
                assert_eq!(found, expected, "{} of {:?}, {seed}", spec.id, order.key);
            }
        }
    }
}

#[test]
fn a_thousand_permutations_with_repetitions_lead_where_telling_in_order_does() {
    let events = stream();
    let expected = Expected::new(&events);
    let n_threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for first in 0..n_threads {
            let (events, expected) = (&events, &expected);
            let seeds = (first..N_PERMUTATIONS).step_by(n_threads);
            scope.spawn(move || seeds.for_each(|seed| expected.check(events, seed)));
        }
    });
}

#[test]
fn the_stream_has_every_kind_of_fact_and_instants_with_several_and_rings() {
    let events = stream();
    let mut kinds: Vec<Discriminant<Fact>> = Vec::new();
    for event in &events {
        let kind = discriminant(&event.fact);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let instants: BTreeSet<Timestamp> = events.iter().map(|event| event.event_time).collect();
    let graph = fold(&shuffled(&events, Span(0), 0));
    let as_of = events.iter().map(Event::known_at).max().expect("a stream of facts");
    let is_in_ring = |order: &&Order| {
        let account = order.entity(EntityKind::Account);
        account.is_some_and(|account| 2 <= graph.history_of(account, as_of).ring().len())
    };
    let n_in_rings = orders(&events).into_iter().filter(is_in_ring).count();
    assert_eq!(kinds.len(), N_KINDS);
    assert!(2 * instants.len() < events.len() && N_PROBES < n_in_rings);
}

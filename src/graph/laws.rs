//! Laws of the whole graph: lateness, retention, hubs.

use crate::domain::entity::{EntityKey, EntityKind, EntityRef};
use crate::domain::event::{
    CancelLevel, CancelReason, CancelSource, CancelType, Event, Fact, Label, OrderAmount,
    OrderCancelled,
};
use crate::domain::feedback::{Outcome, OutcomeKind, OutcomeSource};
use crate::domain::head::RiskType;
use crate::domain::order::{Order, OrderKey};
use crate::domain::order_step::OrderStepKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::history::{History, Window};
use crate::graph::knowledge::KnowledgeGraph;
use crate::graph::settings::GraphSettings;

pub(super) const ACCOUNT: EntityKind = EntityKind::Account;
pub(super) const DEVICE: EntityKind = EntityKind::Device;
pub(super) const IP: EntityKind = EntityKind::Ip;

pub(super) fn entity(kind: EntityKind, n: u32) -> EntityRef {
    EntityRef { kind, key: EntityKey::Hashed(u128::from(n) + 1) }
}

pub(super) fn at(hour: i64) -> Timestamp {
    Timestamp(Span::hours(hour).0)
}

pub(super) fn order(id: usize, nodes: &[(EntityKind, u32)]) -> Order {
    let order_id = id.to_string().into();
    let mut order = Order::new(OrderKey { channel: "web".into(), order_id, revision: 0 });
    order.entities = nodes.iter().map(|&(kind, n)| entity(kind, n)).collect();
    order
}

pub(super) fn placed(hour: i64, order: Order) -> Event {
    Event {
        event_id: "e".into(),
        event_time: at(hour),
        ingest_time: None,
        fact: Fact::OrderPlaced(order),
    }
}

pub(super) fn bad(hour: i64, order: &Order) -> Event {
    let label = Label {
        order: order.key.clone(),
        head: RiskType::PaymentFraud.head(),
        value: 1.0,
        matures_at: None,
        concerns: Vec::new(),
    };
    Event { fact: Fact::Label(label), ..placed(hour, order.clone()) }
}

pub(super) fn graph(events: &[Event]) -> KnowledgeGraph {
    let mut graph = KnowledgeGraph::new(GraphSettings::default());
    for event in events {
        graph.apply(event);
    }
    graph
}

pub(super) fn past(graph: &KnowledgeGraph, kind: EntityKind, n: u32, hour: i64) -> History<'_> {
    graph.history_of(&entity(kind, n), at(hour))
}

#[test]
fn an_order_told_twice_counts_once_even_as_a_later_revision() {
    let mut again = order(1, &[(ACCOUNT, 1)]);
    again.key.revision = 1;
    let graph = graph(&[placed(0, order(1, &[(ACCOUNT, 1)])), placed(1, again)]);
    assert_eq!(past(&graph, ACCOUNT, 1, 9).totals(Window::Ever).n_orders, 1);
    assert_eq!(graph.counts().n_repeated, 1);
}

#[test]
fn a_fact_older_than_the_retention_is_ignored_and_counted() {
    let days = GraphSettings::default().retention.0 / Span::DAY.0;
    let newest = placed(24 * (days + 1), order(1, &[(ACCOUNT, 1)]));
    let graph = graph(&[newest, placed(0, order(2, &[(ACCOUNT, 1)]))]);
    assert_eq!((graph.counts().n_too_late, graph.counts().n_orders), (1, 1));
    assert!(graph.is_too_late(at(0)) && !graph.is_too_late(at(24 * days)));
}

#[test]
fn retention_forgets_orders_but_not_how_many_there_were() {
    let settings = GraphSettings { retention: Span::days(8), ..GraphSettings::default() };
    let mut graph = KnowledgeGraph::new(settings);
    for day in 0..100 {
        graph.apply(&placed(24 * i64::from(day), order(day as usize, &[(ACCOUNT, 1), (IP, day)])));
    }
    let history = past(&graph, ACCOUNT, 1, 24 * 99);
    assert_eq!(history.totals(Window::Ever).n_orders, 100);
    assert_eq!(history.totals(Window::Week).n_orders, 7);
    assert_eq!(history.n_distinct(IP, Window::Week), 7);
    assert!(history.n_distinct(IP, Window::Ever) <= 10);
    assert!(graph.size().1 <= 10);
}

#[test]
fn a_crowd_over_weeks_makes_a_hub_and_a_crowd_in_an_hour_does_not() {
    for (hours_apart, is_hub) in [(12, true), (0, false)] {
        let mut events = vec![placed(0, order(999, &[(ACCOUNT, 999), (IP, 1)]))];
        events.extend((0..40).map(|n| {
            let nodes = [(ACCOUNT, n), (IP, 1)];
            placed(200 + hours_apart * i64::from(n), order(n as usize, &nodes))
        }));
        let graph = graph(&events);
        let hour = 201 + hours_apart * 40;
        assert_eq!(past(&graph, IP, 1, hour).is_hub(), is_hub, "{hours_apart} hours apart");
    }
}

#[test]
fn a_label_told_before_its_order_is_kept_for_it() {
    let order = order(1, &[(ACCOUNT, 1)]);
    let graph = graph(&[bad(5, &order), placed(2, order.clone())]);
    assert_eq!(past(&graph, ACCOUNT, 1, 4).n_bad(), 0);
    assert_eq!(past(&graph, ACCOUNT, 1, 5).n_bad(), 1);
}

#[test]
fn what_two_sources_tell_of_one_order_counts_once_and_a_contradiction_as_declared() {
    let order = order(1, &[(ACCOUNT, 1)]);
    let (key, amount) = (order.key.clone(), None);
    let told = |id: &str, micros: i64, fact: Fact| Event {
        event_id: id.into(),
        event_time: at(1) + Span(micros),
        ingest_time: None,
        fact,
    };
    let reason = CancelReason {
        source: CancelSource::Customer,
        r#type: CancelType::Other,
        level: CancelLevel::BeforePayment,
    };
    let opened = Outcome {
        outcome_id: "o".into(),
        decision_id: None,
        order: Some(key.clone()),
        kind: OutcomeKind::ChargebackOpened,
        amount: None,
        occurred_at: at(25),
        source: OutcomeSource::Network,
        source_ref: None,
        retracts: None,
        told_by: None,
    };
    let mut events = vec![
        told("shop", 0, Fact::OrderCancelled(OrderCancelled { order: key.clone(), reason })),
        told("bank", 9, Fact::OrderPaid(OrderAmount { order: key.clone(), amount })),
        told("bank again", 20, Fact::OrderPaid(OrderAmount { order: key.clone(), amount })),
        told("a day later", Span::DAY.0, Fact::Outcome(opened)),
        told("and again", Span::DAY.0, Fact::OrderChargedBack(OrderAmount { order: key, amount })),
    ];
    for _ in 0..2 {
        events.push(placed(0, order.clone()));
        let graph = graph(&events);
        let n = |step, hour| past(&graph, ACCOUNT, 1, hour).n_steps(step, Window::Ever);
        assert_eq!((n(OrderStepKind::Paid, 2), n(OrderStepKind::Cancelled, 2)), (0, 1));
        assert_eq!((n(OrderStepKind::ChargedBack, 2), n(OrderStepKind::ChargedBack, 30)), (0, 1));
        events.pop();
        events.reverse();
    }
}

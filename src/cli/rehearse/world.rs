//! The synthetic world around the service: what becomes of orders.
//!
//! | done | good order | bad order |
//! |---|---|---|
//! | released, quantity limited | goes on | goes on |
//! | declined, put on a waiting list | stopped | stopped |
//! | left under review | goes on | stopped, 9 in 10 |
//! | asked for proof | goes on, 97 in 100 | stopped, 17 in 20 |
//! | called | goes on, 97 in 100 | stopped, 7 in 10 |
//! | held | goes on, 97 in 100 | stopped, 3 in 10 |
//!
//! Of a stopped order nothing is told any more: no payment, no chargeback, no label. What is
//! told about the others comes late one time in five, by up to three days, and twice one time
//! in thirty.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::iter::Peekable;

use crate::domain::decision::{ActionKind, Decision};
use crate::domain::event::{
    CancelLevel, CancelReason, CancelSource, CancelType, Event, Fact, OrderCancelled,
};
use crate::domain::feedback::{OperatorChoice, OverrideReason};
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::simulator::dice::Dice;
use crate::simulator::operator::{OperatorManner, Origin, SimulatedChoice, SimulatedOperator};
use crate::simulator::truth::OrderTruth;
use crate::simulator::world::{SimulatedEvent, Simulation};

/// The operator who approves everything, unread.
pub const CARELESS: &str = "synthetic-operator-careless";

/// Something that reaches the service.
#[derive(Debug)]
pub enum Arrival {
    /// An order to judge.
    Order(Box<(Event, Order, OrderTruth)>),
    /// A fact, and when it is received.
    Fact(Box<Event>, Timestamp),
    /// What an operator chose, and when it is received.
    Choice(Box<OperatorChoice>, Timestamp),
}

/// The world, from a day on.
pub struct World {
    simulation: Peekable<Simulation>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    n_waited: u64,
    truths: BTreeMap<OrderKey, OrderTruth>,
    stopped: BTreeSet<OrderKey>,
    people: Vec<(Box<str>, Hand)>,
    dice: Dice,
    n_stopped_facts: u64,
}

/// How somebody chooses.
enum Hand {
    Simulated(Box<SimulatedOperator>),
    /// Approves in two seconds.
    Careless,
}

struct Waiting {
    at: Timestamp,
    turn: u64,
    what: Arrival,
}

impl World {
    /// The world of a simulation that has been played up to where the service begins.
    pub fn new(simulation: Peekable<Simulation>, seed: u64) -> Self {
        let person = |(at, (manner, bias)): (u64, (OperatorManner, f64))| {
            let operator = SimulatedOperator::new(seed + at, manner, bias);
            (format!("synthetic-operator-{at}").into(), Hand::Simulated(Box::new(operator)))
        };
        let manners = [
            (OperatorManner::Thorough, 0.0),
            (OperatorManner::Thorough, 0.0),
            (OperatorManner::Lenient, 0.0),
            (OperatorManner::Strict, 0.1),
        ];
        Self {
            simulation,
            waiting: BinaryHeap::new(),
            n_waited: 0,
            truths: BTreeMap::new(),
            stopped: BTreeSet::new(),
            people: (0..).zip(manners).map(person).collect(),
            dice: Dice::new(seed, 77),
            n_stopped_facts: 0,
        }
    }

    /// The careless operator begins to work.
    pub fn hire_careless(&mut self) {
        self.people.push((CARELESS.into(), Hand::Careless));
    }

    /// An operator chooses no more.
    pub fn dismiss(&mut self, operator: &str) {
        self.people.retain(|(id, _)| **id != *operator);
    }

    /// Facts that never came since their order was stopped.
    pub fn n_stopped_facts(&self) -> u64 {
        self.n_stopped_facts
    }

    /// The truth about an order.
    pub fn truth(&self, order: &OrderKey) -> Option<&OrderTruth> {
        self.truths.get(order)
    }

    /// What reaches the service next, before an instant.
    pub fn next_before(&mut self, end: Timestamp) -> Option<Arrival> {
        loop {
            let told_at = self.simulation.peek().map(|told| told.event.known_at());
            let waiting_at = self.waiting.peek().map(|Reverse(it)| it.at);
            let is_told = match (told_at, waiting_at) {
                (Some(told), Some(waiting)) => told <= waiting,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if !is_told {
                self.waiting.peek().filter(|Reverse(it)| it.at < end)?;
                return self.waiting.pop().map(|Reverse(it)| it.what);
            }
            if told_at.is_none_or(|at| end <= at) {
                return None;
            }
            let told = self.simulation.next()?;
            if let Some(arrival) = self.told(told) {
                return Some(arrival);
            }
        }
    }

    fn told(&mut self, told: SimulatedEvent) -> Option<Arrival> {
        let SimulatedEvent { event, truth } = told;
        if let (Fact::OrderPlaced(order), Some(truth)) = (&event.fact, truth) {
            self.truths.insert(order.key.clone(), truth.clone());
            let order = order.clone();
            return Some(Arrival::Order(Box::new((event, order, truth))));
        }
        if event.order_key().is_some_and(|order| self.stopped.contains(order)) {
            self.n_stopped_facts += 1;
            return None;
        }
        let received = event.known_at();
        let is_report = matches!(event.fact, Fact::Outcome(_) | Fact::Label(_));
        if is_report && self.dice.chance(1.0 / 30.0) {
            let at = received + self.dice.span(Span::HOUR, Span::days(3));
            self.wait(at, Arrival::Fact(Box::new(event.clone()), at));
        }
        if is_report && self.dice.chance(0.2) {
            let at = received + self.dice.span(Span::HOUR, Span::days(3));
            self.wait(at, Arrival::Fact(Box::new(event), at));
            return None;
        }
        Some(Arrival::Fact(Box::new(event), received))
    }

    /// Somebody decides what the service did not simply release, and the order meets its fate.
    pub fn decided(&mut self, decision: &Decision, order: &Order, truth: &OrderTruth) {
        let offered: Vec<ActionKind> = decision.actions.iter().map(|offer| offer.action).collect();
        let Some(first) = offered.first().filter(|first| !first.is_release()) else { return };
        let at = self.dice.index(self.people.len());
        let is_foreign = order.countries.ip.as_deref().is_some_and(|country| country != "CN");
        let origin = if is_foreign { Origin::Foreign } else { Origin::Domestic };
        let (id, hand) = &mut self.people[at];
        let chosen = match hand {
            Hand::Simulated(operator) => operator.choose(&offered, truth, origin),
            Hand::Careless => careless(&offered, *first),
        };
        let opened_at = decision.times.received_time;
        let decided_at = opened_at + chosen.delay;
        let choice = OperatorChoice {
            choice_id: format!("synthetic-choice-{}", decision.decision_id).into(),
            decision_id: decision.decision_id,
            operator_id: id.clone(),
            action: chosen.action,
            chosen_rank: chosen.chosen_rank,
            override_reason: chosen.override_reason,
            note: None,
            opened_at: Some(opened_at),
            decided_at,
            review: None,
        };
        self.wait(decided_at, Arrival::Choice(Box::new(choice), decided_at));
        if self.is_stopped_by(chosen.action, truth) {
            self.stopped.insert(order.key.clone());
            let event = cancelled(&order.key, decided_at);
            self.wait(decided_at, Arrival::Fact(Box::new(event), decided_at));
        }
    }

    fn is_stopped_by(&mut self, action: ActionKind, truth: &OrderTruth) -> bool {
        let chance = match (action, truth.is_good) {
            (ActionKind::Decline | ActionKind::OfferReservation, _) => 1.0,
            (ActionKind::Review, false) => 0.9,
            (ActionKind::Challenge, false) => 0.85,
            (ActionKind::PhoneCheck, false) => 0.7,
            (ActionKind::Hold, false) => 0.3,
            (ActionKind::Challenge | ActionKind::PhoneCheck | ActionKind::Hold, true) => 0.03,
            (
                ActionKind::Approve
                | ActionKind::ApproveAndWatch
                | ActionKind::LimitQuantity
                | ActionKind::SplitShipment
                | ActionKind::Expedite,
                _,
            )
            | (ActionKind::Review, true) => 0.0,
        };
        self.dice.chance(chance)
    }

    fn wait(&mut self, at: Timestamp, what: Arrival) {
        self.n_waited += 1;
        self.waiting.push(Reverse(Waiting { at, turn: self.n_waited, what }));
    }
}

fn careless(offered: &[ActionKind], first: ActionKind) -> SimulatedChoice {
    let action = ActionKind::Approve;
    let rank = offered.iter().position(|shown| *shown == action);
    SimulatedChoice {
        action,
        chosen_rank: rank.and_then(|rank| u32::try_from(rank + 1).ok()),
        override_reason: (first != action).then_some(OverrideReason::Other),
        delay: Span(2 * Span::SECOND.0),
    }
}

fn cancelled(order: &OrderKey, at: Timestamp) -> Event {
    let reason = CancelReason {
        source: CancelSource::Platform,
        r#type: CancelType::Risk,
        level: CancelLevel::BeforeShipping,
    };
    let OrderKey { channel, order_id, revision } = order;
    Event {
        event_id: format!("synthetic-stop-{channel}-{order_id}-{revision}").into(),
        event_time: at,
        ingest_time: None,
        fact: Fact::OrderCancelled(OrderCancelled { order: order.clone(), reason }),
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("n_waited", &self.n_waited).finish_non_exhaustive()
    }
}

impl Waiting {
    fn rank(&self) -> (Timestamp, u64) {
        (self.at, self.turn)
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Waiting {}

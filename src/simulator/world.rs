//! The synthetic marketplace as a stream of events in event-time order.
//!
//! One day is planned at a time; everything planned or pending waits in an
//! agenda and is told when its time comes. Memory is bounded by the people and
//! by what is still pending: about 45 days of small entries.

use std::collections::VecDeque;

use crate::domain::entity::IdentityKey;
use crate::domain::event::{Event, Fact, MarketPrice, StockLevel};
use crate::domain::feedback::{OutcomeKind, OutcomeSource};
use crate::domain::head::RiskType;
use crate::domain::time::{Span, Timestamp};
use crate::simulator::aftermath::{Moment, Supply, follow};
use crate::simulator::calendar::Calendar;
use crate::simulator::dice::{Dice, whole};
use crate::simulator::goods::{Goods, category, is_limited, sku_entity};
use crate::simulator::heads::SimulatedHead;
use crate::simulator::market::{FIRST_RELEASE_DAY, Market, RELEASE_DAYS, TICK, Taker};
use crate::simulator::pending::{Agenda, OrderNumber, Pending, Step};
use crate::simulator::people::Town;
use crate::simulator::scene::{Draft, NewestDrop, Plan, Scene};
use crate::simulator::settings::SimulationSettings;
use crate::simulator::telling::{
    CHANNELS, account_created, bill, label, order, region, step_fact, yuan,
};
use crate::simulator::truth::OrderTruth;

/// One fact, with the truth when it is an order.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedEvent {
    /// The fact, sealed.
    pub event: Event,
    /// The truth about the order; `None` for anything but a placed order.
    pub truth: Option<OrderTruth>,
}

/// A running marketplace: an iterator of events in event-time order.
#[derive(Debug)]
pub struct Simulation {
    settings: SimulationSettings,
    identity: IdentityKey,
    goods: Goods,
    town: Town,
    market: Market,
    calendar: Calendar,
    agenda: Agenda,
    planning: Dice,
    living: Dice,
    drop: Option<NewestDrop>,
    day: u32,
    n_orders: u64,
    n_events: u64,
    ready: VecDeque<SimulatedEvent>,
}

impl Simulation {
    /// A marketplace before its first day; equal settings and key give equal streams.
    pub fn new(settings: SimulationSettings, identity: IdentityKey) -> Self {
        let settings = SimulationSettings { start: settings.start.start_of_day(), ..settings };
        let mut agenda = Agenda::default();
        agenda.add(settings.start + TICK, Pending::MarketTick);
        Self {
            goods: Goods::new(settings.seed),
            town: Town::new(&settings),
            market: Market::default(),
            calendar: Calendar::default(),
            agenda,
            planning: Dice::new(settings.seed, 1),
            living: Dice::new(settings.seed, 2),
            drop: None,
            day: 0,
            n_orders: 0,
            n_events: 0,
            ready: VecDeque::new(),
            identity,
            settings,
        }
    }

    /// How many later things are waiting: what the memory need depends on.
    pub fn n_pending(&self) -> usize {
        self.agenda.n_pending()
    }

    fn midnight(&self, day: u32) -> Timestamp {
        self.settings.start + Span::days(i64::from(day))
    }

    fn plan_day(&mut self) {
        let midnight = self.midnight(self.day);
        let is_release = FIRST_RELEASE_DAY <= self.day
            && (self.day - FIRST_RELEASE_DAY).is_multiple_of(RELEASE_DAYS);
        if is_release {
            // Ten in the morning, local time.
            let released_at = midnight + Span::hours(2);
            let drop = self.market.release(released_at, self.settings.orders_per_day);
            self.agenda.add(released_at, Pending::Release(drop.skus));
            self.drop = Some(drop);
        }
        let mut scene = Scene {
            settings: &self.settings,
            goods: &self.goods,
            town: &mut self.town,
            dice: &mut self.planning,
            day: self.day,
            midnight,
            drop: self.drop,
            meeting: None,
            plans: Vec::new(),
        };
        self.calendar.plan_day(&mut scene);
        for (at, plan) in scene.plans {
            self.agenda.add(at, Pending::Plan(plan));
        }
        self.day += 1;
    }

    fn happen(&mut self, at: Timestamp, what: Pending) {
        match what {
            Pending::Plan(Plan::Order(draft)) => self.place(at, &draft),
            Pending::Plan(Plan::Opening(opening)) => {
                let fact = account_created(&opening, &self.identity);
                self.tell(at, fact, None);
            }
            Pending::Step(number, step) => self.step(at, number, step),
            Pending::Release(skus) => skus.into_iter().for_each(|sku| self.tell_stock(at, sku)),
            Pending::MarketTick => {
                for (sku, place, price) in self.market.tick(at, &mut self.living) {
                    let fact = Fact::MarketPrice(MarketPrice {
                        sku: sku_entity(&self.identity, sku),
                        region: Some(region(&self.identity, place)),
                        price: yuan(price),
                    });
                    self.tell(at, fact, None);
                }
                self.agenda.add(at + TICK, Pending::MarketTick);
            }
        }
    }

    fn place(&mut self, at: Timestamp, draft: &Draft) {
        let number = self.next_number(draft);
        let bill = bill(draft, &self.goods);
        let (supply, limited) = self.take_stock(draft);
        let moment = Moment { draft, at, amount_minor: bill.amount_minor, supply };
        let aftermath = follow(moment, &self.settings, &mut self.living);
        let order = order(draft, number, bill, &self.goods, &self.identity);
        let truth = OrderTruth {
            order: order.key.clone(),
            event_time: at,
            archetype: draft.archetype,
            labels: RiskType::ALL.map(|risk| (risk.head(), aftermath.risk == Some(risk))),
            ring: draft.ring,
            person: draft.buyer.person,
            care: draft.care,
            is_good: draft.archetype.risk().is_none(),
            best_action: draft.archetype.best_action(),
        };
        self.tell(at, Fact::OrderPlaced(order), Some(truth));
        if let Some(sku) = limited {
            self.tell_stock(at, sku);
        }
        for (later, step) in aftermath.steps {
            self.agenda.add(later, Pending::Step(number, step));
        }
        let margin = if aftermath.is_kept { self.margin(draft) - bill.discount_minor } else { 0 };
        self.remember(at, draft, number, margin);
    }

    /// Keeps the buyer's margin, and plans the label of what comes after.
    fn remember(&mut self, at: Timestamp, draft: &Draft, number: OrderNumber, margin: i64) {
        let consumer = draft.buyer.consumer;
        let known = consumer.and_then(|idx| self.town.consumers.get_mut(idx as usize));
        let mut margin_before = 0;
        if let Some(known) = known {
            known.margin_minor += margin;
            margin_before = known.margin_minor;
            let previous = std::mem::replace(&mut known.last_order, number.0);
            if previous != 0 && self.living.chance(0.1) {
                let step = Step::Outcome(OutcomeKind::Repurchase, OutcomeSource::Crm);
                self.agenda.add(at, Pending::Step(OrderNumber(previous), step));
            }
        }
        let step = Step::Repurchase { consumer, margin_before, placed_at: at };
        let later = at + SimulatedHead::RepurchaseValue.horizon();
        self.agenda.add(later, Pending::Step(number, step));
    }

    fn step(&mut self, at: Timestamp, number: OrderNumber, step: Step) {
        match step {
            Step::Labels { heads, values, placed_at } => {
                for (idx, head) in SimulatedHead::ALL.into_iter().enumerate() {
                    if heads & (1 << idx) != 0 {
                        let value = f64::from(u8::from(values & (1 << idx) != 0));
                        self.tell(at, label(number, head, value, placed_at), None);
                    }
                }
            }
            Step::Repurchase { consumer, margin_before, placed_at } => {
                let known = consumer.and_then(|idx| self.town.consumers.get(idx as usize));
                let later = known.map_or(0, |known| known.margin_minor - margin_before);
                let head = SimulatedHead::RepurchaseValue;
                self.tell(at, label(number, head, yuan(later).as_major(), placed_at), None);
            }
            Step::PriceIndex { sku, region, placed_at } => {
                let noise = self.living.real(0.97, 1.03);
                let index = self.market.index(sku, region) * noise;
                let value = (index * 1_000.0).round() / 1_000.0;
                self.tell(at, label(number, SimulatedHead::PriceIndex, value, placed_at), None);
            }
            Step::Paid(_)
            | Step::Cancelled(_)
            | Step::Reserved
            | Step::Shipped
            | Step::Delivered
            | Step::Returned(_)
            | Step::Refunded(_)
            | Step::ChargedBack(_)
            | Step::Outcome(..) => {
                if let Some(fact) = step_fact(step, number, at) {
                    self.tell(at, fact, None);
                }
            }
        }
    }

    fn next_number(&mut self, draft: &Draft) -> OrderNumber {
        self.n_orders += 1;
        let is_second = draft.buyer.consumer.is_some() && draft.buyer.account % 2 == 1;
        let channel =
            if is_second { CHANNELS.len() - 1 } else { self.living.weighted(&[0.6, 0.25, 0.15]) };
        OrderNumber(self.n_orders * 4 + channel as u64)
    }

    /// Takes a limited SKU out of stock; gives whether it was there.
    fn take_stock(&mut self, draft: &Draft) -> (Supply, Option<u32>) {
        let Some((sku, quantity)) = draft.basket.iter().find(|(sku, _)| is_limited(*sku)) else {
            return (Supply::InStock, None);
        };
        let is_ring = draft.archetype.risk() == Some(RiskType::ResellerHoarding);
        let taker = if is_ring { Taker::Ring } else { Taker::Fan };
        match self.market.take(*sku, draft.place.region, *quantity, taker) {
            Some(_) => (Supply::InStock, Some(*sku)),
            None => (Supply::SoldOut, None),
        }
    }

    fn margin(&self, draft: &Draft) -> i64 {
        let margin = |(sku, quantity): &(u32, u32)| {
            let price = self.goods.price_minor(*sku) * i64::from(*quantity);
            whole(price as f64 * category(*sku).margin)
        };
        draft.basket.iter().map(margin).sum()
    }

    fn tell_stock(&mut self, at: Timestamp, sku: u32) {
        let units = self.market.units_left(sku);
        let sku = sku_entity(&self.identity, sku);
        self.tell(at, Fact::StockLevel(StockLevel { sku, region: None, units }), None);
    }

    fn tell(&mut self, event_time: Timestamp, fact: Fact, truth: Option<OrderTruth>) {
        self.n_events += 1;
        let event_id = format!("synthetic-{:010}", self.n_events).into();
        let event = Event { event_id, event_time, ingest_time: None, fact };
        self.ready.push_back(SimulatedEvent { event, truth });
    }
}

impl Iterator for Simulation {
    type Item = SimulatedEvent;

    fn next(&mut self) -> Option<SimulatedEvent> {
        while self.ready.is_empty() {
            let planned_until = self.midnight(self.day);
            if let Some((at, what)) = self.agenda.next_before(planned_until) {
                self.happen(at, what);
            } else if self.day < self.settings.days {
                self.plan_day();
            } else {
                return None;
            }
        }
        self.ready.pop_front()
    }
}

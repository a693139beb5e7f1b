//! Orders for `orderlens bench`: those of a synthetic market.
//!
//! What an answer costs depends on what it is about: families, gangs and plain shoppers
//! come in the shares that the shipped model knows, with the past that they have by then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use miette::miette;

use crate::domain::entity::IdentityKey;
use crate::domain::event::{Event, Fact};
use crate::domain::order::Order;
use crate::domain::time::{Span, Timestamp};
use crate::simulator::settings::SimulationSettings;
use crate::simulator::world::Simulation;
use crate::wire::check::time_to_pb;
use crate::wire::order;
use crate::wire::pb::v1 as pb;

/// Days of the market; younger than what a server flags as late.
const DAYS: u32 = 28;
/// Orders a day: enough for some minutes of asking.
const ORDERS_PER_DAY: u32 = 12_000;
/// Seed of the market.
const SEED: u64 = 20_261_128;

/// Gives orders one after the other, oldest first; clones share the turn.
#[derive(Clone, Debug)]
pub struct OrderSource {
    run: Arc<str>,
    orders: Arc<[(Timestamp, Order)]>,
    next: Arc<AtomicU64>,
    supply: Supply,
}

/// What comes after the last order.
#[derive(Clone, Copy, Debug)]
enum Supply {
    /// Nothing: told again, orders would lie in the past of those that were told.
    Once,
    /// The first one again, for who remembers nothing.
    Repeated,
}

impl OrderSource {
    /// The orders of one run, of a market that ends now.
    ///
    /// # Errors
    /// When the market has no orders.
    pub fn new(run: &str, now: Timestamp) -> miette::Result<Self> {
        let start = now.start_of_day() - Span::days(i64::from(DAYS));
        let settings = SimulationSettings::new(SEED, start, DAYS, ORDERS_PER_DAY);
        // The pseudonyms of the market are sent as if they were raw identifiers.
        let market = Simulation::new(settings, IdentityKey::from_secret(b"bench"));
        let orders: Arc<[_]> = market.filter_map(|told| placed(told.event)).collect();
        if orders.is_empty() {
            return Err(miette!("the synthetic market has no orders"));
        }
        Ok(Self { run: run.into(), orders, next: Arc::default(), supply: Supply::Once })
    }

    /// The same orders from the first one on, without an end.
    #[must_use]
    pub fn repeated(&self) -> Self {
        Self { next: Arc::default(), supply: Supply::Repeated, ..self.clone() }
    }

    /// The next order; `None` after the last one.
    pub fn next(&self) -> Option<pb::ScoreOrderRequest> {
        let n = usize::try_from(self.next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
        let at = match self.supply {
            Supply::Once => n,
            Supply::Repeated => n % self.orders.len(),
        };
        self.orders.get(at).map(|(event_time, order)| self.request(*event_time, order))
    }

    fn request(&self, event_time: Timestamp, order: &Order) -> pb::ScoreOrderRequest {
        let mut order = order::to_pb(order);
        if let Some(key) = &mut order.key {
            key.channel.push('-');
            key.channel.push_str(&self.run);
        }
        for entity in &mut order.entities {
            // What is no pseudonym is hashed at the door, as a caller's identifiers are.
            if let Some(hash) = entity.id.strip_prefix("h1_") {
                entity.id = hash.to_owned();
            }
        }
        pb::ScoreOrderRequest {
            event_time: Some(time_to_pb(event_time)),
            order: Some(order),
            ..Default::default()
        }
    }
}

fn placed(event: Event) -> Option<(Timestamp, Order)> {
    let Fact::OrderPlaced(order) = event.fact else { return None };
    Some((event.event_time, order))
}

//! Orders for `orderlens bench`: those of a synthetic market.
//!
//! What an answer costs depends on what it is about: families, gangs and plain shoppers
//! come in the shares that the shipped model knows, with the past that they have by then.

use std::sync::Arc;

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
/// Orders a day.
const ORDERS_PER_DAY: u32 = 4_000;
/// Seed of the market.
const SEED: u64 = 20_261_128;

/// Gives orders by number; the same number always gives the same order.
#[derive(Clone, Debug)]
pub struct OrderSource {
    run: Arc<str>,
    orders: Arc<[(Timestamp, Order)]>,
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
        Ok(Self { run: run.into(), orders })
    }

    /// The order with this number; after the last one the market is played again, with
    /// other order ids.
    pub fn request(&self, n: u64) -> pb::ScoreOrderRequest {
        let n_orders = self.orders.len() as u64;
        let (again, at) = (n / n_orders, usize::try_from(n % n_orders).unwrap_or_default());
        let (event_time, order) = &self.orders[at];
        let mut order = order::to_pb(order);
        if let Some(key) = &mut order.key {
            key.channel.push('-');
            key.channel.push_str(&self.run);
            key.order_id.push('-');
            key.order_id.push_str(&again.to_string());
        }
        for entity in &mut order.entities {
            // What is no pseudonym is hashed at the door, as a caller's identifiers are.
            if let Some(hash) = entity.id.strip_prefix("h1_") {
                entity.id = hash.to_owned();
            }
        }
        pb::ScoreOrderRequest {
            event_time: Some(time_to_pb(*event_time)),
            order: Some(order),
            ..Default::default()
        }
    }
}

fn placed(event: Event) -> Option<(Timestamp, Order)> {
    let Fact::OrderPlaced(order) = event.fact else { return None };
    Some((event.event_time, order))
}

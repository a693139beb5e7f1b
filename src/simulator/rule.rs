//! The article's failing rule: one IP, twelve orders in five minutes.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::entity::{EntityKey, EntityKind};
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::{Span, Timestamp};

/// Orders from one IP that set the rule off.
pub const BURST_ORDERS: usize = 12;
/// Span in which they have to come.
pub const BURST_SPAN: Span = Span(5 * 60 * 1_000_000);
/// Orders after which forgotten networks are swept out.
const SWEEP_ORDERS: u64 = 10_000;

/// Watches networks and stops whole bursts.
#[derive(Debug, Default)]
pub struct IpBurstRule {
    recent: BTreeMap<EntityKey, VecDeque<Recent>>,
    n_orders: u64,
}

#[derive(Debug)]
struct Recent {
    at: Timestamp,
    /// `None` once the order was stopped.
    order: Option<OrderKey>,
}

impl IpBurstRule {
    /// Tells the rule of the next order; gives every order that it stops now.
    ///
    /// The order that completes a burst stops the earlier ones of it too.
    pub fn observe(&mut self, order: &Order, at: Timestamp) -> Vec<OrderKey> {
        self.n_orders += 1;
        if self.n_orders.is_multiple_of(SWEEP_ORDERS) {
            self.recent.retain(|_, orders| {
                orders.back().is_some_and(|newest| at - newest.at <= BURST_SPAN)
            });
        }
        let Some(ip) = order.entity(EntityKind::Ip) else { return Vec::new() };
        let orders = self.recent.entry(ip.key.clone()).or_default();
        while orders.front().is_some_and(|oldest| BURST_SPAN < at - oldest.at) {
            orders.pop_front();
        }
        orders.push_back(Recent { at, order: Some(order.key.clone()) });
        if orders.len() < BURST_ORDERS {
            return Vec::new();
        }
        orders.iter_mut().filter_map(|recent| recent.order.take()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entity::IdentityKey;

    fn n_stopped(n_orders: i64, gap: Span) -> usize {
        let mut rule = IpBurstRule::default();
        let ip = IdentityKey::from_secret(b"test").entity(EntityKind::Ip, "one");
        let stopped = (0..n_orders).map(|n| {
            let order_id = n.to_string().into();
            let key = OrderKey { channel: "c".into(), order_id, revision: 0 };
            let order = Order { entities: vec![ip.clone()], ..Order::new(key) };
            rule.observe(&order, Timestamp(n * gap.0)).len()
        });
        stopped.sum()
    }

    #[test]
    fn the_twelfth_order_within_five_minutes_stops_the_whole_burst_once() {
        assert_eq!(n_stopped(11, Span::SECOND), 0);
        assert_eq!(n_stopped(12, Span::SECOND), 12);
        assert_eq!(n_stopped(15, Span::SECOND), 15);
        assert_eq!(n_stopped(40, Span(28 * Span::SECOND.0)), 0);
        assert_eq!(n_stopped(12, Span(27 * Span::SECOND.0)), 12);
    }
}

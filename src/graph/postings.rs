//! The orders of one entity, by time: a short list, or the log of a hub.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;
use crate::graph::arena::{Member, OrderArena, OrderNo};
use crate::graph::hub_log::{HubLog, HubOrder};
use crate::graph::settings::LISTED_ORDERS_MAX;
use crate::graph::totals::OrderSize;

/// Orders kept in the node itself.
const FEW_ORDERS_MAX: usize = 4;

/// Numbers of an entity's orders, oldest first; of one instant, by digest.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Postings {
    /// Kept in place.
    Few {
        /// How many are used.
        n: u8,
        /// The numbers.
        orders: [OrderNo; FEW_ORDERS_MAX],
    },
    /// At most [`LISTED_ORDERS_MAX`], read by scanning them.
    List(Vec<OrderNo>),
    /// More.
    Hub(Box<HubLog>),
}

/// Orders of an entity, newest first.
#[derive(Clone, Debug)]
pub(super) struct NewestFirst<'a> {
    arena: &'a OrderArena,
    listed: &'a [OrderNo],
    blocks: &'a [Vec<HubOrder>],
    newest: &'a [HubOrder],
}

impl Default for Postings {
    fn default() -> Self {
        Self::Few { n: 0, orders: [0; FEW_ORDERS_MAX] }
    }
}

impl Postings {
    /// How many orders there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few { n, .. } => usize::from(*n),
            Self::List(orders) => orders.len(),
            Self::Hub(hub) => hub.len(),
        }
    }

    /// The listed orders, oldest first; none of a hub.
    pub(super) fn listed(&self) -> &[OrderNo] {
        match self {
            Self::Few { n, orders } => &orders[..usize::from(*n)],
            Self::List(orders) => orders,
            Self::Hub(_) => &[],
        }
    }

    /// The log of a hub.
    pub(super) fn hub(&self) -> Option<&HubLog> {
        match self {
            Self::Hub(hub) => Some(hub),
            Self::Few { .. } | Self::List(_) => None,
        }
    }

    /// The log of a hub, to change.
    pub(super) fn hub_mut(&mut self) -> Option<&mut HubLog> {
        match self {
            Self::Hub(hub) => Some(hub),
            Self::Few { .. } | Self::List(_) => None,
        }
    }

    /// The newest order.
    pub(super) fn newest(&self) -> Option<OrderNo> {
        let newest = self.hub().and_then(HubLog::newest).map(|order| order.no);
        newest.or_else(|| self.listed().last().copied())
    }

    /// Time of the oldest order.
    pub(super) fn oldest(&self, arena: &OrderArena) -> Option<Timestamp> {
        let oldest = self.hub().and_then(HubLog::oldest).map(|order| order.time);
        oldest.or_else(|| self.listed().first().map(|&no| arena.row(no).time))
    }

    /// Adds an order to a list; true when the list is now too long to be one.
    pub(super) fn list(&mut self, arena: &OrderArena, no: OrderNo) -> bool {
        let listed = self.listed();
        let later = listed.iter().rev().take_while(|&&known| arena.cmp(no, known).is_lt());
        let at = listed.len() - later.count();
        match self {
            Self::Few { n, orders } if usize::from(*n) < FEW_ORDERS_MAX => {
                orders.copy_within(at..usize::from(*n), at + 1);
                orders[at] = no;
                *n += 1;
            }
            Self::Few { orders, .. } => {
                let mut orders = orders.to_vec();
                orders.insert(at, no);
                *self = Self::List(orders);
            }
            Self::List(orders) => orders.insert(at, no),
            Self::Hub(_) => {}
        }
        LISTED_ORDERS_MAX < self.listed().len()
    }

    /// Removes an order that is still in the arena.
    pub(super) fn remove(&mut self, arena: &OrderArena, no: OrderNo) {
        match self {
            Self::Few { n, orders } => {
                let used = usize::from(*n);
                if let Some(at) = orders[..used].iter().position(|&known| known == no) {
                    orders.copy_within(at + 1..used, at);
                    *n -= 1;
                }
            }
            Self::List(orders) => {
                orders.retain(|&known| known != no);
                if orders.len() <= FEW_ORDERS_MAX / 2 {
                    let mut few = [0; FEW_ORDERS_MAX];
                    few[..orders.len()].copy_from_slice(orders);
                    *self = Self::Few { n: u8::try_from(orders.len()).unwrap_or(0), orders: few };
                }
            }
            Self::Hub(hub) => {
                hub.remove(arena, no);
                if hub.len() == 0 {
                    *self = Self::default();
                }
            }
        }
    }

    /// How many orders happened in `(after, until]`; none when that ends before it begins.
    pub(super) fn n_between(&self, arena: &OrderArena, after: Timestamp, until: Timestamp) -> u64 {
        if let Some(hub) = self.hub() {
            return hub.n_until(until).saturating_sub(hub.n_until(after));
        }
        let orders = self.newest_first(arena, until);
        orders.take_while(|&(_, time)| after < time).count() as u64
    }

    /// Orders at or before `time`, newest first.
    pub(super) fn newest_first<'a>(
        &'a self,
        arena: &'a OrderArena,
        time: Timestamp,
    ) -> NewestFirst<'a> {
        let listed = self.listed();
        let later = listed.iter().rev().take_while(|&&no| time < arena.row(no).time).count();
        let (blocks, newest) = self.hub().map_or((&[][..], &[][..]), |hub| hub.split_at(time));
        NewestFirst { arena, listed: &listed[..listed.len() - later], blocks, newest }
    }
}

impl<'a> NewestFirst<'a> {
    /// The same orders with what they add to the node; hubs keep that themselves.
    pub(super) fn sized(mut self, member: Member) -> impl Iterator<Item = (Timestamp, OrderSize)> {
        std::iter::from_fn(move || match self.next_of_list() {
            Some(no) => Some((self.arena.row(no).time, self.arena.size(no, member))),
            None => self.next_of_hub().map(|order| (order.time, order.size)),
        })
    }

    fn next_of_list(&mut self) -> Option<OrderNo> {
        let (&no, older) = self.listed.split_last()?;
        self.listed = older;
        Some(no)
    }

    fn next_of_hub(&mut self) -> Option<&'a HubOrder> {
        while self.newest.is_empty() {
            let (block, older) = self.blocks.split_last()?;
            (self.blocks, self.newest) = (older, block);
        }
        let (newest, rest) = self.newest.split_last()?;
        self.newest = rest;
        Some(newest)
    }
}

impl Iterator for NewestFirst<'_> {
    type Item = (OrderNo, Timestamp);

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_of_list() {
            Some(no) => Some((no, self.arena.row(no).time)),
            None => self.next_of_hub().map(|order| (order.no, order.time)),
        }
    }
}

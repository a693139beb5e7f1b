//! Reading the past of one entity as of an instant; nothing changes here.

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::head::HeadId;
use crate::domain::time::{Span, Timestamp};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::label_log::KnownLabels;
use crate::graph::node::Node;
use crate::graph::order_log::OrderTotals;
use crate::graph::order_table::OrderStepKind;
use crate::graph::settings::{PAIR_WALK_MAX, RECENT_WALK_MAX};

/// A span before the instant of reading: `(as_of - span, as_of]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// One hour.
    Hour,
    /// One day of 24 hours.
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
    /// Everything known; distinct counts reach back as far as the retention.
    Ever,
}

/// The past of one entity, as it was known at an instant.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    pub(super) graph: &'a KnowledgeGraph,
    pub(super) node: &'a Node,
    pub(super) kind: EntityKind,
    pub(super) as_of: Timestamp,
    /// Position of the first order of each window, and of the first order that is too new.
    starts: [usize; 5],
    end: usize,
    basket_starts: [usize; 5],
    basket_end: usize,
}

/// How often two entities met and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairSeen {
    /// Orders that link them.
    pub n_orders: u64,
    /// The last of them.
    pub last_seen: Timestamp,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Ever];

    /// Its length; `None` for everything.
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Hour => Some(Span::HOUR),
            Self::Day => Some(Span::DAY),
            Self::Week => Some(Span::days(7)),
            Self::Month => Some(Span::days(30)),
            Self::Ever => None,
        }
    }

    fn after(self, as_of: Timestamp) -> Option<Timestamp> {
        self.span().map(|span| as_of - span)
    }
}

impl KnowledgeGraph {
    /// The node of an entity, if it was ever seen.
    pub fn find(&self, entity: &EntityRef) -> Option<NodeIdx> {
        let idx = self.nodes.get_index_of(entity)?;
        u32::try_from(idx).ok().map(NodeIdx)
    }

    /// The entity of a node.
    pub fn entity(&self, node: NodeIdx) -> Option<&EntityRef> {
        self.nodes.get_index(node.0 as usize).map(|(entity, _)| entity)
    }

    /// The past of a node as of an instant.
    pub fn history(&self, node: NodeIdx, as_of: Timestamp) -> Option<History<'_>> {
        let (entity, node) = self.nodes.get_index(node.0 as usize)?;
        Some(self.past(entity.kind, node, as_of))
    }

    /// The past of an entity as of an instant; empty when it was never seen.
    pub fn history_of(&self, entity: &EntityRef, as_of: Timestamp) -> History<'_> {
        let node = self.nodes.get(entity).unwrap_or(&self.unseen);
        self.past(entity.kind, node, as_of)
    }

    fn past<'a>(&'a self, kind: EntityKind, node: &'a Node, as_of: Timestamp) -> History<'a> {
        let end = node.orders.end(as_of);
        let starts = Window::ALL
            .map(|window| window.span().map_or(0, |span| node.orders.start(as_of, span, end)));
        let basket = node.basket.as_deref();
        let basket_starts = Window::ALL
            .map(|window| window.after(as_of).map_or(0, |at| basket.map_or(0, |b| b.end(at))));
        let basket_end = basket.map_or(0, |basket| basket.end(as_of));
        History { graph: self, node, kind, as_of, starts, end, basket_starts, basket_end }
    }

    /// Slot of a head, if a verdict of it was ever told.
    pub fn head_slot(&self, head: &HeadId) -> Option<u8> {
        self.heads.iter().position(|known| known == head).and_then(|slot| slot.try_into().ok())
    }

    /// Share of bad ones among all verdicts of a head that were known at `as_of`.
    pub fn known_bad_rate(&self, head: u8, as_of: Timestamp) -> Option<f64> {
        let log = self.head_labels.get(usize::from(head))?;
        let known = log.ever(log.end(as_of));
        (0 < known.n_known).then(|| known.n_bad as f64 / known.n_known as f64)
    }
}

impl History<'_> {
    /// The past of the same entity as of another instant.
    #[must_use]
    pub fn at(&self, as_of: Timestamp) -> Self {
        self.graph.past(self.kind, self.node, as_of)
    }

    /// Instant of reading.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// What the orders of a window add up to.
    pub fn totals(&self, window: Window) -> OrderTotals {
        match window {
            Window::Ever => self.node.orders.ever(self.end),
            Window::Hour | Window::Day | Window::Week | Window::Month => {
                self.node.orders.between(self.starts[window as usize], self.end)
            }
        }
    }

    /// Orders at or before an instant, which is not after that of reading; dropped orders
    /// do not count.
    pub fn n_orders_until(&self, time: Timestamp) -> u64 {
        self.node.orders.end(time) as u64
    }

    /// What the orders before a window add up to.
    pub fn totals_before(&self, window: Window) -> OrderTotals {
        self.node.orders.ever(self.starts[window as usize])
    }

    /// When the entity was last part of an order; dropped orders do not count.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.end.checked_sub(1).map(|last| self.node.orders.time(last))
    }

    /// When the entity was first part of an order.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.node.orders.first_seen(self.as_of)
    }

    /// Verdicts of a head that became known in a window.
    pub fn labels(&self, head: u8, window: Window) -> KnownLabels {
        let log = self.node.label_log(head);
        log.map_or_else(KnownLabels::default, |log| log.known_in(self.as_of, window.span()))
    }

    /// When the newest bad verdict of a head became known.
    pub fn last_bad(&self, head: u8) -> Option<Timestamp> {
        self.node.label_log(head)?.last_bad(self.as_of)
    }

    /// The newest verdicts of a head, at most `n_max`; dropped ones do not count.
    pub fn newest_labels(&self, head: u8, n_max: usize) -> KnownLabels {
        let log = self.node.label_log(head);
        log.map_or_else(KnownLabels::default, |log| log.newest(log.end(self.as_of), n_max))
    }

    /// Verdicts of a head since its newest bad one.
    pub fn n_labels_since_bad(&self, head: u8) -> Option<u64> {
        let log = self.node.label_log(head)?;
        log.n_since_bad(log.end(self.as_of))
    }

    /// When the newest streak of bad verdicts of a head began; longer gaps than `gap`
    /// end a streak.
    pub fn bad_streak_start(&self, head: u8, gap: Span) -> Option<Timestamp> {
        self.node.label_log(head)?.streak_start(self.as_of, gap)
    }

    /// Known amounts of the orders of a window, oldest first, in major units: of the
    /// newest `n_max` at most; dropped orders do not count.
    pub fn amounts(&self, window: Window, n_max: usize) -> impl Iterator<Item = f64> {
        let start = self.starts[window as usize].max(self.end.saturating_sub(n_max));
        self.node.orders.amounts(start, self.end)
    }

    /// Orders known to be bad, by any head; an order bad for two heads counts twice.
    pub fn n_bad(&self) -> u64 {
        let logs = self.node.labels.iter();
        logs.map(|(_, log)| log.ever(log.end(self.as_of)).n_bad).sum()
    }

    /// Different counterparts of a kind in a window.
    pub fn n_distinct(&self, kind: EntityKind, window: Window) -> u64 {
        let at = window as usize;
        if kind == EntityKind::Sku {
            let basket = self.node.basket.as_deref();
            return basket.map_or(0, |basket| {
                basket.meetings.distinct(0, self.basket_starts[at], self.basket_end)
            });
        }
        let slot = self.graph.slot(kind);
        slot.map_or(0, |slot| self.node.meetings.distinct(slot, self.starts[at], self.end))
    }

    /// How often this entity met another one.
    pub fn pair(&self, other: NodeIdx, kind: EntityKind) -> Option<PairSeen> {
        if kind == EntityKind::Sku {
            let basket = self.node.basket.as_deref()?;
            let pair = basket.meetings.pair(0, other.0, self.basket_end)?;
            let last_seen = basket.time(pair.last);
            return Some(PairSeen { n_orders: pair.n_meetings, last_seen });
        }
        let pair = self.node.meetings.pair(self.graph.slot(kind)?, other.0, self.end)?;
        let last_seen = self.node.orders.time(pair.last);
        Some(PairSeen { n_orders: pair.n_meetings, last_seen })
    }

    /// When two entities first met, as far as the retention and a bounded walk reach back.
    pub fn first_met(&self, other: NodeIdx, kind: EntityKind) -> Option<Timestamp> {
        let slot = if kind == EntityKind::Sku { 0 } else { self.graph.slot(kind)? };
        let basket = self.node.basket.as_deref();
        let (meetings, end) = if kind == EntityKind::Sku {
            (&basket?.meetings, self.basket_end)
        } else {
            (&self.node.meetings, self.end)
        };
        let mut first = meetings.pair(slot, other.0, end)?.last;
        for _ in 0..PAIR_WALK_MAX {
            let Some(previous) = meetings.previous(first, slot) else { break };
            first = previous;
        }
        if kind == EntityKind::Sku {
            basket.map(|basket| basket.time(first))
        } else {
            Some(self.node.orders.time(first))
        }
    }

    /// Counterparts of a kind, the most recently met first, each once; at most `n_max`.
    pub fn recent(&self, kind: EntityKind, window: Window, n_max: usize) -> Vec<NodeIdx> {
        let mut found: Vec<NodeIdx> = Vec::new();
        for who in self.met(kind, window, RECENT_WALK_MAX) {
            if n_max <= found.len() {
                break;
            }
            if !found.contains(&who) {
                found.push(who);
            }
        }
        found
    }

    /// Counterparts of a kind in the newest `n_meetings_max` meetings of a window, newest
    /// first, as often as met; a SKU is met once per order that holds it.
    pub fn met(
        &self,
        kind: EntityKind,
        window: Window,
        n_meetings_max: usize,
    ) -> impl Iterator<Item = NodeIdx> {
        let at = window as usize;
        let (meetings, slot, range) = if kind == EntityKind::Sku {
            let meetings = self.node.basket.as_deref().map(|basket| &basket.meetings);
            (meetings, Some(0), self.basket_starts[at]..self.basket_end)
        } else {
            (Some(&self.node.meetings), self.graph.slot(kind), self.starts[at]..self.end)
        };
        let newest = range.rev().take(n_meetings_max);
        newest.filter_map(move |position| meetings?.who(position, slot?).map(NodeIdx))
    }

    /// Orders of a window that hold a SKU; counts at most [`PAIR_WALK_MAX`].
    pub fn n_orders_with(&self, sku: NodeIdx, window: Window) -> u64 {
        let start = self.basket_starts[window as usize];
        let basket = self.node.basket.as_deref();
        basket.map_or(0, |basket| basket.meetings.n_met(0, sku.0, start, self.basket_end))
    }

    /// Steps that orders of this entity took in a window.
    pub fn n_steps(&self, step: OrderStepKind, window: Window) -> u64 {
        let facts = self.node.facts.as_deref();
        facts.map_or(0, |facts| facts.n_steps(step, window.after(self.as_of), self.as_of))
    }

    /// Accounts opened from this entity in a window.
    pub fn n_signups(&self, window: Window) -> u64 {
        let facts = self.node.facts.as_deref();
        facts.map_or(0, |facts| facts.n_signups(window.after(self.as_of), self.as_of))
    }

    /// When the account was opened; when it was first seen if nobody told.
    pub fn opened(&self) -> Option<Timestamp> {
        self.node.opened(self.as_of)
    }
}

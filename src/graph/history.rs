//! Reading the past of one entity as of an instant; nothing changes here.

use std::cell::OnceCell;

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::head::HeadId;
use crate::domain::order_step::{LostStep, OrderStepKind};
use crate::domain::time::{Span, Timestamp};
use crate::graph::arena::{Member, NOBODY, OrderNo, column};
use crate::graph::knowledge::{KnowledgeGraph, NodeIdx};
use crate::graph::label_log::KnownLabels;
use crate::graph::node::Node;
use crate::graph::settings::RECENT_WALK_MAX;
use crate::graph::totals::{OrderTotals, Totals};
use crate::graph::windows::Windows;

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
///
/// Orders older than the retention count in totals over [`Window::Ever`] and nowhere else.
#[derive(Clone, Debug)]
pub struct History<'a> {
    pub(super) graph: &'a KnowledgeGraph,
    pub(super) node: &'a Node,
    idx: u32,
    pub(super) kind: EntityKind,
    pub(super) as_of: Timestamp,
    /// Sums of every window, read when the first of them is asked for.
    windows: OnceCell<Windows>,
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
        let idx = node.0;
        let (entity, node) = self.nodes.get_index(idx as usize)?;
        Some(self.past(entity.kind, (idx, node), as_of))
    }

    /// The past of an entity as of an instant; empty when it was never seen.
    pub fn history_of(&self, entity: &EntityRef, as_of: Timestamp) -> History<'_> {
        let known = self.nodes.get_full(entity);
        let known = known.and_then(|(idx, _, node)| Some((u32::try_from(idx).ok()?, node)));
        self.past(entity.kind, known.unwrap_or((NOBODY, &self.unseen)), as_of)
    }

    fn past<'a>(
        &'a self,
        kind: EntityKind,
        (idx, node): (u32, &'a Node),
        as_of: Timestamp,
    ) -> History<'a> {
        History { graph: self, node, idx, kind, as_of, windows: OnceCell::new() }
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
        self.graph.past(self.kind, (self.idx, self.node), as_of)
    }

    /// Instant of reading.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// What the orders of a window add up to.
    pub fn totals(&self, window: Window) -> OrderTotals {
        match window {
            Window::Ever => self.ever().read(),
            Window::Hour | Window::Day | Window::Week | Window::Month => {
                self.windows().inside[window as usize].totals.read()
            }
        }
    }

    /// Orders at or before an instant, which is not after that of reading; dropped orders
    /// do not count.
    pub fn n_orders_until(&self, time: Timestamp) -> u64 {
        let before = Timestamp(self.graph.horizon().0.saturating_sub(1));
        self.node.postings.n_between(&self.graph.arena, before, time)
    }

    /// What the orders before a window add up to.
    pub fn totals_before(&self, window: Window) -> OrderTotals {
        match window {
            Window::Ever => OrderTotals::default(),
            Window::Hour | Window::Day | Window::Week | Window::Month => {
                self.ever().minus(self.windows().inside[window as usize].totals).read()
            }
        }
    }

    /// When the entity was last part of an order; dropped orders do not count.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.orders(Window::Ever).next().map(|(_, time)| time)
    }

    /// When the entity was first part of an order.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.node.first_seen(&self.graph.arena).filter(|&first| first <= self.as_of)
    }

    /// Verdicts of a head that became known in a window.
    pub fn labels(&self, head: u8, window: Window) -> KnownLabels {
        let log = self.node.label_log(head);
        let range = (self.graph.horizon(), self.as_of);
        log.map_or_else(KnownLabels::default, |log| log.known_in(range, window.span()))
    }

    /// When the newest bad verdict of a head became known.
    pub fn last_bad(&self, head: u8) -> Option<Timestamp> {
        self.node.label_log(head)?.last_bad(self.graph.horizon(), self.as_of)
    }

    /// The newest verdicts of a head, at most `n_max`; dropped ones do not count.
    pub fn newest_labels(&self, head: u8, n_max: usize) -> KnownLabels {
        let log = self.node.label_log(head);
        log.map_or_else(KnownLabels::default, |log| {
            log.newest(self.graph.horizon(), log.end(self.as_of), n_max)
        })
    }

    /// Verdicts of a head since its newest bad one.
    pub fn n_labels_since_bad(&self, head: u8) -> Option<u64> {
        let log = self.node.label_log(head)?;
        log.n_since_bad(self.graph.horizon(), log.end(self.as_of))
    }

    /// When the newest streak of bad verdicts of a head began; longer gaps than `gap`
    /// end a streak.
    pub fn bad_streak_start(&self, head: u8, gap: Span) -> Option<Timestamp> {
        self.node.label_log(head)?.streak_start((self.graph.horizon(), self.as_of), gap)
    }

    /// Known amounts of the orders of a window, newest first, in major units: of the
    /// newest `n_max` orders at most; dropped orders do not count.
    pub fn amounts(&self, window: Window, n_max: usize) -> impl Iterator<Item = f64> + '_ {
        let (since, member) = (self.since(window), self.member());
        let orders = self.node.postings.newest_first(&self.graph.arena, self.as_of);
        let sized = orders.sized(member).take_while(move |&(time, _)| since <= time);
        sized.take(n_max).filter_map(|(_, size)| size.amount())
    }

    /// Orders known to be bad, by any head; an order bad for two heads counts twice.
    pub fn n_bad(&self) -> u64 {
        let logs = self.node.labels.iter();
        logs.map(|(_, log)| log.ever(log.end(self.as_of)).n_bad).sum()
    }

    /// Different counterparts of a kind in a window.
    pub fn n_distinct(&self, kind: EntityKind, window: Window) -> u64 {
        let column = column(kind);
        if !self.member().meets(Member { node: NOBODY, column }) {
            return 0;
        }
        if let Some(hub) = self.node.postings.hub()
            && hub.newest().is_some_and(|newest| self.as_of < newest.time)
        {
            return self.n_distinct_of_hub(hub, column, window);
        }
        if self.windows.get().is_none() && self.node.postings.hub().is_none() {
            return self.n_distinct_listed(kind, window);
        }
        let sums = &self.windows().inside[window as usize];
        u64::from(column.map_or(sums.n_last_skus, |column| sums.n_last[column]))
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
        let (arena, column) = (&self.graph.arena, column(kind));
        let does_meet = self.member().meets(Member { node: NOBODY, column });
        let orders = self.orders(window).take(if does_meet { n_meetings_max } else { 0 });
        let met = orders.flat_map(move |(no, _)| {
            let who = column.map(|column| arena.row(no).who[column]);
            let lines = if column.is_none() { arena.lines(no) } else { &[] };
            let skus = lines.iter().rev().map(|line| line.sku);
            who.into_iter().filter(|&who| who != NOBODY).chain(skus)
        });
        met.take(n_meetings_max).map(NodeIdx)
    }

    /// Kept orders of a window, newest first.
    pub(super) fn orders(&self, window: Window) -> impl Iterator<Item = (OrderNo, Timestamp)> + '_ {
        let since = self.since(window);
        let orders = self.node.postings.newest_first(&self.graph.arena, self.as_of);
        orders.take_while(move |&(_, time)| since <= time)
    }

    /// The first instant of a window, no earlier than the graph remembers; just after that of
    /// reading when the graph remembers nothing so old.
    pub(super) fn since(&self, window: Window) -> Timestamp {
        let horizon = self.graph.horizon().min(Timestamp(self.as_of.0.saturating_add(1)));
        window.after(self.as_of).map_or(horizon, |after| horizon.max(Timestamp(after.0 + 1)))
    }

    /// The node as orders name it.
    pub(super) fn member(&self) -> Member {
        Member { node: self.idx, column: column(self.kind) }
    }

    /// Sums of every window.
    pub(super) fn windows(&self) -> &Windows {
        self.windows.get_or_init(|| self.read_windows())
    }

    fn ever(&self) -> Totals {
        self.node.dropped_totals().plus(self.windows().all)
    }

    /// Steps that orders of this entity took in a window.
    pub fn n_steps(&self, step: OrderStepKind, window: Window) -> u64 {
        let facts = self.node.facts.as_deref();
        facts.map_or(0, |facts| facts.n_steps(step, window.after(self.as_of), self.as_of))
    }

    /// Steps of a window that do not count, since another step of their order stands against
    /// them, newest first.
    pub fn lost_steps(&self, window: Window) -> impl Iterator<Item = LostStep> + '_ {
        let (after, as_of) = (window.after(self.as_of), self.as_of);
        let facts = self.node.facts.as_deref().into_iter();
        facts.flat_map(move |facts| facts.lost(after, as_of).rev().copied())
    }

    /// Accounts opened from this entity in a window.
    pub fn n_signups(&self, window: Window) -> u64 {
        let facts = self.node.facts.as_deref();
        facts.map_or(0, |facts| facts.n_signups(window.after(self.as_of), self.as_of))
    }

    /// When the account was opened; when it was first seen if nobody told.
    pub fn opened(&self) -> Option<Timestamp> {
        self.node.opened(&self.graph.arena, self.as_of)
    }
}

//! The graph itself: folds facts into nodes; what it promises of their order.
//!
//! Promised: reads at `as_of` do not see anything that happened or became known
//! later; facts told in any order give the same reads and the same
//! [`KnowledgeGraph::state_hash`], as long as none comes after the retention forgot
//! what it is about. By arrival go only the limits that bound memory: which of an
//! order's revisions is kept, words of categories, facts that wait for their order.
//! [`GraphCounts`] says how often each was reached. Not promised: that the saved bytes
//! are the same for another order of telling.
//!
//! Over its budget the graph sheds the oldest orders and goes on as if the retention
//! ended there ([`KnowledgeGraph::is_cut_by_shedding`]). Which orders are left does not
//! depend on the order of telling, and neither do their reads. But what is told about an
//! order after it was shed is lost, the order told again counts again in totals over
//! ever, and these may count in a read at `as_of` what was shed after that instant.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{AccountCreated, Event, Fact, Label};
use crate::domain::feedback::OutcomeKind;
use crate::domain::graph_status::{GraphCounts, GraphStatus};
use crate::domain::head::HeadId;
use crate::domain::order::{Order, OrderKey};
use crate::domain::order_step::OrderStepKind;
use crate::domain::time::{Span, Timestamp};
use crate::graph::arena::{MINUTE, NOBODY, OrderArena, OrderNo};
use crate::graph::categories::CategoryTable;
use crate::graph::hub_pairs::HubPairs;
use crate::graph::label_log::{LabelLog, Truth};
use crate::graph::market::MarketLog;
use crate::graph::node::Node;
use crate::graph::order_table::{OrderFact, OrderTable};
use crate::graph::order_truths::{Columns, OrderTruth};
use crate::graph::postings::Postings;
use crate::graph::settings::{GraphSettings, SWEPT_ORDERS_MAX};

/// Kinds that join accounts into rings; an IP never does.
pub const RING_KINDS: [EntityKind; 5] = [
    EntityKind::Device,
    EntityKind::Address,
    EntityKind::Phone,
    EntityKind::Email,
    EntityKind::PaymentInstrument,
];

/// A node of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeIdx(pub(super) u32);

/// A streaming, typed, temporal graph of orders and the entities they touch.
#[derive(Debug, Serialize, Deserialize)]
pub struct KnowledgeGraph {
    pub(super) settings: GraphSettings,
    pub(super) nodes: IndexMap<EntityRef, Node, FxBuildHasher>,
    /// What an entity that was never seen looks like.
    pub(super) unseen: Node,
    pub(super) arena: OrderArena,
    pub(super) pairs: HubPairs,
    pub(super) orders: OrderTable,
    pub(super) categories: CategoryTable,
    pub(super) heads: Vec<HeadId>,
    /// Every verdict by head slot: the rates that thin histories lean on.
    pub(super) head_labels: Vec<LabelLog>,
    pub(super) market: IndexMap<(u32, u32), MarketLog, FxBuildHasher>,
    pub(super) newest: Option<Timestamp>,
    swept: Option<Timestamp>,
    shed_until: Option<Timestamp>,
    pub(super) counts: GraphCounts,
}

impl KnowledgeGraph {
    /// An empty graph.
    pub fn new(settings: GraphSettings) -> Self {
        Self {
            settings,
            nodes: IndexMap::default(),
            unseen: Node::default(),
            arena: OrderArena::default(),
            pairs: HubPairs::default(),
            orders: OrderTable::default(),
            categories: CategoryTable::default(),
            heads: Vec::new(),
            head_labels: Vec::new(),
            market: IndexMap::default(),
            newest: None,
            swept: None,
            shed_until: None,
            counts: GraphCounts::default(),
        }
    }

    /// Folds one fact. The caller sees to it that an event id comes only once.
    ///
    /// Orders and their steps count from their event time, verdicts from the time
    /// they became known ([`Event::known_at`]). A source should tell a fact either
    /// as an event or as an outcome: outcomes count as the step they name.
    pub fn apply(&mut self, event: &Event) {
        self.apply_received(event, event.known_at());
    }

    /// Like [`KnowledgeGraph::apply`], for a fact that came in at `received`: what it says of
    /// a later time does not make older facts too late.
    pub fn apply_received(&mut self, event: &Event, received: Timestamp) {
        let time = event.event_time;
        if self.is_before_retention(time) {
            return;
        }
        match &event.fact {
            Fact::OrderPlaced(order) => self.place(order, (&event.event_id, time)),
            Fact::OrderPaid(paid) => self.step(&paid.order, OrderStepKind::Paid, time),
            Fact::OrderCancelled(off) => self.step(&off.order, OrderStepKind::Cancelled, time),
            Fact::OrderDelivered(step) => self.step(&step.order, OrderStepKind::Delivered, time),
            Fact::OrderReturned(back) => self.step(&back.order, OrderStepKind::Returned, time),
            Fact::OrderRefunded(back) => self.step(&back.order, OrderStepKind::Refunded, time),
            Fact::OrderChargedBack(back) => {
                self.step(&back.order, OrderStepKind::ChargedBack, time);
            }
            Fact::AccountCreated(created) => self.open_account(created, time),
            Fact::StockLevel(stock) => {
                let log = self.market_log(&stock.sku, stock.region.as_ref());
                log.insert_stock(time, stock.units);
            }
            Fact::MarketPrice(price) => {
                let log = self.market_log(&price.sku, price.region.as_ref());
                log.insert_price(time, price.price.as_major());
            }
            Fact::Label(label) => self.label(label, event.known_at()),
            // What was counted before it was taken back stays: the graph keeps no ids of outcomes.
            Fact::Outcome(outcome) if outcome.retracts.is_some() => {}
            Fact::Outcome(outcome) => {
                if let (Some(order), Some(step)) = (&outcome.order, outcome_step(outcome.kind)) {
                    self.step(order, step, time);
                }
            }
            Fact::StockReserved(_) | Fact::OrderShipped(_) | Fact::Choice(_) => {}
        }
        self.move_on(time.min(received));
    }

    /// The same for an order that was placed, under the id of the fact that tells it.
    pub fn place_received(&mut self, order: &Order, told: (&str, Timestamp), received: Timestamp) {
        let (_, time) = told;
        if !self.is_before_retention(time) {
            self.place(order, told);
            self.move_on(time.min(received));
        }
    }

    /// True, and counted, when a fact is older than what is kept.
    fn is_before_retention(&mut self, time: Timestamp) -> bool {
        let is = self.newest.is_some_and(|newest| time < newest - self.settings.retention);
        self.counts.n_too_late += u64::from(is);
        is
    }

    fn move_on(&mut self, time: Timestamp) {
        self.newest = self.newest.max(Some(time));
        self.forget();
    }

    /// True when so much newer facts were folded that a judgment of `time` may miss its past.
    pub fn is_too_late(&self, time: Timestamp) -> bool {
        self.newest.is_some_and(|newest| time < newest - self.settings.lateness)
    }

    /// What was taken in and what was not.
    pub fn counts(&self) -> GraphCounts {
        GraphCounts {
            n_words_shared: self.categories.n_shared,
            n_words_left_out: self.categories.n_left_out,
            ..self.counts
        }
    }

    /// How full the graph is, and what was taken in.
    pub fn status(&self) -> GraphStatus {
        let (n_entities, n_orders) = self.size();
        GraphStatus {
            n_entities: n_entities as u64,
            n_orders_kept: n_orders as u64,
            shed_until: self.shed_until,
            is_cut_by_shedding: self.is_cut_by_shedding(),
            counts: self.counts(),
        }
    }

    /// How many entities and orders are remembered.
    pub fn size(&self) -> (usize, usize) {
        (self.nodes.len(), self.arena.len())
    }

    /// The end of the last minute whose orders were shed.
    pub fn shed_until(&self) -> Option<Timestamp> {
        self.shed_until
    }

    /// True when reads do not reach as far back as the retention, since orders that it would
    /// have kept were shed.
    pub fn is_cut_by_shedding(&self) -> bool {
        self.shed_until.is_some_and(|until| self.retained_since() < until)
    }

    fn step(&mut self, order: &OrderKey, step: OrderStepKind, time: Timestamp) {
        self.tell(OrderTable::digest(order), time, &OrderFact::Step(step));
    }

    fn label(&mut self, label: &Label, known_at: Timestamp) {
        let verdict = if 0.5 <= label.value { Truth::Bad } else { Truth::Good };
        #[expect(clippy::float_cmp, reason = "probability labels are exactly 0 or 1")]
        let is_verdict = label.value == 0.0 || label.value == 1.0;
        if !is_verdict {
            return;
        }
        let Some(head) = self.head_for(&label.head) else { return };
        let fact = OrderFact::Truth { head, verdict, concerns: label.concerns.clone() };
        self.tell(OrderTable::digest(&label.order), known_at, &fact);
    }

    pub(super) fn tell(&mut self, digest: u128, known_at: Timestamp, fact: &OrderFact) {
        let Some(no) = self.orders.get(digest) else {
            let n_max = self.settings.early_facts_max;
            if !self.orders.keep_early(digest, known_at, fact.clone(), n_max) {
                self.counts.n_early_dropped += 1;
            }
            return;
        };
        // Nothing can be known about an order before the order itself.
        let known_at = known_at.max(self.arena.row(no).time);
        match fact {
            OrderFact::Step(step) => {
                let Some(change) = self.orders.tell_step(digest, *step, known_at) else {
                    self.counts.n_repeated += 1;
                    return;
                };
                for member in self.arena.members(no) {
                    let idx = member.node as usize;
                    let Some((entity, node)) = self.nodes.get_index_mut(idx) else { continue };
                    if has_steps(entity.kind) {
                        change.apply(node.facts_mut());
                    }
                }
            }
            OrderFact::Truth { head, verdict, concerns } => {
                self.head_labels[usize::from(*head)].insert(known_at, *verdict);
                for &place in self.arena.categories(no) {
                    self.categories.mark(place, *head, known_at, *verdict);
                }
                let mut columns: Columns = 0;
                for member in self.arena.members(no) {
                    let idx = member.node as usize;
                    let Some((entity, node)) = self.nodes.get_index_mut(idx) else { continue };
                    if concerns.is_empty() || concerns.contains(entity) {
                        node.mark(*head, known_at, *verdict);
                        columns |= member.column.map_or(0, |column| 1 << column);
                    }
                }
                let verdict = OrderTruth { known_at, head: *head, verdict: *verdict, columns };
                self.orders.tell_truth(digest, verdict);
            }
        }
    }

    fn open_account(&mut self, created: &AccountCreated, time: Timestamp) {
        let account = self.node_for(&created.account);
        self.nodes[account as usize].facts_mut().set_created(time, time);
        for entity in &created.entities {
            let idx = self.node_for(entity);
            self.nodes[idx as usize].facts_mut().add_signup(time);
        }
    }

    fn market_log(&mut self, sku: &EntityRef, region: Option<&EntityRef>) -> &mut MarketLog {
        let sku = self.node_for(sku);
        let region = region.map_or(NOBODY, |region| self.node_for(region));
        self.market.entry((sku, region)).or_default()
    }

    /// The whole minute that retention and budget reach back to; reads see nothing older.
    pub(super) fn horizon(&self) -> Timestamp {
        let retained = self.retained_since();
        self.shed_until.map_or(retained, |until| until.max(retained))
    }

    /// The whole minute that the retention reaches back to.
    pub(super) fn retained_since(&self) -> Timestamp {
        let Some(newest) = self.newest else { return Timestamp(i64::MIN) };
        let oldest = newest - self.settings.retention;
        Timestamp(oldest.0.div_euclid(MINUTE.0).saturating_mul(MINUTE.0))
    }

    /// True when orders beyond the horizon are still to be dropped: more came to lie there
    /// at once than one fact may drop.
    pub(super) fn has_expired_orders(&self) -> bool {
        self.arena.expired(self.horizon()).is_some()
    }

    /// Moves the horizon past the oldest orders that are too many, a few at a time: one fact
    /// adds one order, but a smaller budget may find many.
    fn shed(&mut self) {
        let n_over = self.arena.len().saturating_sub(self.settings.orders_max as usize);
        let until = self.arena.end_of_oldest(n_over.min(SWEPT_ORDERS_MAX));
        self.shed_until = self.shed_until.max(until);
    }

    /// Drops what is older than the horizon: a few orders at a time, the rest an eighth of
    /// what is remembered at a time. Reads do not see the difference.
    fn forget(&mut self) {
        self.shed();
        let Some(newest) = self.newest else { return };
        let (retained, horizon) = (self.retained_since(), self.horizon());
        for _ in 0..SWEPT_ORDERS_MAX {
            let Some(no) = self.arena.expired(horizon) else { break };
            self.drop_order(no, horizon);
        }
        let swept = *self.swept.get_or_insert(newest);
        if newest - swept < MINUTE.max(Span((newest - horizon).0 / 8)) {
            return;
        }
        self.swept = Some(newest);
        for log in self.market.values_mut() {
            // Stock counts and prices are not of orders: only the retention ends them.
            log.expire(retained);
            log.sales.expire(horizon);
        }
        self.head_labels.iter_mut().for_each(|log| log.expire(horizon));
        self.categories.expire(horizon);
        self.orders.expire_early(horizon);
    }

    /// Drops an order beyond the horizon.
    pub(super) fn drop_order(&mut self, no: OrderNo, horizon: Timestamp) {
        self.counts.n_shed += u64::from(self.retained_since() <= self.arena.row(no).time);
        self.leave(no, horizon);
    }

    /// The orders of a node.
    pub(super) fn postings(&self, node: u32) -> Option<&Postings> {
        self.nodes.get_index(node as usize).map(|(_, node)| &node.postings)
    }

    pub(super) fn node_for(&mut self, entity: &EntityRef) -> u32 {
        let known = self.nodes.get_index_of(entity);
        let idx =
            known.unwrap_or_else(|| self.nodes.insert_full(entity.clone(), Node::default()).0);
        u32::try_from(idx).unwrap_or(NOBODY)
    }

    fn head_for(&mut self, head: &HeadId) -> Option<u8> {
        let known = self.heads.iter().position(|known| known == head);
        let slot = known.unwrap_or_else(|| {
            self.heads.push(head.clone());
            self.head_labels.push(LabelLog::default());
            self.heads.len() - 1
        });
        u8::try_from(slot).ok()
    }
}

/// True when whom an entity of this kind met is remembered.
pub fn has_meetings(kind: EntityKind) -> bool {
    !matches!(kind, EntityKind::Region | EntityKind::Channel)
}

/// True when the steps of its orders are remembered.
pub fn has_steps(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Account | EntityKind::Sku | EntityKind::Merchant)
}

fn outcome_step(kind: OutcomeKind) -> Option<OrderStepKind> {
    match kind {
        OutcomeKind::ChargebackOpened => Some(OrderStepKind::ChargedBack),
        OutcomeKind::Refund => Some(OrderStepKind::Refunded),
        OutcomeKind::Return => Some(OrderStepKind::Returned),
        OutcomeKind::DeliveredOk => Some(OrderStepKind::Delivered),
        OutcomeKind::ChargebackWon
        | OutcomeKind::ChargebackLost
        | OutcomeKind::DeliveryFailed
        | OutcomeKind::Repurchase
        | OutcomeKind::PlatformAudit
        | OutcomeKind::PlatformPenalty
        | OutcomeKind::Complaint
        | OutcomeKind::AccountClosed
        | OutcomeKind::ConfirmedFraud
        | OutcomeKind::ConfirmedLegit => None,
    }
}

//! The graph itself: folds facts into nodes; what it promises about their order.
//!
//! Promised: reads at `as_of` do not see anything that happened or became known
//! later; facts told in any order give the same reads, as long as none is older
//! than the retention and no ring-linking entity exceeds its limit of accounts.
//! Not promised: that the saved bytes are the same for another order of telling.

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::entity::{EntityKind, EntityRef};
use crate::domain::event::{AccountCreated, Event, Fact, Label};
use crate::domain::feedback::OutcomeKind;
use crate::domain::head::HeadId;
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::{Span, Timestamp};
use crate::graph::label_log::LabelLog;
use crate::graph::market::MarketLog;
use crate::graph::meetings::NOBODY;
use crate::graph::node::Node;
use crate::graph::order_log::OrderSize;
use crate::graph::order_table::{OrderFact, OrderStepKind, OrderTable};
use crate::graph::rings::Rings;
use crate::graph::settings::{GraphSettings, SKUS_PER_ORDER_MAX};

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

/// What the graph did not take in, and how much it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphCounts {
    /// Orders folded in.
    pub n_orders: u64,
    /// Facts older than the retention, ignored.
    pub n_too_late: u64,
    /// Orders that were already there, ignored.
    pub n_repeated: u64,
    /// Facts whose order never came, dropped for lack of room.
    pub n_early_dropped: u64,
}

/// A streaming, typed, temporal graph of orders and the entities they touch.
#[derive(Debug, Serialize, Deserialize)]
pub struct KnowledgeGraph {
    pub(super) settings: GraphSettings,
    pub(super) nodes: IndexMap<EntityRef, Node, FxBuildHasher>,
    /// Column of each kind in meetings, by position in [`EntityKind::ALL`].
    slots: [Option<u8>; EntityKind::ALL.len()],
    pub(super) slot_kinds: Vec<EntityKind>,
    /// What an entity that was never seen looks like.
    pub(super) unseen: Node,
    orders: OrderTable,
    pub(super) heads: Vec<HeadId>,
    /// Every verdict by head slot: the rates that thin histories lean on.
    pub(super) head_labels: Vec<LabelLog>,
    pub(super) rings: Rings,
    pub(super) market: IndexMap<(u32, u32), MarketLog, FxBuildHasher>,
    newest: Option<Timestamp>,
    swept: Option<Timestamp>,
    counts: GraphCounts,
}

impl KnowledgeGraph {
    /// An empty graph.
    pub fn new(settings: GraphSettings) -> Self {
        Self {
            settings,
            nodes: IndexMap::default(),
            slots: [None; EntityKind::ALL.len()],
            slot_kinds: Vec::new(),
            unseen: Node::new(0),
            orders: OrderTable::default(),
            heads: Vec::new(),
            head_labels: Vec::new(),
            rings: Rings::default(),
            market: IndexMap::default(),
            newest: None,
            swept: None,
            counts: GraphCounts::default(),
        }
    }

    /// Folds one fact. The caller sees to it that an event id comes only once.
    ///
    /// Orders and their steps count from their event time, verdicts from the time
    /// they became known ([`Event::known_at`]). A source should tell a fact either
    /// as an event or as an outcome: outcomes count as the step they name.
    pub fn apply(&mut self, event: &Event) {
        let time = event.event_time;
        if self.newest.is_some_and(|newest| time < newest - self.settings.retention) {
            self.counts.n_too_late += 1;
            return;
        }
        match &event.fact {
            Fact::OrderPlaced(order) => self.place(order, time),
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
            Fact::Outcome(outcome) => {
                if let (Some(order), Some(step)) = (&outcome.order, outcome_step(outcome.kind)) {
                    self.step(order, step, time);
                }
            }
            Fact::StockReserved(_) | Fact::OrderShipped(_) | Fact::Choice(_) => {}
        }
        self.newest = self.newest.max(Some(time));
        self.forget();
    }

    /// What was taken in and what was not.
    pub fn counts(&self) -> GraphCounts {
        self.counts
    }

    /// How many entities and orders are remembered.
    pub fn size(&self) -> (usize, usize) {
        (self.nodes.len(), self.orders.len())
    }

    /// Digest of everything the graph holds: BLAKE3 over its postcard bytes.
    ///
    /// The same facts in the same order always give the same hash.
    pub fn state_hash(&self) -> [u8; 32] {
        // Hashing writes to memory, which cannot fail; an error would show as the hash of nothing.
        postcard::to_io(self, blake3::Hasher::new())
            .map_or([0; 32], |hasher| *hasher.finalize().as_bytes())
    }

    fn place(&mut self, order: &Order, time: Timestamp) {
        let digest = OrderTable::digest(&order.key);
        if self.orders.contains(digest) {
            self.counts.n_repeated += 1;
            return;
        }
        self.counts.n_orders += 1;
        let (row, mut nodes) = self.row_of(order);
        let skus = self.skus_of(order);
        let n_units = order.items.iter().fold(0_u32, |n, item| n.saturating_add(item.quantity));
        let size = OrderSize { amount: order.amount, n_units };
        for &idx in &nodes {
            let position = self.meet(idx, time, size, &row);
            self.link_ring(idx, position, time);
            if self.has_meetings(idx) {
                let node = &mut self.nodes[idx as usize];
                skus.iter().for_each(|&(sku, _)| node.meet_sku(time, sku));
            }
        }
        for &(sku, size) in &skus {
            self.meet(sku, time, size, &row);
            nodes.push(sku);
        }
        if let (Some(created), Some(account)) =
            (order.account_created_at, order.entity(EntityKind::Account))
            && let Some(node) = self.nodes.get_mut(account)
        {
            node.facts_mut().set_created(time, created);
        }
        for (known_at, fact) in self.orders.insert(digest, time, &nodes) {
            self.tell(digest, known_at, &fact);
        }
    }

    /// Nodes of the order's entities: by meeting column, and as a list.
    fn row_of(&mut self, order: &Order) -> (Vec<u32>, Vec<u32>) {
        let mut row = vec![NOBODY; self.slot_kinds.len()];
        let mut nodes = Vec::with_capacity(order.entities.len() + order.items.len());
        for entity in &order.entities {
            let slot = self.slot_for(entity.kind);
            if row.len() <= slot {
                row.resize(slot + 1, NOBODY);
            }
            if row[slot] == NOBODY {
                row[slot] = self.node_for(entity);
                nodes.push(row[slot]);
            }
        }
        (row, nodes)
    }

    /// Different SKUs of the order with what was bought of each.
    fn skus_of(&mut self, order: &Order) -> Vec<(u32, OrderSize)> {
        let mut skus: IndexMap<u32, OrderSize, FxBuildHasher> = IndexMap::default();
        for item in &order.items {
            if SKUS_PER_ORDER_MAX <= skus.len() {
                break;
            }
            let line = item.unit_price.map(|price| crate::domain::money::Money {
                minor_units: price.minor_units.saturating_mul(i64::from(item.quantity)),
                ..price
            });
            match skus.entry(self.node_for(&item.sku)) {
                Entry::Vacant(entry) => {
                    entry.insert(OrderSize { amount: line, n_units: item.quantity });
                }
                Entry::Occupied(mut entry) => {
                    let sum = entry.get_mut();
                    sum.n_units = sum.n_units.saturating_add(item.quantity);
                    if let (Some(sum), Some(line)) = (&mut sum.amount, line) {
                        sum.minor_units = sum.minor_units.saturating_add(line.minor_units);
                    }
                }
            }
        }
        skus.into_iter().collect()
    }

    fn meet(&mut self, idx: u32, time: Timestamp, size: OrderSize, row: &[u32]) -> usize {
        let has_meetings = self.has_meetings(idx);
        let account_slot = self.slot(EntityKind::Account);
        let node = &mut self.nodes[idx as usize];
        let position = node.orders.insert(time, size);
        if has_meetings {
            if let Some(slot) = account_slot
                && row.get(slot).is_some_and(|&who| {
                    who != NOBODY && node.meetings.pair(slot, who, usize::MAX).is_none()
                })
            {
                node.n_accounts += 1;
            }
            node.meetings.insert(position, row);
        }
        position
    }

    /// Links the accounts of neighboring orders of an entity; a chain links them all.
    fn link_ring(&mut self, idx: u32, position: usize, time: Timestamp) {
        let Some((entity, node)) = self.nodes.get_index(idx as usize) else { return };
        let Some(slot) = self.slot(EntityKind::Account) else { return };
        if !RING_KINDS.contains(&entity.kind)
            || self.settings.ring_link_accounts_max < node.n_accounts
            || node.n_accounts < 2
        {
            return;
        }
        let Some(account) = node.meetings.who(position, slot) else { return };
        let before = (0..position).rev().find_map(|earlier| node.meetings.who(earlier, slot));
        let after = (position + 1..node.meetings.n_rows())
            .find_map(|later| Some((node.meetings.who(later, slot)?, node.orders.time(later))));
        if let Some(before) = before.filter(|&before| before != account) {
            self.link(before, account, time);
        }
        if let Some((after, since)) = after.filter(|&(after, _)| after != account) {
            self.link(account, after, since);
        }
    }

    fn link(&mut self, one: u32, other: u32, since: Timestamp) {
        let [one, other] = [one, other].map(|idx| {
            let ring = &mut self.nodes[idx as usize].ring;
            *ring.get_or_insert_with(|| self.rings.add(idx))
        });
        self.rings.link(one, other, since);
    }

    fn step(&mut self, order: &OrderKey, step: OrderStepKind, time: Timestamp) {
        self.tell(OrderTable::digest(order), time, &OrderFact::Step(step));
    }

    fn label(&mut self, label: &Label, known_at: Timestamp) {
        let is_bad = label.value >= 0.5;
        #[expect(clippy::float_cmp, reason = "probability labels are exactly 0 or 1")]
        let is_verdict = label.value == 0.0 || label.value == 1.0;
        if !is_verdict {
            return;
        }
        let Some(head) = self.head_for(&label.head) else { return };
        let fact = OrderFact::Verdict { head, is_bad, concerns: label.concerns.clone() };
        self.tell(OrderTable::digest(&label.order), known_at, &fact);
    }

    fn tell(&mut self, digest: u128, known_at: Timestamp, fact: &OrderFact) {
        let Some((placed, nodes)) = self.orders.get(digest) else {
            let n_max = self.settings.early_facts_max;
            if !self.orders.keep_early(digest, known_at, fact.clone(), n_max) {
                self.counts.n_early_dropped += 1;
            }
            return;
        };
        // Nothing can be known about an order before the order itself.
        let known_at = known_at.max(placed);
        match fact {
            OrderFact::Step(step) => {
                for &idx in nodes {
                    let Some((entity, node)) = self.nodes.get_index_mut(idx as usize) else {
                        continue;
                    };
                    if has_steps(entity.kind) {
                        node.facts_mut().add_step(*step, known_at);
                    }
                }
            }
            OrderFact::Verdict { head, is_bad, concerns } => {
                self.head_labels[usize::from(*head)].insert(known_at, *is_bad);
                for &idx in nodes {
                    let Some((entity, node)) = self.nodes.get_index_mut(idx as usize) else {
                        continue;
                    };
                    if concerns.is_empty() || concerns.contains(entity) {
                        node.mark(*head, known_at, *is_bad);
                    }
                }
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

    /// Drops what is older than the retention, an eighth of it at a time.
    fn forget(&mut self) {
        let (Some(newest), retention) = (self.newest, self.settings.retention) else { return };
        let swept = *self.swept.get_or_insert(newest);
        if newest - swept < Span((retention.0 / 8).max(1)) {
            return;
        }
        self.swept = Some(newest);
        let horizon = newest - retention;
        self.nodes.values_mut().for_each(|node| node.expire(horizon));
        self.market.values_mut().for_each(|log| log.expire(horizon));
        self.head_labels.iter_mut().for_each(|log| log.expire(horizon));
        self.orders.expire(horizon);
    }

    fn node_for(&mut self, entity: &EntityRef) -> u32 {
        let idx = match self.nodes.get_index_of(entity) {
            Some(idx) => idx,
            None => self.nodes.insert_full(entity.clone(), Node::new(self.slot_kinds.len())).0,
        };
        u32::try_from(idx).unwrap_or(NOBODY)
    }

    fn slot_for(&mut self, kind: EntityKind) -> usize {
        match self.slots[kind as usize] {
            Some(slot) => usize::from(slot),
            None => {
                let slot = self.slot_kinds.len();
                self.slots[kind as usize] = u8::try_from(slot).ok();
                self.slot_kinds.push(kind);
                slot
            }
        }
    }

    /// Column of a kind in meetings, if the kind was ever seen.
    pub(super) fn slot(&self, kind: EntityKind) -> Option<usize> {
        self.slots[kind as usize].map(usize::from)
    }

    fn head_for(&mut self, head: &HeadId) -> Option<u8> {
        let slot = match self.heads.iter().position(|known| known == head) {
            Some(slot) => slot,
            None => {
                self.heads.push(head.clone());
                self.head_labels.push(LabelLog::default());
                self.heads.len() - 1
            }
        };
        u8::try_from(slot).ok()
    }

    /// Regions and channels meet everybody; whom they met says nothing.
    fn has_meetings(&self, idx: u32) -> bool {
        self.nodes.get_index(idx as usize).is_some_and(|(entity, _)| has_meetings(entity.kind))
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

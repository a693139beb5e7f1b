//! Orders by their natural key, so that later facts find them.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::entity::EntityRef;
use crate::domain::order::OrderKey;
use crate::domain::order_step::OrderStepKind;
use crate::domain::time::Timestamp;
use crate::graph::arena::OrderNo;
use crate::graph::label_log::Truth;
use crate::graph::order_steps::{OrderSteps, StepChange};
use crate::graph::order_truths::{OrderTruth, OrderTruths};

/// Digest of channel and order id; revisions of an order share it.
pub(super) type OrderDigest = u128;

/// What a later fact says about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum OrderFact {
    /// A step in its life.
    Step(OrderStepKind),
    /// A verdict of one head.
    Truth {
        /// Slot of the head.
        head: u8,
        /// What it says.
        verdict: Truth,
        /// Entities it is about; empty means all.
        concerns: Vec<EntityRef>,
    },
}

/// An order that was placed.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    no: OrderNo,
    /// What became of it, once something did.
    told: Option<Box<Told>>,
}

/// What was told of an order after it was placed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// Steps of its life.
    pub(super) steps: OrderSteps,
    /// What it turned out to be.
    pub(super) truths: OrderTruths,
}

/// Orders of the retained past, and facts that came before their order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OrderTable {
    known: IndexMap<OrderDigest, Known, FxBuildHasher>,
    early: IndexMap<OrderDigest, Vec<(Timestamp, OrderFact)>, FxBuildHasher>,
    n_early: u32,
}

impl OrderTable {
    /// Digest of the order's natural key.
    pub(super) fn digest(key: &OrderKey) -> OrderDigest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(key.channel.as_bytes());
        hasher.update(&[0]);
        hasher.update(key.order_id.as_bytes());
        let mut bytes = [0_u8; 16];
        hasher.finalize_xof().fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    /// True when the order was already placed.
    pub(super) fn contains(&self, order: OrderDigest) -> bool {
        self.known.contains_key(&order)
    }

    /// Adds an order and hands out the facts that came before it.
    pub(super) fn insert(
        &mut self,
        order: OrderDigest,
        no: OrderNo,
    ) -> Vec<(Timestamp, OrderFact)> {
        self.known.insert(order, Known { no, told: None });
        let early = self.early.swap_remove(&order).unwrap_or_default();
        self.n_early -= u32::try_from(early.len()).unwrap_or(u32::MAX);
        early
    }

    /// The number of an order that was placed.
    pub(super) fn get(&self, order: OrderDigest) -> Option<OrderNo> {
        self.known.get(&order).map(|known| known.no)
    }

    /// Takes in a step of an order that was placed; `None` when it changes nothing.
    pub(super) fn tell_step(
        &mut self,
        order: OrderDigest,
        step: OrderStepKind,
        time: Timestamp,
    ) -> Option<StepChange> {
        self.known.get_mut(&order)?.told.get_or_insert_default().steps.tell(step, time)
    }

    /// Takes in a verdict on an order that was placed.
    pub(super) fn tell_truth(&mut self, order: OrderDigest, verdict: OrderTruth) {
        if let Some(known) = self.known.get_mut(&order) {
            known.told.get_or_insert_default().truths.tell(verdict);
        }
    }

    /// What was told of an order after it was placed.
    pub(super) fn told(&self, order: OrderDigest) -> Option<&Told> {
        self.known.get(&order)?.told.as_deref()
    }

    /// Digest, number and what was told of every order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (OrderDigest, OrderNo, Option<&Told>)> {
        self.known.iter().map(|(&digest, known)| (digest, known.no, known.told.as_deref()))
    }

    /// Facts whose order was not told yet, with its digest and when they became known.
    pub(super) fn early(&self) -> impl Iterator<Item = (OrderDigest, Timestamp, &OrderFact)> {
        let facts = self.early.iter();
        facts.flat_map(|(&order, told)| told.iter().map(move |(time, fact)| (order, *time, fact)))
    }

    /// Lets facts that wait for their order be about an entity under another name.
    pub(super) fn rename_early(&mut self, entity: &EntityRef, known_as: &EntityRef) {
        let facts = self.early.values_mut().flatten();
        for (_, fact) in facts {
            if let OrderFact::Truth { concerns, .. } = fact {
                let named = concerns.iter_mut().filter(|it| *it == entity);
                named.for_each(|it| it.clone_from(known_as));
            }
        }
    }

    /// Forgets an order.
    pub(super) fn forget(&mut self, order: OrderDigest) {
        self.known.swap_remove(&order);
    }

    /// Keeps a fact until its order is told; false when there is no room.
    pub(super) fn keep_early(
        &mut self,
        order: OrderDigest,
        time: Timestamp,
        fact: OrderFact,
        n_max: u32,
    ) -> bool {
        let has_room = self.n_early < n_max;
        if has_room {
            self.early.entry(order).or_default().push((time, fact));
            self.n_early += 1;
        }
        has_room
    }

    /// Forgets early facts older than `horizon`.
    pub(super) fn expire_early(&mut self, horizon: Timestamp) {
        self.early.retain(|_, facts| {
            facts.retain(|&(time, _)| horizon <= time);
            !facts.is_empty()
        });
        let n_early: usize = self.early.values().map(Vec::len).sum();
        self.n_early = u32::try_from(n_early).unwrap_or(u32::MAX);
    }
}

//! Orders of a stream, kept together with what they truly were.

use std::collections::BTreeMap;

use crate::cli::truth_file::TruthFile;
use crate::domain::head::RiskType;
use crate::domain::order::{Order, OrderKey};
use crate::domain::time::Timestamp;
use crate::workflow::judge_actions::KnownOrder;

/// The orders since some instant whose truth is known; none before it is told from when on.
#[derive(Debug, Default)]
pub struct KeptOrders {
    from: Option<Timestamp>,
    kept: BTreeMap<OrderKey, KnownOrder>,
}

impl KeptOrders {
    /// Keeps orders that are placed at this instant or later.
    pub fn keep_from(&mut self, from: Timestamp) {
        self.from = Some(from);
    }

    /// Those that were kept.
    pub fn orders(&self) -> &BTreeMap<OrderKey, KnownOrder> {
        &self.kept
    }

    /// Looks at an order of the stream.
    pub fn observe(&mut self, order: &Order, at: Timestamp, truth: &TruthFile) {
        let truth = truth.get(&order.key.order_id);
        let (Some(truth), true) = (truth, self.from.is_some_and(|from| from <= at)) else {
            return;
        };
        let real = RiskType::ALL.into_iter().zip(truth.risks).filter(|(_, is_real)| *is_real);
        // Whoever belongs to no ring is alike to their own other orders only.
        let alone = truth.person.unwrap_or(self.kept.len() as u64) << 1 | 1;
        let known = KnownOrder {
            order: order.clone(),
            event_time: at,
            real: real.map(|(risk, _)| risk.head()).collect(),
            archetype: truth.archetype.clone(),
            cluster: truth.ring.map_or(alone, |ring| u64::from(ring) << 1),
        };
        self.kept.insert(order.key.clone(), known);
    }
}

//! What was erased, where every read looks without a lock.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::decision::Decision;
use crate::domain::erasure::Erasures;
use crate::domain::event::Event;
use crate::domain::order::Order;
use crate::domain::record::{Record, ScoredOrder};
use crate::domain::time::Timestamp;
use crate::workflow::service::WhatIfAnswer;

/// The erasures of the moment.
#[derive(Debug, Default)]
pub struct ErasedBoard(ArcSwap<Erasures>);

impl ErasedBoard {
    /// Puts the erasures of a state in place of those before.
    pub fn publish(&self, erasures: &Erasures) {
        self.0.store(Arc::new(erasures.clone()));
    }

    /// Takes what was erased since out of an order that was placed before.
    pub fn strip_order(&self, order: &mut Order, placed_at: Timestamp) {
        self.0.load().strip_order(order, placed_at);
    }

    /// Takes what was erased since out of a fact from before.
    pub fn strip(&self, event: &mut Event) {
        self.0.load().strip(event);
    }

    /// A recorded order as it may be shown.
    pub fn shown(&self, scored: Arc<ScoredOrder>) -> Arc<ScoredOrder> {
        self.0.load().redacted(scored)
    }

    /// A record as it may be told.
    pub fn shown_record(&self, record: Record) -> Record {
        if let Record::Decision(scored) = record {
            Record::Decision(self.shown(scored))
        } else {
            record
        }
    }

    /// What would have been answered, as it may be shown.
    pub fn shown_answer(&self, answer: WhatIfAnswer) -> WhatIfAnswer {
        let [baseline, changed] =
            [&answer.baseline, &answer.changed].map(|it| self.shown_decision(it.clone()));
        WhatIfAnswer { baseline, changed, ..answer }
    }

    /// A recorded answer as it may be shown.
    pub fn shown_decision(&self, decision: Arc<Decision>) -> Arc<Decision> {
        self.0.load().redacted_decision(decision)
    }
}

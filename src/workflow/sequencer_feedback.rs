//! The sequencer's look at feedback: is it about a decision that was given out?

use crate::domain::decision::DecisionId;
use crate::domain::event::Fact;
use crate::workflow::sequencer::Sequencer;

impl Sequencer {
    /// The decision that a piece of feedback is about, when it was never given out.
    pub(super) fn missing_decision(&self, fact: &Fact) -> Option<DecisionId> {
        let id = match fact {
            Fact::Choice(choice) => Some(choice.decision_id),
            Fact::Outcome(outcome) => outcome.decision_id,
            Fact::OrderPlaced(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::OrderChargedBack(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Label(_) => None,
        };
        id.filter(|id| self.state.decision_position(*id).is_none())
    }
}

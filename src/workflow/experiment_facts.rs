//! What facts about the orders of an experiment are worth, and which are harm.

use crate::domain::event::{Event, Fact};
use crate::domain::experiment::Harm;
use crate::domain::feedback::{OperatorChoice, Outcome, OutcomeKind};
use crate::domain::folded_order::FoldedDecision;
use crate::domain::money::Money;
use crate::domain::order::OrderKey;
use crate::domain::time::Span;
use crate::workflow::experiment_run::{ExperimentRun, bit_of, order_digest};

/// Most minutes that a review counts: who opened an order before lunch did not review it so long.
const REVIEW_MINUTES_MAX: f64 = 60.0;

/// Kinds of facts of which each order counts one.
#[derive(Clone, Copy, Debug)]
enum Counted {
    Delivered,
    Returned,
    ChargedBack,
    DisputeWon,
    Abuse,
    Penalty,
    Complaint,
    Review,
}

impl ExperimentRun {
    /// Takes in the answer about an order of its own.
    pub fn decided(&mut self, decision: &FoldedDecision<'_>) {
        if decision.actions.first().is_some_and(|first| !first.action.is_release()) {
            self.harm(&decision.order, Harm::Stopped);
        }
    }

    /// Takes in a fact about an order; one about another order, or later than the horizon,
    /// changes nothing.
    pub fn told(&mut self, event: &Event, order: &OrderKey) {
        match &event.fact {
            Fact::OrderDelivered(_) => self.count(order, event, Counted::Delivered, None),
            Fact::OrderReturned(_) => self.count(order, event, Counted::Returned, None),
            Fact::OrderChargedBack(_) => self.count(order, event, Counted::ChargedBack, None),
            Fact::Outcome(outcome) => self.outcome(outcome, order, event),
            Fact::OrderPlaced(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderRefunded(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Label(_)
            | Fact::Choice(_) => {}
        }
    }

    /// Takes in what an operator chose about an order, once: their time has a price.
    pub fn chose(&mut self, choice: &OperatorChoice, order: &OrderKey) {
        let Some(opened_at) = choice.opened_at else { return };
        let minutes = (choice.decided_at - opened_at).0 as f64 / Span::minutes(1).0 as f64;
        let price = self.plan.worth.review_minute;
        let cost = -price * minutes.clamp(0.0, REVIEW_MINUTES_MAX);
        self.add(order, Counted::Review, |_| cost);
    }

    fn outcome(&mut self, outcome: &Outcome, order: &OrderKey, event: &Event) {
        // What was counted of an outcome that is taken back stays counted: an experiment does not
        // keep which outcome each sum came from.
        if outcome.retracts.is_some() {
            return;
        }
        let counted = match outcome.kind {
            OutcomeKind::DeliveredOk => Counted::Delivered,
            OutcomeKind::Return => Counted::Returned,
            OutcomeKind::ChargebackOpened | OutcomeKind::ChargebackLost => Counted::ChargedBack,
            OutcomeKind::ChargebackWon => Counted::DisputeWon,
            OutcomeKind::ConfirmedFraud => Counted::Abuse,
            OutcomeKind::PlatformPenalty => Counted::Penalty,
            OutcomeKind::Complaint => Counted::Complaint,
            OutcomeKind::Refund
            | OutcomeKind::DeliveryFailed
            | OutcomeKind::Repurchase
            | OutcomeKind::PlatformAudit
            | OutcomeKind::AccountClosed
            | OutcomeKind::ConfirmedLegit => return,
        };
        self.count(order, event, counted, outcome.amount);
    }

    fn count(&mut self, order: &OrderKey, event: &Event, counted: Counted, told: Option<Money>) {
        let Some(row) = self.orders.get(&order_digest(order)) else { return };
        if self.plan.horizon <= event.event_time - row.placed_at {
            return;
        }
        let worth = self.plan.worth;
        let told = told.filter(|told| told.currency == worth.currency);
        let told = told.map(|told| told.minor_units.unsigned_abs() as f64);
        let value = |amount: f64| match counted {
            Counted::Delivered => worth.margin_share * amount,
            // The margin is gone with the goods.
            Counted::Returned => {
                -(worth.margin_share + worth.return_share) * amount - worth.return_fixed
            }
            Counted::ChargedBack => -amount - worth.chargeback_fixed,
            // The fee stays paid.
            Counted::DisputeWon => amount,
            Counted::Abuse => -worth.abuse_share * amount,
            Counted::Penalty => -told.unwrap_or(worth.penalty_fixed),
            Counted::Complaint => -worth.complaint,
            Counted::Review => 0.0,
        };
        self.add(order, counted, value);
        match counted {
            Counted::ChargedBack => self.harm(order, Harm::Chargeback),
            Counted::Penalty => self.harm(order, Harm::Penalty),
            Counted::Complaint => self.harm(order, Harm::Complaint),
            Counted::Delivered
            | Counted::Returned
            | Counted::DisputeWon
            | Counted::Abuse
            | Counted::Review => {}
        }
    }

    fn add(&mut self, order: &OrderKey, counted: Counted, value: impl Fn(f64) -> f64) {
        let Some(row) = self.orders.get_mut(&order_digest(order)) else { return };
        let bit = 1_u16 << counted as u16;
        if row.counted & bit != 0 {
            return;
        }
        row.counted |= bit;
        let unit = &mut self.units[row.unit as usize];
        unit.net = unit.net.saturating_add(whole(value(row.amount)));
        self.n_changes += 1;
    }

    fn harm(&mut self, order: &OrderKey, harm: Harm) {
        let Some(row) = self.orders.get(&order_digest(order)) else { return };
        let unit = &mut self.units[row.unit as usize];
        if unit.harms & bit_of(harm) == 0 {
            unit.harms |= bit_of(harm);
            self.n_harmed[usize::from(unit.arm)][harm as usize] += 1;
            self.n_changes += 1;
        }
    }
}

/// Minor units are whole.
#[expect(clippy::cast_possible_truncation, reason = "saturates; money is far below 2^63")]
fn whole(minor: f64) -> i64 {
    minor.round() as i64
}

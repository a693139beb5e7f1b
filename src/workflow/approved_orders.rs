//! A sample of the orders approved lately: what an ordinary one looks like.
//!
//! An order is in when the service, knowing all it should, recommends to approve it. It
//! is out again once anything says that it was not ordinary: see [`ApprovedOrders::told`].
//! An order that a person approved against the recommendation stays out: it took a person.
//!
//! The sample is a biased reservoir (Aggarwal 2006, "On biased reservoir sampling in the
//! presence of stream evolution"): a newcomer takes the place of a random order, so that
//! the chance to be still there falls exponentially with age. Between two backgrounds
//! about as many newcomers are taken in as there are places.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::decision::{ActionKind, DecisionId, DecisionState};
use crate::domain::event::{CancelType, Fact};
use crate::domain::feedback::OutcomeKind;
use crate::domain::folded_order::FoldedDecision;
use crate::domain::head::HeadId;
use crate::domain::order::OrderKey;
use crate::domain::scramble::{SEED_STEP, scramble};

/// A label this high says that the risk came true.
const LABEL_MIN: f64 = 0.5;

/// When the service makes a background of its own, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundRule {
    /// Approved orders between two backgrounds; 0 = never make one.
    pub every_approved: u64,
    /// Fewest orders that make a background.
    pub rows_min: usize,
    /// Most orders that are kept.
    pub rows_max: usize,
}

/// Orders approved lately with their features, each order once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovedOrders {
    rule: BackgroundRule,
    /// Bundle that judged the rows: another one may read other features.
    model_hash: Box<str>,
    /// The risk heads of the newest row.
    risk_heads: Vec<HeadId>,
    /// By channel and id: a revision is the same order.
    rows: IndexMap<(Box<str>, Box<str>), Row, FxBuildHasher>,
    /// Approved since the start.
    n_approved: u64,
    /// Approved since the last background.
    n_since: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    decision: DecisionId,
    features: Vec<f32>,
}

impl BackgroundRule {
    /// Makes no background; answers compare with that of the bundle.
    pub const OFF: Self = Self { every_approved: 0, rows_min: 1, rows_max: 1 };
}

impl ApprovedOrders {
    /// No order yet.
    pub fn new(rule: BackgroundRule) -> Self {
        Self {
            rule,
            model_hash: Box::default(),
            risk_heads: Vec::new(),
            rows: IndexMap::default(),
            n_approved: 0,
            n_since: 0,
        }
    }

    /// Goes on under a rule that may be another one; the orders too many are dropped.
    pub fn follow(&mut self, rule: BackgroundRule) {
        self.rule = rule;
        self.rows.truncate(if rule.every_approved == 0 { 0 } else { rule.rows_max });
    }

    /// Takes in the order of a decision, if it is approved.
    pub fn decided(&mut self, decision: &FoldedDecision<'_>) {
        if self.rule.every_approved == 0 {
            return;
        }
        if *self.model_hash != *decision.model_hash {
            self.model_hash = (&*decision.model_hash).into();
            self.rows.clear();
        }
        // Judged anew: only the newest answer counts.
        self.remove(&decision.order);
        if !is_approved(decision) {
            return;
        }
        self.n_approved += 1;
        self.n_since += 1;
        let heads = || decision.risks.iter().map(|risk| &risk.head);
        if !heads().eq(&self.risk_heads) {
            self.risk_heads = heads().cloned().collect();
        }
        if self.rule.rows_max <= self.rows.len() {
            // One draw for both: a place beyond the last means "not taken in".
            let n_places = self.rule.every_approved.max(self.rule.rows_max as u64);
            let place =
                usize::try_from(scramble(self.n_approved.wrapping_mul(SEED_STEP)) % n_places)
                    .unwrap_or(usize::MAX);
            if self.rows.swap_remove_index(place).is_none() {
                return;
            }
        }
        let OrderKey { channel, order_id, .. } = decision.order.clone();
        let row = Row { decision: decision.decision_id, features: decision.features.to_vec() };
        self.rows.insert((channel, order_id), row);
    }

    /// Drops the order that a fact says was not ordinary: a person chose anything but to
    /// approve, it was stopped as a risk, disputed or confirmed as abuse, or it is labeled
    /// with a risk that came true.
    pub fn told(&mut self, fact: &Fact) {
        match fact {
            Fact::Choice(choice) if choice.action != ActionKind::Approve => {
                self.remove_decision(choice.decision_id);
            }
            Fact::OrderCancelled(step) if step.reason.r#type == CancelType::Risk => {
                self.remove(&step.order);
            }
            Fact::OrderChargedBack(step) => self.remove(&step.order),
            Fact::Label(label)
                if LABEL_MIN <= label.value && self.risk_heads.contains(&label.head) =>
            {
                self.remove(&label.order);
            }
            Fact::Outcome(outcome) if outcome.retracts.is_none() && is_bad(outcome.kind) => {
                outcome.order.iter().for_each(|order| self.remove(order));
                outcome.decision_id.iter().for_each(|id| self.remove_decision(*id));
            }
            Fact::OrderPlaced(_)
            | Fact::OrderPaid(_)
            | Fact::OrderCancelled(_)
            | Fact::StockReserved(_)
            | Fact::OrderShipped(_)
            | Fact::OrderDelivered(_)
            | Fact::OrderReturned(_)
            | Fact::OrderRefunded(_)
            | Fact::AccountCreated(_)
            | Fact::StockLevel(_)
            | Fact::MarketPrice(_)
            | Fact::Label(_)
            | Fact::Choice(_)
            | Fact::Outcome(_) => {}
        }
    }

    /// Counts from 0 again: a background became active.
    pub fn restart_count(&mut self) {
        self.n_since = 0;
    }

    /// Whether a background should be made: there are enough orders of the bundle, and
    /// either it is the first or enough were approved since the last.
    pub fn is_due(&self, model_hash: &str, last: LastBackground) -> bool {
        let has_waited = match last {
            LastBackground::None => true,
            LastBackground::Active => self.rule.every_approved <= self.n_since,
        };
        let is_on = self.rule.every_approved != 0;
        is_on
            && has_waited
            && *self.model_hash == *model_hash
            && self.rule.rows_min <= self.n_rows()
    }

    /// The rule that is followed.
    pub fn rule(&self) -> BackgroundRule {
        self.rule
    }

    /// How many orders there are.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// The features of all orders, one after the other.
    pub fn features(&self) -> Vec<f32> {
        self.rows.values().flat_map(|row| &row.features).copied().collect()
    }

    fn remove(&mut self, order: &OrderKey) {
        self.rows.swap_remove(&(order.channel.clone(), order.order_id.clone()));
    }

    fn remove_decision(&mut self, id: DecisionId) {
        if let Some(at) = self.rows.values().position(|row| row.decision == id) {
            self.rows.swap_remove_index(at);
        }
    }
}

/// Whether the active bundle has a background of the service yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBackground {
    /// It compares with its own.
    None,
    /// It has.
    Active,
}

fn is_approved(decision: &FoldedDecision<'_>) -> bool {
    let first = decision.actions.first().map(|best| best.action);
    decision.state == DecisionState::Final && first == Some(ActionKind::Approve)
}

fn is_bad(kind: OutcomeKind) -> bool {
    match kind {
        OutcomeKind::ChargebackOpened
        | OutcomeKind::ChargebackLost
        | OutcomeKind::ConfirmedFraud => true,
        OutcomeKind::ChargebackWon
        | OutcomeKind::Refund
        | OutcomeKind::Return
        | OutcomeKind::DeliveredOk
        | OutcomeKind::DeliveryFailed
        | OutcomeKind::Repurchase
        | OutcomeKind::PlatformAudit
        | OutcomeKind::PlatformPenalty
        | OutcomeKind::Complaint
        | OutcomeKind::AccountClosed
        | OutcomeKind::ConfirmedLegit => false,
    }
}

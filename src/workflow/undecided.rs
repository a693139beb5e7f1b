//! Decisions that nobody has chosen about yet.

use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::domain::confirmation::RANKS;
use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::folded_order::{FoldedDecision, FoldedImpact};
use crate::domain::money::Money;
use crate::domain::order::{AnyRevision, OrderKey};
use crate::domain::review_queue::WaitingOrder;
use crate::domain::risk::top_risk_short;
use crate::domain::time::Timestamp;
use crate::workflow::shared_list::SharedList;

/// Decisions that nobody has chosen about yet; only where the first action is no release,
/// since nobody looks at the others.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Undecided {
    open: IndexMap<DecisionId, OpenDecision, FxBuildHasher>,
    /// The open decision about each order: a later one takes its place.
    by_order: IndexMap<AnyRevision, DecisionId, FxBuildHasher>,
    /// Those for which a review is recommended first, in the order of `reviews`.
    reviewed: IndexSet<DecisionId, FxBuildHasher>,
    reviews: Reviews,
}

/// The orders that wait for a review, by decision.
pub type Reviews = SharedList<(DecisionId, WaitingOrder)>;

/// What the queue wants to know about an order beside its decision.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// When it was placed.
    pub at: Timestamp,
    /// What the customer pays in all; `None` when unknown.
    pub amount: Option<Money>,
}

/// What was recommended for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Best first.
    pub actions: Vec<ActionKind>,
    /// True when it was to be seen only once somebody had chosen.
    pub is_blind: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct OpenDecision {
    shown: Shown,
    order: OrderKey,
}

impl Undecided {
    /// Takes in a decision and what is known of its order.
    pub fn decided(&mut self, decision: &FoldedDecision<'_>, placed: Placed) {
        let key = decision.order.any_revision();
        if let Some(earlier) = self.by_order.swap_remove(&key) {
            self.open.swap_remove(&earlier);
            self.reviewed(earlier);
        }
        let actions = decision.actions.iter().map(|action| action.action);
        let actions: Vec<ActionKind> = actions.take(RANKS).collect();
        if actions.first().is_none_or(|first| first.is_release()) {
            return;
        }
        let shown = Shown { actions, is_blind: decision.is_blind };
        let open = OpenDecision { shown, order: decision.order.clone() };
        self.open.insert(decision.decision_id, open);
        self.by_order.insert(key, decision.decision_id);
        if let Some(order) = waiting(decision, placed)
            && self.reviewed.insert(decision.decision_id)
        {
            self.reviews.push((decision.decision_id, order));
        }
    }

    /// Takes out what somebody has chosen about and tells about which order, and what was
    /// recommended; `None` when nobody was asked or somebody has chosen before.
    pub fn chose(&mut self, decision_id: DecisionId) -> Option<(AnyRevision, Shown)> {
        let open = self.open.swap_remove(&decision_id)?;
        let order = open.order.any_revision();
        self.by_order.swap_remove(&order);
        self.reviewed(decision_id);
        Some((order, open.shown))
    }

    /// The orders that wait for a review; a copy that nobody waits for.
    pub fn waiting_for_review(&self) -> Reviews {
        self.reviews.clone()
    }

    /// Takes an order out of those that wait for a review, if it is there.
    fn reviewed(&mut self, decision_id: DecisionId) {
        if let Some((at, _)) = self.reviewed.swap_remove_full(&decision_id) {
            self.reviews.swap_remove(at);
        }
    }
}

/// The order, when its first action is a review of some minutes.
fn waiting(decision: &FoldedDecision<'_>, placed: Placed) -> Option<WaitingOrder> {
    let first = decision.actions.first()?;
    if first.action != ActionKind::Review || !first.plan.is_empty() {
        return None;
    }
    let is_first = |it: &&FoldedImpact| it.action == first.action && it.plan == first.plan;
    let impact = decision.impacts.iter().find(is_first)?;
    (0.0 < impact.review_minutes).then(|| WaitingOrder {
        order: decision.order.clone(),
        event_time: placed.at,
        gain_minor: first.gap_to_next_minor,
        currency: impact.currency,
        minutes: impact.review_minutes,
        amount: placed.amount,
        top_risk: top_risk_short(&decision.risks).cloned(),
        is_blind: decision.is_blind,
    })
}

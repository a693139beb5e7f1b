//! What could be done about one order, and what each of it is worth.

use crate::decision::strategy::ActionPolicy;
use crate::domain::decision::ActionKind;
use crate::domain::recorded_order::ActionName;

/// The eligible actions of an order with their expected values.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// What comes first whatever it is worth, since a rule forces it or, for a review, since
    /// support is too thin to trust the values. It is among the actions.
    pub forced: Option<ActionKind>,
    /// One per eligible action, in strategy order.
    pub actions: Vec<Worth<'a>>,
}

/// An eligible action and its expected value.
#[derive(Clone, Copy, Debug)]
pub struct Worth<'a> {
    /// The catalog entry.
    pub policy: &'a ActionPolicy,
    /// Expected value under the strategy, minor units of its currency.
    pub value_minor: f64,
}

impl<'a> Options<'a> {
    /// What is recommended first.
    pub fn first(&self) -> Option<Worth<'a>> {
        self.first_at(0.0)
    }

    /// What would be recommended first if a minute of a person cost so much more.
    pub fn first_at(&self, surcharge_minor: f64) -> Option<Worth<'a>> {
        // The first of equals, as in a ranking.
        self.candidates()
            .min_by(|a, b| b.value_at(surcharge_minor).total_cmp(&a.value_at(surcharge_minor)))
    }

    /// Those that can come first at any price: all, or those that begin with what is forced.
    pub fn candidates(&self) -> impl Iterator<Item = Worth<'a>> {
        let may_be_first = |worth: &&Worth<'a>| match self.forced {
            Some(forced) => worth.policy.kind == forced,
            None => true,
        };
        self.actions.iter().filter(may_be_first).copied()
    }

    /// One action or plan, if it is eligible.
    pub fn of(&self, name: &ActionName) -> Option<Worth<'a>> {
        self.actions.iter().copied().find(|worth| worth.policy.is_called(name))
    }

    /// What the best action other than review is worth, minor units.
    pub fn best_without_review(&self) -> Option<f64> {
        let others = self.actions.iter().filter(|it| it.policy.kind != ActionKind::Review);
        others.map(|worth| worth.value_minor).max_by(f64::total_cmp)
    }
}

impl ActionPolicy {
    /// The action or plan by name.
    pub fn action_name(&self) -> ActionName {
        ActionName { action: self.kind, plan: self.plan_id().into() }
    }

    /// True when that is its name.
    pub fn is_called(&self, name: &ActionName) -> bool {
        self.kind == name.action && *self.plan_id() == *name.plan
    }
}

impl Worth<'_> {
    /// The value if a minute of a person cost so much more than the strategy says.
    pub fn value_at(&self, surcharge_minor: f64) -> f64 {
        self.value_minor - surcharge_minor * self.policy.review_minutes
    }
}

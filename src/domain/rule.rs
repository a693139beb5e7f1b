//! What a rule of the business made of an order.

use serde::Serialize;

use crate::domain::decision::ActionKind;
use crate::domain::text::Text;

/// A rule that matched an order, or that could not be judged for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleOutcome {
    /// Its name in the strategy.
    pub rule: Box<str>,
    /// Why its effects do not count; `None` when it matched and all of them do.
    pub obstacle: Option<RuleObstacle>,
    /// The inputs that its condition asks for and that are not known for the order, as the
    /// condition names them; only with [`RuleObstacle::MissingInput`].
    pub missing_inputs: Vec<Box<str>>,
    /// What it adds to the priority of the order.
    pub priority: i64,
    /// The action that it forces.
    pub force: Option<ActionKind>,
    /// Words that it shows with the order.
    pub tags: Vec<Box<str>>,
    /// Notices that it emits for other systems.
    pub emit: Vec<Box<str>>,
    /// What people read.
    pub title: Text,
}

/// Why the effects of a rule do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleObstacle {
    /// It matched, but a rule of higher priority, or an earlier one, forces another action.
    Overruled,
    /// It matched, but the action that it forces may not be offered for this order.
    NotEligible,
    /// It could not be judged: something that its condition asks for is not known.
    MissingInput,
}

impl RuleOutcome {
    /// True when its condition holds.
    pub fn is_matched(&self) -> bool {
        self.obstacle != Some(RuleObstacle::MissingInput)
    }

    /// True when it matched and its effects count.
    pub fn is_selected(&self) -> bool {
        self.obstacle.is_none()
    }
}

//! Closed cases: what somebody chose about, or what something followed.

use serde::Serialize;

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::feedback::OutcomeKind;
use crate::domain::head::HeadId;
use crate::domain::money::Money;
use crate::domain::order::OrderKey;
use crate::domain::risk::TopRisk;
use crate::domain::time::Timestamp;

/// Most cases of a page; who asks for more gets these.
pub const CLOSED_CASES_MAX: u32 = 200;

/// Which closed cases to list; all conditions hold, `None` is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedCaseQuery {
    /// What was done: chosen, or recommended first where nobody chose.
    pub action: Option<ActionKind>,
    /// What followed and stands.
    pub outcome: Option<OutcomeKind>,
    /// The risk that mattered most.
    pub head: Option<HeadId>,
    /// Where the page before ended; `None` starts at the newest.
    pub before: Option<CaseCursor>,
    /// Most cases to list; at least 1.
    pub n_max: u32,
}

/// A place in the list of closed cases: the journal position of what closed one last.
///
/// A case that something new is told about moves to the front, so a reader of pages may miss it
/// there, but never sees it twice in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct CaseCursor(pub u64);

/// A closed case in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClosedCase {
    /// Which decision.
    pub decision_id: DecisionId,
    /// About which order.
    pub order: OrderKey,
    /// When the order was placed.
    pub event_time: Timestamp,
    /// What the customer was to pay.
    pub amount: Option<Money>,
    /// The risk that mattered most; `None` without risk heads.
    pub top_risk: Option<TopRisk>,
    /// What was recommended first.
    pub first_action: Option<ActionKind>,
    /// What somebody chose; of several choices the last one.
    pub chosen: Option<ChosenAction>,
    /// What followed and stands, each kind once.
    pub outcomes: Vec<OutcomeKind>,
    /// When the newest choice or outcome came in.
    pub told_time: Timestamp,
    /// Its place in the list.
    pub cursor: CaseCursor,
}

/// What somebody chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChosenAction {
    /// What.
    pub action: ActionKind,
    /// Pseudonym of who.
    pub operator_id: Box<str>,
    /// When.
    pub decided_at: Timestamp,
}

/// A page of closed cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClosedCasePage {
    /// The one that something was told about last, first.
    pub cases: Vec<ClosedCase>,
    /// Where the next page starts; `None` when this is the last one.
    pub next: Option<CaseCursor>,
}

//! What a back-test reads of the journal: judged orders in short, and truths.

use serde::Serialize;

use crate::domain::decision::{ActionKind, DecisionId};
use crate::domain::head::HeadId;
use crate::domain::order::{Order, OrderKey};
use crate::domain::risk::Probability;
use crate::domain::standing::{NaturalKey, Said};
use crate::domain::time::Timestamp;

/// An action, or a plan by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ActionName {
    /// The action; of a plan the first one.
    pub action: ActionKind,
    /// Name of the plan in its strategy; empty for a single action.
    pub plan: Box<str>,
}

/// A record as far as a back-test needs it.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordedFact {
    /// An order that was judged.
    Order(Box<RecordedOrder>),
    /// How an order turned out.
    Truth(ToldTruth),
    /// Anything else.
    Other,
}

/// An order that was judged: enough to judge it again under another strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedOrder {
    /// Which decision.
    pub decision_id: DecisionId,
    /// When the order was placed, by the caller's clock.
    pub event_time: Timestamp,
    /// The order, sealed.
    pub order: Order,
    /// Hash of the bundle that judged it.
    pub model_hash: Box<str>,
    /// Hash of the strategy's file.
    pub strategy_hash: Box<str>,
    /// Hash of the orders that contributions compared with; empty without any.
    pub background_hash: Box<str>,
    /// What was recommended first, but for chance: of an order that was declined and released to
    /// learn, the decline; `None` when nothing was.
    pub first_action: Option<ActionName>,
    /// Probability with which its strategy was drawn for it.
    pub propensity: Probability,
    /// The feature vector in bundle order, NaN is unknown.
    pub features: Vec<f32>,
}

/// A fact about how an order turned out.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldTruth {
    /// Which order, where the fact names it.
    pub order: Option<OrderKey>,
    /// Which decision, where the fact names it.
    pub decision_id: Option<DecisionId>,
    /// What it says.
    pub truth: Truth,
}

/// How an order turned out.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// For one head, final from an instant on.
    Labeled {
        /// The head.
        head: HeadId,
        /// True when its risk came true.
        is_bad: bool,
        /// `None` when it is final at once.
        matures_at: Option<Timestamp>,
    },
    /// Bad: charged back.
    Bad,
    /// As an outcome says, which may be taken back.
    Outcome {
        /// Which one; names as [`outcome_name`] and [`natural_name`] make them.
        said: Said<u64, u64>,
        /// Bad: disputed and lost or confirmed as abuse; good: confirmed as honest; `None`
        /// when it takes another one back.
        is_bad: Option<bool>,
    },
}

/// A short name for an outcome's id: two of a journal have the same by a chance of 1 in 10^19.
pub fn outcome_name(id: &str) -> u64 {
    short_name(&[id.as_bytes()])
}

/// A short name for what a source knows an outcome by.
pub fn natural_name((source, kind, reference): NaturalKey<'_>) -> u64 {
    short_name(&[&[source as u8, kind as u8], reference.as_bytes()])
}

fn short_name(parts: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let mut name = [0_u8; 8];
    hasher.finalize_xof().fill(&mut name);
    u64::from_le_bytes(name)
}

//! Why the system could not do what it was asked.

use std::error::Error as StdError;

use crate::domain::decision::DecisionId;
use crate::domain::order::OrderKey;
use crate::domain::strategy_version::StrategyMistake;
use crate::domain::time::{Span, Timestamp};
use crate::store::error::Error as StoreError;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Correct the request.
    Invalid,
    /// Nothing: it is not there.
    NotFound,
    /// Nothing: it contradicts what is recorded.
    Conflict,
    /// Do something else first: it is not allowed as things are.
    Refused,
    /// Allow more time.
    Late,
    /// Try again after a pause.
    Exhausted,
    /// Try again elsewhere or later: the service starts, stops or has lost its disk.
    Unavailable,
    /// Report it.
    Internal,
}

/// Why the system could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such decision was ever given out.
    #[error("there is no decision `{0}`")]
    UnknownDecision(DecisionId),
    /// No decision was ever made about this order.
    #[error("there is no decision about order `{}` revision {} of channel `{}`", .0.order_id, .0.revision, .0.channel)]
    UnknownOrder(OrderKey),
    /// The id was used before for something else.
    #[error("id `{id}` was used before with other values of: {}", fields.join(", "))]
    IdReused {
        /// The request, event, choice or outcome id.
        id: Box<str>,
        /// Dotted paths of the fields that differ, sorted.
        fields: Vec<Box<str>>,
    },
    /// No such strategy was ever proposed or active, or too few digits of its hash are given.
    #[error("there is no strategy whose hash begins with `{0}`; give 12 digits or more")]
    UnknownStrategy(Box<str>),
    /// No experiment with this name runs, or none is remembered.
    #[error("there is no experiment `{0}` that could be meant")]
    UnknownExperiment(Box<str>),
    /// No bundle with this name and version is where bundles are kept.
    #[error("there is no model `{0}`; give a name and a version, as in `risk/2`")]
    UnknownModel(Box<str>),
    /// No API key ever had this name.
    #[error("there is no API key `{0}`")]
    UnknownApiKey(Box<str>),
    /// No model had judged by then, or it is not remembered any more.
    #[error("no model is known to have judged at {0}")]
    NothingLive(Timestamp),
    /// A step that is not allowed as things are.
    #[error("{why}")]
    Refused {
        /// A stable code; part of the contract.
        reason: &'static str,
        /// What stands in the way.
        why: Box<str>,
    },
    /// A strategy text has mistakes; all of them are listed.
    #[error("the strategy has {} mistakes; {}", .0.len(), joined(.0))]
    InvalidStrategy(Vec<StrategyMistake>),
    /// Fields of a question do not fit what the service has loaded; all of them are listed.
    #[error("{} fields are invalid; {}", .0.len(), listed(.0))]
    InvalidFields(Vec<FieldMistake>),
    /// The caller's time was over before the order's turn came; nothing is recorded.
    #[error("its turn came after its caller's time was over; nothing was recorded")]
    Late,
    /// A bound on waiting work is reached.
    #[error("too much work is waiting")]
    Exhausted {
        /// When to try again.
        retry_after: Span,
    },
    /// The service is not up, is stopping, or a part of it is lost.
    #[error("the service is unavailable: {0}")]
    Unavailable(Box<str>),
    /// A part failed in a way that no caller can mend.
    #[error("{doing} failed")]
    Failed {
        /// What was being done: `appending to the journal`.
        doing: Box<str>,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// A field of a question that only the engine can judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMistake {
    /// Dotted path in the question.
    pub field: Box<str>,
    /// What is wrong with it.
    pub description: Box<str>,
}

impl Error {
    /// A failure that no caller can mend.
    pub fn failed(doing: &str, source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed { doing: doing.into(), source: Box::new(source) }
    }

    /// Records that could not be read: `Unavailable` while their database is away.
    pub fn unread(doing: &str, error: StoreError) -> Self {
        if error.is_away() {
            return Self::Unavailable(with_cause(&error));
        }
        Self::failed(doing, error)
    }

    /// The records do not follow the journal.
    pub fn records_behind(error: &StoreError) -> Self {
        let why = with_cause(error);
        Self::Unavailable(format!("the records lag behind: {why}").into())
    }

    /// The journal cannot write any more: whether the record is kept is not known.
    pub fn journal_lost(error: &dyn StdError) -> Self {
        Self::Unavailable(format!("the journal stopped: {error}").into())
    }

    /// What a caller can do about it; doors map only this.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownDecision(_)
            | Self::UnknownOrder(_)
            | Self::UnknownStrategy(_)
            | Self::UnknownExperiment(_)
            | Self::UnknownModel(_)
            | Self::UnknownApiKey(_)
            | Self::NothingLive(_) => ErrorKind::NotFound,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::IdReused { .. } => ErrorKind::Conflict,
            Self::InvalidStrategy(_) | Self::InvalidFields(_) => ErrorKind::Invalid,
            Self::Late => ErrorKind::Late,
            Self::Exhausted { .. } => ErrorKind::Exhausted,
            Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Failed { .. } => ErrorKind::Internal,
        }
    }

    /// A stable code for programs; part of the contract.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownDecision(_) => "DECISION_UNKNOWN",
            Self::UnknownOrder(_) => "ORDER_UNKNOWN",
            Self::UnknownStrategy(_) => "STRATEGY_UNKNOWN",
            Self::UnknownExperiment(_) => "EXPERIMENT_UNKNOWN",
            Self::UnknownModel(_) => "MODEL_UNKNOWN",
            Self::UnknownApiKey(_) => "API_KEY_UNKNOWN",
            Self::NothingLive(_) => "NOTHING_LIVE",
            Self::Refused { reason, .. } => reason,
            Self::IdReused { .. } => "ID_REUSED",
            Self::InvalidStrategy(_) => "STRATEGY_INVALID",
            Self::InvalidFields(_) => "FIELDS_INVALID",
            Self::Late => "DEADLINE_EXCEEDED",
            Self::Exhausted { .. } => "OVERLOADED",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Failed { .. } => "INTERNAL",
        }
    }
}

/// An error of the store and why it happened.
pub(super) fn with_cause(error: &StoreError) -> Box<str> {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}").into()
}

fn joined(mistakes: &[StrategyMistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn listed(mistakes: &[FieldMistake]) -> String {
    let one = |it: &FieldMistake| format!("{} {}", it.field, it.description);
    mistakes.iter().map(one).collect::<Vec<_>>().join("; ")
}

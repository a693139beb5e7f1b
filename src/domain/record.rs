//! What the journal holds: everything that was told, decided or switched.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::access::{AuditEntry, Person};
use crate::domain::api_key::ApiKey;
use crate::domain::decision::Decision;
use crate::domain::erasure::IdentifierErased;
use crate::domain::event::Event;
use crate::domain::experiment::{ExperimentEnd, ExperimentPlan};
use crate::domain::note::Note;
use crate::domain::order::Order;
use crate::domain::pseudonym::{PseudonymLinked, RotationStarted};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;

/// One entry of the journal. Folding them in order gives every state there is.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A fact that a caller told.
    Event(ReceivedEvent),
    /// An order that was judged, with the answer.
    Decision(Arc<ScoredOrder>),
    /// Somebody proposed a strategy.
    StrategyProposed(StrategyProposed),
    /// Somebody else approved it.
    StrategyApproved(StrategyApproved),
    /// A strategy became active, or is tried on a share of the accounts.
    StrategyActivated(StrategyActivated),
    /// A model bundle became active.
    ModelActivated(ModelActivated),
    /// Contributions compare with other orders from here on.
    BackgroundActivated(BackgroundActivated),
    /// The graph remembers by other settings from here on.
    GraphActivated(GraphActivated),
    /// An experiment began.
    ExperimentStarted(ExperimentStarted),
    /// Other units take part in an experiment from here on.
    ExperimentRamped(ExperimentRamped),
    /// An experiment ended: everybody is judged as before it.
    ExperimentEnded(ExperimentEnded),
    /// A person came, changed or left; tells the audit log so itself.
    PersonChanged(PersonChanged),
    /// Something was done that the audit log tells.
    Audited(AuditEntry),
    /// Somebody wrote a note about a decision.
    Noted(Note),
    /// All that a stream holds up to here was executed.
    Followed(Followed),
    /// An API key was made, changed or revoked; tells the audit log so itself.
    ApiKeyChanged(ApiKeyChanged),
    /// An identifier was erased; tells the audit log so itself.
    IdentifierErased(IdentifierErased),
    /// Another identity secret follows on the one before.
    RotationStarted(RotationStarted),
    /// Somebody came with a pseudonym of another secret.
    PseudonymLinked(PseudonymLinked),
}

/// A fact and when it reached us.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// The fact, sealed.
    pub event: Event,
    /// Our clock.
    pub received_time: Timestamp,
}

/// A question to the service: judge this order.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRequest {
    /// Idempotency key; the natural key of the order when the caller gave none.
    pub request_id: Box<str>,
    /// When the order was placed, by the caller's clock.
    pub event_time: Timestamp,
    /// The order, sealed.
    pub order: Order,
    /// How many actions to recommend; 1 to 10.
    pub max_actions: u32,
    /// How many contributions to list per risk; the others are summed up.
    pub max_contributions: u32,
}

/// An order that was judged. The answer is a function of the request and the journal before it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredOrder {
    /// What was asked.
    pub request: ScoreRequest,
    /// What was answered.
    pub decision: Arc<Decision>,
}

/// A strategy that was proposed, kept whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyProposed {
    /// Name.
    pub name: Box<str>,
    /// BLAKE3 of the file, 64 hex digits.
    pub hash: Box<str>,
    /// The file.
    pub toml: Arc<str>,
    /// Its author.
    pub signature: Signature,
}

/// A proposed strategy that a second person approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyApproved {
    /// BLAKE3 of the file, 64 hex digits.
    pub hash: Box<str>,
    /// Who approved it.
    pub signature: Signature,
}

/// A strategy that became active, kept whole so that old answers replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrategyActivated {
    /// Name.
    pub name: Box<str>,
    /// BLAKE3 of the file, 64 hex digits.
    pub hash: Box<str>,
    /// The file.
    pub toml: Arc<str>,
    /// Who made it active; an empty name is the strategy file.
    pub signature: Signature,
    /// Percent of the accounts that it judges beside the active one, 1 to 99; `None` is all
    /// of them, which ends what was tried before.
    pub staged_percent: Option<u32>,
}

/// A model bundle that became active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelActivated {
    /// Bundle name and version, `risk/1`.
    pub name: Box<str>,
    /// BLAKE3 of its manifest, 64 hex digits.
    pub hash: Box<str>,
    /// Who wanted it, when and why; an empty name is the start of the service.
    pub signature: Signature,
    /// BLAKE3 of the report that the promotion rests on; empty without one.
    pub report_hash: Box<str>,
}

/// An experiment that began, kept whole.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentStarted {
    /// What is compared.
    pub plan: ExperimentPlan,
    /// Percent of the units that take part, 1 to 100.
    pub percent: u32,
    /// Who started it.
    pub signature: Signature,
}

/// Another share of the units in an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentRamped {
    /// Which experiment.
    pub id: Box<str>,
    /// Percent of the units that take part, 1 to 100.
    pub percent: u32,
    /// Who wanted it.
    pub signature: Signature,
}

/// An experiment that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentEnded {
    /// Which experiment.
    pub id: Box<str>,
    /// Why.
    pub end: ExperimentEnd,
    /// Who ended it; an empty name is a guardrail.
    pub signature: Signature,
}

/// The orders that contributions compare with from here on, kept whole so that old
/// answers replay. It is void once another bundle becomes active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundActivated {
    /// Says where the orders come from, `approved orders up to record 51200`.
    pub name: Box<str>,
    /// BLAKE3 of the width and the ranks, 64 hex digits.
    pub hash: Box<str>,
    /// Hash of the bundle whose ranks these are.
    pub model_hash: Box<str>,
    /// Ranks per order.
    pub n_features: u32,
    /// The ranks of one order after the other, in bundle order.
    pub ranks: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

/// Settings that the graph follows from here on, kept whole so that the same journal
/// gives the same graph whatever the config says later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphActivated {
    /// The settings as JSON, spans in microseconds.
    pub settings: Box<str>,
    /// When.
    pub at: Timestamp,
}

/// A person as they are from here on, with the entry of the audit log that tells it: one record,
/// so that neither is ever there without the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonChanged {
    /// The person, whole.
    pub person: Person,
    /// Who changed them, when and why.
    pub audited: AuditEntry,
}

/// How far a replica has executed the stream that gives all replicas one order. The records of
/// a message of the stream come right before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// Name of the stream and when it was made: another one of that name is not it.
    pub stream: Box<str>,
    /// The message that was executed last.
    pub sequence: u64,
    /// CRC-32 of its bytes.
    pub checksum: u32,
}

/// An API key as it is from here on, with the entry of the audit log that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyChanged {
    /// The key, whole.
    pub key: ApiKey,
    /// Who changed it, when and why.
    pub audited: AuditEntry,
}

impl Record {
    /// The entry of the audit log in this record, if it has one.
    pub fn audited(&self) -> Option<&AuditEntry> {
        match self {
            Self::PersonChanged(changed) => Some(&changed.audited),
            Self::ApiKeyChanged(changed) => Some(&changed.audited),
            Self::IdentifierErased(erased) => Some(&erased.audited),
            Self::Audited(entry) => Some(entry),
            Self::Event(_)
            | Self::Decision(_)
            | Self::StrategyProposed(_)
            | Self::StrategyApproved(_)
            | Self::StrategyActivated(_)
            | Self::ModelActivated(_)
            | Self::BackgroundActivated(_)
            | Self::GraphActivated(_)
            | Self::ExperimentStarted(_)
            | Self::ExperimentRamped(_)
            | Self::ExperimentEnded(_)
            | Self::Noted(_)
            | Self::RotationStarted(_)
            | Self::PseudonymLinked(_)
            | Self::Followed(_) => None,
        }
    }
}

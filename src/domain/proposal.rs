//! What replicas put into the one order that they share: commands.
//!
//! Every replica executes the same proposals in the same order and so comes to the same
//! records. Nothing here depends on who executes it: clocks and ids came with the caller.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::access::{AuditDraft, PersonDraft};
use crate::domain::api_key::KeyChange;
use crate::domain::decision::DecisionId;
use crate::domain::entity::EntityRef;
use crate::domain::event::Event;
use crate::domain::experiment::{ExperimentEnd, ExperimentPlan};
use crate::domain::note::Note;
use crate::domain::pseudonym::Rotation;
use crate::domain::record::{BackgroundActivated, ScoreRequest};
use crate::domain::strategy_version::Signature;
use crate::domain::time::Timestamp;

/// Proposals that one replica sent together; they are executed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Who sent it.
    pub origin: Origin,
    /// What it proposes, in order.
    pub proposals: Vec<Sent>,
}

/// A proposal as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// What it says.
    pub proposal: Proposal,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Which batch of which run of which replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the replica.
    pub replica: Box<str>,
    /// New at each start of it, so that two runs are never mixed up.
    pub run: Uuid,
    /// 1, 2, 3 … within the run.
    pub number: u64,
}

/// A command that changes something.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposal {
    /// Judge an order.
    Score(Box<ProposedScore>),
    /// Record a fact.
    Tell(Box<ProposedFact>),
    /// Compare contributions with other orders.
    Background(Box<ProposedBackground>),
    /// Anything that is rare.
    Step(Box<Step>),
}

/// An order to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedScore {
    /// What is asked.
    pub request: ScoreRequest,
    /// When it arrived at the replica that was asked.
    pub received_time: Timestamp,
    /// Id for a new decision.
    pub decision_id: DecisionId,
}

/// A fact to record.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedFact {
    /// The fact, sealed.
    pub event: Event,
    /// When it arrived at the replica that was told.
    pub received_time: Timestamp,
}

/// A background that a replica has made; several make one, the first that is executed counts.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedBackground {
    /// Name of the background that it is to follow; empty when there was none.
    pub replaces: Box<str>,
    /// It, whole: nobody else has to have made it.
    pub activated: BackgroundActivated,
}

/// A rare command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A replica came up with these files and settings.
    Start(Start),
    /// Do something with strategies.
    Strategy {
        /// What.
        step: StrategyWish,
        /// Who, when and why.
        signature: Signature,
    },
    /// Let another bundle judge.
    Model {
        /// Name and version.
        name: Box<str>,
        /// Hash of its manifest.
        hash: Box<str>,
        /// Hash of the report that its promotion rests on; empty without one.
        report_hash: Box<str>,
        /// Hash of the bundle that has to be active for this; `None` takes any.
        expected: Option<Box<str>>,
        /// Who, when and why.
        signature: Signature,
    },
    /// Do something with an experiment.
    Experiment {
        /// What.
        step: ExperimentStep,
        /// Who, when and why.
        signature: Signature,
    },
    /// Add or change somebody.
    Person {
        /// As they are to be.
        draft: PersonDraft,
        /// Who wants it, when and why.
        signature: Signature,
    },
    /// Make, rotate or revoke an API key.
    Key {
        /// What is to be so.
        change: KeyChange,
        /// Who wants it, when and why.
        signature: Signature,
    },
    /// Erase an identifier.
    Erase {
        /// Which one, sealed.
        entity: EntityRef,
        /// Who wants it, when and why.
        signature: Signature,
    },
    /// Add an entry to the audit log.
    Audit {
        /// What was done.
        draft: AuditDraft,
        /// When.
        at: Timestamp,
    },
    /// Add a note.
    Note(Note),
}

/// With what a replica came up: what it says anew is news for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Settings of the graph, as JSON.
    pub graph: Box<str>,
    /// Name and version of the bundle.
    pub model: Box<str>,
    /// Hash of its manifest.
    pub model_hash: Box<str>,
    /// Text of the strategy file.
    pub strategy: Box<str>,
    /// Which identity secrets are rotated, if any are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// When.
    pub at: Timestamp,
}

/// Something that is to be done with strategies; texts are read where it is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategyWish {
    /// The strategy file says this now.
    File(Box<str>),
    /// Put a text up for approval.
    Propose(Box<str>),
    /// Approve the text with this hash.
    Approve(Box<str>),
    /// Let the text with this hash judge a share of the accounts, or all.
    Activate {
        /// The hash, or its first digits.
        hash: Box<str>,
        /// 1 to 100.
        percent: u32,
    },
    /// Take back what was staged, else what was activated last.
    Revert,
}

/// Something that is done with an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ExperimentStep {
    /// Begin it.
    Start {
        /// What is compared.
        plan: ExperimentPlan,
        /// Percent of the units that take part, 1 to 100.
        percent: u32,
    },
    /// Let another share of the units take part.
    Ramp {
        /// Which experiment.
        id: Box<str>,
        /// Percent, 1 to 100.
        percent: u32,
    },
    /// End it: everybody is judged as before.
    End {
        /// Which experiment.
        id: Box<str>,
        /// Why.
        end: ExperimentEnd,
    },
}

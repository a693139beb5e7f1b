//! Steps in the life of a strategy, as the journal holds them.

use crate::domain::record::{Record, StrategyActivated, StrategyApproved, StrategyProposed};
use crate::domain::strategy_version::Signature;
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::pb::journal::v1 as pb;

/// The message for a proposal.
pub fn proposed_to_pb(proposed: &StrategyProposed) -> pb::StrategyProposed {
    let StrategyProposed { name, hash, toml, signature } = proposed;
    pb::StrategyProposed {
        name: name.to_string(),
        hash: hash.to_string(),
        toml: toml.to_string(),
        at: Some(time_to_pb(signature.at)),
        by: signature.by.to_string(),
        note: signature.note.to_string(),
    }
}

/// The message for an approval.
pub fn approved_to_pb(approved: &StrategyApproved) -> pb::StrategyApproved {
    let StrategyApproved { hash, signature } = approved;
    pb::StrategyApproved {
        hash: hash.to_string(),
        at: Some(time_to_pb(signature.at)),
        by: signature.by.to_string(),
        note: signature.note.to_string(),
    }
}

/// The message for an activation.
pub fn activated_to_pb(activated: &StrategyActivated) -> pb::StrategyActivated {
    let StrategyActivated { name, hash, toml, signature, staged_percent } = activated;
    pb::StrategyActivated {
        name: name.to_string(),
        hash: hash.to_string(),
        toml: toml.to_string(),
        at: Some(time_to_pb(signature.at)),
        by: signature.by.to_string(),
        note: signature.note.to_string(),
        staged_percent: *staged_percent,
    }
}

/// The record of a proposal.
pub fn read_proposed(
    check: &mut Check<'_>,
    path: &Path<'_>,
    proposed: pb::StrategyProposed,
) -> Option<Record> {
    let at = check.required(&path.field("at"), proposed.at, Check::time)?;
    Some(Record::StrategyProposed(StrategyProposed {
        name: proposed.name.into_boxed_str(),
        hash: proposed.hash.into_boxed_str(),
        toml: proposed.toml.into(),
        signature: Signature { by: proposed.by.into(), at, note: proposed.note.into() },
    }))
}

/// The record of an approval.
pub fn read_approved(
    check: &mut Check<'_>,
    path: &Path<'_>,
    approved: pb::StrategyApproved,
) -> Option<Record> {
    let at = check.required(&path.field("at"), approved.at, Check::time)?;
    Some(Record::StrategyApproved(StrategyApproved {
        hash: approved.hash.into_boxed_str(),
        signature: Signature { by: approved.by.into(), at, note: approved.note.into() },
    }))
}

/// The record of an activation.
pub fn read_activated(
    check: &mut Check<'_>,
    path: &Path<'_>,
    activated: pb::StrategyActivated,
) -> Option<Record> {
    let at = check.required(&path.field("at"), activated.at, Check::time)?;
    Some(Record::StrategyActivated(StrategyActivated {
        name: activated.name.into_boxed_str(),
        hash: activated.hash.into_boxed_str(),
        toml: activated.toml.into(),
        signature: Signature { by: activated.by.into(), at, note: activated.note.into() },
        staged_percent: activated.staged_percent,
    }))
}

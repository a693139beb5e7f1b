//! Erased identifiers, as the journal holds them.

use crate::domain::erasure::IdentifierErased;
use crate::domain::record::Record;
use crate::wire::access_record::{audited_to_pb, read_entry};
use crate::wire::check::{Check, Path, entity_to_pb};
use crate::wire::pb::journal::v1 as pb;

/// The message for an erasure.
pub(super) fn erased_to_pb(erased: &IdentifierErased) -> pb::IdentifierErased {
    let IdentifierErased { entity, audited } = erased;
    let (entity, audited) = (entity_to_pb(entity), audited_to_pb(audited));
    pb::IdentifierErased { entity: Some(entity), audited: Some(audited) }
}

/// The record of an erasure.
pub(super) fn read_erased(
    check: &mut Check<'_>,
    path: &Path<'_>,
    erased: pb::IdentifierErased,
) -> Option<Record> {
    let entity = check.required(&path.field("entity"), erased.entity, Check::entity);
    let audited = check.required(&path.field("audited"), erased.audited, read_entry);
    Some(Record::IdentifierErased(IdentifierErased { entity: entity?, audited: audited? }))
}

//! Erased identifiers and linked pseudonyms, as the journal holds them.

use crate::domain::erasure::IdentifierErased;
use crate::domain::pseudonym::{PseudonymLinked, Rotation, RotationStarted};
use crate::domain::record::Record;
use crate::wire::access_record::{audited_to_pb, read_entry};
use crate::wire::check::{Check, Path, entity_to_pb, time_to_pb};
use crate::wire::pb::journal::v1 as pb;

/// The message for an erasure.
pub(super) fn erased_to_pb(erased: &IdentifierErased) -> pb::IdentifierErased {
    let IdentifierErased { entity, others, audited } = erased;
    pb::IdentifierErased {
        entity: Some(entity_to_pb(entity)),
        audited: Some(audited_to_pb(audited)),
        others: others.iter().map(entity_to_pb).collect(),
    }
}

/// The record of an erasure.
pub(super) fn read_erased(
    check: &mut Check<'_>,
    path: &Path<'_>,
    erased: pb::IdentifierErased,
) -> Option<Record> {
    let entity = check.required(&path.field("entity"), erased.entity, Check::entity);
    let audited = check.required(&path.field("audited"), erased.audited, read_entry);
    let others = path.field("others");
    let read = |(idx, other)| check.entity(&others.index(idx), other);
    let others = erased.others.into_iter().enumerate().filter_map(read).collect();
    Some(Record::IdentifierErased(IdentifierErased { entity: entity?, others, audited: audited? }))
}

/// The message for a rotation of the identity secret.
pub(super) fn rotation_to_pb(started: &RotationStarted) -> pb::RotationStarted {
    pb::RotationStarted {
        current: started.rotation.current.to_string(),
        previous: started.rotation.previous.to_string(),
        at: Some(time_to_pb(started.at)),
    }
}

/// The record of a rotation.
pub(super) fn read_rotation(
    check: &mut Check<'_>,
    path: &Path<'_>,
    started: pb::RotationStarted,
) -> Option<Record> {
    let at = check.required(&path.field("at"), started.at, Check::time);
    let (current, previous) = (started.current.into(), started.previous.into());
    let rotation = Rotation { current, previous };
    Some(Record::RotationStarted(RotationStarted { rotation, at: at? }))
}

/// The message for a link.
pub(super) fn linked_to_pb(linked: &PseudonymLinked) -> pb::PseudonymLinked {
    let PseudonymLinked { pseudonym, known_as, at } = linked;
    pb::PseudonymLinked {
        pseudonym: Some(entity_to_pb(pseudonym)),
        known_as: Some(entity_to_pb(known_as)),
        at: Some(time_to_pb(*at)),
    }
}

/// The record of a link.
pub(super) fn read_linked(
    check: &mut Check<'_>,
    path: &Path<'_>,
    linked: pb::PseudonymLinked,
) -> Option<Record> {
    let pseudonym = check.required(&path.field("pseudonym"), linked.pseudonym, Check::entity);
    let known_as = check.required(&path.field("known_as"), linked.known_as, Check::entity);
    let at = check.required(&path.field("at"), linked.at, Check::time);
    let (pseudonym, known_as) = (pseudonym?, known_as?);
    Some(Record::PseudonymLinked(PseudonymLinked { pseudonym, known_as, at: at? }))
}

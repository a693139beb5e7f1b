//! API keys and the audit log at the door.

use crate::domain::access::{AuditEntry, BrokenLink, LinkFault};
use crate::domain::api_key::{ApiKey, ApiKeyDraft};
use crate::domain::audit_query::{AUDIT_PAGE_MAX, AuditQuery, AuditReport};
use crate::domain::entity::EntityRef;
use crate::domain::erasure::{ERASED_PER_CALL_MAX, Erased};
use crate::domain::strategy_version::NOTE_CHARS_MAX;
use crate::wire::check::{Check, Door, Path, time_to_pb};
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::key_record::read_scopes;
use crate::wire::pb::v1 as pb;
use crate::wire::strategy::read_bounded;

/// Entries of a page when the caller does not say how many.
const AUDIT_PAGE: u32 = 50;

/// The key that is to be made, and why.
///
/// # Errors
/// [`Error::Invalid`] with every violation that the message shows by itself.
pub fn read_create(
    request: pb::CreateApiKeyRequest,
    door: Door<'_>,
) -> Result<(ApiKeyDraft, Box<str>), Error> {
    let mut check = Check::at_door(door);
    let name = check.name(&Path::Root.field("name"), request.name);
    let owner = check.text(&Path::Root.field("owner"), request.owner);
    let scopes = read_scopes(&mut check, &Path::Root.field("scopes"), &request.scopes);
    let expires = match request.expires {
        None => Some(None),
        Some(end) => check.time(&Path::Root.field("expires"), end).map(Some),
    };
    let note = read_bounded(&mut check, "note", request.note, NOTE_CHARS_MAX);
    let draft =
        name.zip(owner).zip(scopes).zip(expires).map(|(((name, owner), scopes), expires)| {
            let owner = if owner.is_empty() { name.clone() } else { owner };
            let calls_per_second = request.calls_per_second;
            ApiKeyDraft { name, owner, scopes, calls_per_second, expires }
        });
    check.finish(draft.zip(note))
}

/// Which key is meant, and why.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_named(
    name: String,
    note: String,
    door: Door<'_>,
) -> Result<(Box<str>, Box<str>), Error> {
    let mut check = Check::at_door(door);
    let name = check.name(&Path::Root.field("name"), name);
    let note = read_bounded(&mut check, "note", note, NOTE_CHARS_MAX);
    check.finish(name.zip(note))
}

/// Which identifiers are to be erased, sealed, and why.
///
/// # Errors
/// [`Error::Invalid`] with every violation that the message shows by itself.
pub fn read_erase(
    request: pb::EraseIdentifiersRequest,
    door: Door<'_>,
) -> Result<(Vec<EntityRef>, Box<str>), Error> {
    let mut check = Check::at_door(door);
    let path = Path::Root.field("entities");
    if ERASED_PER_CALL_MAX < request.entities.len() {
        check.note(&path, format!("has more than {ERASED_PER_CALL_MAX} elements"));
    }
    let asked = request.entities.into_iter().take(ERASED_PER_CALL_MAX).enumerate();
    let read = asked.filter_map(|(idx, entity)| check.entity(&path.index(idx), entity));
    let entities: Vec<EntityRef> = read.collect();
    let note = read_bounded(&mut check, "note", request.note, NOTE_CHARS_MAX);
    check.finish(note.map(|note| (entities, note)))
}

/// The message for an erased identifier.
pub fn erased_to_pb(erased: &Erased) -> pb::ErasedIdentifier {
    pb::ErasedIdentifier {
        kind: erased.shown.kind.to_wire(),
        shown_as: erased.shown.key.to_string(),
        erased_at: Some(time_to_pb(erased.at)),
    }
}

/// Which entries are asked for.
///
/// # Errors
/// [`Error::Invalid`] with every violation.
pub fn read_list(
    request: pb::ListAuditEntriesRequest,
    door: Door<'_>,
) -> Result<AuditQuery, Error> {
    let mut check = Check::at_door(door);
    let actor = check.text(&Path::Root.field("actor"), request.actor);
    let action = check.text(&Path::Root.field("action"), request.action);
    let n_max = if request.page_size == 0 { AUDIT_PAGE } else { request.page_size };
    if AUDIT_PAGE_MAX < n_max {
        let path = Path::Root.field("page_size");
        check.note(&path, format!("{n_max} is more than {AUDIT_PAGE_MAX}"));
    }
    let filled = |text: Box<str>| Some(text).filter(|text| !text.is_empty());
    check.finish(actor.zip(action).map(|(actor, action)| AuditQuery {
        before: request.before,
        actor: filled(actor),
        action: filled(action),
        n_max,
    }))
}

/// The message for a key; its hash stays here.
pub fn key_to_pb(key: &ApiKey) -> pb::ApiKey {
    let ApiKey { name, owner, scopes, calls_per_second, is_active, expires, key_hash: _ } = key;
    pb::ApiKey {
        name: name.to_string(),
        owner: owner.to_string(),
        scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        calls_per_second: *calls_per_second,
        is_active: *is_active,
        expires: expires.map(time_to_pb),
    }
}

/// The message for an entry of the audit log.
pub fn entry_to_pb(entry: &AuditEntry) -> pb::AuditLogEntry {
    let AuditEntry { sequence, at, actor, action, subject, detail, previous_hash, hash } = entry;
    pb::AuditLogEntry {
        sequence: *sequence,
        at: Some(time_to_pb(*at)),
        actor: actor.to_string(),
        action: action.to_string(),
        subject: subject.to_string(),
        detail: detail.to_string(),
        previous_hash: previous_hash.to_string(),
        hash: hash.to_string(),
    }
}

/// The message for what reading the chain showed.
pub fn report_to_pb(report: &AuditReport) -> pb::VerifyAuditLogResponse {
    let AuditReport { n_entries, head_hash, broken } = report;
    let broken = broken.as_ref().map(|BrokenLink { sequence, fault }| pb::AuditBreak {
        sequence: *sequence,
        fault: name_of(*fault).to_owned(),
    });
    pb::VerifyAuditLogResponse { entries: *n_entries, head_hash: head_hash.to_string(), broken }
}

/// As the JSON of `orderlens audit verify` names them.
fn name_of(fault: LinkFault) -> &'static str {
    match fault {
        LinkFault::OtherSequence => "other_sequence",
        LinkFault::OtherPast => "other_past",
        LinkFault::Changed => "changed",
        LinkFault::OtherPerson => "other_person",
        LinkFault::OtherApiKey => "other_api_key",
        LinkFault::OtherIdentifier => "other_identifier",
        LinkFault::OtherEnd => "other_end",
    }
}

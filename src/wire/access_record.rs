//! People, the audit log and notes, as the journal holds them.

use std::collections::BTreeSet;

use crate::domain::access::{AuditEntry, Person, Role};
use crate::domain::note::{Note, NoteKind};
use crate::domain::record::{PersonChanged, Record};
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::feedback::read_decision_id;
use crate::wire::pb::journal::v1 as pb;

/// The message for a change of a person.
pub fn changed_to_pb(changed: &PersonChanged) -> pb::PersonChanged {
    let PersonChanged { person, audited } = changed;
    let Person { person_id, name, roles, is_active, key_hash } = person;
    let person = pb::Person {
        person_id: person_id.to_string(),
        name: name.to_string(),
        roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
        is_active: *is_active,
        key_hash: key_hash.to_string(),
    };
    pb::PersonChanged { person: Some(person), audited: Some(audited_to_pb(audited)) }
}

/// The message for an entry of the audit log.
pub fn audited_to_pb(entry: &AuditEntry) -> pb::AuditEntry {
    let AuditEntry { sequence, at, actor, action, subject, detail, previous_hash, hash } = entry;
    pb::AuditEntry {
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

/// The message for a note.
pub fn noted_to_pb(note: &Note) -> pb::Note {
    let Note { note_id, decision_id, by, at, kind, text } = note;
    pb::Note {
        note_id: note_id.to_string(),
        decision_id: decision_id.to_string(),
        by: by.to_string(),
        at: Some(time_to_pb(*at)),
        kind: kind.as_str().to_owned(),
        text: text.to_string(),
    }
}

/// The record of a change of a person.
pub fn read_changed(
    check: &mut Check<'_>,
    path: &Path<'_>,
    changed: pb::PersonChanged,
) -> Option<Record> {
    let person = check.required(&path.field("person"), changed.person, read_person);
    let audited = check.required(&path.field("audited"), changed.audited, read_entry);
    Some(Record::PersonChanged(PersonChanged { person: person?, audited: audited? }))
}

/// The record of an entry of the audit log.
pub fn read_audited(
    check: &mut Check<'_>,
    path: &Path<'_>,
    audited: pb::AuditEntry,
) -> Option<Record> {
    read_entry(check, path, audited).map(Record::Audited)
}

/// The record of a note.
pub fn read_noted(check: &mut Check<'_>, path: &Path<'_>, note: pb::Note) -> Option<Record> {
    let at = check.required(&path.field("at"), note.at, Check::time);
    let decision_id = read_decision_id(check, &path.field("decision_id"), &note.decision_id);
    let kind = NoteKind::parse(&note.kind);
    if kind.is_none() {
        check.note(&path.field("kind"), format!("`{}` is no kind of note", note.kind));
    }
    Some(Record::Noted(Note {
        note_id: note.note_id.into_boxed_str(),
        decision_id: decision_id?,
        by: note.by.into_boxed_str(),
        at: at?,
        kind: kind?,
        text: note.text.into_boxed_str(),
    }))
}

fn read_person(check: &mut Check<'_>, path: &Path<'_>, person: pb::Person) -> Option<Person> {
    let mut roles = BTreeSet::new();
    for name in &person.roles {
        let Some(role) = Role::parse(name) else {
            check.note(&path.field("roles"), format!("`{name}` is no role"));
            return None;
        };
        roles.insert(role);
    }
    Some(Person {
        person_id: person.person_id.into_boxed_str(),
        name: person.name.into_boxed_str(),
        roles,
        is_active: person.is_active,
        key_hash: person.key_hash.into_boxed_str(),
    })
}

pub(super) fn read_entry(
    check: &mut Check<'_>,
    path: &Path<'_>,
    entry: pb::AuditEntry,
) -> Option<AuditEntry> {
    let at = check.required(&path.field("at"), entry.at, Check::time);
    Some(AuditEntry {
        sequence: entry.sequence,
        at: at?,
        actor: entry.actor.into_boxed_str(),
        action: entry.action.into_boxed_str(),
        subject: entry.subject.into_boxed_str(),
        detail: entry.detail.into_boxed_str(),
        previous_hash: entry.previous_hash.into_boxed_str(),
        hash: entry.hash.into_boxed_str(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::record::{decode, encode};
    use crate::wire::samples;

    fn refusal(spoil: impl Fn(&mut pb::record::Entry)) -> Vec<String> {
        use prost::Message as _;
        let mut refusals = Vec::new();
        for record in samples::records() {
            let mut message = pb::Record::decode(&*encode(&record)).unwrap();
            spoil(message.entry.as_mut().unwrap());
            refusals.extend(decode(&message.encode_to_vec()).err().map(|it| it.to_string()));
        }
        refusals
    }

    #[test]
    fn a_role_or_kind_of_another_build_is_refused_by_name() {
        let refused = refusal(|entry| {
            if let pb::record::Entry::PersonChanged(changed) = entry {
                changed.person.as_mut().unwrap().roles.push("auditor".to_owned());
            }
        });
        assert_eq!(refused, ["1 fields are invalid; person.roles `auditor` is no role"]);
        let refused = refusal(|entry| {
            if let pb::record::Entry::Noted(note) = entry {
                note.kind = "remark".to_owned();
                note.at = None;
            }
        });
        let both = "2 fields are invalid; at is required; kind `remark` is no kind of note";
        assert_eq!(refused, [both]);
    }
}

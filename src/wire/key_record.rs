//! API keys, as the journal holds them.

use std::collections::BTreeSet;

use crate::domain::api_key::{ApiKey, Scope};
use crate::domain::record::{ApiKeyChanged, Record};
use crate::wire::access_record::{audited_to_pb, read_entry};
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::pb::journal::v1 as pb;

/// The message for a change of a key.
pub fn changed_to_pb(changed: &ApiKeyChanged) -> pb::ApiKeyChanged {
    let ApiKeyChanged { key, audited } = changed;
    let ApiKey { name, owner, scopes, calls_per_second, is_active, expires, key_hash } = key;
    let key = pb::ApiKey {
        name: name.to_string(),
        owner: owner.to_string(),
        scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        calls_per_second: *calls_per_second,
        is_active: *is_active,
        expires: expires.map(time_to_pb),
        key_hash: key_hash.to_string(),
    };
    pb::ApiKeyChanged { key: Some(key), audited: Some(audited_to_pb(audited)) }
}

/// The record of a change of a key.
pub fn read_changed(
    check: &mut Check<'_>,
    path: &Path<'_>,
    changed: pb::ApiKeyChanged,
) -> Option<Record> {
    let key = check.required(&path.field("key"), changed.key, read_key);
    let audited = check.required(&path.field("audited"), changed.audited, read_entry);
    Some(Record::ApiKeyChanged(ApiKeyChanged { key: key?, audited: audited? }))
}

fn read_key(check: &mut Check<'_>, path: &Path<'_>, key: pb::ApiKey) -> Option<ApiKey> {
    let scopes = read_scopes(check, &path.field("scopes"), &key.scopes);
    let expires = match key.expires {
        None => Some(None),
        Some(end) => check.time(&path.field("expires"), end).map(Some),
    };
    Some(ApiKey {
        name: key.name.into_boxed_str(),
        owner: key.owner.into_boxed_str(),
        scopes: scopes?,
        calls_per_second: key.calls_per_second,
        is_active: key.is_active,
        expires: expires?,
        key_hash: key.key_hash.into_boxed_str(),
    })
}

/// Scopes by their stable names; one that is none is noted.
pub(super) fn read_scopes(
    check: &mut Check<'_>,
    path: &Path<'_>,
    names: &[String],
) -> Option<BTreeSet<Scope>> {
    let mut scopes = BTreeSet::new();
    for name in names {
        let Some(scope) = Scope::parse(name) else {
            check.note(path, format!("`{name}` is no scope"));
            return None;
        };
        scopes.insert(scope);
    }
    Some(scopes)
}

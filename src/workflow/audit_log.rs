//! The audit log as the journal has it: newest entries, and where it breaks.

use std::collections::VecDeque;

use crate::domain::access::{AuditEntry, AuditHead, BrokenLink, LinkFault};
use crate::domain::audit_query::{AUDIT_PAGE_MAX, AuditQuery, AuditReport};
use crate::domain::record::Record;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_audited;
use crate::workflow::error::Error;

/// Follows the chain from the first record of a journal to a position, one record in memory;
/// `known` is the end that somebody remembers of there.
///
/// # Errors
/// `Internal` when the journal cannot be read.
pub fn verify_audit(
    reader: &JournalReader,
    until: u64,
    known: Option<&AuditHead>,
) -> Result<AuditReport, Error> {
    let mut head = AuditHead::default();
    for entry in read_audited(reader) {
        let (position, record) =
            entry.map_err(|error| Error::failed("reading the journal", error))?;
        if until < position {
            break;
        }
        match followed_by(&head, &record) {
            Ok(next) => head = next,
            Err(broken) => return Ok(report(head, Some(broken))),
        }
    }
    let broken = known.filter(|known| **known != head).map(|known| BrokenLink {
        // A cut end breaks behind what is left; one written anew, nobody knows where.
        sequence: known.sequence.min(head.sequence + 1),
        fault: LinkFault::OtherEnd,
    });
    Ok(report(head, broken))
}

fn followed_by(head: &AuditHead, record: &Record) -> Result<AuditHead, BrokenLink> {
    let Some(entry) = record.audited() else { return Ok(head.clone()) };
    let next = head.followed_by(entry)?;
    if let Record::PersonChanged(changed) = record
        && !changed.person.is_told_by(entry)
    {
        return Err(BrokenLink { sequence: entry.sequence, fault: LinkFault::OtherPerson });
    }
    if let Record::ApiKeyChanged(changed) = record
        && !changed.key.is_told_by(entry)
    {
        return Err(BrokenLink { sequence: entry.sequence, fault: LinkFault::OtherApiKey });
    }
    if let Record::IdentifierErased(erased) = record
        && !erased.is_told_by(entry)
    {
        return Err(BrokenLink { sequence: entry.sequence, fault: LinkFault::OtherIdentifier });
    }
    Ok(next)
}

fn report(head: AuditHead, broken: Option<BrokenLink>) -> AuditReport {
    AuditReport { n_entries: head.sequence, head_hash: head.hash, broken }
}

/// The newest entries that are asked for, newest first; as the records list them.
///
/// # Errors
/// `Internal` when the journal cannot be read.
pub fn newest_entries(
    reader: &JournalReader,
    query: &AuditQuery,
) -> Result<Vec<AuditEntry>, Error> {
    let n_max = query.n_max.min(AUDIT_PAGE_MAX) as usize;
    let mut newest = VecDeque::new();
    for entry in read_audited(reader) {
        let (_, record) = entry.map_err(|error| Error::failed("reading the journal", error))?;
        let Some(entry) = record.audited().filter(|entry| query.matches(entry)) else { continue };
        newest.push_front(entry.clone());
        newest.truncate(n_max);
    }
    Ok(newest.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::api_key::{ApiKeyDraft, KeyChange, Scope};
    use crate::domain::strategy_version::Signature;
    use crate::domain::time::Timestamp;
    use crate::workflow::access_ledger::AccessLedger;
    use crate::workflow::key_ledger::KeyStep;

    #[test]
    fn a_key_with_more_scopes_than_were_told_breaks_the_chain() {
        let head = AuditHead::default();
        let draft = ApiKeyDraft {
            name: "shop".into(),
            owner: "lin".into(),
            scopes: [Scope::Score].into(),
            calls_per_second: None,
            expires: None,
        };
        let change = KeyChange::Create { draft, key_hash: "ab".repeat(32).into() };
        let by = Signature { by: "root".into(), at: Timestamp(1), note: "".into() };
        let step = AccessLedger::default().change_key(change, by).unwrap();
        let KeyStep::New(mut changed) = step else { panic!("it is new") };
        assert!(followed_by(&head, &Record::ApiKeyChanged(changed.clone())).is_ok());
        changed.key.scopes.insert(Scope::Admin);
        let broken = followed_by(&head, &Record::ApiKeyChanged(changed)).unwrap_err();
        assert_eq!(broken, BrokenLink { sequence: 1, fault: LinkFault::OtherApiKey });
    }
}

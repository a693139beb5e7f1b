//! A decision with all that is known about it, from a data folder alone.

use std::path::Path;

use crate::domain::decision::DecisionId;
use crate::domain::entity::EntityKind;
use crate::domain::note::{NOTES_MAX, Note};
use crate::domain::record::Record;
use crate::domain::time::Timestamp;
use crate::store::error::Error as StoreError;
use crate::store::journal::reader::JournalReader;
use crate::store::log::read_at;
use crate::store::records::{RecordsPlace, open_to_read};
use crate::workflow::dossier_service::Dossier;
use crate::workflow::error::Error;
use crate::workflow::read_journal::{erased_until, linked_until};
use crate::workflow::start_engine::{JOURNAL_DIR, RECORDS_FILE};
use crate::workflow::timeline::timeline;

/// What a data folder knows about a decision.
#[derive(Clone, Debug)]
pub struct KeptDossier {
    /// The decision and its order.
    pub dossier: Dossier,
    /// What people wrote about it, oldest first.
    pub notes: Vec<Note>,
}

/// Reads a decision from a data folder and changes nothing; a server may have it open.
///
/// # Errors
/// `NotFound` when the records do not have the decision (yet), `Internal` when the folder
/// cannot be read.
pub fn kept_dossier(
    data_dir: &Path,
    place: &RecordsPlace,
    id: DecisionId,
) -> Result<KeptDossier, Error> {
    let unread = |error: StoreError| Error::failed("reading the data folder", error);
    let (file, journal_dir) = (data_dir.join(RECORDS_FILE), data_dir.join(JOURNAL_DIR));
    let records = open_to_read(place, &file, &journal_dir).map_err(unread)?;
    let reader = JournalReader::open(&journal_dir).map_err(unread)?;
    let position = records.decision_position(id).map_err(unread)?;
    let record = match position {
        Some(position) => read_at(&reader, position).map_err(unread)?,
        None => None,
    };
    let Some(Record::Decision(scored)) = record else { return Err(Error::UnknownDecision(id)) };
    // A file for an auditor shows no more than the server does.
    let erasures = erased_until(&reader, Timestamp(i64::MAX)).map_err(unread)?;
    let scored = erasures.redacted(scored);
    let mut account = scored.request.order.entity(EntityKind::Account).cloned();
    if let Some(account) = &mut account {
        linked_until(&reader, Timestamp(i64::MAX)).map_err(unread)?.rename(account);
    }
    let told = timeline(&records, &scored, account.as_ref()).map_err(unread)?;
    let dossier = Dossier {
        choices: records.choices(id).map_err(unread)?,
        outcomes: records.outcomes(id).map_err(unread)?,
        timeline: told.entries,
        is_timeline_truncated: told.is_truncated,
        scored,
    };
    let notes = records.list_notes(id, NOTES_MAX).map_err(unread)?;
    Ok(KeptDossier { dossier, notes })
}

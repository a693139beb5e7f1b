//! Steps in the life of an experiment, as the journal holds them.

use crate::domain::record::{ExperimentEnded, ExperimentRamped, ExperimentStarted, Record};
use crate::domain::strategy_version::Signature;
use crate::wire::check::{Check, Path, time_to_pb};
use crate::wire::pb::journal::v1 as pb;

/// The message for a start.
pub fn started_to_pb(started: &ExperimentStarted) -> pb::ExperimentStarted {
    let ExperimentStarted { plan, percent, signature } = started;
    pb::ExperimentStarted {
        plan: json(plan),
        percent: *percent,
        at: Some(time_to_pb(signature.at)),
        by: signature.by.to_string(),
        note: signature.note.to_string(),
    }
}

/// The message for another share.
pub fn ramped_to_pb(ramped: &ExperimentRamped) -> pb::ExperimentRamped {
    let ExperimentRamped { id, percent, signature } = ramped;
    pb::ExperimentRamped {
        id: id.to_string(),
        percent: *percent,
        at: Some(time_to_pb(signature.at)),
        by: signature.by.to_string(),
        note: signature.note.to_string(),
    }
}

/// The message for an end.
pub fn ended_to_pb(ended: &ExperimentEnded) -> pb::ExperimentEnded {
    let ExperimentEnded { id, end, signature } = ended;
    pb::ExperimentEnded {
        id: id.to_string(),
        end: json(end),
        at: Some(time_to_pb(signature.at)),
        by: signature.by.to_string(),
        note: signature.note.to_string(),
    }
}

/// The record of a start.
pub fn read_started(
    check: &mut Check<'_>,
    path: &Path<'_>,
    started: pb::ExperimentStarted,
) -> Option<Record> {
    let at = check.required(&path.field("at"), started.at, Check::time)?;
    let plan = read_json(check, &path.field("plan"), &started.plan)?;
    let signature = Signature { by: started.by.into(), at, note: started.note.into() };
    let percent = started.percent;
    Some(Record::ExperimentStarted(ExperimentStarted { plan, percent, signature }))
}

/// The record of another share.
pub fn read_ramped(
    check: &mut Check<'_>,
    path: &Path<'_>,
    ramped: pb::ExperimentRamped,
) -> Option<Record> {
    let at = check.required(&path.field("at"), ramped.at, Check::time)?;
    Some(Record::ExperimentRamped(ExperimentRamped {
        id: ramped.id.into(),
        percent: ramped.percent,
        signature: Signature { by: ramped.by.into(), at, note: ramped.note.into() },
    }))
}

/// The record of an end.
pub fn read_ended(
    check: &mut Check<'_>,
    path: &Path<'_>,
    ended: pb::ExperimentEnded,
) -> Option<Record> {
    let at = check.required(&path.field("at"), ended.at, Check::time)?;
    Some(Record::ExperimentEnded(ExperimentEnded {
        id: ended.id.into(),
        end: read_json(check, &path.field("end"), &ended.end)?,
        signature: Signature { by: ended.by.into(), at, note: ended.note.into() },
    }))
}

/// JSON names every field, so that a plan of an older version reads or says what it lacks.
fn json(value: &impl serde::Serialize) -> String {
    // Cannot fail on our own types; an empty text would be refused when it is read.
    serde_json::to_string(value).unwrap_or_default()
}

fn read_json<T: serde::de::DeserializeOwned>(
    check: &mut Check<'_>,
    path: &Path<'_>,
    text: &str,
) -> Option<T> {
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            check.note(path, format!("does not read: {error}"));
            None
        }
    }
}

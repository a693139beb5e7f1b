//! Makes every recorded decision of a journal again and compares the bytes.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::record::{Record, ScoredOrder};
use crate::store::journal::reader::JournalReader;
use crate::store::log::{bytes_of, read_from};
use crate::workflow::error::Error;
use crate::workflow::pace::{LeftOut, Pace};
use crate::workflow::past::{Past, judge_as_recorded};
use crate::workflow::replay_decision::differences;
use crate::workflow::state::State;

/// Differing decisions that the report shows in full; all are counted.
const SHOWN_MAX: usize = 10;

/// What a replay of a whole journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Records folded.
    pub records: u64,
    /// Decisions made again with the same bytes.
    pub identical: u64,
    /// Decisions that came out differently.
    pub differing: u64,
    /// Decisions of bundles that are not loaded.
    pub skipped: u64,
    /// The first differing ones: id and the fields that differ.
    pub examples: Vec<(String, Vec<String>)>,
}

/// Folds the journal from its first record and judges every decision again where it stood.
///
/// # Errors
/// `Internal` when the journal cannot be read.
pub fn replay_journal(
    past: &Past,
    reader: &JournalReader,
    progress: &mut dyn FnMut(u64),
) -> Result<ReplayReport, Error> {
    let mut state = past.empty();
    let mut report = ReplayReport::default();
    for entry in read_from(reader, 1) {
        let (_, record) = entry.map_err(|error| Error::failed("reading the journal", error))?;
        if let Record::Decision(scored) = &record {
            replay_one(past, &mut state, scored, &mut report)?;
        }
        state.fold(&record);
        report.records += 1;
        if report.records.is_multiple_of(1_024) {
            progress(report.records);
        }
    }
    progress(report.records);
    Ok(report)
}

fn replay_one(
    past: &Past,
    state: &mut State,
    scored: &Arc<ScoredOrder>,
    report: &mut ReplayReport,
) -> Result<(), Error> {
    let Ok(lineup) = past.lineup_of(state) else {
        report.skipped += 1;
        return Ok(());
    };
    let request = &scored.request;
    let pace = Pace::AsBefore(LeftOut::of(&scored.decision.degraded_reasons));
    let judge = lineup.judge(state, &request.order, request.event_time).at_pace(pace);
    let sight = judge.see(state, &scored.request, &[], || 0);
    let again = judge_as_recorded(&judge, &sight, &scored.decision, &scored.request)?;
    let fields = differences(&scored.decision, &again.decision);
    let recorded = bytes_of(&Record::Decision(scored.clone()));
    if fields.is_empty() && recorded == bytes_of(&Record::Decision(again)) {
        report.identical += 1;
        return Ok(());
    }
    report.differing += 1;
    if report.examples.len() < SHOWN_MAX {
        let paths = fields.iter().map(|field| field.path.to_string()).collect();
        report.examples.push((scored.decision.decision_id.to_string(), paths));
    }
    Ok(())
}

//! Foreign files to canonical events, by a mapping.
//!
//! Rows are read once ([`rows`], [`mod@line`]), brought together by order
//! ([`mod@assemble`]), later facts find their orders ([`matching`]), and events
//! leave by time ([`output`]). Every step sorts on disk when it has to
//! ([`sorting`]), so memory does not grow with the file: it is bounded by a few
//! runs of 64 MiB, the rows of one order, and the open orders of one account
//! (and SKU) while matching.

mod amount;
mod assemble;
#[cfg(test)]
mod broken_mappings;
mod cell;
mod check;
mod check_rules;
pub mod error;
mod instant;
mod labeling;
#[cfg(test)]
mod laws;
mod line;
pub mod mapping;
mod matching;
pub mod mistake;
mod output;
pub mod reject;
mod rows;
mod section;
mod sorting;
pub mod summary;

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::entity::IdentityKey;
use crate::domain::event::Fact;
use crate::domain::time::Timestamp;
use crate::import::assemble::assemble;
use crate::import::error::Error;
use crate::import::labeling::push_column_labels;
use crate::import::line::{LineReader, OrderLine, Parsed};
use crate::import::mapping::{Mapping, Rules};
use crate::import::matching::{Matcher, Sinks, order_sort_key, push};
use crate::import::output::{EventSink, RejectSink, with_suffix};
use crate::import::reject::{Reason, Reject};
use crate::import::rows::{Row, Rows, Step};
use crate::import::section::Column;
use crate::import::sorting::{RUN_BYTES_MAX, Sorted, Sorter, WorkFolder};
use crate::import::summary::ImportSummary;

/// Rows between two calls of `progress`.
const PROGRESS_ROWS: u64 = 4_096;

/// Maps `input` to events in `output`; bad rows go to `rejects`.
///
/// `progress` gets rows and bytes read so far; bytes are those of the file, so
/// packed ones for gzip. `output` appears only when everything went well.
/// The same input gives the same bytes.
///
/// # Errors
/// [`Error`] for files that cannot be read or written, columns that are not
/// there, and more bad rows than the mapping allows.
pub fn run(
    mapping: &Mapping,
    input: &Path,
    output: &Path,
    rejects: &Path,
    identity: &IdentityKey,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ImportSummary, Error> {
    let limited = Limited { mapping, identity, run_bytes_max: RUN_BYTES_MAX };
    limited.run(input, output, rejects, progress)
}

/// An import with the memory it may use for one sort.
struct Limited<'a> {
    mapping: &'a Mapping,
    identity: &'a IdentityKey,
    run_bytes_max: usize,
}

impl Limited<'_> {
    fn run(
        &self,
        input: &Path,
        output: &Path,
        rejects: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ImportSummary, Error> {
        let rules = &self.mapping.rules;
        let mut rows = Rows::open(self.mapping, input)?;
        let folder = WorkFolder::create(with_suffix(output, ".sorting"))?;
        let mut summary = ImportSummary::default();
        let mut event_sink =
            EventSink::new(&folder, &rules.source.event_prefix, self.run_bytes_max);
        let mut reject_sink = RejectSink::new(&folder, self.run_bytes_max);
        let mut sinks =
            Sinks { events: &mut event_sink, rejects: &mut reject_sink, summary: &mut summary };
        let mut stage = Stage {
            mapping: self.mapping,
            lines: Sorter::new(&folder, "lines", self.run_bytes_max),
            matcher: Matcher::new(rules, &folder, self.run_bytes_max),
        };
        stage
            .read(&mut rows, &LineReader::new(rules, self.identity), &mut sinks, progress)
            .map_err(|error| match error {
                ReadError::Input(source) => Error::Input { path: input.to_owned(), source },
                ReadError::Own(error) => error,
            })?;
        let Stage { lines, mut matcher, .. } = stage;
        place_orders(rules, lines.finish()?, &mut matcher, &mut sinks)?;
        let data_end = sinks.summary.last_time.unwrap_or_default();
        matcher.finish(data_end, &mut sinks)?;
        let worst = reject_sink.worst();
        reject_sink.write(rejects, &mut summary)?;
        check_share(self.mapping, &summary, rejects, worst)?;
        event_sink.write(output)?;
        Ok(summary)
    }
}

/// What the rows are collected in.
struct Stage<'a> {
    mapping: &'a Mapping,
    lines: Sorter,
    matcher: Matcher<'a>,
}

enum ReadError {
    Input(std::io::Error),
    Own(Error),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl Stage<'_> {
    fn read(
        &mut self,
        rows: &mut Rows,
        reader: &LineReader<'_>,
        sinks: &mut Sinks<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ReadError> {
        let personal = personal_columns(&self.mapping.rules);
        let mut row = Row::default();
        loop {
            let step = rows.next(&mut row).map_err(ReadError::Input)?;
            if !matches!(step, Step::End) {
                sinks.summary.rows += 1;
            }
            if sinks.summary.rows.is_multiple_of(PROGRESS_ROWS) {
                progress(sinks.summary.rows, rows.bytes_read());
            }
            match step {
                Step::End => break,
                Step::Bad { line, reason } => {
                    let reject = Reject { line, reason, column: "".into(), value: "".into() };
                    sinks.rejects.push(&reject, sinks.summary)?;
                }
                Step::Row => match reader.read(&row, sinks.summary.rows) {
                    Ok(parsed) => self.take(parsed, sinks)?,
                    Err(fault) => {
                        let reject = self.reject(&row, fault.reason, fault.column, &personal);
                        sinks.rejects.push(&reject, sinks.summary)?;
                    }
                },
            }
        }
        progress(sinks.summary.rows, rows.bytes_read());
        Ok(())
    }

    fn take(&mut self, parsed: Parsed, sinks: &mut Sinks<'_>) -> Result<(), Error> {
        match parsed {
            Parsed::Filtered => {
                sinks.summary.filtered += 1;
                Ok(())
            }
            Parsed::Line(line) => {
                see_time(line.time, sinks.summary);
                sinks.summary.accepted += 1;
                let mut key = order_sort_key(&line.key);
                key.extend(line.line.to_be_bytes());
                push(&mut self.lines, &key, &*line)
            }
            Parsed::Fact(fact) => {
                see_time(fact.time, sinks.summary);
                self.matcher.add_fact(*fact, sinks)
            }
        }
    }

    fn reject(
        &self,
        row: &Row,
        reason: Reason,
        column: Option<Column>,
        personal: &BTreeSet<usize>,
    ) -> Reject {
        let name = column.and_then(|column| self.mapping.columns.get_index(column.0));
        let value = column
            .filter(|column| !personal.contains(&column.0))
            .and_then(|column| row.get(column))
            .unwrap_or_default();
        Reject {
            line: row.line,
            reason,
            column: name.map(|(name, _)| name.clone()).unwrap_or_default(),
            value: value.into(),
        }
    }
}

/// Columns whose values must not show up in a reject file.
fn personal_columns(rules: &Rules) -> BTreeSet<usize> {
    let personal = rules.entities.iter().filter(|entity| entity.kind.is_personal());
    personal.flat_map(|entity| entity.columns.iter().map(|column| column.0)).collect()
}

fn see_time(time: Timestamp, summary: &mut ImportSummary) {
    summary.first_time = Some(summary.first_time.map_or(time, |first| first.min(time)));
    summary.last_time = Some(summary.last_time.map_or(time, |last| last.max(time)));
}

/// Puts the lines of each order together and writes it with its column labels.
fn place_orders(
    rules: &Rules,
    mut sorted: Sorted,
    matcher: &mut Matcher<'_>,
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    let mut lines: Vec<OrderLine> = Vec::new();
    while let Some((_, value)) = sorted.next()? {
        let line: OrderLine =
            postcard::from_bytes(&value).map_err(|_| sorted.folder().damaged())?;
        if lines.first().is_some_and(|first| first.key != line.key) {
            place_order(rules, std::mem::take(&mut lines), matcher, sinks)?;
        }
        lines.push(line);
    }
    place_order(rules, lines, matcher, sinks)
}

fn place_order(
    rules: &Rules,
    lines: Vec<OrderLine>,
    matcher: &mut Matcher<'_>,
    sinks: &mut Sinks<'_>,
) -> Result<(), Error> {
    sinks.summary.unmapped += lines.iter().map(|line| u64::from(line.n_unmapped)).sum::<u64>();
    let Some(assembled) = assemble(rules, lines) else { return Ok(()) };
    for &line in &assembled.too_many {
        let reason = Reason::TooManyItems;
        let reject = Reject { line, reason, column: "".into(), value: "".into() };
        sinks.rejects.push(&reject, sinks.summary)?;
        sinks.summary.accepted -= 1;
    }
    let (order, time) = (assembled.order, assembled.time);
    sinks.summary.orders += 1;
    sinks.summary.items += order.items.len() as u64;
    sinks.summary.conflicts += assembled.n_conflicts;
    matcher.add_order(&order, time)?;
    push_column_labels(rules, &order.key, time, &assembled.labels, sinks)?;
    let key = order.key.clone();
    sinks.events.push(&key, "placed", time, Fact::OrderPlaced(order), sinks.summary)
}

/// Too many bad rows are a mistake of the mapping or the wrong file.
fn check_share(
    mapping: &Mapping,
    summary: &ImportSummary,
    rejects: &Path,
    worst: Option<(Reason, Box<str>)>,
) -> Result<(), Error> {
    let max_reject_share = mapping.rules.source.max_reject_share;
    if summary.rejected as f64 <= max_reject_share * summary.rows as f64 {
        return Ok(());
    }
    let worst = worst.map(|(reason, column)| {
        let place = mapping.place_of(&column).unwrap_or_default();
        format!("; mostly {} in column `{column}`: {place}", reason.as_str())
    });
    let first = summary.first_rejects.first().map(|reject| {
        format!("line {}: {} `{}`", reject.line, reject.reason.as_str(), reject.value)
    });
    Err(Error::TooManyRejects {
        rejected: summary.rejected,
        rows: summary.rows,
        max_reject_share,
        rejects_path: rejects.to_owned(),
        first: first.unwrap_or_default(),
        worst: worst.unwrap_or_default(),
    })
}

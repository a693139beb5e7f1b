//! Reads a journal with one thread, works with several, folds in its order.
//!
//! Batches go around the workers and are taken back in the same round, so the order of
//! the results is that of the journal, whatever the number of threads. All queues are
//! short, so memory does not grow with the journal.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::domain::recorded_order::RecordedFact;
use crate::store::journal::reader::JournalReader;
use crate::store::log::{read_short, tells_fact_or_order};
use crate::workflow::error::Error;

/// Bytes of records that make a batch.
const BATCH_BYTES: usize = 512 << 10;
/// Records that make one.
const BATCH_RECORDS: usize = 1_024;
/// Batches that wait for a worker, and as many for the fold.
const DEPTH: usize = 2;

/// Records with their positions, and how many were read up to here.
struct Batch {
    records: Vec<(u64, Vec<u8>)>,
    position: u64,
}

type Read = Result<Batch, Error>;
type Worked<T> = Result<(Vec<T>, u64), Error>;

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was folded.
    Whole,
    /// The fold had enough.
    Stopped,
}

/// Works on every event and decision of a journal from a position on.
///
/// `make_worker` is called once per thread. `fold` gets the results of a batch and the
/// position up to which the journal is folded with it.
///
/// # Errors
/// The first error of reading or working, in the order of the journal.
pub fn work_through<T: Send, W: FnMut(u64, RecordedFact) -> Result<T, Error>>(
    reader: &JournalReader,
    from: u64,
    n_threads: usize,
    make_worker: &(impl Fn() -> W + Sync),
    fold: &mut dyn FnMut(Vec<T>, u64) -> ControlFlow<()>,
) -> Result<Ended, Error> {
    thread::scope(|scope| {
        let mut lanes = Vec::with_capacity(n_threads);
        let mut results = Vec::with_capacity(n_threads);
        for _ in 0..n_threads.max(1) {
            let (lane, batches) = sync_channel(DEPTH);
            let (done, result) = sync_channel(DEPTH);
            lanes.push(lane);
            results.push(result);
            scope.spawn(move || work(make_worker(), &batches, &done));
        }
        scope.spawn(move || read(reader, from, &lanes));
        collect(&results, fold)
    })
}

fn read(reader: &JournalReader, from: u64, lanes: &[SyncSender<Read>]) {
    let mut around = lanes.iter().cycle();
    let mut send = |batch: Read| around.next().is_some_and(|lane| lane.send(batch).is_ok());
    let (mut records, mut n_bytes, mut last) = (Vec::new(), 0, from.saturating_sub(1));
    for entry in reader.read_from(from) {
        let (position, payload) = match entry {
            Ok(entry) => entry,
            Err(error) => {
                send(Err(Error::failed("reading the journal", error)));
                return;
            }
        };
        last = position;
        if tells_fact_or_order(&payload) {
            n_bytes += payload.len();
            records.push((position, payload));
        }
        if BATCH_BYTES <= n_bytes || BATCH_RECORDS <= records.len() {
            n_bytes = 0;
            // Nobody takes it when the fold had enough.
            if !send(Ok(Batch { records: std::mem::take(&mut records), position })) {
                return;
            }
        }
    }
    send(Ok(Batch { records, position: last }));
}

fn work<T>(
    mut worker: impl FnMut(u64, RecordedFact) -> Result<T, Error>,
    batches: &Receiver<Read>,
    done: &SyncSender<Worked<T>>,
) {
    for batch in batches {
        let mut work_on = |batch: Batch| {
            let results = batch.records.into_iter().map(|(position, payload)| {
                let fact = read_short(position, &payload)
                    .map_err(|error| Error::failed("reading the journal", error))?;
                worker(position, fact)
            });
            Ok((results.collect::<Result<Vec<T>, Error>>()?, batch.position))
        };
        if done.send(batch.and_then(&mut work_on)).is_err() {
            return;
        }
    }
}

fn collect<T>(
    results: &[Receiver<Worked<T>>],
    fold: &mut dyn FnMut(Vec<T>, u64) -> ControlFlow<()>,
) -> Result<Ended, Error> {
    for result in results.iter().cycle() {
        // The reader is through, and so is everybody.
        let Ok(worked) = result.recv() else { break };
        let (batch, position) = worked?;
        if fold(batch, position).is_break() {
            return Ok(Ended::Stopped);
        }
    }
    Ok(Ended::Whole)
}

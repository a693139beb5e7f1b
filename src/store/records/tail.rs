//! The newest journal records in memory, for whoever follows the journal.
//!
//! Reading a judged order back from the journal costs as much as judging it, so the
//! one who wrote it hands it on. Nothing depends on that: what is not here is read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::record::Record;

/// The newest records, oldest first; cheap to clone, all clones are one.
#[derive(Clone, Debug)]
pub struct RecordTail {
    newest: Arc<Mutex<VecDeque<(u64, Record)>>>,
    n_max: usize,
}

impl RecordTail {
    /// Holds at most so many records.
    pub fn new(n_max: usize) -> Self {
        Self { newest: Arc::default(), n_max }
    }

    /// Adds a record that the journal took; beyond the limit the oldest one is forgotten.
    pub fn push(&self, position: u64, record: Record) {
        let mut newest = self.lock();
        let forgotten = if newest.len() < self.n_max { None } else { newest.pop_front() };
        newest.push_back((position, record));
        drop(newest);
        // Giving its memory back takes longer than all of the above.
        drop(forgotten);
    }

    /// Takes out the records that follow each other from `position` on, up to a position and
    /// a number, and forgets the ones before. `Err` says how many must be read elsewhere first.
    ///
    /// # Errors
    /// The number of records before the oldest one here; `u64::MAX` when there is none.
    pub fn take(&self, position: u64, last: u64, n_max: usize) -> Result<Vec<(u64, Record)>, u64> {
        let mut newest = self.lock();
        while newest.front().is_some_and(|(at, _)| *at < position) {
            newest.pop_front();
        }
        match newest.front() {
            Some((at, _)) if *at == position => {}
            Some((at, _)) => return Err(at - position),
            None => return Err(u64::MAX),
        }
        let in_turn = newest.iter().zip(position..).take(n_max);
        let n = in_turn.take_while(|((at, _), next)| at == next && *at <= last).count();
        Ok(newest.drain(..n).collect())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Record)>> {
        // A record is added whole or not at all, so a panicked neighbor has left it usable.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::GraphActivated;
    use crate::domain::time::Timestamp;

    fn tail(n_max: usize, positions: &[u64]) -> RecordTail {
        let tail = RecordTail::new(n_max);
        for position in positions {
            let record = GraphActivated { settings: "{}".into(), at: Timestamp(0) };
            tail.push(*position, Record::GraphActivated(record));
        }
        tail
    }

    fn taken(tail: &RecordTail, position: u64, last: u64, n_max: usize) -> Result<Vec<u64>, u64> {
        let taken = tail.take(position, last, n_max)?;
        Ok(taken.into_iter().map(|(position, _)| position).collect())
    }

    #[test]
    fn records_come_in_turn_up_to_what_is_durable_and_only_once() {
        let tail = tail(9, &[3, 4, 5, 7, 8]);
        assert_eq!(taken(&tail, 3, 4, 9), Ok(vec![3, 4]));
        assert_eq!(taken(&tail, 5, 8, 9), Ok(vec![5]));
        assert_eq!(taken(&tail, 6, 8, 9), Err(1));
        assert_eq!(taken(&tail, 7, 8, 1), Ok(vec![7]));
        assert_eq!(taken(&tail, 8, 7, 9), Ok(vec![]));
        assert_eq!(taken(&tail, 9, 9, 9), Err(u64::MAX));
    }

    #[test]
    fn beyond_the_limit_the_oldest_are_forgotten() {
        let tail = tail(2, &[1, 2, 3]);
        assert_eq!(taken(&tail, 1, 3, 9), Err(1));
        assert_eq!(taken(&tail, 2, 3, 9), Ok(vec![2, 3]));
    }
}

//! How deliveries to other systems do, and what of sources was put aside.

use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use crate::domain::time::Timestamp;

/// How one sink does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkStatus {
    /// Deliveries that the sink has taken since the start.
    pub n_delivered: u64,
    /// Tries that failed since the start.
    pub n_failed: u64,
    /// Journal records that were not looked through for this sink yet.
    pub n_behind: u64,
    /// When what it waits for now was recorded; `None` while nothing waits.
    pub waits_since: Option<Timestamp>,
    /// Deliveries that were given up; they can be tried again.
    pub n_dead: u64,
    /// Why the last try failed; `None` once one was taken after it.
    pub fault: Option<Box<str>>,
}

/// How all sinks do, and which sources sent what could not be taken.
#[derive(Debug, Default)]
pub struct DeliveryBoard {
    sinks: Mutex<IndexMap<Box<str>, SinkStatus>>,
    aside: Mutex<IndexMap<Box<str>, u64>>,
}

impl DeliveryBoard {
    /// Changes the line of a sink.
    pub fn change(&self, sink: &str, change: impl FnOnce(&mut SinkStatus)) {
        let mut sinks = self.lock();
        if let Some(status) = sinks.get_mut(sink) {
            change(status);
            return;
        }
        let mut status = SinkStatus::default();
        change(&mut status);
        sinks.insert(sink.into(), status);
    }

    /// Every sink with its line.
    pub fn report(&self) -> Vec<(Box<str>, SinkStatus)> {
        self.lock().iter().map(|(name, status)| (name.clone(), status.clone())).collect()
    }

    /// Tells how many messages of a source are put aside.
    pub fn put_aside(&self, source: &str, n: u64) {
        self.lock_aside().insert(source.into(), n);
    }

    /// Every source whose messages can be put aside, with how many are.
    pub fn aside(&self) -> Vec<(Box<str>, u64)> {
        self.lock_aside().iter().map(|(name, n)| (name.clone(), *n)).collect()
    }

    fn lock_aside(&self) -> MutexGuard<'_, IndexMap<Box<str>, u64>> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, IndexMap<Box<str>, SinkStatus>> {
        // A line that a panic left behind is still a line.
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! How deliveries to other systems do: a line per sink, for pages and metrics.

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

/// How all sinks do.
#[derive(Debug, Default)]
pub struct DeliveryBoard {
    sinks: Mutex<IndexMap<Box<str>, SinkStatus>>,
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

    fn lock(&self) -> MutexGuard<'_, IndexMap<Box<str>, SinkStatus>> {
        // A line that a panic left behind is still a line.
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What became known about an entity, and when: verdicts of one head by time.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// Verdicts that were known at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownLabels {
    /// Orders known to be bad.
    pub n_bad: u64,
    /// Orders with any verdict.
    pub n_known: u64,
}

/// What an order turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Truth {
    /// The head's risk did not come true.
    Good,
    /// It did.
    Bad,
}

/// Verdicts by the time they became known, with running counts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct LabelLog {
    times: Vec<Timestamp>,
    /// Bad ones up to and including the same position.
    n_bad: Vec<u32>,
    bad_times: Vec<Timestamp>,
    dropped: (u32, u32),
}

impl LabelLog {
    /// Adds a verdict that became known at `time`.
    pub(super) fn insert(&mut self, time: Timestamp, verdict: Truth) {
        let is_bad = verdict == Truth::Bad;
        let position = self.end(time);
        let before = position.checked_sub(1).map_or(0, |last| self.n_bad[last]);
        self.times.insert(position, time);
        self.n_bad.insert(position, before + u32::from(is_bad));
        if is_bad {
            for later in &mut self.n_bad[position + 1..] {
                *later += 1;
            }
            let position = self.bad_times.partition_point(|&at| at <= time);
            self.bad_times.insert(position, time);
        }
    }

    /// Forgets verdicts older than `horizon`, keeping their counts.
    pub(super) fn expire(&mut self, horizon: Timestamp) {
        let n = self.times.partition_point(|&time| time < horizon);
        if let Some(last) = n.checked_sub(1) {
            let n_bad = self.n_bad[last];
            self.dropped.0 += n_bad;
            self.dropped.1 += u32::try_from(n).unwrap_or(u32::MAX);
            self.times.drain(..n);
            self.n_bad.drain(..n);
            self.n_bad.iter_mut().for_each(|count| *count -= n_bad);
            self.bad_times.retain(|&time| horizon <= time);
        }
    }

    /// How many of the kept verdicts were known at `time`.
    pub(super) fn end(&self, time: Timestamp) -> usize {
        match self.times.last() {
            Some(&last) if time < last => self.times.partition_point(|&at| at <= time),
            _ => self.times.len(),
        }
    }

    /// Verdicts that became known in `(as_of - window, as_of]`.
    pub(super) fn known(&self, as_of: Timestamp, window: Span, end: usize) -> KnownLabels {
        let start = self.times[..end].partition_point(|&at| at <= as_of - window);
        KnownLabels {
            n_bad: u64::from(self.bad_before(end) - self.bad_before(start)),
            n_known: (end - start) as u64,
        }
    }

    /// Every verdict before position `end`, dropped ones too.
    pub(super) fn ever(&self, end: usize) -> KnownLabels {
        KnownLabels {
            n_bad: u64::from(self.dropped.0 + self.bad_before(end)),
            n_known: u64::from(self.dropped.1) + end as u64,
        }
    }

    /// When the newest bad verdict became known, at or before `as_of`.
    pub(super) fn last_bad(&self, as_of: Timestamp) -> Option<Timestamp> {
        let n = self.bad_times.partition_point(|&at| at <= as_of);
        n.checked_sub(1).map(|last| self.bad_times[last])
    }

    fn bad_before(&self, position: usize) -> u32 {
        position.checked_sub(1).map_or(0, |last| self.n_bad[last])
    }
}

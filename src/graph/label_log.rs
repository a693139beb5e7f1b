//! What became known about an entity, and when: verdicts of one head by time.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Span, Timestamp};

/// Verdicts of a list that is kept without room to spare.
const SHORT: usize = 4;

/// Verdicts that were known at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownLabels {
    /// Orders known to be bad.
    pub n_bad: u64,
    /// Orders with any verdict.
    pub n_known: u64,
}

/// What an order turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Truth {
    /// The head's risk did not come true.
    Good,
    /// It did.
    Bad,
}

/// Verdicts by the time they became known, with running counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct LabelLog {
    times: Vec<Timestamp>,
    /// Bad ones up to and including the same position.
    n_bad: Vec<u32>,
    bad_times: Vec<Timestamp>,
    dropped: (u32, u32),
}

impl LabelLog {
    /// Adds a verdict that became known at `time`; of one instant, bad ones come last,
    /// so that the order of arrival does not matter.
    pub(super) fn insert(&mut self, time: Timestamp, verdict: Truth) {
        let is_bad = verdict == Truth::Bad;
        let position = self.end(time) - if is_bad { 0 } else { self.n_bad_at(time) };
        let before = position.checked_sub(1).map_or(0, |last| self.n_bad[last]);
        insert(&mut self.times, position, time);
        insert(&mut self.n_bad, position, before + u32::from(is_bad));
        if is_bad {
            for later in &mut self.n_bad[position + 1..] {
                *later += 1;
            }
            let position = self.bad_times.partition_point(|&at| at <= time);
            insert(&mut self.bad_times, position, time);
        }
    }

    /// Takes a verdict back that was told and not forgotten.
    pub(super) fn remove(&mut self, time: Timestamp, verdict: Truth) {
        let is_bad = verdict == Truth::Bad;
        let after = self.end(time) - if is_bad { 0 } else { self.n_bad_at(time) };
        let Some(position) = after.checked_sub(1).filter(|&at| self.times[at] == time) else {
            return;
        };
        self.times.remove(position);
        self.n_bad.remove(position);
        if is_bad {
            self.n_bad[position..].iter_mut().for_each(|later| *later -= 1);
            let position = self.bad_times.partition_point(|&at| at < time);
            self.bad_times.remove(position);
        }
    }

    /// Takes over the verdicts on an entity that turned out to be the same.
    pub(super) fn absorb(&mut self, other: &Self) {
        let mut n_bad = 0;
        for (&time, &n_bad_then) in other.times.iter().zip(&other.n_bad) {
            self.insert(time, if n_bad < n_bad_then { Truth::Bad } else { Truth::Good });
            n_bad = n_bad_then;
        }
        self.dropped.0 += other.dropped.0;
        self.dropped.1 += other.dropped.1;
    }

    /// The same without verdicts older than `horizon`.
    pub(super) fn since(&self, horizon: Timestamp) -> Self {
        let mut kept = self.clone();
        kept.expire(horizon);
        kept
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

    /// True when every verdict was forgotten, or none was told.
    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// True when none was ever told.
    pub(super) fn is_new(&self) -> bool {
        self.is_empty() && self.dropped == (0, 0)
    }

    /// Verdicts that became known in `(as_of - window, as_of]`, none older than `since`; a
    /// window of `None` is ever.
    pub(super) fn known_in(
        &self,
        (since, as_of): (Timestamp, Timestamp),
        window: Option<Span>,
    ) -> KnownLabels {
        let end = self.end(as_of);
        let Some(window) = window else { return self.ever(end) };
        let start = self.times[..end].partition_point(|&at| at <= as_of - window || at < since);
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

    /// When the newest bad verdict became known, in `[since, as_of]`.
    pub(super) fn last_bad(&self, since: Timestamp, as_of: Timestamp) -> Option<Timestamp> {
        self.bad_in(since, as_of).last().copied()
    }

    /// The newest `n_max` verdicts before position `end`, none older than `since`.
    pub(super) fn newest(&self, since: Timestamp, end: usize, n_max: usize) -> KnownLabels {
        let start = end.saturating_sub(n_max);
        let start = start + self.times[start..end].partition_point(|&at| at < since);
        KnownLabels {
            n_bad: u64::from(self.bad_before(end) - self.bad_before(start)),
            n_known: (end - start) as u64,
        }
    }

    /// Verdicts before position `end` that came after the newest bad one; `None` when
    /// none of them since `since` is bad.
    pub(super) fn n_since_bad(&self, since: Timestamp, end: usize) -> Option<u64> {
        let n_bad = self.bad_before(end);
        let last = self.n_bad[..end].partition_point(|&count| count < n_bad);
        (0 < n_bad && since <= self.times[last]).then(|| (end - 1 - last) as u64)
    }

    /// When the newest streak of bad verdicts in `[since, as_of]` began: no two neighbors of
    /// it are further apart than `gap`.
    pub(super) fn streak_start(
        &self,
        (since, as_of): (Timestamp, Timestamp),
        gap: Span,
    ) -> Option<Timestamp> {
        let known = self.bad_in(since, as_of);
        let pairs = known.windows(2).rev();
        let last = pairs.take_while(|pair| pair[1] - pair[0] <= gap).last();
        last.map(|pair| pair[0]).or_else(|| known.last().copied())
    }

    /// Times of the bad verdicts in `[since, as_of]`.
    fn bad_in(&self, since: Timestamp, as_of: Timestamp) -> &[Timestamp] {
        let known = &self.bad_times[..self.bad_times.partition_point(|&at| at <= as_of)];
        &known[known.partition_point(|&at| at < since)..]
    }

    /// Bad verdicts that became known at an instant.
    fn n_bad_at(&self, time: Timestamp) -> usize {
        let known = &self.bad_times[..self.bad_times.partition_point(|&at| at <= time)];
        known.iter().rev().take_while(|&&at| at == time).count()
    }

    fn bad_before(&self, position: usize) -> u32 {
        position.checked_sub(1).map_or(0, |last| self.n_bad[last])
    }
}

/// Inserts into a list; short ones are given no room to spare, since there are so many.
fn insert<T>(list: &mut Vec<T>, position: usize, item: T) {
    if list.len() < SHORT {
        list.reserve_exact(1);
    }
    list.insert(position, item);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GAP: Span = Span(3);

    proptest! {
        #[test]
        fn reads_equal_a_scan_whatever_the_order_of_insertion_and_after_some_were_taken_back(
            verdicts in prop::collection::vec((0_i64..40, any::<bool>()), 0..40),
            as_of in 0_i64..45, n_max in 0_usize..8, since in 0_i64..20, n_kept in 10_usize..60,
        ) {
            let mut log = LabelLog::default();
            let truth = |is_bad| if is_bad { Truth::Bad } else { Truth::Good };
            for &(time, is_bad) in &verdicts {
                log.insert(Timestamp(time), truth(is_bad));
            }
            // Those after `n_kept` are taken back again.
            for &(time, is_bad) in &verdicts[n_kept.min(verdicts.len())..] {
                log.remove(Timestamp(time), truth(is_bad));
            }
            let mut known = verdicts;
            known.truncate(n_kept);
            known.retain(|&(time, _)| time <= as_of);
            known.sort_unstable();
            let end = log.end(Timestamp(as_of));
            prop_assert_eq!(end, known.len());
            let n_forgotten = known.iter().filter(|(time, _)| *time < since).count();
            let newest = &known[end.saturating_sub(n_max).max(n_forgotten)..];
            let n_bad = newest.iter().filter(|(_, is_bad)| *is_bad).count() as u64;
            let expected = KnownLabels { n_bad, n_known: newest.len() as u64 };
            let horizon = Timestamp(since);
            prop_assert_eq!(log.newest(horizon, end, n_max), expected);
            known.drain(..n_forgotten);
            let after_bad = known.iter().rev().position(|(_, is_bad)| *is_bad);
            prop_assert_eq!(log.n_since_bad(horizon, end), after_bad.map(|n| n as u64));
            let last_bad = known.iter().rev().find(|(_, is_bad)| *is_bad);
            let last_bad = last_bad.map(|&(time, _)| Timestamp(time));
            prop_assert_eq!(log.last_bad(horizon, Timestamp(as_of)), last_bad);
            let mut start = None;
            for &(time, _) in known.iter().rev().filter(|(_, is_bad)| *is_bad) {
                if start.is_some_and(|start| GAP.0 < start - time) {
                    break;
                }
                start = Some(time);
            }
            let found = log.streak_start((horizon, Timestamp(as_of)), GAP);
            prop_assert_eq!(found, start.map(Timestamp));
        }
    }
}

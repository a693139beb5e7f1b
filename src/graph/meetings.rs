//! Whom an entity met, order by order, and how many different ones.
//!
//! Each meeting remembers the previous one with the same counterpart. A
//! counterpart is new to a window exactly when that previous meeting lies before
//! it, so distinct counts are exact for every window at every instant.

use serde::{Deserialize, Serialize};

use crate::graph::pair_index::PairIndex;
use crate::graph::settings::{PAIR_WALK_MAX, SCANNED_MEETINGS_MAX};

/// No counterpart of this kind in the order.
pub(super) const NOBODY: u32 = u32::MAX;
/// Sequence number before every meeting.
const NEVER: u32 = 0;

/// One meeting with one counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meeting {
    /// The counterpart, or [`NOBODY`].
    pub(super) who: u32,
    /// Sequence number of the previous meeting with it.
    pub(super) previous: u32,
}

/// How often and when last two entities met, up to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Meetings; at most [`PAIR_WALK_MAX`] newer ones are discounted exactly.
    pub(super) n_meetings: u64,
    /// Position of the last one.
    pub(super) last: usize,
}

/// Meetings by time, as rows of one cell per counterpart kind.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meetings {
    /// Cells per row.
    width: usize,
    cells: Vec<Meeting>,
    /// Rows that retention dropped; sequence numbers go on after them.
    n_dropped: u32,
    /// One per cell of a row, once there are too many rows to scan.
    indexes: Vec<PairIndex>,
}

impl Meetings {
    /// No meetings yet, with room for `width` counterpart kinds.
    pub(super) fn new(width: usize) -> Self {
        Self { width, cells: Vec::new(), n_dropped: 0, indexes: Vec::new() }
    }

    /// How many rows are kept.
    pub(super) fn n_rows(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// Inserts a row before `position`; a row wider than before widens all.
    pub(super) fn insert(&mut self, position: usize, row: &[u32]) {
        if self.width < row.len() {
            self.widen(row.len());
        }
        let at = position * self.width;
        let is_late = position < self.n_rows();
        let blank = Meeting { who: NOBODY, previous: u32::MAX };
        if is_late {
            self.cells.splice(at..at, std::iter::repeat_n(blank, self.width));
        } else {
            self.cells.resize(at + self.width, blank);
        }
        for slot in 0..self.width {
            let who = row.get(slot).copied().unwrap_or(NOBODY);
            if is_late {
                self.insert_late(position, slot, who);
            } else {
                self.append(position, slot, who);
            }
        }
        if self.indexes.is_empty() && SCANNED_MEETINGS_MAX < self.n_rows() {
            self.build_indexes();
        }
    }

    /// Forgets the oldest rows.
    pub(super) fn expire(&mut self, n_rows: usize) {
        let n_rows = n_rows.min(self.n_rows());
        if n_rows == 0 {
            return;
        }
        self.cells.drain(..n_rows * self.width);
        self.cells.shrink_to_fit();
        self.n_dropped += u32::try_from(n_rows).unwrap_or(u32::MAX);
        self.indexes.clear();
        if SCANNED_MEETINGS_MAX < self.n_rows() {
            self.build_indexes();
        }
    }

    /// Different counterparts among the rows `start..end`.
    pub(super) fn distinct(&self, slot: usize, start: usize, end: usize) -> u64 {
        if self.width <= slot || end <= start {
            return 0;
        }
        let n_rows = self.n_rows();
        match self.indexes.get(slot) {
            // Count those last seen at or after `start`, less those first seen after `end`.
            Some(index) if SCANNED_MEETINGS_MAX + n_rows - end < end - start => {
                index.n_last_from(start) - self.n_new(slot, start, end, n_rows)
            }
            _ => self.n_new(slot, start, start, end),
        }
    }

    /// Meetings with `who` among the rows before `end`.
    pub(super) fn pair(&self, slot: usize, who: u32, end: usize) -> Option<Pair> {
        if self.width <= slot {
            return None;
        }
        let end = end.min(self.n_rows());
        let Some(index) = self.indexes.get(slot) else {
            let mut met = self.positions(slot, who, end);
            let last = met.next()?;
            return Some(Pair { n_meetings: 1 + met.count() as u64, last });
        };
        let last = index.last(who)?;
        let mut sequence = last.sequence;
        let mut n_meetings = last.n_meetings;
        for _ in 0..PAIR_WALK_MAX {
            if sequence == NEVER || sequence <= self.n_dropped {
                return None;
            }
            let position = self.position(sequence);
            if position < end {
                return Some(Pair { n_meetings: u64::from(n_meetings), last: position });
            }
            sequence = self.cell(position, slot).previous;
            n_meetings = n_meetings.saturating_sub(1);
        }
        None
    }

    /// Meetings with `who` among the rows `start..end`; at most [`PAIR_WALK_MAX`].
    pub(super) fn n_met(&self, slot: usize, who: u32, start: usize, end: usize) -> u64 {
        let Some(pair) = self.pair(slot, who, end) else { return 0 };
        let mut n_met = 0;
        let mut position = pair.last;
        while start <= position && n_met < PAIR_WALK_MAX as u64 {
            n_met += 1;
            match self.previous(position, slot) {
                Some(previous) => position = previous,
                None => break,
            }
        }
        n_met
    }

    /// Position of the previous meeting with the same counterpart.
    pub(super) fn previous(&self, position: usize, slot: usize) -> Option<usize> {
        let previous = self.cell(position, slot).previous;
        (self.n_dropped < previous && previous != u32::MAX).then(|| self.position(previous))
    }

    /// The counterpart met at a position, if any.
    pub(super) fn who(&self, position: usize, slot: usize) -> Option<u32> {
        if self.width <= slot || self.n_rows() <= position {
            return None;
        }
        Some(self.cell(position, slot).who).filter(|&who| who != NOBODY)
    }

    fn n_new(&self, slot: usize, since: usize, start: usize, end: usize) -> u64 {
        let sequence = self.sequence(since);
        let rows = self.cells[start * self.width..end * self.width].chunks_exact(self.width);
        rows.map(|row| u64::from(row[slot].previous < sequence)).sum()
    }

    fn positions(&self, slot: usize, who: u32, end: usize) -> impl Iterator<Item = usize> {
        (0..end).rev().filter(move |&position| self.cell(position, slot).who == who)
    }

    fn append(&mut self, position: usize, slot: usize, who: u32) {
        let sequence = self.sequence(position);
        let previous = match self.indexes.get_mut(slot) {
            Some(index) => index.append(who, sequence, self.n_dropped),
            None if who == NOBODY => NEVER,
            None => self.around(position, slot, who).0.unwrap_or(NEVER),
        };
        if who != NOBODY {
            self.cells[position * self.width + slot] = Meeting { who, previous };
        }
    }

    fn insert_late(&mut self, position: usize, slot: usize, who: u32) {
        self.shift_after(position, slot);
        if who != NOBODY {
            let (previous, next) = self.around(position, slot, who);
            let at = position * self.width + slot;
            self.cells[at] = Meeting { who, previous: previous.unwrap_or(NEVER) };
            if let Some(next) = next {
                self.cells[next * self.width + slot].previous = self.sequence(position);
            }
        }
        self.rebuild_tail(position, slot, who);
    }

    /// Sequence number of the meeting with `who` before a position, position of the one after.
    fn around(&self, position: usize, slot: usize, who: u32) -> (Option<u32>, Option<usize>) {
        let Some(index) = self.indexes.get(slot) else {
            let previous = self.positions(slot, who, position).next();
            let next =
                (position + 1..self.n_rows()).find(|&later| self.cell(later, slot).who == who);
            return (previous.map(|at| self.sequence(at)), next);
        };
        let Some(last) = index.last(who) else { return (None, None) };
        let (mut sequence, mut next) = (last.sequence, None);
        while self.n_dropped < sequence && position < self.position(sequence) {
            next = Some(self.position(sequence));
            sequence = self.cell(self.position(sequence), slot).previous;
        }
        ((self.n_dropped < sequence).then_some(sequence), next)
    }

    /// A row was put in at `position`: everything after it is numbered one higher.
    fn shift_after(&mut self, position: usize, slot: usize) {
        let sequence = self.sequence(position);
        for later in position + 1..self.n_rows() {
            let at = later * self.width + slot;
            let Meeting { who, previous } = self.cells[at];
            if sequence <= previous && previous != u32::MAX {
                self.cells[at].previous = previous + 1;
            }
            let moved = self.sequence(later);
            if let Some(index) = self.indexes.get_mut(slot) {
                index.renumber(who, moved - 1, moved);
            }
        }
    }

    fn rebuild_tail(&mut self, position: usize, slot: usize, who: u32) {
        let Some(mut index) = self.indexes.get_mut(slot).map(std::mem::take) else { return };
        if who != NOBODY {
            index.add_meeting(who, self.sequence(position));
        }
        let changed = self.previous(position, slot).unwrap_or(position).min(position);
        index.truncate(changed);
        for row in changed..self.n_rows() {
            let met = self.cell(row, slot).who;
            let is_last = index.last(met).is_some_and(|last| last.sequence == self.sequence(row));
            index.push_bit(u8::from(is_last));
        }
        self.indexes[slot] = index;
    }

    fn build_indexes(&mut self) {
        self.indexes = (0..self.width)
            .map(|slot| {
                let mut index = PairIndex::default();
                for row in 0..self.n_rows() {
                    index.append(self.cell(row, slot).who, self.sequence(row), self.n_dropped);
                }
                index
            })
            .collect();
    }

    fn widen(&mut self, width: usize) {
        let mut cells = Vec::with_capacity(self.n_rows() * width);
        for row in self.cells.chunks(self.width.max(1)) {
            cells.extend_from_slice(row);
            let blank = Meeting { who: NOBODY, previous: u32::MAX };
            cells.extend(std::iter::repeat_n(blank, width - self.width));
        }
        self.cells = cells;
        self.width = width;
        if !self.indexes.is_empty() {
            self.build_indexes();
        }
    }

    fn cell(&self, position: usize, slot: usize) -> Meeting {
        self.cells[position * self.width + slot]
    }

    #[expect(clippy::cast_possible_truncation, reason = "orders are numbered by u32 throughout")]
    fn sequence(&self, position: usize) -> u32 {
        self.n_dropped + 1 + position as u32
    }

    fn position(&self, sequence: u32) -> usize {
        (sequence - self.n_dropped - 1) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distinct_and_pair_counts_equal_a_scan_even_after_late_rows(
            rows in prop::collection::vec((0_u32..12, 0_u32..40, any::<prop::sample::Index>()), 1..160),
            late in 0_usize..4, low in any::<prop::sample::Index>(),
            high in any::<prop::sample::Index>(), n_expired in 0_usize..20,
        ) {
            let mut meetings = Meetings::new(2);
            let mut model: Vec<[u32; 2]> = Vec::new();
            for (i, (a, b, at)) in rows.iter().enumerate() {
                let position =
                    if late != 0 && i % 5 < late { at.index(model.len() + 1) } else { model.len() };
                let row = [if *a == 11 { NOBODY } else { *a }, *b];
                meetings.insert(position, &row);
                model.insert(position, row);
            }
            let n_expired = n_expired.min(model.len());
            meetings.expire(n_expired);
            model.drain(..n_expired);
            let (x, y) = (low.index(model.len() + 1), high.index(model.len() + 1));
            let (start, end) = (x.min(y), x.max(y));
            for slot in 0..2 {
                let met: BTreeSet<u32> = model[start..end].iter().map(|row| row[slot])
                    .filter(|&who| who != NOBODY).collect();
                prop_assert_eq!(meetings.distinct(slot, start, end), met.len() as u64);
                for who in 0..40 {
                    let at: Vec<usize> = (0..end).filter(|&i| model[i][slot] == who).collect();
                    let pair = at.last()
                        .map(|&last| Pair { n_meetings: at.len() as u64, last });
                    prop_assert_eq!(meetings.pair(slot, who, end), pair);
                    let n = at.iter().filter(|&&i| start <= i).count();
                    prop_assert_eq!(meetings.n_met(slot, who, start, end), n as u64);
                }
            }
        }
    }
}

//! What a source told of one kind, in cells of time that are used again.

use crate::domain::time::{Span, Timestamp};
use crate::workflow::event_health::delays::{Delays, cell_of};
use crate::workflow::event_health::report::Window;
use crate::workflow::event_health::{EventObjective, Fate, Refusal};

/// Cells of all windows, each with one more than it shows, for the time at hand.
const CELLS: usize = 6 + 7 + 9;

/// What a source told of one kind since the start and lately; some 12 kB.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Since the start.
    pub(super) total: Counts,
    pub(super) last_seen: Timestamp,
    cells: [Heard; CELLS],
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) taken: u64,
    pub(super) repeated: u64,
    pub(super) late: u64,
    pub(super) refused: [u64; Refusal::ALL.len()],
}

/// What was told within a cell of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// Number of the cell since the epoch.
    number: i64,
    pub(super) counts: Counts,
    pub(super) delays: Delays,
}

impl Default for Series {
    fn default() -> Self {
        let cells = std::array::from_fn(|_| Heard::default());
        Self { total: Counts::default(), last_seen: Timestamp(0), cells }
    }
}

impl Series {
    pub(super) fn hear(&mut self, fate: Fate, objective: EventObjective, now: Timestamp) {
        self.last_seen = self.last_seen.max(now);
        let delay = match fate {
            Fate::Taken(event_time) => Some(now - event_time),
            Fate::Repeated | Fate::Refused(_) => None,
        };
        let is_late = delay.is_some_and(|delay| objective.delay_max < delay);
        let cell = delay.map(cell_of);
        self.total.add(fate, u64::from(is_late));
        for window in Window::ALL {
            let heard = self.cell(window, number(window, now));
            heard.counts.add(fate, u64::from(is_late));
            if let Some(cell) = cell {
                heard.delays.add(cell);
            }
        }
    }

    /// Takes in what another thread heard, as far as it is in a window at `now`.
    pub(super) fn merge(&mut self, other: &Self, now: Timestamp) {
        self.total.merge(&other.total);
        self.last_seen = self.last_seen.max(other.last_seen);
        for window in Window::ALL {
            for heard in other.within(window, now) {
                let own = self.cell(window, heard.number);
                own.counts.merge(&heard.counts);
                own.delays.merge(&heard.delays);
            }
        }
    }

    /// Everything within a window, the cell of `now` and as many full ones as make its length.
    pub(super) fn heard(&self, window: Window, now: Timestamp) -> Heard {
        let mut all = Heard::default();
        for heard in self.within(window, now) {
            all.counts.merge(&heard.counts);
            all.delays.merge(&heard.delays);
        }
        all
    }

    fn within(&self, window: Window, now: Timestamp) -> impl Iterator<Item = &Heard> {
        let (from, n) = places(window);
        let (last, n_shown) = (number(window, now), i64::try_from(n).unwrap_or(0));
        let is_within = move |it: &&Heard| last - n_shown < it.number && it.number <= last;
        self.cells[from..from + n].iter().filter(is_within)
    }

    /// The cell with this number, emptied when an older one had its place. A clock that was
    /// set back counts into the newer one.
    fn cell(&mut self, window: Window, number: i64) -> &mut Heard {
        let (from, n) = places(window);
        let n = i64::try_from(n).unwrap_or(1);
        let at = usize::try_from(number.rem_euclid(n)).unwrap_or(0);
        let heard = &mut self.cells[from + at];
        if heard.number < number {
            *heard = Heard { number, ..Heard::default() };
        }
        heard
    }
}

impl Counts {
    fn add(&mut self, fate: Fate, n_late: u64) {
        match fate {
            Fate::Taken(_) => self.taken += 1,
            Fate::Repeated => self.repeated += 1,
            Fate::Refused(why) => self.refused[why as usize] += 1,
        }
        self.late += n_late;
    }

    fn merge(&mut self, other: &Self) {
        self.taken += other.taken;
        self.repeated += other.repeated;
        self.late += other.late;
        for (count, other) in self.refused.iter_mut().zip(other.refused) {
            *count += other;
        }
    }
}

/// Where the cells of a window begin, and how many it has.
fn places(window: Window) -> (usize, usize) {
    match window {
        Window::FiveMinutes => (0, 6),
        Window::Hour => (6, 7),
        Window::Day => (13, 9),
    }
}

fn number(window: Window, at: Timestamp) -> i64 {
    let cell = match window {
        Window::FiveMinutes => Span::minutes(1),
        Window::Hour => Span::minutes(10),
        Window::Day => Span::hours(3),
    };
    at.0.div_euclid(cell.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTIVE: EventObjective = EventObjective { delay_max: Span::SECOND, target: 0.99 };

    #[test]
    fn what_is_older_than_a_window_leaves_it_and_stays_in_the_longer_ones() {
        let mut series = Series::default();
        let start = Timestamp(1_771_272_000_000_000);
        for minute in 0..=120 {
            let now = start + Span::minutes(minute);
            series.hear(Fate::Taken(now), OBJECTIVE, now);
        }
        let now = start + Span::minutes(120);
        let n = |window, now| series.heard(window, now).counts.taken;
        // The minute at hand and five full ones; the ten minutes at hand and an hour.
        assert_eq!((n(Window::FiveMinutes, now), n(Window::Hour, now)), (6, 61));
        assert_eq!((n(Window::Day, now), series.total.taken), (121, 121));
        let later = now + Span::hours(2);
        assert_eq!((n(Window::FiveMinutes, later), n(Window::Hour, later)), (0, 0));
        assert_eq!(n(Window::Day, later), 121);
        assert_eq!(n(Window::Day, now + Span::hours(48)), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing() {
        let mut series = Series::default();
        let start = Timestamp(1_771_272_000_000_000);
        series.hear(Fate::Repeated, OBJECTIVE, start);
        series.hear(Fate::Repeated, OBJECTIVE, start - Span::hours(100));
        assert_eq!(series.total.repeated, 2);
        assert_eq!(series.last_seen, start);
    }
}

//! Three slices of a head's rows, by time: fit, stop, report.
//!
//! Trees grow on the first and stop on the second. Calibration and the card's
//! figures come from the third, which neither has seen: the slice that stopped the
//! trees borders on the rows that grew them, and flatters both.

use crate::domain::time::{Span, Timestamp};
use crate::training::sample::share_of;

/// Largest share of the rows' time span that may be left between stop and report.
const GAP_DIVISOR: i64 = 10;

/// How rows are cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cut {
    /// Share of the rows before the report that stops the trees.
    pub(crate) stop_share: f64,
    /// Share of all rows, the latest ones, that calibrates and reports.
    pub(crate) report_share: f64,
    /// Time left free before the report, as far as a tenth of the span allows.
    pub(crate) gap: Span,
}

/// The slices, each in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// Rows that grow trees.
    pub(crate) fit: &'a [u32],
    /// Later rows that decide when to stop.
    pub(crate) stop: &'a [u32],
    /// The latest rows: calibration and figures.
    pub(crate) report: &'a [u32],
}

impl<'a> Parts<'a> {
    /// Cuts rows that are in time order.
    pub(crate) fn new(rows: &'a [u32], times: &[Timestamp], cut: Cut) -> Self {
        let n_report = share_of(rows.len(), cut.report_share);
        let (earlier, report) = rows.split_at(rows.len() - n_report);
        let time = |row: Option<&u32>| row.map_or(Timestamp(0), |&row| times[row as usize]);
        let span = time(rows.last()) - time(rows.first());
        let gap = Span(cut.gap.0.min(span.0 / GAP_DIVISOR));
        let latest = time(report.first()) - gap;
        // Without a gap, rows at the very time of the first report row may stay.
        let n_kept = if gap.0 <= 0 {
            earlier.len()
        } else {
            earlier.partition_point(|&row| times[row as usize] <= latest)
        };
        let earlier = &earlier[..n_kept];
        let (fit, stop) = earlier.split_at(n_kept - share_of(n_kept, cut.stop_share));
        Self { fit, stop, report }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cut: Cut, expected: [usize; 3]) {
        let rows: Vec<u32> = (0..100).collect();
        let times: Vec<Timestamp> = (0..100).map(|day| Timestamp(day * Span::DAY.0)).collect();
        let parts = Parts::new(&rows, &times, cut);
        assert_eq!([parts.fit.len(), parts.stop.len(), parts.report.len()], expected);
        assert_eq!(parts.report.last(), Some(&99));
        assert_eq!(parts.fit.first(), Some(&0));
        assert_eq!(parts.fit.last().map(|last| last + 1), parts.stop.first().copied());
    }

    #[test]
    fn the_report_is_the_latest_slice_and_keeps_its_distance() {
        let cut = |gap| Cut { stop_share: 0.25, report_share: 0.2, gap };
        check(cut(Span(0)), [60, 20, 20]);
        check(cut(Span::days(4)), [57, 20, 20]);
        // A tenth of 99 days is the most that is given up.
        check(cut(Span::days(90)), [53, 18, 20]);
    }

    #[test]
    fn no_rows_have_three_empty_slices() {
        let cut = Cut { stop_share: 0.2, report_share: 0.2, gap: Span::days(1) };
        let parts = Parts::new(&[], &[], cut);
        assert_eq!(parts, Parts { fit: &[], stop: &[], report: &[] });
    }
}

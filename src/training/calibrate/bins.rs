//! Held-out rows with scores next to each other: the reliability table.

use crate::model::calibration::{CalibrationBin, CalibrationMap};
use crate::training::calibrate::{BIN_ROWS_MIN, HeldOut};

/// Most bins; shares halve towards the high scores, where decisions fall.
const BINS_MAX: usize = 20;

/// The table of rows sorted by raw score.
pub(super) fn bins(map: &CalibrationMap, sorted: &[HeldOut]) -> Vec<CalibrationBin> {
    let mut start = 0;
    let bins = bin_sizes(sorted.len()).into_iter().map(|n| {
        let part = &sorted[start..start + n];
        start += n;
        summarize(map, part)
    });
    bins.collect()
}

/// Sizes of the bins by ascending score: tenths, then shares that halve.
pub(crate) fn bin_sizes(n_rows: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    let mut left = n_rows;
    while 0 < left {
        let wanted = (n_rows / 10).min(left.div_ceil(2)).max(BIN_ROWS_MIN);
        let is_last = left < wanted + BIN_ROWS_MIN || sizes.len() + 1 == BINS_MAX;
        let size = if is_last { left } else { wanted };
        sizes.push(size);
        left -= size;
    }
    sizes
}

fn summarize(map: &CalibrationMap, rows: &[HeldOut]) -> CalibrationBin {
    let n = rows.len().max(1) as f64;
    let mean_predicted = rows.iter().map(|row| map.apply(row.raw)).sum::<f64>() / n;
    let mean_observed = rows.iter().map(|row| row.target).sum::<f64>() / n;
    CalibrationBin {
        raw_max: rows.last().map_or(0.0, |row| row.raw),
        n: rows.len() as u64,
        mean_predicted,
        mean_observed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_held_out_row_is_in_one_bin() {
        for n in [0, 1, 49, 50, 99, 500, 10_000, 1_000_000] {
            let sizes = bin_sizes(n);
            assert_eq!(sizes.iter().sum::<usize>(), n);
            assert!(sizes.len() <= BINS_MAX);
            assert!(sizes.len() <= 1 || sizes.iter().all(|size| BIN_ROWS_MIN <= *size));
        }
    }
}

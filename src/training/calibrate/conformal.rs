//! Fitting conformal intervals on rows that no tree was grown on.

use crate::model::conformal::{COVERAGE, Conformal, ConformalCell};

/// Fewest rows of a cell: its 5 % tails must have rows in them. Few large cells let easy
/// orders pay for hard ones.
const CELL_ROWS_MIN: usize = 100;
/// Most cells.
const CELLS_MAX: usize = 8;
/// Smaller distances of the quantiles than this share of the mean one count as that.
const WIDTH_SHARE_MIN: f64 = 0.05;
/// An end that this share of the outcomes sits on is a floor or a ceiling.
const ATOM_SHARE_MIN: f64 = 0.02;

/// A held-out row of a value head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeldOutValue {
    /// Predicted quantiles, in order.
    pub(crate) quantiles: (f64, f64),
    /// What was observed.
    pub(crate) target: f64,
}

/// Fits the cells. Too few rows for one of them make one all the same, without a floor or a
/// ceiling; as few as 40 of them all lie inside.
pub(crate) fn fit_conformal(rows: &[HeldOutValue]) -> Conformal {
    let n = rows.len().max(1) as f64;
    let share_at = |value: f64| {
        rows.iter().filter(|row| row.target.total_cmp(&value).is_eq()).count() as f64 / n
    };
    let is_atom = |value: &f64| CELL_ROWS_MIN <= rows.len() && ATOM_SHARE_MIN <= share_at(*value);
    let lowest = rows.iter().map(|row| row.target).fold(f64::INFINITY, f64::min);
    let highest = rows.iter().map(|row| row.target).fold(f64::NEG_INFINITY, f64::max);
    let floor = Some(lowest).filter(is_atom);
    let ceiling = Some(highest).filter(is_atom);
    let width = |row: &HeldOutValue| row.quantiles.1 - row.quantiles.0;
    let mean_width = rows.iter().map(width).sum::<f64>() / n;
    let width_min = if 0.0 < mean_width { WIDTH_SHARE_MIN * mean_width } else { 1.0 };
    let mut conformal = Conformal { floor, ceiling, width_min, cells: Vec::new() };
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| width(a).total_cmp(&width(b)));
    let n_cells = (rows.len() / CELL_ROWS_MIN).clamp(1, CELLS_MAX);
    let size = rows.len().div_ceil(n_cells).max(1);
    conformal.cells = sorted.chunks(size).map(|rows| fit_cell(rows, &conformal)).collect();
    conformal
}

/// Both ends of a cell. An end whose tail sits on the floor (or the ceiling) is that
/// bound, and the other end gets the whole error to itself.
fn fit_cell(rows: &[HeldOutValue], conformal: &Conformal) -> ConformalCell {
    let n = rows.len();
    let error = 1.0 - COVERAGE;
    let is_bound = |bound: Option<f64>| {
        let Some(bound) = bound else { return false };
        let at = rows.iter().filter(|row| row.target.total_cmp(&bound).is_eq()).count();
        0.5 * error * n as f64 <= at as f64
    };
    let (is_low, is_high) = (is_bound(conformal.floor), is_bound(conformal.ceiling));
    let (error_low, error_high) = match (is_low, is_high) {
        (false, false) => (0.5 * error, 0.5 * error),
        (true, false) => (0.0, error),
        (false, true) => (error, 0.0),
        (true, true) => (0.0, 0.0),
    };
    let width = |row: &HeldOutValue| conformal.width(row.quantiles);
    let below = |row: &HeldOutValue| (row.target - row.quantiles.0) / width(row);
    let above = |row: &HeldOutValue| (row.target - row.quantiles.1) / width(row);
    let sorted = |miss: &dyn Fn(&HeldOutValue) -> f64| {
        let mut misses: Vec<f64> = rows.iter().map(miss).collect();
        misses.sort_by(f64::total_cmp);
        misses
    };
    // Lei et al. (2018): rank ⌈(n + 1)(1 − error)⌉ keeps the promise for finite n.
    let low = sorted(&below).get(tail_len(n, error_low)).copied();
    let high = sorted(&above).iter().rev().nth(tail_len(n, error_high)).copied();
    ConformalCell {
        width_max: rows.last().map_or(0.0, width),
        n: n as u64,
        low: if is_low { None } else { low },
        high: if is_high { None } else { high },
    }
}

/// Rows that may be left outside on one side: `⌊(n + 1) · error⌋ − 1`, at least none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
fn tail_len(n: usize, error: f64) -> usize {
    ((n as f64 + 1.0) * error).floor().max(1.0) as usize - 1
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::training::sample::generator;

    /// Share of fresh rows inside their interval, of all and of the tenth of widest quantiles.
    fn coverage(make: impl Fn(f64, f64) -> HeldOutValue) -> (f64, f64) {
        let mut rng = generator(9, 0);
        let mut draw = || make(rng.r#gen(), rng.r#gen());
        let conformal = fit_conformal(&(0..8_000).map(|_| draw()).collect::<Vec<_>>());
        let fresh: Vec<HeldOutValue> = (0..20_000).map(|_| draw()).collect();
        let share = |rows: &[HeldOutValue]| {
            let is_inside = |row: &&HeldOutValue| {
                let (low, high) = conformal.interval(row.quantiles);
                low <= row.target && row.target <= high
            };
            rows.iter().filter(is_inside).count() as f64 / rows.len() as f64
        };
        let mut by_width = fresh.clone();
        by_width.sort_by(|a, b| b.quantiles.1.total_cmp(&a.quantiles.1));
        (share(&fresh), share(&by_width[..2_000]))
    }

    fn check(make: impl Fn(f64, f64) -> HeldOutValue) {
        let (all, hard) = coverage(make);
        assert!((0.88..=0.92).contains(&all), "{all}");
        assert!(0.87 <= hard, "{hard}");
    }

    #[test]
    fn nine_of_ten_are_inside_also_where_errors_are_large() {
        check(|x, noise| HeldOutValue {
            quantiles: (x - 0.1, 2.0 * x),
            target: x + (0.1 + 3.0 * x * x) * (noise - 0.5),
        });
    }

    #[test]
    fn outcomes_that_are_mostly_zero_get_a_floor_and_the_promised_share() {
        // Positive with probability x/2: the hard tenth is positive every other time.
        let make = |x: f64, noise: f64| HeldOutValue {
            quantiles: (0.0, 5.0 * x),
            target: if noise < x / 2.0 { 20.0 * noise / x } else { 0.0 },
        };
        let (all, hard) = coverage(make);
        assert!((0.89..=0.94).contains(&all), "{all}");
        assert!(0.87 <= hard, "{hard}");
        let rows: Vec<_> = (0..900).map(|i| make(0.5, f64::from(i) / 900.0)).collect();
        assert_eq!(fit_conformal(&rows).floor, Some(0.0));
    }

    #[test]
    fn few_rows_all_lie_inside_and_none_moves_nothing() {
        let row = |i: u8| HeldOutValue { quantiles: (0.0, 1.0), target: f64::from(i) };
        let conformal = fit_conformal(&(0..30).map(row).collect::<Vec<_>>());
        assert_eq!(conformal.interval((0.0, 1.0)), (0.0, 29.0));
        assert_eq!((conformal.floor, conformal.ceiling), (None, None));
        assert_eq!(fit_conformal(&[]).interval((2.0, 5.0)), (2.0, 5.0));
    }
}

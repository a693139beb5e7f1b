//! Fitting conformal intervals on rows that neither model has seen.

use crate::model::conformal::{COVERAGE, Conformal, ConformalCell};

/// Fewest rows of a cell: its 5 % tails must have rows in them. Few large cells let easy
/// orders pay for hard ones: of a simulated price index, the hardest third was covered to
/// .81 with one cell of 450 rows, to .94 with four and to .91 with eight (2026-11-26).
const CELL_ROWS_MIN: usize = 100;
/// Most cells.
const CELLS_MAX: usize = 8;
/// An end that this share of the outcomes sits on is a floor or a ceiling.
const ATOM_SHARE_MIN: f64 = 0.02;

/// A held-out row of a value head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeldOutValue {
    /// Predicted value.
    pub(crate) prediction: f64,
    /// Predicted size of the error; above 0.
    pub(crate) scale: f64,
    /// What was observed.
    pub(crate) target: f64,
}

/// Fits the cells. `None` with too few rows for one of them.
pub(crate) fn fit_conformal(rows: &[HeldOutValue]) -> Option<Conformal> {
    if rows.len() < CELL_ROWS_MIN {
        return None;
    }
    let share_at = |value: f64| {
        rows.iter().filter(|row| row.target.total_cmp(&value).is_eq()).count() as f64
            / rows.len() as f64
    };
    let lowest = rows.iter().map(|row| row.target).fold(f64::INFINITY, f64::min);
    let highest = rows.iter().map(|row| row.target).fold(f64::NEG_INFINITY, f64::max);
    let floor = Some(lowest).filter(|lowest| ATOM_SHARE_MIN <= share_at(*lowest));
    let ceiling = Some(highest).filter(|highest| ATOM_SHARE_MIN <= share_at(*highest));
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.scale.total_cmp(&b.scale));
    let n_cells = (rows.len() / CELL_ROWS_MIN).clamp(1, CELLS_MAX);
    let size = rows.len().div_ceil(n_cells);
    let cells = sorted.chunks(size).map(|rows| fit_cell(rows, floor, ceiling)).collect();
    Some(Conformal { floor, ceiling, cells })
}

/// Both ends of a cell. An end whose tail sits on the floor (or the ceiling) is that
/// bound, and the other end gets the whole error to itself.
fn fit_cell(rows: &[HeldOutValue], floor: Option<f64>, ceiling: Option<f64>) -> ConformalCell {
    let n = rows.len();
    let error = 1.0 - COVERAGE;
    let is_bound = |bound: Option<f64>| {
        let Some(bound) = bound else { return false };
        let at = rows.iter().filter(|row| row.target.total_cmp(&bound).is_eq()).count();
        0.5 * error * n as f64 <= at as f64
    };
    let (is_low, is_high) = (is_bound(floor), is_bound(ceiling));
    let (error_low, error_high) = match (is_low, is_high) {
        (false, false) => (0.5 * error, 0.5 * error),
        (true, false) => (0.0, error),
        (false, true) => (error, 0.0),
        (true, true) => (0.0, 0.0),
    };
    let mut errors: Vec<f64> =
        rows.iter().map(|row| (row.target - row.prediction) / row.scale).collect();
    errors.sort_by(f64::total_cmp);
    // Lei et al. (2018): rank ⌈(n + 1)(1 − error)⌉ keeps the promise for finite n.
    let tail = |error: f64| tail_len(n, error);
    let low = errors.get(tail(error_low)).copied();
    let high = errors.iter().rev().nth(tail(error_high)).copied();
    ConformalCell {
        scale_max: rows.last().map_or(0.0, |row| row.scale),
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

    /// Share of fresh rows inside their interval, of all and of the tenth of largest scale.
    fn coverage(make: impl Fn(f64, f64) -> HeldOutValue) -> (f64, f64) {
        let mut rng = generator(9, 0);
        let mut draw = || make(rng.r#gen(), rng.r#gen());
        let conformal = fit_conformal(&(0..8_000).map(|_| draw()).collect::<Vec<_>>()).unwrap();
        let fresh: Vec<HeldOutValue> = (0..20_000).map(|_| draw()).collect();
        let share = |rows: &[HeldOutValue]| {
            let is_inside = |row: &&HeldOutValue| {
                let (low, high) = conformal.interval(row.prediction, row.scale);
                low <= row.target && row.target <= high
            };
            rows.iter().filter(is_inside).count() as f64 / rows.len() as f64
        };
        let mut by_scale = fresh.clone();
        by_scale.sort_by(|a, b| b.scale.total_cmp(&a.scale));
        (share(&fresh), share(&by_scale[..2_000]))
    }

    fn check(make: impl Fn(f64, f64) -> HeldOutValue) {
        let (all, hard) = coverage(make);
        assert!((0.88..=0.92).contains(&all), "{all}");
        assert!(0.87 <= hard, "{hard}");
    }

    #[test]
    fn nine_of_ten_are_inside_also_where_errors_are_large() {
        check(|x, noise| HeldOutValue {
            prediction: x,
            scale: 0.1 + x,
            target: x + (0.1 + 3.0 * x * x) * (noise - 0.5),
        });
    }

    #[test]
    fn outcomes_that_are_mostly_zero_get_a_floor_and_the_promised_share() {
        // Positive with probability x/2: the hard tenth is positive every other time.
        let make = |x: f64, noise: f64| HeldOutValue {
            prediction: 5.0 * x,
            scale: 0.5 + x,
            target: if noise < x / 2.0 { 20.0 * noise / x } else { 0.0 },
        };
        let (all, hard) = coverage(make);
        assert!((0.89..=0.94).contains(&all), "{all}");
        assert!(0.87 <= hard, "{hard}");
        let rows: Vec<_> = (0..900).map(|i| make(0.5, f64::from(i) / 900.0)).collect();
        assert_eq!(fit_conformal(&rows).unwrap().floor, Some(0.0));
    }

    #[test]
    fn few_rows_make_no_promise() {
        let row = HeldOutValue { prediction: 0.0, scale: 1.0, target: 0.0 };
        assert_eq!(fit_conformal(&vec![row; CELL_ROWS_MIN - 1]), None);
    }
}

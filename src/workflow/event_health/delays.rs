//! Delays in cells that grow: bounded, mergeable, of a stated error.

use crate::domain::time::Span;

/// A quantile is at most this far from the true one, as a share of it.
///
/// Source: Masson, Rim and Lee, "`DDSketch`", 2019: cells (γ^(i−1), γ^i] with
/// γ = (1 + error) / (1 − error), each told as 2 γ^i / (γ + 1).
pub const RELATIVE_ERROR: f64 = 0.1;
/// γ.
const GROWTH: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);
/// The shortest delay that is told apart, seconds: shorter ones count as it.
const SECONDS_MIN: f64 = 0.001;
/// Cells: enough for a year.
const CELLS: usize = 122;

/// How many events had which delay.
#[derive(Clone, Debug)]
pub struct Delays([u32; CELLS]);

impl Default for Delays {
    fn default() -> Self {
        Self([0; CELLS])
    }
}

/// The cell of a delay; what is shorter or longer than all cells is in the first or last one.
pub(super) fn cell_of(delay: Span) -> usize {
    let steps = (seconds(delay) / SECONDS_MIN).ln() / GROWTH.ln();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cell's number; what is negative or too large ends at the borders"
    )]
    let cell = steps.ceil() as usize;
    cell.min(CELLS - 1)
}

fn seconds(delay: Span) -> f64 {
    delay.0.max(1) as f64 / Span::SECOND.0 as f64
}

impl Delays {
    /// Takes in a delay by its cell.
    pub(super) fn add(&mut self, cell: usize) {
        self.0[cell] = self.0[cell].saturating_add(1);
    }

    /// Takes in those of another part.
    pub fn merge(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(&other.0) {
            *count = count.saturating_add(*other);
        }
    }

    /// The delay that this share of the events did not exceed, seconds; `None` without any.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let n: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        let rank = (share * n as f64).ceil().max(1.0);
        let mut seen = 0_u64;
        let cell = self.0.iter().position(|count| {
            seen += u64::from(*count);
            rank <= seen as f64
        })?;
        // The first cell holds everything up to its end.
        let end = SECONDS_MIN * GROWTH.powf(cell as f64);
        Some(if cell == 0 { end } else { 2.0 * end / (GROWTH + 1.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(delays: impl Iterator<Item = f64>) -> Delays {
        let mut sketch = Delays::default();
        for seconds in delays {
            #[expect(clippy::cast_possible_truncation, reason = "micros of a test")]
            sketch.add(cell_of(Span((seconds * 1e6) as i64)));
        }
        sketch
    }

    #[test]
    fn every_quantile_is_within_the_stated_error_and_parts_merge_exactly() {
        let delays: Vec<f64> = (0..20_000).map(|n| 0.001 * 1.001_f64.powi(n)).collect();
        let mut whole = sketch(delays.iter().step_by(2).copied());
        whole.merge(&sketch(delays.iter().skip(1).step_by(2).copied()));
        assert_eq!(whole.0, sketch(delays.iter().copied()).0);
        for (share, at) in [(0.5, 9_999), (0.9, 17_999), (0.99, 19_799)] {
            let (found, exact) = (whole.quantile(share).unwrap(), delays[at]);
            assert!((found / exact - 1.0).abs() <= RELATIVE_ERROR + 1e-3, "{found} {exact}");
        }
    }

    #[test]
    fn delays_below_and_beyond_the_cells_are_kept() {
        let both = sketch([-5.0, 0.0, 1e12].into_iter());
        assert_eq!(both.quantile(0.5), Some(SECONDS_MIN));
        // The last cell reaches beyond a year.
        assert!(365.0 * 86_400.0 < both.quantile(1.0).unwrap());
        assert_eq!(Delays::default().quantile(0.99), None);
    }
}

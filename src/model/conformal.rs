//! Intervals of predicted values that hold nine of ten outcomes.
//!
//! Conformalized quantile regression (Romano, Patterson, Candes 2019): two ensembles
//! predict the 5 % and the 95 % quantile, and what held-out outcomes miss of them, in
//! units of their distance (Sesia and Candes 2020), moves both. Moves are kept per cell
//! of that distance (Mondrian, Vovk et al. 2005), so easy and hard orders both get their
//! share, and on each side by itself, so skewed outcomes get skewed intervals.

use serde::{Deserialize, Serialize};

use crate::model::ensemble::Ensemble;

/// Share of outcomes that an interval is made to hold.
pub const COVERAGE: f64 = 0.9;
/// The quantiles that [`OuterQuantiles`] predicts.
pub const LEVELS: [f64; 2] = [0.05, 0.95];

/// Of a value head: where nearly all outcomes lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OuterQuantiles {
    /// The 5 % quantile.
    pub low: Ensemble,
    /// The 95 % quantile.
    pub high: Ensemble,
}

/// From predicted quantiles to an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformal {
    /// A value that outcomes never pass below and often take, such as 0.
    pub floor: Option<f64>,
    /// A value that outcomes never pass above and often take.
    pub ceiling: Option<f64>,
    /// Smaller distances of the quantiles count as this; above 0.
    pub width_min: f64,
    /// By ascending distance.
    pub cells: Vec<ConformalCell>,
}

/// Orders whose quantiles are about as far apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformalCell {
    /// Largest distance in the cell; the last cell also takes anything above.
    pub width_max: f64,
    /// Held-out rows.
    pub n: u64,
    /// Lower end, distances above the lower quantile (mostly negative); `None` is the floor.
    pub low: Option<f64>,
    /// Upper end, distances above the upper quantile; `None` is the ceiling.
    pub high: Option<f64>,
}

impl OuterQuantiles {
    /// Both quantiles at these ranks, in order.
    pub fn at(&self, ranks: &[u8]) -> (f64, f64) {
        in_order((self.low.raw(ranks), self.high.raw(ranks)))
    }

    /// Both ensembles.
    pub fn ensembles(&self) -> [&Ensemble; 2] {
        [&self.low, &self.high]
    }
}

/// Quantiles that were predicted apart may cross; in order they are closer to the truth
/// (Chernozhukov, Fernandez-Val, Galichon 2010).
pub(crate) fn in_order((low, high): (f64, f64)) -> (f64, f64) {
    (low.min(high), low.max(high))
}

impl Conformal {
    /// The interval of an outcome whose quantiles are predicted. It need not hold the
    /// predicted mean: that of mostly small outcomes with few large ones lies above nine of
    /// ten of them.
    pub fn interval(&self, quantiles: (f64, f64)) -> (f64, f64) {
        let width = self.width(quantiles);
        let Some(cell) = self.cell(width) else { return quantiles };
        let floor = self.floor.unwrap_or(f64::NEG_INFINITY);
        let ceiling = self.ceiling.unwrap_or(f64::INFINITY);
        let inside = |end: f64| end.max(floor).min(ceiling);
        let low = cell.low.map_or(floor, |low| inside(quantiles.0 + low * width));
        let high = cell.high.map_or(ceiling, |high| inside(quantiles.1 + high * width));
        (low, high.max(low))
    }

    /// The distance that predicted quantiles count as.
    pub(crate) fn width(&self, (low, high): (f64, f64)) -> f64 {
        (high - low).max(self.width_min)
    }

    fn cell(&self, width: f64) -> Option<&ConformalCell> {
        let position = self.cells.partition_point(|cell| cell.width_max < width);
        self.cells.get(position).or(self.cells.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(width_max: f64, low: Option<f64>, high: Option<f64>) -> ConformalCell {
        ConformalCell { width_max, n: 100, low, high }
    }

    #[test]
    fn the_interval_grows_with_the_distance_and_stops_at_the_floor() {
        let cells = vec![cell(1.0, Some(-0.5), Some(1.0)), cell(3.0, None, Some(0.5))];
        let conformal = Conformal { floor: Some(0.0), ceiling: None, width_min: 0.5, cells };
        assert_eq!(conformal.interval((5.0, 6.0)), (4.5, 7.0));
        assert_eq!(conformal.interval((0.2, 1.2)), (0.0, 2.2));
        assert_eq!(conformal.interval((5.0, 9.0)), (0.0, 11.0));
        // A distance of 0 moves by the least one.
        assert_eq!(conformal.interval((5.0, 5.0)), (4.75, 5.5));
    }

    #[test]
    fn ends_that_would_pass_each_other_meet() {
        let cells = vec![cell(1.0, None, Some(-2.0))];
        let conformal = Conformal { floor: Some(0.0), ceiling: None, width_min: 0.1, cells };
        assert_eq!(conformal.interval((0.5, 1.0)), (0.0, 0.0));
        assert_eq!(in_order((2.0, 1.0)), (1.0, 2.0));
    }
}

//! Intervals of predicted values that hold nine of ten outcomes.
//!
//! Normalized split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018):
//! held-out errors are divided by a predicted scale, and their quantiles, times the
//! scale of a new order, make its interval. Quantiles are kept per cell of the scale
//! (Mondrian, Vovk et al. 2005), so easy and hard orders both get their share, and on
//! each side by itself, so skewed outcomes get skewed intervals.

use serde::{Deserialize, Serialize};

/// Share of outcomes that an interval is made to hold.
pub const COVERAGE: f64 = 0.9;

/// From prediction and scale to an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformal {
    /// A value that outcomes never pass below and often take, such as 0.
    pub floor: Option<f64>,
    /// A value that outcomes never pass above and often take.
    pub ceiling: Option<f64>,
    /// By ascending scale.
    pub cells: Vec<ConformalCell>,
}

/// Orders of about the same scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformalCell {
    /// Largest scale in the cell; the last cell also takes anything above.
    pub scale_max: f64,
    /// Held-out rows.
    pub n: u64,
    /// Lower end, scales above the prediction (mostly negative); `None` is the floor.
    pub low: Option<f64>,
    /// Upper end, scales above the prediction; `None` is the ceiling.
    pub high: Option<f64>,
}

impl Conformal {
    /// The interval of an outcome. It need not hold the prediction: the mean of mostly
    /// small outcomes with few large ones lies above nine of ten of them.
    pub fn interval(&self, prediction: f64, scale: f64) -> (f64, f64) {
        let Some(cell) = self.cell(scale) else { return (prediction, prediction) };
        let floor = self.floor.unwrap_or(f64::NEG_INFINITY);
        let ceiling = self.ceiling.unwrap_or(f64::INFINITY);
        let inside = |end: f64| end.max(floor).min(ceiling);
        let low = cell.low.map_or(floor, |low| inside(prediction + low * scale));
        let high = cell.high.map_or(ceiling, |high| inside(prediction + high * scale));
        (low, high.max(low))
    }

    /// Held-out rows behind the interval of a scale.
    pub fn n_support(&self, scale: f64) -> u64 {
        self.cell(scale).map_or(0, |cell| cell.n)
    }

    fn cell(&self, scale: f64) -> Option<&ConformalCell> {
        let position = self.cells.partition_point(|cell| cell.scale_max < scale);
        self.cells.get(position).or(self.cells.last())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(scale_max: f64, low: Option<f64>, high: Option<f64>) -> ConformalCell {
        ConformalCell { scale_max, n: 100, low, high }
    }

    #[test]
    fn the_interval_grows_with_the_scale_and_stops_at_the_floor() {
        let cells = vec![cell(1.0, Some(-1.0), Some(2.0)), cell(3.0, None, Some(1.0))];
        let conformal = Conformal { floor: Some(0.0), ceiling: None, cells };
        assert_eq!(conformal.interval(5.0, 0.5), (4.5, 6.0));
        assert_eq!(conformal.interval(5.0, 1.0), (4.0, 7.0));
        assert_eq!(conformal.interval(0.2, 1.0), (0.0, 2.2));
        assert_eq!(conformal.interval(5.0, 9.0), (0.0, 14.0));
    }

    #[test]
    fn a_mean_above_most_outcomes_lies_outside() {
        let cells = vec![cell(1.0, None, Some(-0.75))];
        let conformal = Conformal { floor: Some(0.0), ceiling: None, cells };
        assert_eq!(conformal.interval(4.0, 1.0), (0.0, 3.25));
        assert_eq!(conformal.interval(0.5, 1.0), (0.0, 0.0));
    }
}

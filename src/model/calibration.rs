//! From raw scores to probabilities, with how sure the model is of them.
//!
//! The map is fitted on rows later than those the trees saw. Beside it stand
//! bins of the same rows: how many there were, what was predicted and what
//! happened; and the tables that intervals come from.

use serde::{Deserialize, Serialize};

use crate::model::conformal::Conformal;
use crate::model::venn_abers::VennAbers;

/// Quantile of the standard normal distribution at 95 %: two-sided 90 %.
pub const Z_90: f64 = 1.644_853_626_951_472_2;

/// Probabilities are kept this far from 0 and 1 when turned into log-odds.
const LOG_ODDS_MARGIN: f64 = 1e-12;
/// Logarithms of means stay within this distance of 0.
pub const LOG_MEAN_MAX: f64 = 30.0;

/// How a raw score becomes the value that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum CalibrationMap {
    /// Platt (1999): `sigmoid(slope · raw + intercept)`.
    Platt {
        /// Positive, so that ranks are kept.
        slope: f64,
        /// Log-odds.
        intercept: f64,
    },
    /// Isotonic regression (Zadrozny and Elkan 2002), straight lines between the knots.
    Isotonic {
        /// Strictly ascending.
        raw: Vec<f64>,
        /// Ascending, as many as `raw`.
        probability: Vec<f64>,
    },
    /// Beta calibration (Kull, Silva Filho, Flach 2017) of `s = sigmoid(raw)`:
    /// `sigmoid(a · ln s − b · ln(1 − s) + c)`.
    Beta {
        /// At least 0.
        a: f64,
        /// At least 0; one of both is above 0, so that ranks are kept.
        b: f64,
        /// Log-odds.
        c: f64,
    },
    /// The raw score is the value itself.
    Value,
    /// The raw score is the logarithm of the value: see [`exp_mean`].
    LogValue,
}

/// Held-out rows with raw scores next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationBin {
    /// Largest raw score in the bin; the last bin also takes anything above.
    pub raw_max: f64,
    /// Rows.
    pub n: u64,
    /// Mean of the calibrated predictions.
    pub mean_predicted: f64,
    /// Share of positives, or mean of the observed values.
    pub mean_observed: f64,
}

/// Where the intervals of one head come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intervals {
    /// Of a probability: between the two that the held-out rows allow.
    VennAbers(VennAbers),
    /// Of a value: around its predicted quantiles, nine of ten outcomes.
    Conformal(Conformal),
}

/// Map, bins and intervals of one head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// From raw to calibrated.
    pub map: CalibrationMap,
    /// By ascending raw score: the reliability table.
    pub bins: Vec<CalibrationBin>,
    /// How far the truth may be from what is shown.
    pub intervals: Intervals,
}

impl Calibration {
    /// The calibrated probability in [0, 1], or the value itself for value heads.
    pub fn calibrate(&self, raw: f64) -> f64 {
        self.map.apply(raw)
    }

    /// The interval of what is shown: of a probability the Venn-Abers interval, widened to
    /// hold [`Calibration::calibrate`]; of a value nine of ten outcomes, from its predicted
    /// quantiles, which a probability does not have and does not read.
    pub fn interval(&self, raw: f64, quantiles: (f64, f64)) -> (f64, f64) {
        match &self.intervals {
            Intervals::VennAbers(table) => {
                let (low, high) = table.interval(raw);
                let probability = self.calibrate(raw);
                (low.min(probability), high.max(probability))
            }
            Intervals::Conformal(conformal) => conformal.interval(quantiles),
        }
    }

    /// Held-out rows in the bin around this score.
    pub fn n_support(&self, raw: f64) -> u64 {
        self.bin(raw).map_or(0, |bin| bin.n)
    }

    fn bin(&self, raw: f64) -> Option<&CalibrationBin> {
        let position = self.bins.partition_point(|bin| bin.raw_max < raw);
        self.bins.get(position).or(self.bins.last())
    }
}

impl CalibrationMap {
    /// The calibrated value of a raw score.
    pub fn apply(&self, raw: f64) -> f64 {
        match self {
            Self::Platt { slope, intercept } => sigmoid(slope * raw + intercept),
            Self::Isotonic { raw: knots, probability } => interpolate(knots, probability, raw),
            Self::Beta { a, b, c } => sigmoid(a * -softplus(-raw) + b * softplus(raw) + c),
            Self::Value => raw,
            Self::LogValue => exp_mean(raw),
        }
    }

    /// What raw scores, and so contributions, are counted in.
    pub fn raw_unit(&self) -> &'static str {
        match self {
            Self::Platt { .. } | Self::Isotonic { .. } | Self::Beta { .. } => "log-odds",
            Self::Value => "the head's unit",
            Self::LogValue => "logarithm of the head's unit",
        }
    }
}

/// The straight line between the knots around `x`, constant beyond them.
fn interpolate(knots: &[f64], values: &[f64], x: f64) -> f64 {
    let above = knots.partition_point(|&knot| knot < x);
    let at = |position: usize| values.get(position).copied();
    match (above.checked_sub(1), at(above)) {
        (None, first) => first.unwrap_or(0.5),
        (Some(last), None) => at(last).unwrap_or(0.5),
        (Some(below), Some(value)) => {
            let share = (x - knots[below]) / (knots[above] - knots[below]);
            values[below] + share * (value - values[below])
        }
    }
}

/// `1 / (1 + e^-x)`, without overflow.
pub fn sigmoid(x: f64) -> f64 {
    if 0.0 <= x {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// The mean whose logarithm this is; logarithms beyond 30 of either sign count as 30.
pub fn exp_mean(log_mean: f64) -> f64 {
    log_mean.clamp(-LOG_MEAN_MAX, LOG_MEAN_MAX).exp()
}

/// `ln(1 + e^x)`, without overflow: `−ln(1 − sigmoid(x))`.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `ln(p / (1 − p))`, finite for every `p` in [0, 1].
pub fn log_odds(probability: f64) -> f64 {
    let p = probability.clamp(LOG_ODDS_MARGIN, 1.0 - LOG_ODDS_MARGIN);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::conformal::ConformalCell;

    fn bin(raw_max: f64, n: u64) -> CalibrationBin {
        CalibrationBin { raw_max, n, mean_predicted: 0.5, mean_observed: 0.5 }
    }

    fn platt() -> Calibration {
        let map = CalibrationMap::Platt { slope: 1.0, intercept: 0.0 };
        let rows: Vec<(f64, bool)> = (0_u8..200).map(|i| (f64::from(i % 4), i % 4 == 3)).collect();
        let intervals = Intervals::VennAbers(VennAbers::fit(&rows));
        Calibration { map, bins: vec![bin(-1.0, 10), bin(1.0, 20)], intervals }
    }

    #[test]
    fn a_score_above_every_bin_is_backed_by_the_last() {
        let calibration = platt();
        assert_eq!([-5.0, -1.0, 0.0, 9.0].map(|raw| calibration.n_support(raw)), [10, 10, 20, 20]);
    }

    #[test]
    fn isotonic_probabilities_are_straight_between_knots_and_flat_beyond() {
        let map = CalibrationMap::Isotonic { raw: vec![0.0, 2.0], probability: vec![0.2, 0.6] };
        let shown = [-1.0, 0.0, 1.0, 2.0, 3.0].map(|raw| map.apply(raw));
        for (ours, expected) in shown.iter().zip([0.2, 0.2, 0.4, 0.6, 0.6]) {
            assert!((ours - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_value_is_shown_as_it_is_and_its_interval_comes_from_its_quantiles() {
        let cell = ConformalCell { width_max: 9.0, n: 100, low: Some(-0.5), high: Some(1.0) };
        let conformal = Conformal { floor: None, ceiling: None, width_min: 0.1, cells: vec![cell] };
        let intervals = Intervals::Conformal(conformal);
        let calibration = Calibration { map: CalibrationMap::Value, bins: Vec::new(), intervals };
        assert_eq!(calibration.calibrate(7.5).to_bits(), 7.5_f64.to_bits());
        assert_eq!(calibration.interval(7.5, (2.0, 4.0)), (1.0, 6.0));
    }

    #[test]
    fn a_logarithm_becomes_its_value_and_never_overflows() {
        let shown = [0.0, 2.0, -1e6, 1e6].map(|raw| CalibrationMap::LogValue.apply(raw));
        assert!((shown[1] - 7.389_056).abs() < 1e-6 && shown[0].total_cmp(&1.0).is_eq());
        assert!(0.0 < shown[2] && shown[3].is_finite());
    }

    #[test]
    fn the_venn_abers_interval_is_widened_to_hold_the_probability() {
        let calibration = platt();
        for raw in [-2.0, 0.0, 1.5, 3.0, 9.0] {
            let (low, high) = calibration.interval(raw, (raw, raw));
            let p = calibration.calibrate(raw);
            assert!(low <= p && p <= high, "{raw}: {p} is not in {low} to {high}");
        }
        assert!(calibration.interval(0.0, (0.0, 0.0)).0 <= 0.02);
    }

    #[test]
    fn beta_with_equal_powers_is_platt_and_keeps_ranks_with_others() {
        let platt = |raw: f64| sigmoid(1.5 * raw - 0.5);
        for raw in [-800.0, -3.0, 0.0, 2.0, 800.0] {
            let beta = CalibrationMap::Beta { a: 1.5, b: 1.5, c: -0.5 };
            assert!((beta.apply(raw) - platt(raw)).abs() < 1e-12, "{raw}");
        }
        let skewed = CalibrationMap::Beta { a: 0.4, b: 2.0, c: 0.1 };
        let shown: Vec<f64> = (-40..40).map(|i| skewed.apply(f64::from(i) / 4.0)).collect();
        assert!(shown.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

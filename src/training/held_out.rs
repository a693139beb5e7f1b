//! What the held-out rows say about a head: figures, slices, reliability.

use crate::domain::time::Timestamp;
use crate::model::calibration::Calibration;
use crate::model::manifest::MetricSummary;
use crate::training::calibrate::HeldOut;
use crate::training::evaluate::{
    Pair, ReliabilityBin, figures, held_out_pairs, interval_figures, reliability,
};
use crate::training::head::HeadFit;
use crate::training::slices::{SliceReport, SliceRow, SliceSpec, Slicing, or_default};

/// The held-out rows of a head and what follows from them.
#[derive(Clone, Debug)]
pub(crate) struct HeldOutReport {
    /// What was shown and what happened, in time order.
    pub(crate) pairs: Vec<Pair>,
    /// First and last instant.
    pub(crate) window: (Timestamp, Timestamp),
    /// Figures with intervals.
    pub(crate) metrics: Vec<MetricSummary>,
    /// Predicted against observed.
    pub(crate) reliability: Vec<ReliabilityBin>,
    /// Figures of every declared slice.
    pub(crate) slices: Vec<SliceReport>,
}

/// The held-out rows of a head as its trees score them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldOutRows<'a> {
    /// Row numbers, in time order.
    pub(crate) rows: &'a [u32],
    /// Their raw scores and targets.
    pub(crate) scored: &'a [HeldOut],
    /// Their predicted quantiles; only of value heads.
    pub(crate) quantiles: Option<&'a [(f64, f64)]>,
}

impl HeldOutReport {
    /// Measures a calibrated head on its held-out rows.
    pub(crate) fn new(
        fit: &HeadFit<'_>,
        held_out: HeldOutRows<'_>,
        calibration: &Calibration,
        slices: &[SliceSpec],
    ) -> Self {
        let (kind, pairs) = (fit.target.kind, held_out_pairs(held_out.scored, calibration));
        let interval = |at: usize, raw: f64| {
            let quantiles = held_out.quantiles.and_then(|it| it.get(at)).copied();
            calibration.interval(raw, quantiles.unwrap_or((raw, raw)))
        };
        let slice_rows: Vec<SliceRow> = pairs
            .iter()
            .enumerate()
            .map(|(order_idx, pair)| SliceRow {
                order_idx,
                shown: pair.shown,
                interval: interval(order_idx, pair.raw),
                target: pair.target,
            })
            .collect();
        let mut metrics = figures(kind, &pairs);
        if held_out.quantiles.is_some() && !slice_rows.is_empty() {
            metrics.extend(interval_figures(&slice_rows));
        }
        let time = |row: Option<&u32>| {
            row.map_or_else(Timestamp::default, |&row| fit.set.times[row as usize])
        };
        Self {
            window: (time(held_out.rows.first()), time(held_out.rows.last())),
            metrics,
            reliability: reliability(kind, &pairs),
            slices: slicing(fit, held_out.rows, slices).reports(&slice_rows),
            pairs,
        }
    }
}

/// The slices of the rows; a feature that the set does not have declares none.
fn slicing(fit: &HeadFit<'_>, rows: &[u32], declared: &[SliceSpec]) -> Slicing {
    let column_of = |feature: &str| fit.set.specs.iter().position(|spec| *spec.id == *feature);
    let mut slicing = Slicing::default();
    for spec in or_default(declared, |feature| column_of(feature).is_some()) {
        let Some(column) = column_of(&spec.feature) else { continue };
        let values: Vec<f32> =
            rows.iter().map(|&row| fit.set.features[[row as usize, column]]).collect();
        slicing.add(&spec, &values);
    }
    slicing
}

//! Fitting one head: trees, calibration, figures, importance.

use crate::domain::feature::Monotone;
use crate::domain::head::HeadKind;
use crate::model::artifact::HeadArtifact;
use crate::model::calibration::CalibrationMap;
use crate::model::conformal::{LEVELS, OuterQuantiles, in_order};
use crate::model::ensemble::Ensemble;
use crate::model::manifest::HeadEntry;
use crate::training::boost::{Boosted, Problem, TreeDone, boost};
use crate::training::bundle::{BundleParams, Progress, Refit};
use crate::training::calibrate::conformal::{HeldOutValue, fit_conformal};
use crate::training::calibrate::{HeldOut, calibrate_probability, calibrate_value};
use crate::training::choose_loss::Chosen;
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::held_out::{HeldOutReport, HeldOutRows};
use crate::training::importance::mean_contributions;
use crate::training::params::ObliviousValidParams;
use crate::training::parts::Parts;
use crate::training::quantiles::boost_quantiles;
use crate::training::set::{HeadTarget, TrainingSet};

/// How many times as large, or as small, the mean probability of the held-out rows may become
/// when the trees are fitted again. A fit that has seen them is a little surer of them; where the
/// share of bad orders has moved and few trees made the calibration steep, it can be sure of
/// everything.
const CARRIED_OVER_MAX: f64 = 2.0;

/// One head about to be fitted.
pub(crate) struct HeadFit<'a> {
    pub(crate) set: &'a TrainingSet,
    pub(crate) columns: &'a Columns,
    pub(crate) features: &'a [u16],
    pub(crate) target: &'a HeadTarget,
}

/// One fitted head, before features and borders are pruned.
pub(crate) struct FittedHead {
    pub(crate) entry: HeadEntry,
    pub(crate) artifact: HeadArtifact,
    /// What the rows that calibrated it say, scored by trees that had not seen them.
    pub(crate) report: HeldOutReport,
    /// Mean |contribution| per column.
    pub(crate) importance: Vec<f64>,
    /// True when the trees should have been fitted again on all rows, but the calibration did
    /// not carry over.
    pub(crate) is_kept: bool,
}

impl HeadFit<'_> {
    /// Fits the head as a bundle needs it.
    pub(crate) fn run(
        &self,
        trees: &ObliviousValidParams,
        params: &BundleParams,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FittedHead, FitError> {
        let (n_rows, n_positive) = count_labels(self.target);
        let head = self.target.id.clone();
        progress(Progress::HeadStarted { head: head.clone(), n_rows, n_positive });
        let mut on_tree = |done| progress(Progress::Tree { head: head.clone(), done });
        let rows = self.set.rows_by_time(self.target);
        let parts = Parts::new(&rows, &self.set.times, params.cut(trees));
        let Chosen { trees, boosted } = self.choose(trees, &parts, &mut on_tree)?;
        let held_out = self.held_out(parts.report, &boosted.ensemble);
        let quantiles = self.quantiles(&trees, &parts)?;
        // Two later slices instead of one: an interval that saw a single season holds in no
        // other, and deciding when to stop has told the trees next to nothing.
        let later = [parts.stop, parts.report].concat();
        let outer = quantiles.as_ref().map(|quantiles| self.outer(&later, quantiles));
        let calibration = match &outer {
            Some(outer) => {
                let conformal = fit_conformal(&self.observed(&later, outer));
                calibrate_value(trees.settings().loss, &held_out, conformal)
            }
            None => calibrate_probability(&held_out),
        };
        let reported = outer.as_ref().map(|outer| &outer[parts.stop.len()..]);
        let rows_held_out =
            HeldOutRows { rows: parts.report, scored: &held_out, quantiles: reported };
        let report = HeldOutReport::new(self, rows_held_out, &calibration, &params.slices);
        let again = match params.refit {
            Refit::KeepBest => None,
            Refit::AllRows => {
                let n_trees = u32::try_from(boosted.ensemble.trees().len()).unwrap_or(u32::MAX);
                Some(self.boost(&trees.with_n_trees(n_trees), (&rows, &[]), &mut on_tree)?.ensemble)
            }
        };
        let scored = |ensemble: &Ensemble| raw_scores(self.columns, ensemble, parts.report);
        let is_kept = self.target.kind != HeadKind::ImpactValue
            && again.as_ref().is_some_and(|again| {
                !carries_over(&calibration.map, [&scored(&boosted.ensemble), &scored(again)])
            });
        let ensemble = again.filter(|_| !is_kept).unwrap_or(boosted.ensemble);
        let importance = mean_contributions(self.columns, &ensemble, parts.report);
        let entry = HeadEntry {
            id: head,
            kind: self.target.kind,
            file: "".into(),
            checksum: "".into(),
            n_trees: 0,
            n_rows,
            n_positive,
            metrics: report.metrics.clone(),
        };
        let artifact = HeadArtifact { calibration, ensemble, quantiles };
        Ok(FittedHead { entry, artifact, report, importance, is_kept })
    }

    /// Grows the trees of the head.
    pub(crate) fn boost(
        &self,
        trees: &ObliviousValidParams,
        (fit_rows, stop_rows): (&[u32], &[u32]),
        on_tree: &mut dyn FnMut(TreeDone),
    ) -> Result<Boosted, FitError> {
        // Directions are about risk; money or minutes may move either way.
        let direction = |monotone| match self.target.kind {
            HeadKind::Risk => monotone,
            HeadKind::ImpactProbability | HeadKind::ImpactValue => Monotone::Free,
        };
        let monotone: Vec<Monotone> =
            self.set.specs.iter().map(|spec| direction(spec.monotone)).collect();
        let problem = self.problem(&monotone, (fit_rows, stop_rows));
        boost(&problem, trees, on_tree)
    }

    fn held_out(&self, rows: &[u32], ensemble: &Ensemble) -> Vec<HeldOut> {
        let target = |row: u32| f64::from(self.target.values[row as usize]);
        let scored = rows.iter().zip(raw_scores(self.columns, ensemble, rows));
        scored.map(|(&row, raw)| HeldOut { raw, target: target(row) }).collect()
    }

    /// Where nearly all outcomes of a value head lie. Fitted on the rows that grow the
    /// trees, not on all: the moves that calibrate it are those of these very ensembles.
    fn quantiles(
        &self,
        trees: &ObliviousValidParams,
        parts: &Parts<'_>,
    ) -> Result<Option<OuterQuantiles>, FitError> {
        match self.target.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => Ok(None),
            HeadKind::ImpactValue => {
                let problem = self.problem(&[], (parts.fit, parts.stop));
                let [low, high] = boost_quantiles(&problem, trees, LEVELS)?;
                Ok(Some(OuterQuantiles { low, high }))
            }
        }
    }

    /// Predicted quantiles of rows, in order.
    fn outer(&self, rows: &[u32], quantiles: &OuterQuantiles) -> Vec<(f64, f64)> {
        let [low, high] =
            quantiles.ensembles().map(|ensemble| raw_scores(self.columns, ensemble, rows));
        low.into_iter().zip(high).map(in_order).collect()
    }

    /// Predicted quantiles of rows beside what happened.
    fn observed(&self, rows: &[u32], outer: &[(f64, f64)]) -> Vec<HeldOutValue> {
        let value = |(&row, &quantiles): (&u32, &(f64, f64))| HeldOutValue {
            quantiles,
            target: self.target.values[row as usize].into(),
        };
        rows.iter().zip(outer).map(value).collect()
    }

    fn problem<'p>(
        &'p self,
        monotone: &'p [Monotone],
        (fit_rows, stop_rows): (&'p [u32], &'p [u32]),
    ) -> Problem<'p> {
        Problem {
            columns: self.columns,
            features: self.features,
            monotone,
            targets: &self.target.values,
            weights: &self.set.weights,
            fit_rows,
            stop_rows,
        }
    }
}

/// True when a map that was fitted to the first of these raw scores says about the same of the
/// second, of the same rows.
fn carries_over(map: &CalibrationMap, raw_scores: [&[f64]; 2]) -> bool {
    let [before, after] =
        raw_scores.map(|raws| raws.iter().map(|raw| map.apply(*raw)).sum::<f64>());
    before <= CARRIED_OVER_MAX * after && after <= CARRIED_OVER_MAX * before
}

/// Raw scores of training rows.
pub(crate) fn raw_scores(columns: &Columns, ensemble: &Ensemble, rows: &[u32]) -> Vec<f64> {
    let mut raw = vec![ensemble.bias(); rows.len()];
    for tree in ensemble.trees() {
        let leaves = columns.leaf_numbers(tree.splits(), rows);
        for (raw, leaf) in raw.iter_mut().zip(leaves) {
            *raw += tree.leaves()[usize::from(leaf)];
        }
    }
    raw
}

/// Labeled rows, and those labeled 1 (0 for value heads).
pub(crate) fn count_labels(target: &HeadTarget) -> (u64, u64) {
    let n_rows = target.values.iter().filter(|value| !value.is_nan()).count() as u64;
    let n_positive = match target.kind {
        HeadKind::Risk | HeadKind::ImpactProbability => {
            target.values.iter().filter(|value| 0.5 < **value).count() as u64
        }
        HeadKind::ImpactValue => 0,
    };
    (n_rows, n_positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen in a rehearsal: four trees, a slope of 30, and two log-odds more of bad orders.
    #[test]
    fn a_steep_map_carries_over_to_no_other_level() {
        let raws = |level: f64| -> Vec<f64> {
            (0..100).map(|row| level + if row < 98 { 0.0 } else { 0.45 }).collect()
        };
        let steep = CalibrationMap::Platt { slope: 30.0, intercept: 194.0 };
        let kept = raws(-6.77);
        assert!(carries_over(&steep, [&kept, &kept]));
        assert!(!carries_over(&steep, [&kept, &raws(-4.9)]));
        assert!(!carries_over(&steep, [&kept, &raws(-7.5)]));
        let usual = CalibrationMap::Platt { slope: 1.05, intercept: 0.1 };
        assert!(carries_over(&usual, [&kept, &raws(-6.4)]));
    }
}

//! Fitting one head: trees, calibration, figures, importance.

use crate::domain::feature::Monotone;
use crate::domain::head::HeadKind;
use crate::model::artifact::HeadArtifact;
use crate::model::manifest::HeadEntry;
use crate::training::boost::{Boosted, Problem, TreeDone, boost};
use crate::training::bundle::{Progress, Refit};
use crate::training::calibrate::{HeldOut, fit_calibration};
use crate::training::columns::Columns;
use crate::training::error::FitError;
use crate::training::evaluate::held_out_metrics;
use crate::training::importance::mean_contributions;
use crate::training::loss::Loss;
use crate::training::params::ObliviousValidParams;
use crate::training::sample::share_of;
use crate::training::set::{HeadTarget, TrainingSet};

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
    pub(crate) n_held_out: usize,
    /// Mean |contribution| per column.
    pub(crate) importance: Vec<f64>,
}

impl HeadFit<'_> {
    /// Fits the head as a bundle needs it.
    pub(crate) fn run(
        &self,
        trees: &ObliviousValidParams,
        refit: Refit,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FittedHead, FitError> {
        let (n_rows, n_positive) = count_labels(self.target);
        let head = self.target.id.clone();
        progress(Progress::HeadStarted { head: head.clone(), n_rows, n_positive });
        let loss = match self.target.kind {
            HeadKind::Risk | HeadKind::ImpactProbability => Loss::Logistic,
            HeadKind::ImpactValue => Loss::Squared,
        };
        let trees = trees.with_loss(loss);
        let mut on_tree = |done| progress(Progress::Tree { head: head.clone(), done });
        let rows = self.set.rows_by_time(self.target);
        let parts = split_rows(&rows, &trees);
        let boosted = self.boost(&trees, parts, &mut on_tree)?;
        let held_out = self.held_out(parts.1, &boosted);
        let calibration = fit_calibration(self.target.kind, &held_out);
        let metrics = held_out_metrics(self.target.kind, &held_out, &calibration);
        let ensemble = match refit {
            Refit::KeepBest => boosted.ensemble,
            Refit::AllRows => {
                let n_trees = u32::try_from(boosted.ensemble.trees.len()).unwrap_or(u32::MAX);
                self.boost(&trees.with_n_trees(n_trees), (&rows, &[]), &mut on_tree)?.ensemble
            }
        };
        let importance = mean_contributions(self.columns, &ensemble, parts.1);
        let entry = HeadEntry {
            id: head,
            kind: self.target.kind,
            file: "".into(),
            checksum: "".into(),
            n_trees: 0,
            n_rows,
            n_positive,
            metrics,
        };
        let artifact = HeadArtifact { calibration, ensemble };
        Ok(FittedHead { entry, artifact, n_held_out: held_out.len(), importance })
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
        let problem = Problem {
            columns: self.columns,
            features: self.features,
            monotone: &monotone,
            targets: &self.target.values,
            weights: &self.set.weights,
            fit_rows,
            stop_rows,
        };
        boost(&problem, trees, on_tree)
    }

    fn held_out(&self, stop_rows: &[u32], boosted: &Boosted) -> Vec<HeldOut> {
        let target = |row: u32| f64::from(self.target.values[row as usize]);
        let rows = stop_rows.iter().zip(&boosted.stop_raw);
        rows.map(|(&row, &raw)| HeldOut { raw, target: target(row) }).collect()
    }
}

/// Earlier rows that grow trees, later rows that stop and calibrate.
pub(crate) fn split_rows<'a>(
    rows: &'a [u32],
    trees: &ObliviousValidParams,
) -> (&'a [u32], &'a [u32]) {
    rows.split_at(rows.len() - share_of(rows.len(), trees.settings().stop_share))
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

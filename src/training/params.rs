//! Settings of the tree trainer, checked once.

use linfa::ParamGuard;
use serde::{Deserialize, Serialize};

use crate::model::binning::BORDERS_MAX;
use crate::model::ensemble::DEPTH_MAX;
use crate::training::loss::Loss;

/// Settings of the tree trainer as written; [`ParamGuard::check`] makes them usable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObliviousParams(ObliviousValidParams);

/// Checked settings: every figure is in range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObliviousValidParams(ObliviousSettings);

/// The figures of the tree trainer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObliviousSettings {
    /// What boosting descends on.
    pub loss: Loss,
    /// Most trees; 1 to 10,000.
    pub n_trees_max: u32,
    /// Levels of a tree; 1 to 6.
    pub depth: u32,
    /// Step per tree; above 0, at most 1.
    pub learning_rate: f64,
    /// Added to every leaf's second derivative; above 0.
    pub l2: f64,
    /// Share of the rows that choose a tree's splits; above 0, at most 1.
    pub row_share: f64,
    /// Share of the features a tree may use; above 0, at most 1.
    pub feature_share: f64,
    /// Most borders per feature; 1 to 254.
    pub n_borders_max: u32,
    /// Share of the rows, the latest ones, that decides when to stop; 0 to stop never.
    pub stop_share: f64,
    /// Trees without progress on those rows before it stops; at least 1.
    pub patience: u32,
    /// Threads; the model does not depend on it.
    pub n_threads: u32,
    /// Seed of the row and feature samples.
    pub seed: u64,
}

/// A setting that is out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} = {value} must be {allowed}")]
pub struct ParamsError {
    /// Which setting.
    pub name: &'static str,
    /// What was given.
    pub value: f64,
    /// What is allowed.
    pub allowed: &'static str,
}

impl Default for ObliviousSettings {
    /// A starting point, tried once on four development folds (2026-11-22), not tuned;
    /// `orderlens train` sets the number of trees and the step itself.
    fn default() -> Self {
        Self {
            loss: Loss::Logistic,
            n_trees_max: 300,
            depth: 6,
            learning_rate: 0.08,
            l2: 2.0,
            row_share: 0.8,
            feature_share: 0.5,
            n_borders_max: 254,
            stop_share: 0.2,
            patience: 40,
            n_threads: 2,
            seed: 1,
        }
    }
}

impl ObliviousParams {
    /// Wraps settings that still have to be checked.
    pub fn new(settings: ObliviousSettings) -> Self {
        Self(ObliviousValidParams(settings))
    }

    /// The settings as written.
    pub fn settings(&self) -> &ObliviousSettings {
        &self.0.0
    }
}

impl ObliviousValidParams {
    /// The checked settings.
    pub fn settings(&self) -> &ObliviousSettings {
        &self.0
    }

    /// The same settings for another loss.
    pub(crate) fn with_loss(&self, loss: Loss) -> Self {
        Self(ObliviousSettings { loss, ..self.0.clone() })
    }

    /// The same settings for a fixed number of trees: no early stopping.
    pub(crate) fn with_n_trees(&self, n_trees: u32) -> Self {
        let n_trees_max = n_trees.clamp(1, TREES_MAX);
        Self(ObliviousSettings { n_trees_max, stop_share: 0.0, ..self.0.clone() })
    }

    /// The same settings for a quick look at which features matter.
    pub(crate) fn for_screening(&self) -> Self {
        let settings = self.0.clone();
        let n_trees_max = settings.n_trees_max.min(SCREENING_TREES);
        let learning_rate = settings.learning_rate.max(SCREENING_RATE);
        Self(ObliviousSettings { n_trees_max, learning_rate, ..settings })
    }
}

const TREES_MAX: u32 = 10_000;
const SCREENING_TREES: u32 = 60;
const SCREENING_RATE: f64 = 0.15;

impl ParamGuard for ObliviousParams {
    type Checked = ObliviousValidParams;
    type Error = ParamsError;

    fn check_ref(&self) -> Result<&ObliviousValidParams, ParamsError> {
        check(&self.0.0)?;
        Ok(&self.0)
    }

    fn check(self) -> Result<ObliviousValidParams, ParamsError> {
        check(&self.0.0)?;
        Ok(self.0)
    }
}

fn check(settings: &ObliviousSettings) -> Result<(), ParamsError> {
    let whole = |name, value: u32, min: u32, max: u32, allowed| {
        let is_allowed = min <= value && value <= max;
        if is_allowed { Ok(()) } else { Err(ParamsError { name, value: value.into(), allowed }) }
    };
    let share = |name, value: f64| {
        let is_allowed = 0.0 < value && value <= 1.0;
        let allowed = "above 0 and at most 1";
        if is_allowed { Ok(()) } else { Err(ParamsError { name, value, allowed }) }
    };
    let borders_max = u32::try_from(BORDERS_MAX).unwrap_or(u32::MAX);
    whole("n_trees_max", settings.n_trees_max, 1, TREES_MAX, "1 to 10,000")?;
    whole("depth", settings.depth, 1, u32::try_from(DEPTH_MAX).unwrap_or(0), "1 to 6")?;
    whole("n_borders_max", settings.n_borders_max, 1, borders_max, "1 to 254")?;
    whole("patience", settings.patience, 1, u32::MAX, "at least 1")?;
    whole("n_threads", settings.n_threads, 1, 256, "1 to 256")?;
    share("learning_rate", settings.learning_rate)?;
    share("row_share", settings.row_share)?;
    share("feature_share", settings.feature_share)?;
    check_loss(settings.loss)?;
    if !(0.0..=0.5).contains(&settings.stop_share) {
        let (name, value) = ("stop_share", settings.stop_share);
        return Err(ParamsError { name, value, allowed: "0 to 0.5" });
    }
    if !(settings.l2.is_finite() && 0.0 < settings.l2) {
        return Err(ParamsError { name: "l2", value: settings.l2, allowed: "above 0" });
    }
    Ok(())
}

fn check_loss(loss: Loss) -> Result<(), ParamsError> {
    let (name, value, (low, high), allowed) = match loss {
        Loss::Logistic | Loss::Squared | Loss::Poisson => return Ok(()),
        Loss::Quantile { level } => ("quantile level", level, (0.0, 1.0), "above 0 and below 1"),
        Loss::Tweedie { power } => ("tweedie power", power, (1.0, 2.0), "above 1 and below 2"),
    };
    if low < value && value < high { Ok(()) } else { Err(ParamsError { name, value, allowed }) }
}

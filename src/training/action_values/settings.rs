//! Settings of the learner of action values.

use linfa::ParamGuard as _;
use serde::{Deserialize, Serialize};

use crate::training::loss::Loss;
use crate::training::params::{ObliviousParams, ObliviousSettings, ParamsError};

/// Settings of the learner of action values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnerSettings {
    /// Bootstraps; 2 to 1,000.
    pub n_members: usize,
    /// The trees that learn from all rows. Their loss, threads and seed are set here.
    pub shared: ObliviousSettings,
    /// The trees that learn what is left from the rows of one action; likewise.
    pub own: ObliviousSettings,
    /// What a row weighs for its action's own trees.
    pub weighting: Weighting,
    /// Threads; the values do not depend on it.
    pub n_threads: usize,
    /// Seed of the bootstraps and of the trees' samples.
    pub seed: u64,
}

/// What a row weighs for its action's own trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// As much as any other. The least noise; right where trees can tell what is left from the
    /// features, since these are all that known chances depend on.
    Even,
    /// By its inverse propensity: doubly robust (Dudík, Langford, Li 2011). What the shared
    /// trees get wrong is averaged over all orders, not over those that got the action.
    InversePropensity,
}

impl Default for LearnerSettings {
    /// Chosen on simulated logs of other seeds than the gates' (2026-11-28), where more or fewer
    /// shared trees changed little. Own trees are few and held back: without shared ones they
    /// closed about .60 to .68 instead of .80 to .86 of the gap between the rule and the best
    /// that `benches/gates/learner.rs` measures, at 5,000 rows.
    fn default() -> Self {
        let shared = ObliviousSettings {
            loss: Loss::Squared,
            n_trees_max: 150,
            depth: 4,
            learning_rate: 0.08,
            l2: 20.0,
            row_share: 0.7,
            feature_share: 0.7,
            n_borders_max: 64,
            stop_share: 0.0,
            ..ObliviousSettings::default()
        };
        let own = ObliviousSettings {
            n_trees_max: 30,
            depth: 3,
            learning_rate: 0.05,
            l2: 60.0,
            ..shared.clone()
        };
        let (n_members, weighting) = (8, Weighting::Even);
        Self { n_members, shared, own, weighting, n_threads: 2, seed: 1 }
    }
}

/// Checks that every figure is in range.
pub(super) fn check(settings: &LearnerSettings) -> Result<(), ParamsError> {
    if !(2..=1_000).contains(&settings.n_members) {
        let (name, value) = ("n_members", settings.n_members as f64);
        return Err(ParamsError { name, value, allowed: "2 to 1,000" });
    }
    for trees in [&settings.shared, &settings.own] {
        ObliviousParams::new(trees.clone()).check_ref()?;
    }
    Ok(())
}

//! The models of a rehearsal: that of day 0, and its challengers.

use std::convert::Infallible;
use std::path::Path;

use crate::cli::train::{fit, trees};
use crate::domain::event::Event;
use crate::domain::time::{Span, Timestamp};
use crate::feature::catalog::Catalog;
use crate::graph::settings::GraphSettings;
use crate::model::bundle::Bundle;
use crate::training::bundle::{BundleParams, RowOrigin};
use crate::training::params::ObliviousParams;
use crate::workflow::learn_from_journal::{hold_out, rings_of};
use crate::workflow::play_history::{HistoryPlan, Window, discover_schema, play_history};

/// Most features and trees, and how much a tree learns: four bundles are learned in one
/// rehearsal, so they are smaller than those of `orderlens train`.
const FEATURES_MAX: usize = 40;
const TREES_MAX: u32 = 80;
const LEARNING_RATE: f64 = 0.1;
/// Name of the bundles.
pub const BUNDLE: &str = "rehearsal";

/// How the bundle of a version is fitted.
pub fn params(version: &str) -> BundleParams {
    BundleParams {
        name: BUNDLE.into(),
        version: version.into(),
        origin: RowOrigin::Synthetic,
        trees: ObliviousParams::new(trees(TREES_MAX, LEARNING_RATE)),
        features_max: Some(FEATURES_MAX),
        label_delay: Span(0),
        ..BundleParams::default()
    }
}

/// Saves a bundle where the service looks for it.
///
/// # Errors
/// When it cannot be written.
pub fn save(models: &Path, bundle: &Bundle) -> miette::Result<()> {
    let folder = models.join(BUNDLE).join(&*bundle.manifest().version);
    bundle.save(&folder).map_err(|error| miette::miette!("{error}"))
}

/// The model of day 0, learned from the facts of the past.
///
/// # Errors
/// When no head has enough labels, or the bundle cannot be written.
pub fn first_model(
    models: &Path,
    past: &[Event],
    (start, day_0): (Timestamp, Timestamp),
    graph: &GraphSettings,
) -> miette::Result<Bundle> {
    let events = || past.iter().cloned().map(Ok::<_, Infallible>);
    let Ok(schema) = discover_schema(events(), day_0);
    let windows = vec![Window { from: start, to: day_0 }];
    let plan = HistoryPlan { windows, label_delay: Span(0), graph: graph.clone() };
    let Ok(history) = play_history(events(), Catalog::new(&schema), &plan, &mut |_| {});
    let mut set = history.training_set(0, day_0, &schema);
    hold_out(&rings_of(&history, day_0), &mut set);
    let bundle = fit(&set, &params("day-0"))?;
    save(models, &bundle)?;
    Ok(bundle)
}

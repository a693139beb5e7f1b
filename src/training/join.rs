//! The last step of a bundle: prune, gather the parts, write manifest and card.

use ndarray::Axis;

use crate::domain::feature::FeatureSpec;
use crate::model::bundle::Bundle;
use crate::model::manifest::{FORMAT_VERSION, Manifest, TrainingWindow};
use crate::model::parts::Parts;
use crate::training::background::background;
use crate::training::bundle::{BundleParams, RowOrigin};
use crate::training::card::{CardInput, HeadCard, write};
use crate::training::columns::Columns;
use crate::training::error::{FitError, SkippedHead};
use crate::training::head::FittedHead;
use crate::training::plausibility::gather_plausibility;
use crate::training::population::count_population;
use crate::training::prune::prune;
use crate::training::set::TrainingSet;

/// Prunes what no head uses and writes manifest and card.
pub(crate) fn join(
    set: &TrainingSet,
    params: &BundleParams,
    columns: &Columns,
    fitted: Vec<FittedHead>,
    skipped: &[SkippedHead],
) -> Result<Bundle, FitError> {
    let (mut entries, mut artifacts, mut cards) = (Vec::new(), Vec::new(), Vec::new());
    let mut scores: Vec<Vec<f64>> = Vec::new();
    for head in fitted {
        scores.push(head.report.pairs.iter().map(|pair| pair.raw).collect());
        cards.push(HeadCard::new(&head, &set.specs));
        entries.push(head.entry);
        artifacts.push(head.artifact);
    }
    let kept = prune(&columns.binning, &mut artifacts)?;
    let kept_values = set.features.select(Axis(1), &kept.features);
    let features: Vec<FeatureSpec> =
        kept.features.iter().map(|&column| set.specs[column].clone()).collect();
    let parts = Parts {
        background: background(set, &kept.features, &kept.binning)?,
        population: count_population(kept_values.view(), &set.times, &scores),
        plausibility: gather_plausibility(kept_values.view(), &features, &kept.binning),
    };
    let window = TrainingWindow {
        from: set.times.iter().min().copied().unwrap_or_default(),
        to: set.times.iter().max().copied().unwrap_or_default(),
        n_rows: set.times.len() as u64,
    };
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        name: params.name.clone(),
        version: params.version.clone(),
        is_synthetic: params.origin == RowOrigin::Synthetic,
        seed: params.trees.settings().seed,
        window,
        schema: set.schema.clone(),
        schema_hash: "".into(),
        features,
        binning: kept.binning,
        heads: entries,
        parts: Vec::new(),
    };
    let n_offered = set.specs.len();
    let card = write(&CardInput { manifest: &manifest, params, n_offered, heads: cards, skipped });
    Ok(Bundle::assemble(manifest, artifacts, parts, card)?)
}

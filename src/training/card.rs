//! The model card: what a person should know before trusting a bundle.

use std::fmt::{Error, Write};

use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadId, HeadKind};
use crate::model::artifact::HeadArtifact;
use crate::model::calibration::{CalibrationBin, CalibrationMap};
use crate::model::manifest::{HeadEntry, Manifest, MetricSummary};
use crate::training::bundle::{BundleParams, Refit};
use crate::training::error::SkippedHead;

/// Features listed per head.
const FEATURES_SHOWN: usize = 15;

/// What the card is written from.
#[derive(Debug)]
pub(crate) struct CardInput<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) params: &'a BundleParams,
    /// One per column of the training set.
    pub(crate) specs: &'a [FeatureSpec],
    pub(crate) heads: &'a [HeadCard],
    pub(crate) skipped: &'a [SkippedHead],
}

/// One head's part of the card.
#[derive(Debug)]
pub(crate) struct HeadCard {
    id: HeadId,
    kind: HeadKind,
    n_rows: u64,
    n_positive: u64,
    n_held_out: usize,
    n_trees: usize,
    metrics: Vec<MetricSummary>,
    map: CalibrationMap,
    bins: Vec<CalibrationBin>,
    /// Columns with their mean |contribution|, largest first.
    leading: Vec<(usize, f64)>,
}

impl HeadCard {
    pub(crate) fn new(
        entry: &HeadEntry,
        artifact: &HeadArtifact,
        n_held_out: usize,
        importance: &[f64],
    ) -> Self {
        let mut leading: Vec<(usize, f64)> =
            importance.iter().copied().enumerate().filter(|(_, mean)| 0.0 < *mean).collect();
        leading.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        leading.truncate(FEATURES_SHOWN);
        Self {
            id: entry.id.clone(),
            kind: entry.kind,
            n_rows: entry.n_rows,
            n_positive: entry.n_positive,
            n_held_out,
            n_trees: artifact.ensemble.trees().len(),
            metrics: entry.metrics.clone(),
            map: artifact.calibration.map.clone(),
            bins: artifact.calibration.bins.clone(),
            leading,
        }
    }
}

/// The card as Markdown.
pub(crate) fn render(input: &CardInput<'_>) -> String {
    let mut card = String::new();
    // Writing to a String cannot fail.
    let _: Result<(), Error> = write_card(&mut card, input);
    card
}

fn write_card(card: &mut String, input: &CardInput<'_>) -> Result<(), Error> {
    let (manifest, settings) = (input.manifest, input.params.trees.settings());
    writeln!(card, "# Model card: {} {}\n", manifest.name, manifest.version)?;
    if manifest.is_synthetic {
        writeln!(card, "> **SYNTHETIC**: trained on simulated orders. The figures below say")?;
        writeln!(card, "> nothing about real orders.\n")?;
    }
    let window = manifest.window;
    writeln!(card, "| | |\n|---|---|")?;
    writeln!(card, "| data window | {} to {} |", window.from, window.to)?;
    writeln!(card, "| rows | {} |", window.n_rows)?;
    let (n_used, n_offered) = (manifest.features.len(), input.specs.len());
    writeln!(card, "| features | {n_used} used of {n_offered} offered |")?;
    writeln!(
        card,
        "| trees | oblivious, depth ≤ {}, at most {} per head, learning rate {}, L2 {} |",
        settings.depth, settings.n_trees_max, settings.learning_rate, settings.l2
    )?;
    let (rows, features) = (settings.row_share, settings.feature_share);
    writeln!(card, "| sampling | {rows} of the rows, {features} of the features per tree |")?;
    writeln!(card, "| seed | {} |", settings.seed)?;
    let report_share = input.params.report_share;
    writeln!(card, "| stopped on | {} of each head's rows before those |", settings.stop_share)?;
    writeln!(card, "| held out | the latest {report_share} of each head's rows |\n")?;
    for head in input.heads {
        write_head(card, head, input)?;
    }
    write_limits(card, input)
}

fn write_head(card: &mut String, head: &HeadCard, input: &CardInput<'_>) -> Result<(), Error> {
    writeln!(card, "## {}\n", head.id)?;
    let (n_rows, n_held_out, n_trees) = (head.n_rows, head.n_held_out, head.n_trees);
    match head.kind {
        HeadKind::Risk | HeadKind::ImpactProbability => writeln!(
            card,
            "{n_rows} labeled rows, {} positive; {n_trees} trees; {n_held_out} rows held out.\n",
            head.n_positive
        )?,
        HeadKind::ImpactValue => writeln!(
            card,
            "{n_rows} rows with a value; {n_trees} trees; {n_held_out} rows held out.\n"
        )?,
    }
    writeln!(card, "| figure (held out) | value | 90 % interval |\n|---|---|---|")?;
    for metric in &head.metrics {
        let (value, low, high) = (metric.value, metric.low, metric.high);
        writeln!(card, "| {} | {value:.4} | {low:.4} to {high:.4} |", metric.name)?;
    }
    writeln!(card, "\n| feature | mean \\|contribution\\| |\n|---|---|")?;
    for &(column, mean) in &head.leading {
        if let Some(spec) = input.specs.get(column) {
            writeln!(card, "| {} (`{}`) | {mean:.4} |", spec.name.en, spec.id)?;
        }
    }
    let map = match &head.map {
        CalibrationMap::Platt { slope, intercept, .. } => {
            format!("Platt, slope {slope:.3}, intercept {intercept:.3}")
        }
        CalibrationMap::Isotonic { raw, .. } => format!("isotonic, {} knots", raw.len()),
        CalibrationMap::Beta { a, b, c } => format!("beta, powers {a:.3} and {b:.3}, shift {c:.3}"),
        CalibrationMap::Value => "none (values)".to_owned(),
    };
    writeln!(card, "\nCalibration: {map}. Reliability on the held-out rows:\n")?;
    writeln!(card, "| raw score up to | rows | mean predicted | observed |\n|---|---|---|---|")?;
    for bin in &head.bins {
        let (predicted, observed) = (bin.mean_predicted, bin.mean_observed);
        writeln!(card, "| {:.3} | {} | {predicted:.4} | {observed:.4} |", bin.raw_max, bin.n)?;
    }
    writeln!(card)
}

fn write_limits(card: &mut String, input: &CardInput<'_>) -> Result<(), Error> {
    writeln!(card, "## Limits\n")?;
    writeln!(card, "- The held-out rows are later than all that grew or stopped the trees, but")?;
    writeln!(card, "  they also fitted the calibration: its figures are slightly optimistic, and")?;
    writeln!(
        card,
        "  they are no later than the labels allowed. `evaluate` on later rows decides."
    )?;
    match input.params.refit {
        Refit::AllRows => {
            writeln!(
                card,
                "- The trees were fitted again on all rows; figures and calibration are"
            )?;
            writeln!(card, "  those of the fit without the held-out rows.")?;
        }
        Refit::KeepBest => {}
    }
    writeln!(card, "- Contributions explain the model, not causes: changing a feature need not")?;
    writeln!(card, "  change what happens.")?;
    for skipped in input.skipped {
        writeln!(card, "- Left out: {skipped}.")?;
    }
    Ok(())
}

//! The model card: what a person should know before trusting a bundle.

use std::fmt::{Error, Write};

use crate::domain::feature::FeatureSpec;
use crate::domain::head::{HeadId, HeadKind};
use crate::domain::time::Span;
use crate::model::calibration::CalibrationMap;
use crate::model::card::{Card, PICTURES_FOLDER, Picture};
use crate::model::manifest::Manifest;
use crate::training::bundle::{BundleParams, Refit};
use crate::training::error::SkippedHead;
use crate::training::head::FittedHead;
use crate::training::held_out::HeldOutReport;
use crate::training::pictures::{HeadPictures, leading};

/// Features listed per head.
const FEATURES_SHOWN: usize = 15;

/// What the card is written from.
#[derive(Debug)]
pub(crate) struct CardInput<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) params: &'a BundleParams,
    /// Columns of the training set.
    pub(crate) n_offered: usize,
    pub(crate) heads: Vec<HeadCard>,
    pub(crate) skipped: &'a [SkippedHead],
}

/// One head's part of the card.
#[derive(Debug)]
pub(crate) struct HeadCard {
    id: HeadId,
    kind: HeadKind,
    n_rows: u64,
    n_positive: u64,
    n_trees: usize,
    is_kept: bool,
    map: CalibrationMap,
    report: HeldOutReport,
    /// Names of features with their mean |contribution|, largest first.
    leading: Vec<(String, f64)>,
}

impl HeadCard {
    /// The card of a fitted head; `specs` are the columns of the training set.
    pub(crate) fn new(head: &FittedHead, specs: &[FeatureSpec]) -> Self {
        let mut leading = leading(specs, &head.importance);
        leading.truncate(FEATURES_SHOWN);
        Self {
            id: head.entry.id.clone(),
            kind: head.entry.kind,
            n_rows: head.entry.n_rows,
            n_positive: head.entry.n_positive,
            n_trees: head.artifact.ensemble.trees().len(),
            is_kept: head.is_kept,
            map: head.artifact.calibration.map.clone(),
            report: head.report.clone(),
            leading,
        }
    }

    fn pictures(&self) -> Vec<Picture> {
        let pictures = HeadPictures {
            head: &self.id,
            kind: self.kind,
            raw_unit: self.map.raw_unit(),
            pairs: &self.report.pairs,
            reliability: &self.report.reliability,
            leading: &self.leading,
        };
        pictures.draw()
    }
}

/// The card as Markdown, with its pictures.
pub(crate) fn write(input: &CardInput<'_>) -> Card {
    let mut card = Card::default();
    // Writing to a String cannot fail.
    let _: Result<(), Error> = write_card(&mut card, input);
    card
}

fn write_card(card: &mut Card, input: &CardInput<'_>) -> Result<(), Error> {
    write_table(&mut card.text, input)?;
    for head in &input.heads {
        let pictures = head.pictures();
        write_head(&mut card.text, head, input.manifest.window.n_rows)?;
        for Picture { title, file, .. } in &pictures {
            writeln!(card.text, "![{title}]({PICTURES_FOLDER}/{file})")?;
        }
        writeln!(card.text)?;
        card.pictures.extend(pictures);
    }
    write_limits(&mut card.text, input)
}

fn write_table(card: &mut String, input: &CardInput<'_>) -> Result<(), Error> {
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
    let delay_days = input.params.label_delay.0 as f64 / Span::DAY.0 as f64;
    writeln!(
        card,
        "| label maturity | labels that were mature when training began, seen no earlier than {delay_days} days after their order |"
    )?;
    let (n_used, n_offered) = (manifest.features.len(), input.n_offered);
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
    writeln!(card, "| held out | the latest {report_share} of each head's rows |\n")
}

fn write_head(card: &mut String, head: &HeadCard, n_all: u64) -> Result<(), Error> {
    writeln!(card, "## {}\n", head.id)?;
    let (n_rows, n_trees) = (head.n_rows, head.n_trees);
    let percent = 100.0 * n_rows as f64 / n_all.max(1) as f64;
    let of_all = format!("{n_rows} rows had a mature label ({percent:.0} % of all)");
    match head.kind {
        HeadKind::Risk | HeadKind::ImpactProbability => {
            writeln!(card, "{of_all}, {} of them positive; {n_trees} trees.", head.n_positive)?;
        }
        HeadKind::ImpactValue => writeln!(card, "{of_all}; {n_trees} trees.")?,
    }
    if head.is_kept {
        writeln!(
            card,
            "They were not fitted again on all rows: the calibration did not carry over."
        )?;
    }
    let (from, to) = head.report.window;
    writeln!(card, "{} rows held out, {from} to {to}.\n", head.report.pairs.len())?;
    writeln!(card, "| figure (held out) | value | 90 % interval |\n|---|---|---|")?;
    for metric in &head.report.metrics {
        let (value, low, high) = (metric.value, metric.low, metric.high);
        writeln!(card, "| {} | {value:.4} | {low:.4} to {high:.4} |", metric.name)?;
    }
    write_slices(card, head)?;
    writeln!(card, "\n| feature | mean \\|contribution\\| |\n|---|---|")?;
    for (name, mean) in &head.leading {
        writeln!(card, "| {name} | {mean:.4} |")?;
    }
    write_reliability(card, head)
}

fn write_slices(card: &mut String, head: &HeadCard) -> Result<(), Error> {
    if head.report.slices.is_empty() {
        return Ok(());
    }
    writeln!(card, "\n| slice (held out) | rows | mean predicted | observed | in the interval |")?;
    writeln!(card, "|---|---|---|---|---|")?;
    for slice in &head.report.slices {
        let (predicted, observed) = (slice.mean_predicted, slice.mean_observed);
        let covered = match head.kind {
            // The interval of a probability is about the probability, not the outcome.
            HeadKind::Risk | HeadKind::ImpactProbability => "–".to_owned(),
            HeadKind::ImpactValue => format!("{:.3}", slice.coverage.share),
        };
        let (name, n) = (&slice.slice, slice.n);
        writeln!(card, "| {name} | {n} | {predicted:.4} | {observed:.4} | {covered} |")?;
    }
    Ok(())
}

fn write_reliability(card: &mut String, head: &HeadCard) -> Result<(), Error> {
    let map = match &head.map {
        CalibrationMap::Platt { slope, intercept, .. } => {
            format!("Platt, slope {slope:.3}, intercept {intercept:.3}")
        }
        CalibrationMap::Isotonic { raw, .. } => format!("isotonic, {} knots", raw.len()),
        CalibrationMap::Beta { a, b, c } => format!("beta, powers {a:.3} and {b:.3}, shift {c:.3}"),
        CalibrationMap::Value => "none (values)".to_owned(),
        CalibrationMap::LogValue => "exponential (scores are logarithms of values)".to_owned(),
    };
    writeln!(card, "\nCalibration: {map}. Reliability on the held-out rows:\n")?;
    writeln!(card, "| rows | mean predicted | observed | 90 % interval |\n|---|---|---|---|")?;
    for bin in &head.report.reliability {
        let (predicted, observed) = (bin.mean_predicted, bin.mean_observed);
        let (n, low, high) = (bin.n, bin.low, bin.high);
        writeln!(card, "| {n} | {predicted:.4} | {observed:.4} | {low:.4} to {high:.4} |")?;
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
    writeln!(
        card,
        "- Slices and intervals of values are measured on the rows that set them: nine"
    )?;
    writeln!(card, "  of ten are inside by construction; slices show where it is not so.")?;
    for skipped in input.skipped {
        writeln!(card, "- Left out: {skipped}.")?;
    }
    Ok(())
}

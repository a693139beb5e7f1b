//! `orderlens train`: events in, a bundle of calibrated models out.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::cli::event_file::EventFile;
use crate::cli::export_matrix::export_matrix;
use crate::cli::output::{bar, say, say_json, spinner};
use crate::cli::serve::identity;
use crate::cli::settings::{graph_settings, shipped};
use crate::cli::windows::WindowArgs;
use crate::domain::feature::CatalogSchema;
use crate::domain::head::HeadId;
use crate::feature::catalog::Catalog;
use crate::model::bundle::Bundle;
use crate::model::manifest::MetricSummary;
use crate::training::bundle::{BundleParams, Progress, Refit, RowOrigin, fit_bundle};
use crate::training::params::{ObliviousParams, ObliviousSettings};
use crate::training::set::TrainingSet;
use crate::training::slices::SliceSpec;
use crate::workflow::play_history::{History, HistoryPlan, discover_schema, play_history};

/// Event ids that begin with this come from a simulator.
const SYNTHETIC_PREFIX: &str = "synthetic-";

/// Most trees of a head, unless told: on the development folds of three sources, more
/// trees gained nothing (2026-11-22).
pub const TREES_MAX: u32 = 150;
/// Step of each tree, unless told.
pub const LEARNING_RATE: f64 = 0.05;

/// Train a bundle of models from event files
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Canonical events, JSON Lines, `.gz` too; several files are several markets, each with a
    /// graph of its own, that one bundle learns from
    #[arg(long, required = true)]
    events: Vec<PathBuf>,
    /// Folder of the new bundle, `models/<name>/<version>`
    #[arg(long)]
    output: PathBuf,
    #[command(flatten)]
    windows: WindowArgs,
    /// Only these heads; every labeled one otherwise
    #[arg(long = "head")]
    heads: Vec<String>,
    /// Most features of the bundle; all useful ones otherwise
    #[arg(long)]
    max_features: Option<usize>,
    /// Most trees of a head; the rows that stop it are too near to show what goes stale
    #[arg(long, default_value_t = TREES_MAX)]
    max_trees: u32,
    /// Step of each tree
    #[arg(long, default_value_t = LEARNING_RATE)]
    learning_rate: f64,
    /// Seed of the row and feature samples
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What becomes of the trees once their number is known
    #[arg(long, value_enum, default_value_t = RefitArg::AllRows)]
    refit: RefitArg,
    /// Let the card report a slice by itself: `order_amount=50,200` is cut there,
    /// `order_amount` in quarters; without any, the order amount in quarters
    #[arg(long = "slice", value_parser = SliceSpec::parse)]
    slices: Vec<SliceSpec>,
    /// Write the rows learned from as CSV: order, time, account, features, and a label per head;
    /// of one events file only
    #[arg(long)]
    export_matrix: Option<PathBuf>,
    /// Write the orders of the test window likewise: same features, labels as the file ends
    #[arg(long)]
    export_test_matrix: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// [`Refit`] as a flag.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum RefitArg {
    /// Keep the trees that the held-out rows did not see
    KeepBest,
    /// Fit again on all rows; calibration is carried over
    AllRows,
}

#[derive(Serialize)]
struct Summary {
    bundle: String,
    hash: String,
    features: usize,
    rows: usize,
    heads: Vec<HeadSummary>,
}

#[derive(Serialize)]
struct HeadSummary {
    id: HeadId,
    trees: u32,
    rows: u64,
    positives: u64,
    metrics: Vec<MetricSummary>,
}

/// Runs the command.
///
/// # Errors
/// When the events cannot be read, no head has enough labels, or the bundle cannot be written.
pub fn run(args: &Args) -> miette::Result<()> {
    let exports = args.export_matrix.is_some() || args.export_test_matrix.is_some();
    if exports && 1 < args.events.len() {
        return Err(miette::miette!(
            help = "train on one --events file to write its matrix",
            "a matrix is of one events file, and there are {}",
            args.events.len()
        ));
    }
    let (schema, origin) = schema_of(&args.events, &args.windows)?;
    let mut set: Option<TrainingSet> = None;
    for path in &args.events {
        let market = learn_from(args, path, &schema)?;
        match &mut set {
            None => set = Some(market),
            Some(set) => set.append(market).map_err(|error| miette::miette!("{error}"))?,
        }
    }
    let mut set = set.ok_or_else(|| miette::miette!("no events file"))?;
    if !args.heads.is_empty() {
        set.heads.retain(|head| args.heads.iter().any(|wanted| **wanted == *head.id.0));
    }
    let params = params(args, origin)?;
    let bundle = fit(&set, &params)?;
    bundle.save(&args.output).map_err(|error| miette::miette!("{error}"))?;
    report(args, &bundle, set.times.len())
}

/// The rows of one market. Its graph is large, and fitting does not look at it: it goes.
fn learn_from(args: &Args, path: &Path, schema: &CatalogSchema) -> miette::Result<TrainingSet> {
    let mut windows = vec![args.windows.train()];
    if args.export_test_matrix.is_some() {
        windows.push(args.windows.test());
    }
    let plan = HistoryPlan {
        windows,
        label_delay: args.windows.label_delay,
        graph: graph_settings(&shipped()?),
    };
    let history = history_of(path, Catalog::new(schema), &plan)?;
    if let Some(path) = &args.export_matrix {
        export_matrix(path, &history, 0, args.windows.train_as_of())?;
    }
    if let Some(path) = &args.export_test_matrix {
        export_matrix(path, &history, 1, history.end)?;
    }
    Ok(history.training_set(0, args.windows.train_as_of().min(history.end), schema))
}

/// What files offer before the training window ends, and whether a simulator wrote one.
///
/// # Errors
/// When a file cannot be read.
pub fn schema_of(
    paths: &[PathBuf],
    windows: &WindowArgs,
) -> miette::Result<(CatalogSchema, RowOrigin)> {
    let progress = spinner("events");
    progress.set_message("looking at the source");
    let mut is_synthetic = false;
    let identity = identity()?;
    let files = paths.iter().map(|path| EventFile::open(path, &identity));
    let files: Vec<EventFile> = files.collect::<Result<_, _>>()?;
    let events = files.into_iter().flatten().inspect(|event| {
        progress.inc(1);
        is_synthetic |=
            event.as_ref().is_ok_and(|event| event.event_id.starts_with(SYNTHETIC_PREFIX));
    });
    let schema = discover_schema(events, windows.train_as_of())?;
    progress.finish_and_clear();
    let origin = if is_synthetic { RowOrigin::Synthetic } else { RowOrigin::Observed };
    Ok((schema, origin))
}

/// Plays a file, point in time, with progress.
///
/// # Errors
/// When the file cannot be read.
pub fn history_of(path: &Path, catalog: Catalog, plan: &HistoryPlan) -> miette::Result<History> {
    let progress = spinner("events");
    progress.set_message("playing history");
    let events = EventFile::open(path, &identity()?)?;
    let history = play_history(events, catalog, plan, &mut |n| progress.set_position(n))?;
    progress.finish_and_clear();
    Ok(history)
}

/// Fits a bundle, with progress.
///
/// # Errors
/// When no head has enough labels.
pub fn fit(set: &TrainingSet, params: &BundleParams) -> miette::Result<Bundle> {
    let trees = bar(u64::from(params.trees.settings().n_trees_max), "trees");
    let bundle = fit_bundle(set, params, &mut |step| show(&trees, &step))
        .map_err(|error| miette::miette!("{error}"))?;
    trees.finish_and_clear();
    Ok(bundle)
}

/// Settings of the trees of a bundle, and of the baselines it is compared with.
pub fn trees(n_trees_max: u32, learning_rate: f64) -> ObliviousSettings {
    ObliviousSettings { n_trees_max, learning_rate, ..ObliviousSettings::default() }
}

fn params(args: &Args, origin: RowOrigin) -> miette::Result<BundleParams> {
    let part = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).and_then(|name| name.to_str());
        name.map(Box::<str>::from)
            .ok_or_else(|| miette::miette!("--output must look like models/<name>/<version>"))
    };
    let settings =
        ObliviousSettings { seed: args.seed, ..trees(args.max_trees, args.learning_rate) };
    Ok(BundleParams {
        name: part(args.output.parent())?,
        version: part(Some(&args.output))?,
        origin,
        trees: ObliviousParams::new(settings),
        features_max: args.max_features,
        label_delay: args.windows.label_delay,
        slices: args.slices.clone(),
        refit: match args.refit {
            RefitArg::KeepBest => Refit::KeepBest,
            RefitArg::AllRows => Refit::AllRows,
        },
        ..BundleParams::default()
    })
}

fn show(trees: &ProgressBar, step: &Progress) {
    match step {
        Progress::Ranked { n_features, n_varying } => {
            trees.println(format!("{n_varying} of {n_features} features vary"));
        }
        Progress::Screened { n_features } => trees.println(format!("{n_features} features kept")),
        Progress::HeadStarted { head, n_rows, n_positive } => {
            trees.set_position(0);
            trees.set_message(head.to_string());
            trees.println(format!("{head}: {n_rows} rows, {n_positive} positive"));
        }
        Progress::Tree { done, .. } => trees.set_position(u64::from(done.n_trees)),
        Progress::HeadSkipped(skipped) => trees.println(format!("left out {skipped}")),
    }
}

fn report(args: &Args, bundle: &Bundle, n_rows: usize) -> miette::Result<()> {
    let manifest = bundle.manifest();
    if !args.json {
        say(bundle.card());
        say(format!("\nwritten to {}", args.output.display()));
        return Ok(());
    }
    let heads = manifest.heads.iter().map(|head| HeadSummary {
        id: head.id.clone(),
        trees: head.n_trees,
        rows: head.n_rows,
        positives: head.n_positive,
        metrics: head.metrics.clone(),
    });
    say_json(&Summary {
        bundle: format!("{}/{}", manifest.name, manifest.version),
        hash: bundle.hash().to_owned(),
        features: manifest.features.len(),
        rows: n_rows,
        heads: heads.collect(),
    })
}

//! `orderlens evaluate`: how good a bundle is on history, played point in time.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use miette::{Context, IntoDiagnostic};
use serde::Serialize;

use crate::cli::action_table::action_table;
use crate::cli::archetypes::{ArchetypeTable, Watch};
use crate::cli::baselines::{Baseline, TEST, baselines, learning_window};
use crate::cli::evaluation_report::write_report;
use crate::cli::event_file::EventFile;
use crate::cli::export_matrix::export_matrix;
use crate::cli::identity_check::IdentityCheck;
use crate::cli::output::{bar, csv_field, say, say_json, spinner};
use crate::cli::rule_features::FeatureLists;
use crate::cli::serve::identity;
use crate::cli::settings::{graph_settings, load_strategy, shipped};
use crate::cli::windows::WindowArgs;
use crate::domain::head::{HeadId, HeadKind};
use crate::model::bundle::Bundle;
use crate::model::card::Picture;
use crate::training::drift::{Movement, Shift};
use crate::training::evaluate::{HeadReport, ScoredRow, Standing};
use crate::training::pictures::{Importance, report_pictures};
use crate::training::slices::{Coverage, SliceReport, SliceSpec, or_default};
use crate::training::stability::{Mover, Stability, TOP_FEATURES};
use crate::workflow::action_report::ActionReport;
use crate::workflow::compare_bundles::compare_bundles;
use crate::workflow::evaluate_bundle::{
    Judged, KnownAccounts, RESIDUAL_MAX, evaluation_catalog, judge_window, slice_window,
};
use crate::workflow::judge_actions::judge_actions;
use crate::workflow::play_history::{History, HistoryPlan, play_history};

/// First line of the predictions file.
const PREDICTIONS_HEADER: &str =
    "order_id,event_time,head,probability,interval_low,interval_high,raw_log_odds,label,excluded";

/// Judge a bundle on an event file, point in time
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Canonical events, JSON Lines, `.gz` too
    #[arg(long)]
    events: PathBuf,
    /// Folder of the bundle, `models/<name>/<version>`
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    windows: WindowArgs,
    /// Write one row per order and head: answer, label, and whether the account was known bad
    #[arg(long)]
    predictions: Option<PathBuf>,
    /// Leave out orders of accounts with a bad order since --train-from, known when their day began
    #[arg(long)]
    exclude_known: bool,
    /// Truth of a synthetic stream: adds a table per kind of buyer, beside the IP rule, and
    /// how right the links between accounts of one person are
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Judge the actions that this strategy recommends, too; needs --truth
    #[arg(long, requires = "truth")]
    strategy: Option<PathBuf>,
    /// Report a slice by itself: `order_amount=50,200` is cut there, `order_amount` in
    /// quarters; without any, the order amount in quarters
    #[arg(long = "slice", value_parser = SliceSpec::parse)]
    slices: Vec<SliceSpec>,
    /// Compare how this bundle and another one explain the judged orders
    #[arg(long)]
    compare_with: Option<PathBuf>,
    /// Skip the baselines, which learn from the orders of the bundle's training window (or
    /// from --train-from on) that are older than the judged ones
    #[arg(long)]
    no_baselines: bool,
    /// Write the judged rows as CSV: order, time, account, features, and a label per head
    #[arg(long)]
    export_matrix: Option<PathBuf>,
    /// Write the report and its pictures into this folder
    #[arg(long)]
    report: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    bundle: String,
    hash: String,
    events: u64,
    orders: u64,
    residual_max: f64,
    unlike_training: u64,
    drift: Vec<Shift>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stability: Vec<Stability>,
    model: Vec<HeadReport>,
    baselines: Vec<Baseline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archetypes: Option<ArchetypeTable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<ActionReport>,
}

/// Runs the command.
///
/// # Errors
/// When events or bundle cannot be read, or the bundle breaks the additivity law.
pub fn run(args: &Args) -> miette::Result<()> {
    let bundle = load(&args.model)?;
    let other = args.compare_with.as_deref().map(load).transpose()?;
    let features = FeatureLists::of_bundle(&bundle);
    let strategy = args.strategy.as_deref().map(|file| load_strategy(file, &features));
    let strategy = strategy.transpose()?;
    let mut watch = args.truth.as_deref().map(Watch::open).transpose()?;
    if strategy.is_some() {
        watch = watch.map(|watch| watch.keeping_from(args.windows.test().from));
    }
    let history = play(args, (&bundle, other.as_ref()), watch.as_mut())?;
    if let Some(path) = &args.export_matrix {
        export_matrix(path, &history, TEST, history.end)?;
    }
    let known = match (args.exclude_known, args.windows.train_from) {
        (false, _) => KnownAccounts::Kept,
        (true, Some(since)) => KnownAccounts::ExcludedSince(since),
        (true, None) => miette::bail!("--exclude-known needs --train-from"),
    };
    let n_rows = history.rows_of(TEST).len();
    let progress = bar(n_rows as u64, "orders");
    progress.set_message("scoring");
    let has = |feature: &str| history.catalog.specs().iter().any(|spec| *spec.id == *feature);
    let slicing = slice_window(&history, TEST, &or_default(&args.slices, has))
        .map_err(|error| miette::miette!("{error}"))?;
    let mut tell = |n| progress.set_position(n);
    let judged = judge_window(&bundle, &history, (TEST, known), &slicing, &mut tell);
    progress.finish_and_clear();
    if let Some(path) = &args.predictions {
        write_predictions(path, &judged.rows)?;
    }
    let baselines = if args.no_baselines {
        Vec::new()
    } else {
        baselines(&args.windows, &bundle, &history, known)?
    };
    let manifest = bundle.manifest();
    let report = Report {
        bundle: format!("{}/{}", manifest.name, manifest.version),
        hash: bundle.hash().to_owned(),
        events: history.n_events,
        orders: judged.n_orders,
        residual_max: judged.residual_max,
        unlike_training: judged.n_unlike,
        drift: judged.shifts.clone(),
        stability: other
            .map_or_else(Vec::new, |other| compare_bundles(&bundle, &other, &history, TEST)),
        identity: watch.as_ref().and_then(|watch| {
            watch.identity(&history.graph, args.windows.test().from, history.end)
        }),
        actions: strategy.as_ref().zip(watch.as_ref()).and_then(|(strategy, watch)| {
            let strategy = &strategy.strategy;
            judge_actions((&bundle, strategy), (&history, TEST), watch.kept(), &mut |_| {})
        }),
        archetypes: watch.map(|watch| watch.table(&judged.rows)),
        baselines,
        model: judged.reports.clone(),
    };
    if let Some(folder) = &args.report {
        write_report(folder, &report, &pictures(&bundle, &judged))?;
    }
    if args.json {
        say_json(&report)?;
    } else {
        show(&report);
    }
    check_additivity(&judged)
}

fn pictures(bundle: &Bundle, judged: &Judged) -> Vec<Picture> {
    let specs = &bundle.manifest().features;
    let importance_of = |head: &HeadId| {
        let position = bundle.heads().iter().position(|it| it.id() == head);
        let means = position.and_then(|at| judged.importance.get(at));
        Importance {
            means: means.map_or(&[][..], Vec::as_slice),
            unit: bundle.head(head).map_or("", |head| head.calibration().map.raw_unit()),
        }
    };
    let reports = judged.reports.iter();
    reports
        .flat_map(|report| {
            report_pictures(&judged.rows, report, (specs, importance_of(&report.head)))
        })
        .collect()
}

fn load(folder: &Path) -> miette::Result<Bundle> {
    Bundle::load(folder).map_err(|error| miette::miette!("{error}"))
}

fn play(
    args: &Args,
    (bundle, other): (&Bundle, Option<&Bundle>),
    watch: Option<&mut Watch>,
) -> miette::Result<History> {
    let catalog = evaluation_catalog(bundle, other).map_err(|error| miette::miette!("{error}"))?;
    let test = args.windows.test();
    let mut windows = vec![test];
    if !args.no_baselines {
        windows.extend(learning_window(&args.windows, bundle.manifest().window.from));
    }
    let plan = HistoryPlan {
        windows,
        label_delay: args.windows.label_delay,
        graph: graph_settings(&shipped()?),
    };
    let progress = spinner("events");
    progress.set_message("playing history");
    let events = EventFile::open(&args.events, &identity()?)?;
    let mut tell = |n| progress.set_position(n);
    let history = match watch {
        None => play_history(events, catalog, &plan, &mut tell)?,
        Some(watch) => {
            let watched = events.inspect(|event| {
                if let Ok(event) = event {
                    watch.observe(event);
                }
            });
            play_history(watched, catalog, &plan, &mut tell)?
        }
    };
    progress.finish_and_clear();
    Ok(history)
}

fn write_predictions(path: &Path, rows: &[ScoredRow]) -> miette::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        writeln!(file, "{PREDICTIONS_HEADER}")?;
        for row in rows {
            let label = if row.label.is_nan() { String::new() } else { row.label.to_string() };
            let order = csv_field(&row.order);
            let excluded = u8::from(row.standing == Standing::Excluded);
            let (p, raw, (low, high)) = (row.probability, row.raw, row.interval);
            let (time, head) = (row.time, &row.head);
            writeln!(file, "{order},{time},{head},{p},{low},{high},{raw},{label},{excluded}")?;
        }
        file.flush()
    };
    write().into_diagnostic().wrap_err_with(|| format!("writing {}", path.display()))
}

fn show(report: &Report) {
    say(format!(
        "{}: {} orders judged over {} events; |base + sum of contributions - raw| <= {:.1e}",
        report.bundle, report.orders, report.events, report.residual_max
    ));
    show_heads("this bundle", &report.model);
    show_drift(report);
    for stability in &report.stability {
        show_stability(stability);
    }
    if report.baselines.is_empty() {
        say(
            "\nno baselines: none wanted, none for values, or no orders before the judged ones to learn from",
        );
    }
    for baseline in &report.baselines {
        show_heads(&baseline.name, &baseline.heads);
    }
    if let Some(table) = &report.archetypes {
        say(format!("\n{table}"));
    }
    if let Some(check) = &report.identity {
        say(check);
    }
    if let Some(actions) = &report.actions {
        say(action_table(actions));
    }
}

fn show_heads(name: &str, heads: &[HeadReport]) {
    say(format!("\n{name}"));
    for head in heads {
        say(format!(
            "  {}: {} rows, {} positive, {} excluded, {} without a mature label",
            head.head, head.n_rows, head.n_positive, head.n_excluded, head.n_unlabeled
        ));
        for metric in &head.metrics {
            say(format!(
                "    {:<26} {:>9.4}   [{:.4}, {:.4}]",
                metric.name, metric.value, metric.low, metric.high
            ));
        }
        if let Some(alarm) = &head.alarm {
            say(format!(
                "    {:<26} {} rows called bad: precision {:.4}, recall {:.4}, F1 {:.4}",
                "at_1_percent_fpr", alarm.n_called, alarm.precision, alarm.recall, alarm.f1
            ));
        }
        for slice in &head.slices {
            say(slice_line(head.kind, slice));
        }
    }
}

/// Everything that moved, or else the largest shift.
fn show_drift(report: &Report) {
    let n_unlike = report.unlike_training;
    let share = 100.0 * n_unlike as f64 / report.orders.max(1) as f64;
    say(format!("\nunlike the training data: {n_unlike} orders ({share:.2} %)"));
    let count = |wanted: &[Movement]| {
        report.drift.iter().filter(|shift| wanted.contains(&shift.movement)).count()
    };
    let n_moved = count(&[Movement::Moved, Movement::Shifted]);
    let n_trending = count(&[Movement::Trending]);
    say(format!(
        "drift since training: {n_moved} of {} distributions moved, {n_trending} go on as before",
        report.drift.len()
    ));
    for shift in report.drift.iter().take(n_moved.max(1)) {
        let Shift { name, psi, noise_max, .. } = shift;
        let word = shift.movement.as_str();
        say(format!("  {name:<44} PSI {psi:.4}, by chance up to {noise_max:.4}: {word}"));
    }
}

fn show_stability(stability: &Stability) {
    say(format!(
        "\n{} beside the other bundle, {} orders: score moved by {:.4} on average, rank \
         correlation {:.3}, leading {TOP_FEATURES} shared {:.3}",
        stability.head,
        stability.n_orders,
        stability.mean_score_change,
        stability.rank_correlation,
        stability.top_overlap
    ));
    for Mover { feature, mean, mean_other, mean_change } in &stability.movers {
        say(format!("  {feature:<44} {mean:>8.4} was {mean_other:>8.4}, moved {mean_change:.4}"));
    }
}

fn slice_line(kind: HeadKind, slice: &SliceReport) -> String {
    let (n, predicted, observed) = (slice.n, slice.mean_predicted, slice.mean_observed);
    let means = format!("predicted {predicted:.4}, observed {observed:.4}");
    let line = format!("    {:<44} {n:>7} rows, {means}", slice.slice);
    match kind {
        HeadKind::Risk | HeadKind::ImpactProbability => line,
        HeadKind::ImpactValue => {
            let Coverage { share, low, high } = slice.coverage;
            format!("{line}, covered {share:.4} [{low:.4}, {high:.4}]")
        }
    }
}

fn check_additivity(judged: &Judged) -> miette::Result<()> {
    if judged.residual_max <= RESIDUAL_MAX {
        return Ok(());
    }
    miette::bail!(
        "contributions do not add up: residual {:e} is above {RESIDUAL_MAX:e}",
        judged.residual_max
    )
}

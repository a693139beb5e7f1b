//! `orderlens replay`: every recorded decision again, byte by byte.

use crate::cli::output::{bar, say, say_json};
use crate::cli::settings::{ServiceFiles, bundle_reader, engine_settings, load_judge, reader};
use crate::store::journal::Journal;
use crate::workflow::explainer::Explainers;
use crate::workflow::model_shelf::ModelShelf;
use crate::workflow::past::Past;
use crate::workflow::replay_journal::replay_journal;
use crate::workflow::shelves::Shelves;
use crate::workflow::strategy_shelf::StrategyShelf;

use miette::IntoDiagnostic;

/// Make every recorded decision of a data folder again and compare
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: ServiceFiles,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command; the server of the data folder must be stopped.
///
/// # Errors
/// When the journal cannot be read or a decision came out differently.
pub fn run(args: &Args) -> miette::Result<()> {
    let settings = args.files.load()?;
    let engine = engine_settings(&settings);
    let (journal, opened) =
        Journal::open(&engine.data_dir.join("journal"), engine.journal).into_diagnostic()?;
    let judge = load_judge(&settings)?;
    let past = Past {
        reader: journal.reader(),
        snapshot_dir: engine.data_dir.join("snapshots"),
        snapshots_kept: engine.snapshots_kept,
        background: engine.background,
        explainers: Explainers::default(),
        shelves: Shelves {
            strategies: StrategyShelf::new(reader(&judge)),
            models: ModelShelf::new(bundle_reader(&settings)),
        },
        judge,
    };
    let progress = bar(opened.last_position, "records");
    let report = replay_journal(&past, &journal.reader(), &mut |n| progress.set_position(n))
        .into_diagnostic()?;
    progress.finish_and_clear();
    if args.json {
        say_json(&report)?;
    } else {
        say(format!(
            "{} records, {} decisions made again: {} identical, {} differing, {} of bundles that are not here",
            report.records,
            report.identical + report.differing,
            report.identical,
            report.differing,
            report.skipped
        ));
    }
    if !args.json {
        for (decision, fields) in &report.examples {
            say(format!("  {decision} differs in {}", fields.join(", ")));
        }
    }
    if 0 < report.differing {
        miette::bail!("{} decisions came out differently", report.differing);
    }
    Ok(())
}

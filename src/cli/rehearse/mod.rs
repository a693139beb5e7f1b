//! `orderlens rehearse`: the whole loop on a synthetic market, in one command.
//!
//! Serve, let operators choose, let outcomes arrive late, learn again, pass the gate, run an
//! experiment, promote: the engine, the journal, the trainer, the gate and the guardrails are
//! those of the service; buyers, operators and time are synthetic.

pub mod course;
pub mod days;
pub mod learning;
pub mod page;
pub mod truth_money;
pub mod world;

use std::path::PathBuf;

use miette::{Context, IntoDiagnostic};

use crate::cli::output::{say, say_json};
use crate::cli::rehearse::course::{Course, rehearsal};
use crate::cli::rehearse::page::page;
use crate::cli::windows::parse_instant;
use crate::domain::time::Timestamp;

/// Rehearse the whole loop on a synthetic market: serve, learn, experiment, promote
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seed of the market
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days that are served
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// Days of history before them, of which the first model is learned
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(50..=365))]
    history_days: u32,
    /// Orders per day, about
    #[arg(long, default_value_t = 500)]
    orders_per_day: u32,
    /// First day of the history
    #[arg(long, value_parser = parse_instant, default_value = "2026-01-01")]
    start: Timestamp,
    /// Folder for the journal, the bundles and the report; must not exist
    #[arg(long)]
    output: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the folder exists or cannot be written, or a part of the loop fails.
pub fn run(args: &Args) -> miette::Result<()> {
    if args.output.exists() {
        return Err(miette::miette!(
            help = "name another folder, or remove it",
            "{} exists",
            args.output.display()
        ));
    }
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    let course = Course {
        seed: args.seed,
        days: args.days,
        history_days: args.history_days,
        orders_per_day: args.orders_per_day,
        start: args.start.start_of_day(),
        output: args.output.clone(),
    };
    let report = runtime.block_on(rehearsal(&course))?;
    let file = args.output.join("report.json");
    let json = serde_json::to_string_pretty(&report).into_diagnostic()?;
    std::fs::write(&file, json)
        .into_diagnostic()
        .wrap_err_with(|| format!("writing {}", file.display()))?;
    if args.json {
        return say_json(&report);
    }
    say(page(&report));
    say(format!("\nThe whole report: {}", file.display()));
    Ok(())
}

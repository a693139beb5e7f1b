//! `orderlens backtest`: recorded orders under a draft of a strategy.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use miette::{Context as _, IntoDiagnostic as _, miette};

use crate::cli::ask::{Lang, ink};
use crate::cli::backtest_page::backtest_page;
use crate::cli::output::{bar, say, say_json};
use crate::cli::render::Page;
use crate::cli::settings::{ServiceFiles, load_judge, reader};
use crate::config::strategy_edit::with_review_minute_price;
use crate::domain::backtest::{BacktestReport, NotComparable};
use crate::domain::price_solution::Solution;
use crate::store::journal::reader::JournalReader;
use crate::workflow::backtest::run::{Backtest, Progress};

/// Judge recorded orders again under a draft of a strategy and compare
///
/// Works on the data folder of a running server as well; nothing is changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: ServiceFiles,
    /// Judge only so many of the newest orders
    #[arg(long, value_name = "N")]
    last: Option<u64>,
    /// Find the price of a reviewer's minute at which reviews take so many hours a day, and
    /// report on the draft with that price
    #[arg(long, value_name = "HOURS")]
    solve_hours: Option<f64>,
    /// Write the draft with the price that was found
    #[arg(long, value_name = "FILE", requires = "solve_hours")]
    write_strategy: Option<PathBuf>,
    /// Write the flipped orders with the most money at stake, with both explanations, as
    /// JSON Lines
    #[arg(long, value_name = "FILE")]
    flips: Option<PathBuf>,
    /// Threads that judge; as many as the machine has otherwise
    #[arg(long)]
    threads: Option<usize>,
    /// Print the whole report as JSON
    #[arg(long)]
    json: bool,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

/// Runs the command.
///
/// # Errors
/// When the journal cannot be read, the draft has mistakes, or there is no order that can
/// be compared; each says what to do next.
pub fn run(args: &Args) -> miette::Result<()> {
    let settings = args.files.load()?;
    let judge = load_judge(&settings)?;
    let folder = settings.paths.data.join("journal");
    let reader_of_journal = JournalReader::open(&folder).into_diagnostic().wrap_err_with(|| {
        format!(
            "no decisions to judge again: name the data folder of a server with --data (now {})",
            settings.paths.data.display()
        )
    })?;
    let backtest = Backtest {
        reader: &reader_of_journal,
        bundle: judge.bundle(),
        read_strategy: reader(&judge),
        known: Vec::new(),
        last: args.last,
        n_threads: args
            .threads
            .or_else(|| available_parallelism().ok().map(Into::into))
            .unwrap_or(1),
    };
    let progress = bar(reader_of_journal.durable_position(), "records");
    let mut watch = |at: Progress| {
        progress.set_length(at.of);
        progress.set_position(at.records);
        progress.set_message(format!("{} orders", at.orders));
        ControlFlow::Continue(())
    };
    let draft = judge.strategy();
    let report = match args.solve_hours {
        None => backtest.run(draft, &mut watch),
        Some(hours) => backtest.solve(draft, hours, &with_review_minute_price, &mut watch),
    };
    progress.finish_and_clear();
    let report = report.into_diagnostic()?;
    check_comparable(&report)?;
    if let Some(file) = &args.flips {
        write_flips(file, &report)?;
    }
    if let Some(file) = &args.write_strategy {
        write_strategy(file, &report)?;
    }
    if args.json {
        return say_json(&report);
    }
    say(backtest_page(Page { language: args.lang.into(), ink: ink() }, &report));
    Ok(())
}

fn check_comparable(report: &BacktestReport) -> miette::Result<()> {
    if 0 < report.window.orders {
        return Ok(());
    }
    let NotComparable { other_bundle, background_gone, incomplete } = report.window.not_comparable;
    if 0 < other_bundle {
        return Err(miette!(
            help = "name the bundle that made them with --models",
            "all {other_bundle} recorded decisions were made by another bundle"
        ));
    }
    if 0 < background_gone + incomplete {
        return Err(miette!(
            "none of {} recorded decisions can be compared: {background_gone} without their background, {incomplete} incomplete",
            background_gone + incomplete
        ));
    }
    Err(miette!(
        help = "score orders first: `orderlens demo` plays a synthetic stream at a server",
        "the journal holds no decision"
    ))
}

fn write_flips(path: &Path, report: &BacktestReport) -> miette::Result<()> {
    let written = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for flipped in &report.flipped {
            serde_json::to_writer(&mut file, flipped)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    };
    written().into_diagnostic().wrap_err_with(|| format!("writing {}", path.display()))
}

fn write_strategy(path: &Path, report: &BacktestReport) -> miette::Result<()> {
    match &report.solution {
        Some(Solution::Solved(solved)) => std::fs::write(path, &solved.strategy_toml)
            .into_diagnostic()
            .wrap_err_with(|| format!("writing {}", path.display())),
        Some(Solution::Refused { .. }) | None => Ok(()),
    }
}

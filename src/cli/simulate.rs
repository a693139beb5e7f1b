//! `orderlens simulate`: events of a synthetic marketplace, with truth.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use miette::{Context, IntoDiagnostic};

use crate::cli::output::{bar, say, say_json};
use crate::cli::serve::identity;
use crate::cli::windows::parse_instant;
use crate::domain::time::Timestamp;
use crate::simulator::settings::{Drift, Mixing, SimulationSettings};
use crate::simulator::stream::{SimulationSummary, write_events};

/// Write the event stream of a synthetic marketplace with known truth
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seed: the same seed and settings write the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days to simulate
    #[arg(long, default_value_t = 90)]
    days: u32,
    /// Orders per day, about
    #[arg(long, default_value_t = 1_000)]
    orders_per_day: u32,
    /// First day
    #[arg(long, value_parser = parse_instant, default_value = "2026-01-01")]
    start: Timestamp,
    /// Let gangs burst from the IP of a family in the same hour
    #[arg(long)]
    shared_networks: bool,
    /// Change tactics from this day on, counted from 0
    #[arg(long, value_name = "DAY")]
    drift_from_day: Option<u32>,
    /// Events, JSON Lines; `.gz` compresses
    #[arg(long)]
    output: PathBuf,
    /// What every order truly was, CSV; `.gz` compresses
    #[arg(long)]
    truth: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be written.
pub fn run(args: &Args) -> miette::Result<()> {
    let settings = settings(args);
    let mut events = create(&args.output)?;
    let mut truth = create(&args.truth)?;
    let progress = bar(u64::from(args.days), "days");
    let summary = write_events(settings, identity(), &mut events, &mut truth, &mut |days| {
        progress.set_position(days);
    })
    .into_diagnostic()
    .wrap_err_with(|| format!("writing {}", args.output.display()))?;
    events.finish()?;
    truth.finish()?;
    progress.finish_and_clear();
    if args.json {
        return say_json(&summary);
    }
    show(args, &summary);
    Ok(())
}

fn settings(args: &Args) -> SimulationSettings {
    SimulationSettings {
        drift: args.drift_from_day.map_or(Drift::Off, |day| Drift::From { day }),
        mixing: if args.shared_networks { Mixing::SharedNetworks } else { Mixing::Separate },
        ..SimulationSettings::new(args.seed, args.start, args.days, args.orders_per_day)
    }
}

fn show(args: &Args, summary: &SimulationSummary) {
    say(format!(
        "SYNTHETIC: {} events of {} orders written to {}",
        summary.n_events,
        summary.n_orders,
        args.output.display()
    ));
    for (archetype, n) in &summary.orders_by_archetype {
        say(format!("  {archetype:<24} {n:>9}"));
    }
}

/// A buffered file, compressed when its name says so.
enum Output {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Output {
    fn finish(self) -> miette::Result<()> {
        let mut file = match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder.finish().into_diagnostic()?,
        };
        file.flush().into_diagnostic()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

fn create(path: &Path) -> miette::Result<Output> {
    let file = File::create(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("creating {}", path.display()))?;
    let file = BufWriter::with_capacity(1 << 20, file);
    Ok(if path.extension().is_some_and(|end| end == "gz") {
        Output::Gzip(GzEncoder::new(file, Compression::default()))
    } else {
        Output::Plain(file)
    })
}

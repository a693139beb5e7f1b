//! `orderlens simulate`: events of a synthetic marketplace, with truth.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use miette::{Context, IntoDiagnostic};
use serde::Serialize;

use crate::cli::output::{bar, say, say_json};
use crate::cli::serve::identity;
use crate::cli::windows::parse_instant;
use crate::domain::time::Timestamp;
use crate::simulator::scenarios::{Scenario, ScenarioSettings, write_scenario};
use crate::simulator::settings::{Drift, Mixing, SimulationSettings};
use crate::simulator::stream::{SimulationSummary, write_events};

/// Write the event stream of a synthetic marketplace with known truth, or the history of a
/// synthetic shop for one light question
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
    /// Write this history instead, as CSV that `import` reads with the mapping of its name
    #[arg(long, value_enum, conflicts_with_all = ["truth", "shared_networks", "drift_from_day"])]
    scenario: Option<ScenarioArg>,
    /// Events, JSON Lines, or the history, CSV; `.gz` compresses
    #[arg(long)]
    output: PathBuf,
    /// What every order truly was, CSV; `.gz` compresses
    #[arg(long, required_unless_present = "scenario")]
    truth: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// [`Scenario`] as a flag.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ScenarioArg {
    /// Will the balance of a presale be paid?
    PresaleBalance,
    /// Does an order that crosses a border earn more than its return costs?
    CrossBorderReturn,
    /// Which members' orders should be sent first?
    VipExpedite,
}

/// What was written of a scenario.
#[derive(Serialize)]
struct ScenarioSummary {
    is_synthetic: bool,
    n_orders: u64,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be written.
pub fn run(args: &Args) -> miette::Result<()> {
    match (args.scenario, &args.truth) {
        (Some(scenario), _) => run_scenario(args, scenario),
        (None, Some(truth)) => run_market(args, truth),
        (None, None) => Err(miette::miette!("--truth is needed without --scenario")),
    }
}

fn run_market(args: &Args, truth: &Path) -> miette::Result<()> {
    let settings = settings(args);
    let mut events = create(&args.output)?;
    let mut truth = create(truth)?;
    let progress = bar(u64::from(args.days), "days");
    let summary = write_events(settings, identity()?, &mut events, &mut truth, &mut |days| {
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

fn run_scenario(args: &Args, scenario: ScenarioArg) -> miette::Result<()> {
    let name = scenario.to_possible_value().map(|value| value.get_name().replace('-', "_"));
    let scenario = match scenario {
        ScenarioArg::PresaleBalance => Scenario::PresaleBalance,
        ScenarioArg::CrossBorderReturn => Scenario::CrossBorderReturn,
        ScenarioArg::VipExpedite => Scenario::VipExpedite,
    };
    let settings = ScenarioSettings {
        seed: args.seed,
        start: args.start,
        days: args.days,
        orders_per_day: args.orders_per_day,
    };
    let mut output = create(&args.output)?;
    let progress = bar(u64::from(args.days), "days");
    let n_orders = write_scenario(scenario, &settings, &mut output, &mut |days| {
        progress.set_position(days);
    })
    .into_diagnostic()
    .wrap_err_with(|| format!("writing {}", args.output.display()))?;
    output.finish()?;
    progress.finish_and_clear();
    if args.json {
        return say_json(&ScenarioSummary { is_synthetic: true, n_orders });
    }
    let file = args.output.display();
    say(format!("SYNTHETIC: {n_orders} orders written to {file}"));
    let mapping = format!("config/mappings/{}.toml", name.unwrap_or_default());
    say(format!("next: orderlens import --mapping {mapping} --input {file} --output FILE.jsonl"));
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

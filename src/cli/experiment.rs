//! `orderlens experiment`: compare strategies and models on real orders.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::cli::ask::{AskArgs, SignerArgs, refused};
use crate::cli::experiment_json::{report_as_json, summary_as_json};
use crate::cli::experiment_page::{list_page, report_page};
use crate::cli::experiment_picture::picture;
use crate::cli::output::{say, say_json};
use crate::cli::render::Page;
use crate::cli::words::word;
use crate::domain::experiment::{HOLDOUT_PERCENT_MAX, HORIZON_DAYS_MAX, Harm};
use crate::domain::time::Timestamp;
use crate::wire::check::time_to_pb;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// What to do with experiments.
#[derive(Clone, Debug, Args)]
pub struct ExperimentArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Clone, Debug, Subcommand)]
enum Step {
    /// Start an experiment: rings are drawn into arms from the next order on
    Start(StartArgs),
    /// Let another percentage of the rings take part; nobody changes arms
    Ramp(RampArgs),
    /// End an experiment: from the next order on all are judged as before it
    Stop(StopArgs),
    /// Show what an experiment has shown so far: money, harms, and whether to believe it
    Report(ReportArgs),
    /// Show the newest eight experiments
    List(ListArgs),
}

#[derive(Clone, Debug, Args)]
struct StartArgs {
    /// Name of the experiment, never used before; asked again by the same, it starts once
    id: String,
    /// An arm, the control first: `NAME,share=0.5,model=risk/2,strategy=HASH`; what is left out
    /// after the name is that of the active judge, and shares are equal
    #[arg(long = "arm", value_name = "ARM", required = true, value_parser = parse_arm)]
    arms: Vec<ArmChoice>,
    /// Percent of the rings that take part
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    percent: u32,
    /// Percent of the rings that take part in no experiment, to know what all of them changed
    #[arg(long, default_value_t = 0, value_parser = percent_held_out())]
    holdout: u32,
    /// A harm that ends it (stopped, chargeback, penalty, complaint); all of them otherwise
    #[arg(long = "guard", value_name = "HARM", value_parser = parse_harm)]
    guards: Vec<Harm>,
    /// Fewest orders of the control and of an arm before money may end it [default: 1000]
    #[arg(long, value_name = "N")]
    orders_min: Option<u64>,
    /// Days in which what follows an order counts
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = days())]
    horizon: u32,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct RampArgs {
    /// Name of the experiment
    id: String,
    /// Percent of the rings that take part from here on
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    percent: u32,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct StopArgs {
    /// Name of the experiment
    id: String,
    /// How it ends
    #[arg(long, value_enum, default_value_t = EndingChoice::Finished)]
    ending: EndingChoice,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EndingChoice {
    /// Enough was seen
    Finished,
    /// Something is wrong
    Killed,
}

#[derive(Clone, Debug, Args)]
struct ReportArgs {
    /// Name of the experiment
    id: String,
    /// Make an earlier report again: its journal position
    #[arg(long, value_name = "N", requires = "as_of")]
    position: Option<u64>,
    /// The instant of that earlier report, as 2026-11-28T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "position", value_parser = parse_time)]
    as_of: Option<Timestamp>,
    /// Draw the effect with its intervals and the harms, look by look
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    asking: AskArgs,
}

/// An arm as it is written on the command line.
#[derive(Clone, Debug, PartialEq)]
struct ArmChoice {
    name: String,
    share: Option<f64>,
    model: String,
    strategy_hash: String,
}

fn percent_held_out() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=i64::from(HOLDOUT_PERCENT_MAX))
}

fn days() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(HORIZON_DAYS_MAX))
}

fn parse_harm(name: &str) -> Result<Harm, String> {
    let names = Harm::ALL.map(Harm::as_str).join(", ");
    Harm::parse(name).ok_or_else(|| format!("is not one of: {names}"))
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

fn parse_arm(text: &str) -> Result<ArmChoice, String> {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default().to_owned();
    let mut arm =
        ArmChoice { name, share: None, model: String::new(), strategy_hash: String::new() };
    for part in parts {
        match part.split_once('=') {
            Some(("share", share)) => {
                let share = share.parse().map_err(|_| format!("`{share}` is not a number"))?;
                arm.share = Some(share);
            }
            Some(("model", model)) => model.clone_into(&mut arm.model),
            Some(("strategy", hash)) => hash.clone_into(&mut arm.strategy_hash),
            Some(_) | None => {
                return Err(format!("`{part}` is not share=…, model=… or strategy=…"));
            }
        }
    }
    Ok(arm)
}

/// Arms with shares: those that name none share equally what the others leave.
fn drafts(arms: &[ArmChoice]) -> Vec<pb::ExperimentArmDraft> {
    let left = 1.0 - arms.iter().filter_map(|arm| arm.share).sum::<f64>();
    let n_without = arms.iter().filter(|arm| arm.share.is_none()).count();
    let equal = left / n_without.max(1) as f64;
    let draft = |arm: &ArmChoice| pb::ExperimentArmDraft {
        name: arm.name.clone(),
        share: arm.share.unwrap_or(equal),
        model: arm.model.clone(),
        strategy_hash: arm.strategy_hash.clone(),
    };
    arms.iter().map(draft).collect()
}

/// Takes one step and shows what is so after it.
///
/// # Errors
/// A report with the server's refusal, or the address of a server that does not answer.
pub fn run(args: &ExperimentArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(take(&args.step))
}

async fn take(step: &Step) -> miette::Result<()> {
    match step {
        Step::Start(args) => start(args).await,
        Step::Ramp(args) => ramp(args).await,
        Step::Stop(args) => stop(args).await,
        Step::Report(args) => report(args).await,
        Step::List(args) => list(args).await,
    }
}

async fn start(args: &StartArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_experiments().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let request = pb::StartExperimentRequest {
        experiment_id: args.id.clone(),
        arms: drafts(&args.arms),
        percent: args.percent,
        holdout_percent: args.holdout,
        guardrails: args.guards.iter().map(|harm| harm.to_wire()).collect(),
        orders_min: args.orders_min,
        horizon_days: args.horizon,
        operator,
        note,
    };
    client.start_experiment(request).await.map_err(|status| refused(&status))?;
    show_list(&args.asking).await
}

async fn ramp(args: &RampArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_experiments().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let (experiment_id, percent) = (args.id.clone(), args.percent);
    let request = pb::RampExperimentRequest { experiment_id, percent, operator, note };
    client.ramp_experiment(request).await.map_err(|status| refused(&status))?;
    show_list(&args.asking).await
}

async fn stop(args: &StopArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_experiments().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let ending = match args.ending {
        EndingChoice::Finished => pb::ExperimentEnding::Finished,
        EndingChoice::Killed => pb::ExperimentEnding::Killed,
    };
    let (experiment_id, ending) = (args.id.clone(), ending.into());
    let request = pb::StopExperimentRequest { experiment_id, ending, operator, note };
    client.stop_experiment(request).await.map_err(|status| refused(&status))?;
    show_list(&args.asking).await
}

async fn report(args: &ReportArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_experiments().await?;
    let (experiment_id, position) = (args.id.clone(), args.position);
    let as_of = args.as_of.map(time_to_pb);
    let request = pb::GetExperimentReportRequest { experiment_id, position, as_of };
    let answer = client.get_experiment_report(request).await.map_err(|status| refused(&status))?;
    let report = answer.into_inner().report;
    let report = report.ok_or_else(|| miette!("the server sent no report"))?;
    let Page { language, ink } = args.asking.page();
    if let Some(file) = &args.svg {
        std::fs::write(file, picture(language, &report))
            .into_diagnostic()
            .wrap_err_with(|| format!("writing {}", file.display()))?;
    }
    if args.asking.json {
        return say_json(&report_as_json(&report));
    }
    say(report_page(language, ink, &report));
    Ok(())
}

async fn list(args: &ListArgs) -> miette::Result<()> {
    show_list(&args.asking).await
}

async fn show_list(asking: &AskArgs) -> miette::Result<()> {
    let mut client = asking.connect_experiments().await?;
    let answer = client.list_experiments(pb::ListExperimentsRequest {}).await;
    let listed = answer.map_err(|status| refused(&status))?.into_inner().experiments;
    let Page { language, ink } = asking.page();
    if asking.json {
        return say_json(&listed.iter().map(summary_as_json).collect::<Vec<_>>());
    }
    if listed.is_empty() {
        say(word(language, "no experiment has run yet", "尚无实验"));
        return Ok(());
    }
    say(list_page(language, ink, &listed));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_share_equally_what_the_named_shares_leave() {
        let arms: Vec<ArmChoice> = ["control,share=0.5", "a,model=risk/2", "b,strategy=0011"]
            .into_iter()
            .map(|text| parse_arm(text).unwrap())
            .collect();
        let drafts = drafts(&arms);
        let shares: Vec<f64> = drafts.iter().map(|arm| arm.share).collect();
        assert_eq!(shares, [0.5, 0.25, 0.25]);
        assert_eq!((&*drafts[1].model, &*drafts[2].strategy_hash), ("risk/2", "0011"));
        for wrong in ["a,share=half", "a,weight=1", "a,"] {
            assert!(parse_arm(wrong).is_err(), "{wrong}");
        }
    }
}

//! `orderlens strategy`: the life of a strategy, from draft to revert.

use clap::{Args, Subcommand};
use miette::{IntoDiagnostic as _, WrapErr as _, miette};

use crate::cli::ask::{AskArgs, SignerArgs, refused};
use crate::cli::call::Line;
use crate::cli::output::say;
use crate::cli::score::read;
use crate::cli::strategy_page::{page, signed};
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::strategy_service_client::StrategyServiceClient;

/// What to do with strategies.
#[derive(Clone, Debug, Args)]
pub struct StrategyArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Clone, Debug, Subcommand)]
enum Step {
    /// Show every version that the server knows, and which judge
    List(ListArgs),
    /// Check a file by the server's own rules; changes nothing
    Validate(FileArgs),
    /// Put a file up for approval
    Propose(ProposeArgs),
    /// Approve a proposed version; its author cannot
    Approve(StepArgs),
    /// Let an approved version judge all accounts, or a percentage of them
    Activate(ActivateArgs),
    /// Take back what is tried, else what was activated last
    Revert(RevertArgs),
    /// Print the text of a version, to keep it or to carry it to another environment
    Show(ShowArgs),
}

#[derive(Clone, Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct FileArgs {
    /// Strategy file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct ProposeArgs {
    /// Strategy file; `-` reads standard input
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct StepArgs {
    /// Hash of the version, 12 digits or more
    hash: String,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct ActivateArgs {
    /// Hash of the version, 12 digits or more
    hash: String,
    /// Percent of the accounts that it judges beside the active version
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    percent: u32,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct RevertArgs {
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct ShowArgs {
    /// Hash of the version, 12 digits or more; the active one otherwise
    #[arg(default_value = "")]
    hash: String,
    #[command(flatten)]
    asking: AskArgs,
}

/// Runs one step and shows what is so after it.
///
/// # Errors
/// A report with the server's refusal, or the address of a server that does not answer.
pub fn run(args: &StrategyArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(take(&args.step))
}

async fn take(step: &Step) -> miette::Result<()> {
    match step {
        Step::List(args) => list(&args.asking).await,
        Step::Validate(args) => validate(args).await,
        Step::Propose(args) => propose(args).await,
        Step::Approve(args) => approve(args).await,
        Step::Activate(args) => activate(args).await,
        Step::Revert(args) => revert(args).await,
        Step::Show(args) => show(args).await,
    }
}

async fn list(asking: &AskArgs) -> miette::Result<()> {
    let mut client = asking.connect_strategies().await?;
    show_list(&mut client, asking).await
}

async fn show_list(
    client: &mut StrategyServiceClient<Line>,
    asking: &AskArgs,
) -> miette::Result<()> {
    let request = pb::ListStrategiesRequest {};
    let answer = client.list_strategies(request).await.map_err(|status| refused(&status))?;
    say(page(asking.lang.into(), asking.page().ink, &answer.into_inner()));
    Ok(())
}

async fn validate(args: &FileArgs) -> miette::Result<()> {
    let strategy_toml = read(&args.file)?;
    let mut client = args.asking.connect_strategies().await?;
    let request = pb::ValidateStrategyRequest { strategy_toml };
    let answer = client.validate_strategy(request).await.map_err(|status| refused(&status))?;
    let answer = answer.into_inner();
    if answer.mistakes.is_empty() {
        say(format!("{}: strategy `{}`, no mistakes, {}", args.file, answer.name, answer.hash));
        return Ok(());
    }
    let mistakes: Vec<String> = answer.mistakes.iter().map(mistake).collect();
    Err(miette!("{} has {} mistakes\n{}", args.file, mistakes.len(), mistakes.join("\n")))
}

fn mistake(mistake: &pb::StrategyMistake) -> String {
    let mut line = format!("  line {}: {}", mistake.line, mistake.message);
    if !mistake.suggestion.is_empty() {
        line = format!("{line}; {}", mistake.suggestion);
    }
    line
}

async fn propose(args: &ProposeArgs) -> miette::Result<()> {
    let strategy_toml = read(&args.file)?;
    let mut client = args.asking.connect_strategies().await?;
    let SignerArgs { by: author, note } = args.signer.clone();
    let request = pb::ProposeStrategyRequest { strategy_toml, author, note };
    let answer = client.propose_strategy(request).await.map_err(|status| refused(&status))?;
    let version = known(answer.into_inner().strategy)?;
    say(signed(args.asking.lang.into(), &version));
    Ok(())
}

async fn approve(args: &StepArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_strategies().await?;
    let SignerArgs { by: approver, note } = args.signer.clone();
    let request = pb::ApproveStrategyRequest { hash: args.hash.clone(), approver, note };
    let answer = client.approve_strategy(request).await.map_err(|status| refused(&status))?;
    let version = known(answer.into_inner().strategy)?;
    say(signed(args.asking.lang.into(), &version));
    Ok(())
}

async fn activate(args: &ActivateArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_strategies().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let (hash, percent) = (args.hash.clone(), args.percent);
    let request = pb::ActivateStrategyRequest { hash, percent, operator, note };
    client.activate_strategy(request).await.map_err(|status| refused(&status))?;
    show_list(&mut client, &args.asking).await
}

async fn revert(args: &RevertArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_strategies().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let request = pb::RevertStrategyRequest { operator, note };
    client.revert_strategy(request).await.map_err(|status| refused(&status))?;
    show_list(&mut client, &args.asking).await
}

async fn show(args: &ShowArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_strategies().await?;
    let request = pb::GetStrategyRequest { hash: args.hash.clone() };
    let answer = client.get_strategy(request).await.map_err(|status| refused(&status))?;
    let text = answer.into_inner().strategy_toml;
    // The text ends as it was proposed: what is kept has the same hash.
    say(text.strip_suffix('\n').unwrap_or(&text));
    Ok(())
}

fn known(version: Option<pb::StrategyVersion>) -> miette::Result<pb::StrategyVersion> {
    version.ok_or_else(|| miette!("the server sent no strategy")).wrap_err("reading the answer")
}

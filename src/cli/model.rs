//! `orderlens model`: which bundle judges, and which one did when.

use clap::{Args, Subcommand};
use miette::{IntoDiagnostic as _, miette};
use serde_json::{Value, json};

use crate::cli::ask::{AskArgs, SignerArgs, refused};
use crate::cli::experiment_json::{instant, time};
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::cli::render::Page;
use crate::cli::words::word;
use crate::domain::text::Language;
use crate::domain::time::Timestamp;
use crate::wire::check::time_to_pb;
use crate::wire::pb::v1 as pb;

/// Digits of a hash that people see.
const HASH_DIGITS: usize = 12;

/// What to do with models.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Clone, Debug, Subcommand)]
enum Step {
    /// Show every bundle that judged, by whom and why
    List(ListArgs),
    /// Let another bundle judge from the next order on
    Promote(PromoteArgs),
    /// Let the bundle judge again that did before this one
    Rollback(RollbackArgs),
    /// Show what judged at an instant
    LiveAt(LiveAtArgs),
}

#[derive(Clone, Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct PromoteArgs {
    /// Name and version of the bundle in the folder of bundles, as in `risk/2`
    model: String,
    /// Hash of the report that this rests on, of a gate or of an experiment
    #[arg(long, value_name = "HASH", default_value = "")]
    report: String,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct RollbackArgs {
    /// Hash of the bundle to leave: who asks twice does not go back twice
    #[arg(long, value_name = "HASH", default_value = "")]
    from: String,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    asking: AskArgs,
}

#[derive(Clone, Debug, Args)]
struct LiveAtArgs {
    /// The instant, as 2026-11-28T12:00:00Z; now otherwise
    #[arg(value_parser = parse_time)]
    at: Option<Timestamp>,
    #[command(flatten)]
    asking: AskArgs,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

/// Takes one step and shows what is so after it.
///
/// # Errors
/// A report with the server's refusal, or the address of a server that does not answer.
pub fn run(args: &ModelArgs) -> miette::Result<()> {
    let runtime = tokio::runtime::Runtime::new().into_diagnostic()?;
    runtime.block_on(take(&args.step))
}

async fn take(step: &Step) -> miette::Result<()> {
    match step {
        Step::List(args) => show_list(&args.asking).await,
        Step::Promote(args) => promote(args).await,
        Step::Rollback(args) => roll_back(args).await,
        Step::LiveAt(args) => live_at(args).await,
    }
}

async fn promote(args: &PromoteArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_models().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let (model, report_hash) = (args.model.clone(), args.report.clone());
    let request = pb::PromoteModelRequest { model, report_hash, operator, note };
    client.promote_model(request).await.map_err(|status| refused(&status))?;
    show_list(&args.asking).await
}

async fn roll_back(args: &RollbackArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_models().await?;
    let SignerArgs { by: operator, note } = args.signer.clone();
    let expected_hash = args.from.clone();
    let request = pb::RollbackModelRequest { expected_hash, operator, note };
    client.rollback_model(request).await.map_err(|status| refused(&status))?;
    show_list(&args.asking).await
}

async fn live_at(args: &LiveAtArgs) -> miette::Result<()> {
    let mut client = args.asking.connect_models().await?;
    let request = pb::GetModelLiveAtRequest { at: args.at.map(time_to_pb) };
    let answer = client.get_model_live_at(request).await.map_err(|status| refused(&status))?;
    let live = answer.into_inner().live;
    let live = live.ok_or_else(|| miette!("the server sent no model"))?;
    if args.asking.json {
        return say_json(&as_json(&live));
    }
    let Page { language, ink } = args.asking.page();
    say(page(language, ink, &[live], None));
    Ok(())
}

async fn show_list(asking: &AskArgs) -> miette::Result<()> {
    let mut client = asking.connect_models().await?;
    let answer = client.list_models(pb::ListModelsRequest {}).await;
    let listed = answer.map_err(|status| refused(&status))?.into_inner();
    if asking.json {
        return say_json(&json!({
            "deployments": listed.deployments.iter().map(as_json).collect::<Vec<_>>(),
            "rollback": listed.rollback.as_ref().map(as_json),
        }));
    }
    let Page { language, ink } = asking.page();
    say(page(language, ink, &listed.deployments, listed.rollback.as_ref()));
    Ok(())
}

fn as_json(deployment: &pb::ModelDeployment) -> Value {
    json!({
        "model": deployment.model,
        "model_hash": deployment.model_hash,
        "position": deployment.position,
        "by": deployment.by,
        "at": time(deployment.at),
        "note": deployment.note,
        "report_hash": deployment.report_hash,
    })
}

/// Bundles that judged, the newest first, and what a rollback would bring back.
fn page(
    language: Language,
    ink: Ink,
    deployments: &[pb::ModelDeployment],
    rollback: Option<&pb::ModelDeployment>,
) -> String {
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("model", "模型"),
        heading("hash", "哈希"),
        heading("from", "生效时间"),
        heading("by", "操作人"),
        heading("report", "报告"),
        heading("why", "原因"),
    ]];
    for deployment in deployments {
        let by = if deployment.by.is_empty() {
            word(language, "start of the service", "服务启动")
        } else {
            deployment.by.as_str()
        };
        let from = deployment.at.map_or("–".to_owned(), |at| instant(at).to_string());
        rows.push(vec![
            Cell::new(Tone::Strong, deployment.model.as_str()),
            Cell::new(Tone::Normal, short(&deployment.model_hash)),
            Cell::new(Tone::Normal, from),
            Cell::new(Tone::Normal, by),
            Cell::new(Tone::Normal, short(&deployment.report_hash)),
            Cell::new(Tone::Quiet, deployment.note.as_str()),
        ]);
    }
    let mut text = table(ink, &[Align::Start; 6], &rows).trim_end().to_owned();
    if let Some(before) = rollback {
        let brings = word(language, "`rollback` brings back", "`rollback` 将恢复");
        text = format!("{text}\n  {brings} {} ({})", before.model, short(&before.model_hash));
    }
    text
}

fn short(hash: &str) -> &str {
    hash.get(..HASH_DIGITS).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_judged_since_when_and_who_wanted_it_in_both_languages() {
        let deployment = |model: &str, by: &str, seconds: i64| pb::ModelDeployment {
            model: model.to_owned(),
            model_hash: "ab".repeat(32),
            position: 9,
            by: by.to_owned(),
            at: Some(prost_types::Timestamp { seconds: 1_771_243_200 + seconds, nanos: 0 }),
            note: if by.is_empty() { String::new() } else { "passed the gate".to_owned() },
            report_hash: if by.is_empty() { String::new() } else { "cd".repeat(32) },
        };
        let judged = [deployment("risk/2", "wang", 3_600), deployment("risk/1", "", 0)];
        let languages = [Language::English, Language::Chinese];
        let pages = languages.map(|it| page(it, Ink::Plain, &judged, Some(&judged[1])));
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}

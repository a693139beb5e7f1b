//! `orderlens deliveries`: what was given up, and another try.

use clap::{Args, Subcommand};
use miette::{Context as _, IntoDiagnostic as _, miette};
use serde_json::{Value, json};

use crate::cli::output::{say, say_json};
use crate::cli::settings::ServiceFiles;
use crate::relay::outbox::{Outbox, OutboxFile, Wanted};

/// What to do with deliveries.
#[derive(Debug, Args)]
pub struct DeliveriesArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show every sink: how far it was told, what waits, what was given up and why
    List(ListArgs),
    /// Try deliveries again that were given up; a running server does it within a second
    Retry(RetryArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    files: ServiceFiles,
    /// Print as JSON, with what was to be told
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RetryArgs {
    #[command(flatten)]
    files: ServiceFiles,
    /// Name of the sink
    sink: String,
    /// Ids of deliveries, as `list` shows them; all of the sink without any
    ids: Vec<String>,
}

/// Runs the command, beside a running server or without one.
///
/// # Errors
/// When the data folder cannot be read, or nothing that is named was given up.
pub fn run(args: &DeliveriesArgs) -> miette::Result<()> {
    match &args.step {
        Step::List(args) => list(args),
        Step::Retry(args) => retry(args),
    }
}

fn list(args: &ListArgs) -> miette::Result<()> {
    let sinks = outboxes(&args.files)?;
    if args.json {
        let all: Vec<_> = sinks.iter().map(|(file, outbox)| as_json(file, outbox)).collect();
        return say_json(&all);
    }
    if sinks.is_empty() {
        say("no sink was ever told anything");
    }
    for (file, outbox) in &sinks {
        let (waiting, dead) = (outbox.waiting.len(), outbox.dead.len());
        let told = outbox.next.saturating_sub(1);
        let sink = file.sink();
        say(format!("{sink}: told up to record {told}; {waiting} set aside wait; {dead} given up"));
        for it in &outbox.dead {
            let (id, n_tries, fault) = (&it.letter.id, it.n_tries, &it.fault);
            say(format!("  {id}  {}  after {n_tries} tries: {fault}", it.given_up));
        }
    }
    Ok(())
}

fn as_json(file: &OutboxFile, outbox: &Outbox) -> Value {
    json!({
        "sink": file.sink(),
        "told_to": outbox.next.saturating_sub(1),
        "waiting": outbox.waiting,
        "dead": outbox.dead,
    })
}

fn retry(args: &RetryArgs) -> miette::Result<()> {
    let sinks = outboxes(&args.files)?;
    let found = sinks.iter().find(|(file, _)| file.sink() == args.sink);
    let (file, outbox) = found.ok_or_else(|| miette!("there is no sink `{}`", args.sink))?;
    let is_dead = |id: &String| outbox.dead.iter().any(|it| it.letter.id == *id);
    if let Some(id) = args.ids.iter().find(|id| !is_dead(id)) {
        return Err(miette!("`{id}` was not given up"));
    }
    let ids = args.ids.clone();
    let wanted = if ids.is_empty() { Wanted::All } else { Wanted::Ids(ids) };
    let n = if args.ids.is_empty() { outbox.dead.len() } else { args.ids.len() };
    file.request(&wanted).into_diagnostic().wrap_err("asking for another try")?;
    say(format!("{n} deliveries to `{}` will be tried again", args.sink));
    Ok(())
}

fn outboxes(files: &ServiceFiles) -> miette::Result<Vec<(OutboxFile, Outbox)>> {
    let data = files.load()?.paths.data;
    let mut found = Vec::new();
    for file in OutboxFile::all(&data).into_diagnostic()? {
        let outbox = file.load().into_diagnostic();
        let outbox = outbox.wrap_err_with(|| format!("reading the outbox of `{}`", file.sink()))?;
        found.extend(outbox.map(|outbox| (file, outbox)));
    }
    Ok(found)
}

//! `orderlens deliveries`: what was given up, and another try.

use std::io;
use std::path::Path;

use clap::{Args, Subcommand};
use miette::{Context as _, IntoDiagnostic as _, miette};
use serde_json::{Value, json};

use crate::cli::output::{say, say_json};
use crate::cli::settings::ServiceFiles;
use crate::relay::aside::Refusals;
use crate::relay::kept_file::{Kept, KeptFile, Wanted};
use crate::relay::outbox::Outbox;

/// What to do with deliveries.
#[derive(Debug, Args)]
pub struct DeliveriesArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show every sink: how far it was told, what waits, what was given up and why; and every
    /// subject that is followed: which of its messages were given up and why
    List(ListArgs),
    /// Try again what was given up; a running server does it within seconds
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
    /// Name of the sink, or of the source whose subject is followed
    name: String,
    /// Ids of deliveries or numbers of messages, as `list` shows them; all without any
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
    let data = args.files.load()?.paths.data;
    let (sinks, sources) = (kept::<Outbox>(&data)?, kept::<Refusals>(&data)?);
    if args.json {
        let mut all: Vec<_> = sinks.iter().map(|(file, it)| sink_json(file.name(), it)).collect();
        all.extend(sources.iter().map(|(file, it)| source_json(file.name(), it)));
        return say_json(&all);
    }
    if sinks.is_empty() {
        say("no sink was ever told anything");
    }
    for (file, outbox) in &sinks {
        let (waiting, dead) = (outbox.waiting.len(), outbox.dead.len());
        let told = outbox.next.saturating_sub(1);
        let sink = file.name();
        say(format!("{sink}: told up to record {told}; {waiting} set aside wait; {dead} given up"));
        for it in &outbox.dead {
            let (id, n_tries, fault) = (&it.letter.id, it.n_tries, &it.fault);
            say(format!("  {id}  {}  after {n_tries} tries: {fault}", it.given_up));
        }
    }
    for (file, refusals) in &sources {
        let Refusals { stream, subject, dead } = refusals;
        say(format!("{}: takes {subject} of {stream}; {} given up", file.name(), dead.len()));
        for it in dead {
            let (number, n_tries, fault) = (it.sequence, it.n_tries, &it.fault);
            say(format!("  {number}  {}  after {n_tries} tries: {fault}", it.last_seen));
            say(format!("    on {}, first seen {}", it.subject, it.first_seen));
        }
    }
    Ok(())
}

fn sink_json(name: &str, outbox: &Outbox) -> Value {
    json!({
        "sink": name,
        "told_to": outbox.next.saturating_sub(1),
        "waiting": outbox.waiting,
        "dead": outbox.dead,
    })
}

fn source_json(name: &str, refusals: &Refusals) -> Value {
    let Refusals { stream, subject, dead } = refusals;
    json!({ "source": name, "stream": stream, "subject": subject, "dead": dead })
}

fn retry(args: &RetryArgs) -> miette::Result<()> {
    let data = args.files.load()?.paths.data;
    let mut asked = Vec::new();
    for (file, outbox) in kept::<Outbox>(&data)? {
        let dead = outbox.dead.into_iter().map(|it| it.letter.id).collect();
        asked.extend(Dead::of(file, dead, &args.name));
    }
    for (file, refusals) in kept::<Refusals>(&data)? {
        let dead = refusals.dead.iter().map(|it| it.sequence.to_string()).collect();
        asked.extend(Dead::of(file, dead, &args.name));
    }
    if asked.is_empty() {
        return Err(miette!("there is no sink and no source of a subject `{}`", args.name));
    }
    let is_dead = |id: &String| asked.iter().any(|it| it.ids.contains(id));
    if let Some(id) = args.ids.iter().find(|id| !is_dead(id)) {
        return Err(miette!("`{id}` was not given up"));
    }
    let mut n = 0;
    for it in &asked {
        // A sink and a source may have one name; their ids are never alike.
        let mut wanted = it.ids.clone();
        wanted.retain(|id| args.ids.is_empty() || args.ids.contains(id));
        if wanted.is_empty() {
            continue;
        }
        n += wanted.len();
        let wanted = if args.ids.is_empty() { Wanted::All } else { Wanted::Ids(wanted) };
        (it.request)(&wanted).into_diagnostic().wrap_err("asking for another try")?;
    }
    say(format!("{n} given up at `{}` will be tried again", args.name));
    Ok(())
}

/// Leaves a request beside a file.
type Request = Box<dyn Fn(&Wanted) -> io::Result<()>>;

/// What was given up of a sink or a source.
struct Dead {
    ids: Vec<String>,
    request: Request,
}

impl Dead {
    /// Of whoever has this name.
    fn of<T: Kept + 'static>(file: KeptFile<T>, ids: Vec<String>, name: &str) -> Option<Self> {
        let is_it = file.name() == name;
        is_it.then(|| Self { ids, request: Box::new(move |wanted| file.request(wanted)) })
    }
}

fn kept<T: Kept>(data: &Path) -> miette::Result<Vec<(KeptFile<T>, T)>> {
    let mut found = Vec::new();
    for file in KeptFile::all(data).into_diagnostic()? {
        let content = file.load().into_diagnostic();
        let to = || format!("reading what was given up of `{}`", file.name());
        let content = content.wrap_err_with(to)?;
        found.extend(content.map(|content| (file, content)));
    }
    Ok(found)
}

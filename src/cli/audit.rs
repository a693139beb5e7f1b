//! `orderlens audit`: who did what, and whether the log still says it.

use clap::{Args, Subcommand};
use miette::{Context as _, IntoDiagnostic as _, miette};

use crate::cli::ask::{Lang, ink};
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Tone, table};
use crate::cli::render::Page;
use crate::cli::settings::ServiceFiles;
use crate::cli::words::word;
use crate::domain::access::AuditEntry;
use crate::domain::audit_query::{AUDIT_PAGE_MAX, AuditQuery, AuditReport};
use crate::domain::text::Language;
use crate::store::journal::reader::JournalReader;
use crate::workflow::audit_log::{newest_entries, verify_audit};

/// What to do with the audit log.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show who did what, the newest first
    List(ListArgs),
    /// Follow the chain from its first entry; exits with 1 and the number where it breaks
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    files: ServiceFiles,
    /// Only what this person or system did
    #[arg(long, value_name = "NAME")]
    actor: Option<Box<str>>,
    /// Only this action, or all that begin with these words: `strategy`, `strategy.approved`
    #[arg(long, value_name = "CODE")]
    action: Option<Box<str>>,
    /// Only entries before this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(AUDIT_PAGE_MAX)))]
    last: u32,
    /// Print the entries as JSON
    #[arg(long)]
    json: bool,
    /// Language of the page
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    #[command(flatten)]
    files: ServiceFiles,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Language of the result
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

/// Runs the command; it reads the journal beside a running server and changes nothing.
///
/// # Errors
/// When the journal cannot be read, or the chain does not hold.
pub fn run(args: &AuditArgs) -> miette::Result<()> {
    match &args.step {
        Step::List(args) => list(args),
        Step::Verify(args) => verify(args),
    }
}

fn list(args: &ListArgs) -> miette::Result<()> {
    let query = AuditQuery {
        before: args.before,
        actor: args.actor.clone(),
        action: args.action.clone(),
        n_max: args.last,
    };
    let entries = newest_entries(&open(&args.files)?, &query).into_diagnostic()?;
    if args.json {
        return say_json(&entries);
    }
    say(page(Page { language: args.lang.into(), ink: ink() }, &entries));
    Ok(())
}

fn verify(args: &VerifyArgs) -> miette::Result<()> {
    let reader = open(&args.files)?;
    let report = verify_audit(&reader, reader.durable_position(), None).into_diagnostic()?;
    if args.json {
        say_json(&report)?;
    } else {
        say(sentence(args.lang.into(), &report));
    }
    report.broken.map_or(Ok(()), |broken| {
        Err(miette!(
            help = "compare the journal with a copy of it; entries behind this one prove nothing",
            "{broken}"
        ))
    })
}

fn open(files: &ServiceFiles) -> miette::Result<JournalReader> {
    let data = files.load()?.paths.data;
    JournalReader::open(&data.join("journal")).into_diagnostic().wrap_err_with(|| {
        format!("name the data folder of a server with --data (now {})", data.display())
    })
}

/// How far the chain holds, and the hash to keep elsewhere.
fn sentence(language: Language, report: &AuditReport) -> String {
    let AuditReport { n_entries, head_hash, broken: _ } = report;
    if *n_entries == 0 {
        return word(language, "no entry holds", "没有成立的审计记录").to_owned();
    }
    match language {
        Language::English => format!("{n_entries} entries hold; the last one is {head_hash}"),
        Language::Chinese => format!("{n_entries} 条审计记录成立；最后一条的哈希为 {head_hash}"),
    }
}

/// The entries as a table.
fn page(page: Page, entries: &[AuditEntry]) -> String {
    let Page { language, ink } = page;
    if entries.is_empty() {
        return word(language, "nothing was done", "没有操作记录").to_owned();
    }
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("entry", "序号"),
        heading("at", "时间"),
        heading("who", "操作人"),
        heading("action", "操作"),
        heading("what", "对象"),
        heading("detail", "详情"),
    ]];
    for entry in entries {
        rows.push(vec![
            Cell::new(Tone::Normal, entry.sequence.to_string()),
            Cell::new(Tone::Normal, entry.at.to_string()),
            Cell::new(Tone::Strong, visible(&entry.actor)),
            Cell::new(Tone::Normal, visible(&entry.action)),
            Cell::new(Tone::Normal, visible(&entry.subject)),
            Cell::new(Tone::Quiet, visible(&entry.detail)),
        ]);
    }
    let mut aligns = [Align::Start; 6];
    aligns[0] = Align::End;
    table(ink, &aligns, &rows).trim_end().to_owned()
}

/// A journal that somebody has written in may hold what a terminal obeys.
fn visible(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::paint::Ink;
    use crate::domain::access::{AuditDraft, AuditHead};
    use crate::domain::time::Timestamp;

    #[test]
    fn the_page_says_who_did_what_in_both_languages_and_obeys_nobody() {
        let draft = |action: &str, detail: &str| AuditDraft {
            actor: "wang".into(),
            action: action.into(),
            subject: "lin".into(),
            detail: detail.into(),
        };
        let at = Timestamp(1_771_243_200_000_000);
        let told = draft("person.changed", "林伟; analyst; active; no key");
        let first = AuditEntry::next(&AuditHead::default(), told, at);
        let second = AuditEntry::next(&first.head(), draft("session.started", "a\u{1b}[2Jb"), at);
        let entries = [second, first];
        let report = AuditReport { n_entries: 2, head_hash: "ab".repeat(32).into(), broken: None };
        let none = AuditReport { n_entries: 0, head_hash: Box::default(), broken: None };
        let mut pages = Vec::new();
        for language in [Language::English, Language::Chinese] {
            let of = |entries| page(Page { language, ink: Ink::Plain }, entries);
            pages.extend([of(&entries[..]), of(&[]), sentence(language, &report)]);
            pages.push(sentence(language, &none));
        }
        insta::assert_snapshot!(pages.join("\n\n"));
    }
}

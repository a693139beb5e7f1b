//! `orderlens import`: a foreign file becomes a file of events.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use miette::{IntoDiagnostic, Report, WrapErr};

use crate::domain::entity::IdentityKey;
use crate::import::error::Error;
use crate::import::mapping::Mapping;
use crate::import::run as run_import;
use crate::import::summary::ImportSummary;

/// Map a CSV or JSON Lines file (plain or gzip) to canonical events, sorted by time.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// TOML file that says what the columns mean; see config/mappings/.
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// The file to import.
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// Where the events go, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where bad rows are listed [default: OUTPUT.rejects.csv].
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Imports one file and prints what was done.
///
/// # Errors
/// A report naming file, line and key for mistakes in the mapping, and the path
/// for files that cannot be read or written.
pub fn run(args: &ImportArgs, identity: &IdentityKey) -> miette::Result<()> {
    let mapping_name = args.mapping.display().to_string();
    let text = fs::read_to_string(&args.mapping)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {mapping_name}"))?;
    let mapping = Mapping::parse(&mapping_name, &text)?;
    let bytes = fs::metadata(&args.input)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", args.input.display()))?
        .len();
    let rejects = args.rejects.clone().unwrap_or_else(|| {
        let mut name = args.output.as_os_str().to_owned();
        name.push(".rejects.csv");
        PathBuf::from(name)
    });

    let bar = progress_bar(bytes)?;
    let mut progress = |rows: u64, bytes_read: u64| {
        bar.set_position(bytes_read);
        // Sorting and writing follow the last byte; the bar would look stuck.
        let step = if bytes <= bytes_read { ", sorting and writing" } else { "" };
        bar.set_message(format!("{} rows{step}", HumanCount(rows)));
    };
    let imported =
        run_import(&mapping, &args.input, &args.output, &rejects, identity, &mut progress);
    bar.finish_and_clear();
    let summary = match imported {
        Ok(summary) => summary,
        Err(Error::Mapping(mistakes)) => return Err(Report::new(*mistakes)),
        Err(error) => return Err(error).into_diagnostic(),
    };

    let shown = if args.json {
        serde_json::to_string_pretty(&summary).into_diagnostic()?
    } else {
        describe(args, &summary)
    };
    writeln!(io::stdout(), "{shown}").into_diagnostic()
}

fn progress_bar(bytes: u64) -> miette::Result<ProgressBar> {
    let template = "importing {bar:30} {percent:>3} % {msg} ({elapsed})";
    let style = ProgressStyle::with_template(template).into_diagnostic()?;
    // Hidden by itself when standard error is not a terminal.
    Ok(ProgressBar::new(bytes).with_style(style))
}

/// The summary as a few lines for people.
fn describe(args: &ImportArgs, summary: &ImportSummary) -> String {
    let mut lines = vec![format!(
        "{}: {} rows, {} orders, {} events in {}",
        args.input.display(),
        HumanCount(summary.rows),
        HumanCount(summary.orders),
        HumanCount(summary.events),
        args.output.display(),
    )];
    if let (Some(first), Some(last)) = (summary.first_time, summary.last_time) {
        lines.push(format!("  from {first} to {last}"));
    }
    for (head, counts) in &summary.labels {
        lines.push(format!(
            "  {head}: {} positive, {} negative, {} too young, {} without label",
            HumanCount(counts.positive_orders),
            HumanCount(counts.negative_orders),
            HumanCount(counts.censored_orders),
            HumanCount(counts.unlabeled_orders),
        ));
    }
    let counts = [
        (summary.filtered, "rows left out by filters"),
        (summary.unmatched, "later facts without an earlier order"),
        (summary.conflicts, "values that differ between rows of one order"),
        (summary.unmapped, "words without a place in their map"),
        (summary.rejected, "rows rejected"),
    ];
    for (count, what) in counts {
        if 0 < count {
            lines.push(format!("  {} {what}", HumanCount(count)));
        }
    }
    for reject in &summary.first_rejects {
        let reason = reject.reason.as_str();
        let (line, column, value) = (reject.line, &reject.column, &reject.value);
        lines.push(format!("    line {line}: {reason} {column} {value}"));
    }
    if let Some(path) = &summary.rejects_path {
        lines.push(format!("  all of them: {}", path.display()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_writes_events_and_rejects_beside_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let mapping = "[source]\nformat = \"csv\"\nchannel = \"c\"\nmax_reject_share = 0.5\n\
                       [order]\nid = \"id\"\ntime = { column = \"t\", format = \"rfc3339\" }\n";
        fs::write(place("m.toml"), mapping).unwrap();
        fs::write(place("in.csv"), "id,t\na,2026-01-01T00:00:00Z\nb,never\n").unwrap();
        let mut args = ImportArgs {
            mapping: place("m.toml"),
            input: place("in.csv"),
            output: place("events.jsonl"),
            rejects: None,
            json: false,
        };
        let identity = IdentityKey::from_secret(b"test");
        run(&args, &identity).unwrap();
        let rejects = fs::read_to_string(place("events.jsonl.rejects.csv")).unwrap();
        assert_eq!(rejects, "line,reason,column,value\n3,bad_time,t,never\n");
        assert!(fs::read_to_string(place("events.jsonl")).unwrap().contains("\"order_id\":\"a\""));

        args.input = place("nowhere.csv");
        let error = format!("{}", run(&args, &identity).unwrap_err());
        assert!(error.ends_with("nowhere.csv"), "{error}");
    }
}

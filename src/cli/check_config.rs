//! `orderlens check-config`: every mistake of the files that people edit.
//!
//! Exit code 0 when the files are right, 1 when one is not or cannot be read.

use std::io::Write;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use crate::config::mistake::ConfigErrors;
use crate::config::{EMBEDDED_SERVICE, EMBEDDED_STRATEGY, service, strategy};

/// Checks the service and the strategy file and shows every mistake at its place.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Service file (limits, paths, address).
    #[arg(long, value_name = "FILE")]
    pub service: Option<PathBuf>,
    /// Strategy file (weights, thresholds, costs, actions).
    #[arg(long, value_name = "FILE")]
    pub strategy: Option<PathBuf>,
}

/// More than one file is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{} files have mistakes", .0.len())]
struct SeveralFiles(Vec<ConfigErrors>);

impl Diagnostic for SeveralFiles {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|errors| errors as &dyn Diagnostic)))
    }
}

/// Checks the named files; without any, the ones inside the binary.
///
/// # Errors
/// A report of every mistake in every file, or of a file that cannot be read.
pub fn run(args: &Args) -> miette::Result<()> {
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    let is_embedded = args.service.is_none() && args.strategy.is_none();
    if let Some((name, text)) = texts(args.service.as_deref(), is_embedded, EMBEDDED_SERVICE)? {
        match service::parse(&name, &text) {
            Ok(_) => right.push(format!("{name}: service file, no mistakes")),
            Err(errors) => wrong.push(errors),
        }
    }
    if let Some((name, text)) = texts(args.strategy.as_deref(), is_embedded, EMBEDDED_STRATEGY)? {
        match strategy::parse(&name, &text) {
            Ok(strategy) => right.push(format!(
                "{name}: strategy `{}`, {} actions, no mistakes",
                strategy.name,
                strategy.actions.len()
            )),
            Err(errors) => wrong.push(errors),
        }
    }
    let mut out = std::io::stdout().lock();
    for line in right {
        writeln!(out, "{line}").into_diagnostic()?;
    }
    report(wrong)
}

fn texts(
    path: Option<&Path>,
    is_embedded: bool,
    embedded: &str,
) -> miette::Result<Option<(String, String)>> {
    match path {
        Some(path) => {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot read {name}"))?;
            Ok(Some((name, text)))
        }
        None if is_embedded => Ok(Some(("(shipped)".to_owned(), embedded.to_owned()))),
        None => Ok(None),
    }
}

fn report(mut wrong: Vec<ConfigErrors>) -> miette::Result<()> {
    if 1 < wrong.len() {
        return Err(Report::new(SeveralFiles(wrong)));
    }
    match wrong.pop() {
        Some(errors) => Err(Report::new(errors)),
        None => Ok(()),
    }
}

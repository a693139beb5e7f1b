//! `orderlens check-config`: every mistake of the files that people edit.
//!
//! Exit code 0 when the files are right, 1 when one is not or cannot be read.

use std::io::Write;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use crate::cli::output::say_json;
use crate::cli::outside_rules::outside_rules;
use crate::cli::rule_features::FeatureLists;
use crate::cli::settings::newest_bundle;
use crate::config::mistake::ConfigErrors;
use crate::config::outside::Environment;
use crate::config::{EMBEDDED_SERVICE, EMBEDDED_STRATEGY, service, strategy, strategy_schema};
use crate::model::bundle::Bundle;

/// Checks the service and the strategy file and shows every mistake at its place.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Service file (limits, paths, address).
    #[arg(long, value_name = "FILE")]
    pub service: Option<PathBuf>,
    /// Strategy file (weights, thresholds, costs, actions, rules).
    #[arg(long, value_name = "FILE")]
    pub strategy: Option<PathBuf>,
    /// Bundle, or folder of bundles, that the strategy's rules are for [default: every feature
    /// that this build has]
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Leave out whether the environment has what sources and sinks need: this one is not the
    /// service's
    #[arg(long)]
    pub without_environment: bool,
    /// Print the JSON Schema of strategy files instead, for editors that complete and check
    #[arg(long)]
    pub schema: bool,
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
    if args.schema {
        return say_json(&strategy_schema::schema());
    }
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    if let Some(file) = file_or_shipped(args, args.service.as_deref(), EMBEDDED_SERVICE)? {
        let other = args.without_environment;
        let rules = outside_rules(if other { Environment::Other } else { Environment::Same });
        match service::parse_to_serve(&file.name, &file.text, &rules) {
            Ok(_) => right.push(format!("{}: service file, no mistakes", file.name)),
            Err(errors) => wrong.push(errors),
        }
    }
    if let Some(file) = file_or_shipped(args, args.strategy.as_deref(), EMBEDDED_STRATEGY)? {
        let features = features(args.models.as_deref())?;
        match strategy::parse(&file.name, &file.text, features.as_known()) {
            Ok(strategy) => right.push(format!(
                "{}: strategy `{}`, {} actions, {} rules, no mistakes",
                file.name,
                strategy.name,
                strategy.actions.len(),
                strategy.rules.rules.len()
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

/// The features that rules may ask for.
fn features(models: Option<&Path>) -> miette::Result<FeatureLists> {
    let Some(models) = models else { return Ok(FeatureLists::of_build()) };
    let bundle = Bundle::load(&newest_bundle(models)?).into_diagnostic()?;
    Ok(FeatureLists::of_bundle(&bundle))
}

/// A file to check.
struct File {
    name: String,
    text: String,
}

/// The named file; the shipped one when the command names no file at all.
fn file_or_shipped(
    args: &Args,
    path: Option<&Path>,
    shipped: &str,
) -> miette::Result<Option<File>> {
    let Some(path) = path else {
        let names_none = args.service.is_none() && args.strategy.is_none();
        let file = File { name: "(shipped)".to_owned(), text: shipped.to_owned() };
        return Ok(names_none.then_some(file));
    };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {name}"))?;
    Ok(Some(File { name, text }))
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

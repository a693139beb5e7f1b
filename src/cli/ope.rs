//! `orderlens ope`: what another policy would have brought, from a log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::{Context as _, IntoDiagnostic as _, miette};
use ndarray::Array2;
use serde::Serialize;

use crate::cli::ask::ink;
use crate::cli::output::{say, say_json};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::experiment::logged::{LoggedChoices, Reach};
use crate::experiment::off_policy::{Estimate, Estimator, headline};
use crate::experiment::refusal::Refusal;

/// Columns `target.NAME` and `predicted.NAME` name the actions.
const TARGET: &str = "target.";
const PREDICTED: &str = "predicted.";

/// The log.
#[derive(Clone, Debug, Args)]
pub struct OpeArgs {
    /// CSV with a row per choice: `reward`, `action` (a name), `propensity` (with which it was
    /// chosen), `ring` (what hangs together; rows by themselves without it), and per action
    /// `target.NAME` (probability under the other policy) and `predicted.NAME` (what a model
    /// fitted on other rings predicts of it; 0 without it)
    #[arg(long)]
    log: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// An answer, or every reason against one and no number.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
enum Report {
    Ok { n: u64, n_effective: f64, rings_effective: f64, headline: Row, estimates: Vec<Row> },
    Refused { refusals: Vec<Refusal> },
}

/// One estimate.
#[derive(Serialize)]
struct Row {
    estimator: &'static str,
    value: f64,
    standard_error: f64,
    low: f64,
    high: f64,
}

/// Reads the log and reports.
///
/// # Errors
/// When the file cannot be read, or is no log; the message names the line.
pub fn run(args: &OpeArgs) -> miette::Result<()> {
    let log = read_log(&args.log)?;
    if !log.is_sound() {
        return Err(miette!(
            help = "propensities lie in (0, 1], and the target's probabilities of a row sum to 1",
            "{} is not a log of choices",
            args.log.display()
        ));
    }
    let report = report(&log);
    if args.json {
        return say_json(&report);
    }
    say(page(ink(), &report));
    Ok(())
}

fn report(log: &LoggedChoices) -> Report {
    let first = match headline(log) {
        Err(refusals) => return Report::Refused { refusals },
        Ok(estimate) => row("doubly robust", &estimate),
    };
    let reach = Reach::new(log);
    let others = [
        ("weighted (IPS)", Estimator::Ips(f64::INFINITY)),
        ("self-normalized (SNIPS)", Estimator::Snips),
        ("self-normalized doubly robust", Estimator::SelfNormalizedDr),
        ("model alone (DM)", Estimator::Direct),
    ];
    Report::Ok {
        n: reach.n,
        n_effective: reach.n_effective,
        rings_effective: reach.rings_effective,
        headline: first,
        estimates: others.map(|(name, estimator)| row(name, &estimator.estimate(log))).into(),
    }
}

fn row(estimator: &'static str, estimate: &Estimate) -> Row {
    let Estimate { value, standard_error, interval: (low, high) } = *estimate;
    Row { estimator, value, standard_error, low, high }
}

fn page(ink: Ink, report: &Report) -> String {
    let (n, n_effective, rings, first, others) = match report {
        Report::Refused { refusals } => {
            let reasons: Vec<String> =
                refusals.iter().map(|refusal| format!("  {}", reason(*refusal))).collect();
            return format!("no estimate:\n{}", reasons.join("\n"));
        }
        Report::Ok { n, n_effective, rings_effective, headline, estimates } => {
            (n, n_effective, rings_effective, headline, estimates)
        }
    };
    let mut rows = vec![
        ["estimator", "value", "error", "95 % interval"]
            .map(|it| Cell::new(Tone::Quiet, it))
            .into(),
    ];
    for (tone, row) in
        std::iter::once((Tone::Strong, first)).chain(others.iter().map(|it| (Tone::Normal, it)))
    {
        rows.push(vec![
            Cell::new(tone, row.estimator),
            Cell::new(tone, format!("{:.4}", row.value)),
            Cell::new(Tone::Quiet, format!("{:.4}", row.standard_error)),
            Cell::new(tone, format!("{:.4} to {:.4}", row.low, row.high)),
        ]);
    }
    let aligns = [Align::Start, Align::End, Align::End, Align::End];
    format!(
        "{}  {n} choices count as {n_effective:.0}, in {rings:.0} effective rings",
        table(ink, &aligns, &rows)
    )
}

fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::TooFewUnits => "there are no rows",
        Refusal::TooFewEvents => "too few events",
        Refusal::BaselineNearZero => "the control's mean could be zero",
        Refusal::NoSpread => "all values are equal",
        Refusal::TooFewClusters => "too few rings (20 effective ones are needed)",
        Refusal::TooFewEffectiveRows => "too few rows once they are weighted (200 are needed)",
        Refusal::WeightConcentrated => "a single row has more than 5 % of all weight",
        Refusal::NoOverlap => "the policy chooses what was never chosen",
        Refusal::PropensitiesWrong => "weights are not 1 on average: propensities are wrong",
        Refusal::EstimatesDisagree => "doubly robust and self-normalized estimate disagree",
        Refusal::SampleRatioMismatch => "arms are not as large as they were drawn",
        Refusal::UnitInEmptyArm => "a unit is in an arm that nobody is drawn into",
        Refusal::UnitsMixed => "too many orders of rings that met a ring of another arm",
    }
}

fn read_log(path: &Path) -> miette::Result<LoggedChoices> {
    let in_file = || format!("reading {}", path.display());
    let mut reader = csv::Reader::from_path(path).into_diagnostic().wrap_err_with(in_file)?;
    let heading = reader.headers().into_diagnostic().wrap_err_with(in_file)?.clone();
    let column = |name: &str| heading.iter().position(|it| it == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| miette!("{}: there is no column `{name}`", path.display()))
    };
    let (reward, action, propensity) =
        (needed("reward")?, needed("action")?, needed("propensity")?);
    let names: Vec<&str> = heading.iter().filter_map(|it| it.strip_prefix(TARGET)).collect();
    let targets: Vec<usize> =
        names.iter().filter_map(|name| column(&format!("{TARGET}{name}"))).collect();
    let predictions: Vec<Option<usize>> =
        names.iter().map(|name| column(&format!("{PREDICTED}{name}"))).collect();
    let ring = column("ring");
    let mut rings: BTreeMap<String, u64> = BTreeMap::new();
    let mut log = LoggedChoices {
        rewards: Vec::new(),
        actions: Vec::new(),
        propensities: Vec::new(),
        target: Array2::zeros((0, names.len())),
        predicted: Array2::zeros((0, names.len())),
        rings: Vec::new(),
    };
    let (mut target, mut predicted) = (Vec::new(), Vec::new());
    for (record, line) in reader.records().zip(2_u64..) {
        let record = record.into_diagnostic().wrap_err_with(in_file)?;
        let cell = |at: usize| record.get(at).unwrap_or_default().trim();
        let number = |at: usize| -> miette::Result<f64> {
            let name = heading.get(at).unwrap_or_default();
            cell(at).parse().map_err(|_| {
                miette!("{}, line {line}: `{name}` is not a number: `{}`", path.display(), cell(at))
            })
        };
        let chosen = names.iter().position(|name| *name == cell(action)).ok_or_else(|| {
            let name = cell(action);
            miette!("{}, line {line}: there is no column `{TARGET}{name}`", path.display())
        })?;
        log.rewards.push(number(reward)?);
        log.actions.push(chosen);
        log.propensities.push(number(propensity)?);
        for (of_target, of_model) in targets.iter().zip(&predictions) {
            target.push(number(*of_target)?);
            predicted.push(of_model.map_or(Ok(0.0), number)?);
        }
        let n_rings = rings.len() as u64;
        let by_itself = || format!("row {line}");
        let ring = ring.map_or_else(by_itself, |at| cell(at).to_owned());
        log.rings.push(*rings.entry(ring).or_insert(n_rings));
    }
    let shape = (log.rewards.len(), names.len());
    log.target = Array2::from_shape_vec(shape, target).into_diagnostic()?;
    log.predicted = Array2::from_shape_vec(shape, predicted).into_diagnostic()?;
    Ok(log)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    /// Release brings 3, review 1; the log draws evenly, the other policy always releases.
    #[test]
    fn a_log_that_reaches_is_answered_and_a_short_one_is_refused_without_a_number() {
        let log = |n: usize| {
            let mut text =
                "ring,action,reward,propensity,target.release,target.review\n".to_owned();
            for row in 0..n {
                let (action, reward) = if row % 2 == 0 { ("release", 3) } else { ("review", 1) };
                // Some spread, so that there is something to doubt.
                let reward = reward + i32::from(row % 3 == 0) - i32::from(row % 3 == 1);
                writeln!(text, "{},{action},{reward},0.5,1,0", row / 4).unwrap();
            }
            let (_folder, path) = written(&text);
            report(&read_log(&path).unwrap())
        };
        let Report::Ok { headline, estimates, .. } = log(3_000) else { panic!("refused") };
        assert!((headline.value - 3.0).abs() < 0.01 && estimates.len() == 4);
        let short = log(30);
        assert!(matches!(short, Report::Refused { .. }));
        let json = serde_json::to_string(&short).unwrap();
        assert!(json.contains("TOO_FEW_CLUSTERS") && !json.contains("value"), "{json}");
    }

    #[test]
    fn what_is_wrong_in_a_log_is_told_with_its_line() {
        for (text, expected) in [
            ("action,propensity\na,1\n", "there is no column `reward`"),
            (
                "reward,action,propensity,target.a\n1,b,1,1\n",
                "line 2: there is no column `target.b`",
            ),
            (
                "reward,action,propensity,target.a\nx,a,1,1\n",
                "line 2: `reward` is not a number: `x`",
            ),
        ] {
            let (_folder, path) = written(text);
            let told = read_log(&path).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
    }
}

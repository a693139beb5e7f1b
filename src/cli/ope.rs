//! `orderlens ope`: what another policy would have brought, from a log.

use std::path::PathBuf;

use clap::Args;
use miette::{Context as _, IntoDiagnostic as _};
use serde::Serialize;

use crate::cli::ask::{Lang, ink};
use crate::cli::ope_log::{NamedLog, read_log};
use crate::cli::ope_page::{page, picture};
use crate::cli::output::{say, say_json};
use crate::experiment::logged::{LoggedChoices, Reach};
use crate::experiment::off_policy::{Estimate, Estimator, headline};
use crate::experiment::refusal::Refusal;
use crate::experiment::tuning::{Tuning, best_lambda};

/// Limits of weights that are tried, from hardly any trust to all.
const LAMBDAS: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1_000.0];
/// Chance that a bound of the tuning does not hold.
const DELTA: f64 = 0.05;
/// The largest weights whose share of all is shown: one of a hundred rows.
const TOP_SHARE: f64 = 0.01;

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
    /// Write a picture of how far the log reaches, SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

/// What the log says, and how far it reaches.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// How far the log reaches.
    pub(super) diagnostics: Diagnostics,
    /// Estimates, or why there are none.
    pub(super) result: Outcome,
}

/// An answer, or every reason against one and no number.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Outcome {
    Ok { headline: Row, estimates: Vec<Row> },
    Refused { refusals: Vec<Refusal> },
}

/// How far a log reaches; no value of the policy is among these numbers.
#[derive(Debug, Serialize)]
pub(super) struct Diagnostics {
    /// Rows.
    pub(super) n: u64,
    /// Rows that count once they are weighted.
    pub(super) n_effective: f64,
    /// Rings that count.
    pub(super) rings_effective: f64,
    /// 1 when propensities are right.
    pub(super) mean_weight: f64,
    /// Its 95 % interval.
    pub(super) mean_weight_interval: (f64, f64),
    /// Largest weight.
    pub(super) max_weight: f64,
    /// Its share of all.
    pub(super) max_weight_share: f64,
    /// Share of all weight in the heaviest hundredth of the rows.
    pub(super) top_weight_share: f64,
    /// How often each action was chosen, and how often the policy would.
    pub(super) overlap: Vec<Overlap>,
}

/// An action in the log and under the policy.
#[derive(Debug, Serialize)]
pub(super) struct Overlap {
    /// Its name.
    pub(super) action: String,
    /// Share of the rows.
    pub(super) logged: f64,
    /// Mean probability under the policy.
    pub(super) target: f64,
}

/// One estimate.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// Its short name in the literature.
    pub(super) estimator: &'static str,
    /// Limit of weights that the log chose (SLOPE); `None` where there is none to choose.
    pub(super) lambda: Option<f64>,
    pub(super) value: f64,
    pub(super) standard_error: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Reads the log and reports.
///
/// # Errors
/// When a file cannot be read or written, or is no log; the message names the line.
pub fn run(args: &OpeArgs) -> miette::Result<()> {
    let named = read_log(&args.log)?;
    let report = report(&named);
    let language = args.lang.into();
    if let Some(path) = &args.svg {
        let picture = picture(language, &named.log.weights());
        let writing = || format!("writing {}", path.display());
        std::fs::write(path, picture).into_diagnostic().wrap_err_with(writing)?;
    }
    if args.json {
        return say_json(&report);
    }
    say(page(language, ink(), &report));
    Ok(())
}

fn report(named: &NamedLog) -> Report {
    let log = &named.log;
    let diagnostics = diagnostics(named);
    let first = match headline(log) {
        Err(refusals) => return Report { diagnostics, result: Outcome::Refused { refusals } },
        Ok(estimate) => row("DR", None, &estimate),
    };
    let plain = |name, estimator: Estimator| row(name, None, &estimator.estimate(log));
    let tuned = |name, family: fn(f64) -> Estimator| {
        let lambda = best_lambda(family, &LAMBDAS, Tuning::Slope, log, DELTA)?;
        Some(row(name, Some(lambda), &family(lambda).estimate(log)))
    };
    let estimates = [
        Some(plain("IPS", Estimator::Ips(f64::INFINITY))),
        Some(plain("SNIPS", Estimator::Snips)),
        Some(plain("SNDR", Estimator::SelfNormalizedDr)),
        tuned("Switch-DR", Estimator::Switch),
        tuned("DRos", Estimator::Shrunk),
        Some(plain("DM", Estimator::Direct)),
    ];
    let estimates = estimates.into_iter().flatten().collect();
    Report { diagnostics, result: Outcome::Ok { headline: first, estimates } }
}

fn diagnostics(named: &NamedLog) -> Diagnostics {
    let log = &named.log;
    let reach = Reach::new(log);
    let mut weights = log.weights();
    weights.sort_by(|a, b| b.total_cmp(a));
    let (n, sum) = (weights.len() as f64, weights.iter().sum::<f64>());
    let top: f64 = weights
        .iter()
        .zip(1..)
        .take_while(|(_, at)| f64::from(*at) <= (TOP_SHARE * n).max(1.0))
        .map(|(weight, _)| weight)
        .sum();
    let half = 1.96 * reach.mean_weight_error;
    Diagnostics {
        n: reach.n,
        n_effective: reach.n_effective,
        rings_effective: reach.rings_effective,
        mean_weight: reach.mean_weight,
        mean_weight_interval: (reach.mean_weight - half, reach.mean_weight + half),
        max_weight: reach.max_weight,
        max_weight_share: reach.max_weight_share,
        top_weight_share: top / sum,
        overlap: overlap(log, &named.actions),
    }
}

fn overlap(log: &LoggedChoices, actions: &[String]) -> Vec<Overlap> {
    let n = log.rewards.len() as f64;
    let of = |(at, action): (usize, &String)| Overlap {
        action: action.clone(),
        logged: log.actions.iter().filter(|chosen| **chosen == at).count() as f64 / n,
        target: log.target.column(at).sum() / n,
    };
    actions.iter().enumerate().map(of).collect()
}

fn row(estimator: &'static str, lambda: Option<f64>, estimate: &Estimate) -> Row {
    let Estimate { value, standard_error, interval: (low, high) } = *estimate;
    Row { estimator, lambda, value, standard_error, low, high }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::cli::paint::Ink;
    use crate::domain::text::Language;

    /// Release brings 3, review 1; the log draws evenly, the other policy always releases.
    fn log(n: usize) -> NamedLog {
        let mut text = "ring,action,reward,propensity,target.release,target.review\n".to_owned();
        for row in 0..n {
            let (action, reward) = if row % 2 == 0 { ("release", 3) } else { ("review", 1) };
            // Some spread, so that there is something to doubt.
            let reward = reward + i32::from(row % 3 == 0) - i32::from(row % 3 == 1);
            writeln!(text, "{},{action},{reward},0.5,1,0", row / 4).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(&path, text).unwrap();
        read_log(&path).unwrap()
    }

    #[test]
    fn a_log_that_reaches_is_answered_and_a_short_one_is_refused_without_a_number() {
        let long = report(&log(3_000));
        let Outcome::Ok { headline, estimates } = &long.result else { panic!("refused") };
        assert!((headline.value - 3.0).abs() < 0.01 && estimates.len() == 6);
        let tuned = estimates.iter().filter(|row| row.lambda.is_some());
        // No weight is above 2, so that every limit from there on gives the same.
        assert!(tuned.clone().count() == 2 && tuned.clone().all(|row| row.lambda > Some(1.0)));
        let Diagnostics { mean_weight, top_weight_share, overlap, .. } = &long.diagnostics;
        assert!((mean_weight - 1.0).abs() < 1e-12 && (top_weight_share - 0.02).abs() < 1e-12);
        assert!((overlap[0].logged, overlap[0].target) == (0.5, 1.0));
        let short = report(&log(30));
        assert!(matches!(short.result, Outcome::Refused { .. }));
        let json = serde_json::to_string(&short).unwrap();
        assert!(json.contains("TOO_FEW_CLUSTERS") && !json.contains("value"), "{json}");
    }

    #[test]
    fn the_page_is_told_in_both_languages() {
        let reports = [3_000, 30].map(|n| report(&log(n)));
        let pages = reports.iter().flat_map(|report| {
            [Language::English, Language::Chinese].map(|it| page(it, Ink::Plain, report))
        });
        insta::assert_snapshot!(pages.collect::<Vec<_>>().join("\n\n"));
    }

    #[test]
    fn the_picture_shows_rows_and_their_weight() {
        let picture = picture(Language::English, &log(3_000).log.weights());
        assert!(picture.starts_with("<svg ") && !picture.contains("NaN"), "{picture}");
        assert!(picture.contains("weight of a choice"), "{picture}");
    }
}

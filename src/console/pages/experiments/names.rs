//! What is said about experiments, in words, and how their numbers are written.

use crate::console::words::Words;
use crate::domain::experiment::{Epoch, ExperimentEnd, Harm};
use crate::domain::experiment_report::{Advice, EstimateRefusal, ReportStatus, TimesAsOften};
use crate::domain::money::grouped;

/// Digits of a hash that people see.
const HASH_DIGITS: usize = 12;

/// Name of a harm.
pub fn harm(words: Words, harm: Harm) -> String {
    words.t(match harm {
        Harm::Stopped => "experiments-harm-stopped",
        Harm::Chargeback => "experiments-harm-chargeback",
        Harm::Penalty => "experiments-harm-penalty",
        Harm::Complaint => "experiments-harm-complaint",
    })
}

/// Whether the numbers of a report may be used.
pub fn status(words: Words, status: ReportStatus) -> String {
    words.t(match status {
        ReportStatus::Ok => "experiments-status-ok",
        ReportStatus::Warn => "experiments-status-warn",
        ReportStatus::Refused => "experiments-status-refused",
    })
}

/// What to do.
pub fn advice(words: Words, advice: Advice) -> String {
    words.t(match advice {
        Advice::Ship => "experiments-advice-ship",
        Advice::StopHarm => "experiments-advice-stop_harm",
        Advice::KeepRunning => "experiments-advice-keep_running",
        Advice::NoDifferenceShown => "experiments-advice-no_difference",
        Advice::Refused => "experiments-advice-refused",
    })
}

/// The color of an advice.
pub fn tone(advice: Advice) -> &'static str {
    match advice {
        Advice::Ship => "good",
        Advice::StopHarm => "bad",
        Advice::Refused => "warn",
        Advice::KeepRunning | Advice::NoDifferenceShown => "",
    }
}

/// Why there is no number.
pub fn refusal(words: Words, refusal: EstimateRefusal) -> String {
    words.t(match refusal {
        EstimateRefusal::TooFewUnits => "experiments-refusal-too_few_units",
        EstimateRefusal::TooFewEvents => "experiments-refusal-too_few_events",
        EstimateRefusal::BaselineNearZero => "experiments-refusal-baseline_near_zero",
        EstimateRefusal::NoSpread => "experiments-refusal-no_spread",
        EstimateRefusal::TooFewClusters => "experiments-refusal-too_few_clusters",
        EstimateRefusal::TooFewEffectiveRows => "experiments-refusal-too_few_effective_rows",
        EstimateRefusal::WeightConcentrated => "experiments-refusal-weight_concentrated",
        EstimateRefusal::NoOverlap => "experiments-refusal-no_overlap",
        EstimateRefusal::PropensitiesWrong => "experiments-refusal-propensities_wrong",
        EstimateRefusal::EstimatesDisagree => "experiments-refusal-estimates_disagree",
        EstimateRefusal::SampleRatioMismatch => "experiments-refusal-sample_ratio_mismatch",
        EstimateRefusal::UnitInEmptyArm => "experiments-refusal-unit_in_empty_arm",
        EstimateRefusal::UnitsMixed => "experiments-refusal-units_mixed",
    })
}

/// Why it ended.
pub fn end(words: Words, end: &ExperimentEnd) -> String {
    match end {
        ExperimentEnd::Finished => words.t("experiments-end-finished"),
        ExperimentEnd::Killed => words.t("experiments-end-killed"),
        ExperimentEnd::Harm { harm: which, arm } => {
            words.t2("experiments-end-harm", "harm", harm(words, *which), "arm", arm)
        }
        ExperimentEnd::Money { arm } => words.t1("experiments-end-money", "arm", arm),
    }
}

/// Percentages of the epochs, as they followed each other.
pub fn percents(epochs: &[Epoch]) -> String {
    epochs.iter().map(|epoch| epoch.percent.to_string()).collect::<Vec<_>>().join(" → ")
}

/// A probability of chance; small ones keep two digits.
pub fn p(p: f64) -> String {
    if p < 0.001 { format!("{p:.1e}") } else { format!("{p:.3}") }
}

/// Money of 1,000 orders, major units.
pub fn money(major: f64) -> String {
    grouped(major, 0)
}

/// An interval of it.
pub fn interval((low, high): (f64, f64)) -> String {
    format!("{} … {}", money(low), money(high))
}

/// How often something comes to the arm for once that it comes to the control.
pub fn times(times: TimesAsOften) -> String {
    let high = times.high.map_or_else(|| "∞".to_owned(), |high| format!("{high:.2}"));
    format!("{:.2} … {high}", times.low)
}

/// Enough of a hash to tell it from others.
pub fn short(hash: &str) -> &str {
    hash.get(..HASH_DIGITS).unwrap_or(hash)
}

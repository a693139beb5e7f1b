//! The rehearsal in words.

use std::fmt::Write as _;

use crate::cli::gate_page::{measured, retrain_page};
use crate::cli::rehearse::course::Rehearsal;
use crate::domain::experiment::ExperimentEnd;
use crate::domain::experiment_report::{Comparison, ExperimentReport, MoneyComparison};
use crate::domain::text::Language;

/// What happened, stage by stage.
pub fn page(report: &Rehearsal) -> String {
    let mut text = String::new();
    let lines = lines(report);
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    }
    text
}

fn lines(report: &Rehearsal) -> Vec<String> {
    let mut lines = vec![format!(
        "SYNTHETIC: {} orders in {} days, {} choices, {} facts late or twice, {} never told since their order was stopped",
        report.n_orders, report.days, report.n_choices, report.n_late_facts, report.n_stopped_facts
    )];
    lines.push("\nOperators who take nearly always the same in seconds".to_owned());
    if report.caught.is_empty() {
        lines.push("  nobody".to_owned());
    }
    for (operator, day) in &report.caught {
        lines.push(format!("  {operator}: caught on day {day}"));
    }
    for (day, retraining) in &report.retrainings {
        lines.push(format!("\nDay {day}"));
        lines.push(retrain_page(Language::English, retraining));
    }
    for experiment in &report.experiments {
        lines.extend(experiment_lines(experiment));
    }
    lines.push("\nPromoted".to_owned());
    if report.promoted.is_empty() {
        lines.push("  nothing".to_owned());
    }
    for (day, bundle) in &report.promoted {
        lines.push(format!("  {bundle} on day {day}"));
    }
    let money = &report.money;
    lines.push(format!(
        "\nMoney per 1,000 orders by the synthetic truth, {} orders of {} rings and people",
        money.n_orders, money.n_clusters
    ));
    lines.push(format!("  as served            {}", measured(&money.live)));
    lines.push(format!("  model of day 0       {}", measured(&money.frozen)));
    lines.push(format!("  gain                 {}", measured(&money.gain)));
    lines
}

fn experiment_lines(report: &ExperimentReport) -> Vec<String> {
    let units: Vec<String> = report
        .arms
        .iter()
        .map(|arm| format!("{} {} rings, {} orders", arm.name, arm.units, arm.orders))
        .collect();
    let mut lines = vec![format!("\nExperiment {}: {}", report.id, units.join("; "))];
    if let Some((end, at)) = &report.ended {
        let why = match end {
            ExperimentEnd::Finished => "ended as planned".to_owned(),
            ExperimentEnd::Killed => "killed".to_owned(),
            ExperimentEnd::Harm { harm, arm } => {
                format!("stopped by its guardrail: more {} in {arm}", harm.as_str())
            }
            ExperimentEnd::Money { arm } => {
                format!("stopped by its guardrail: {arm} earns less")
            }
        };
        lines.push(format!("  {why}, {at}"));
    }
    lines.extend(report.comparisons.iter().flat_map(comparison_lines));
    lines.push(format!("  advice: {:?}", report.advice));
    lines
}

fn comparison_lines(comparison: &Comparison) -> Vec<String> {
    let money = match &comparison.money {
        MoneyComparison::Told(told) => format!(
            "{:+.0} per 1,000 orders ({:+.0} to {:+.0} at every look)",
            told.difference, told.at_every_look.0, told.at_every_look.1
        ),
        MoneyComparison::Refused(refusals) => format!("no number: {refusals:?}"),
    };
    let mut lines = vec![format!("  {} against the control: {money}", comparison.arm)];
    for harm in &comparison.harms {
        let p = harm.p_at_every_look.map_or("no p".to_owned(), |p| format!("p {p:.4}"));
        lines.push(format!(
            "    {}: {} rings against {}, {p} (stops at {:.4})",
            harm.harm.as_str(),
            harm.arm_units,
            harm.control_units,
            harm.stops_at
        ));
    }
    lines
}

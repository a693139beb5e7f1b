//! What an experiment showed on the way, as a picture.

use crate::cli::experiment_json::instant;
use crate::cli::experiment_words::{harm, refusal};
use crate::cli::words::word;
use crate::domain::text::Language;
use crate::plot::looks::{EffectPoint, Labels, counts, effect, stacked};
use crate::wire::pb::v1 as pb;

/// The effect of every arm on money with its confidence sequence, then each harm as it grew.
pub fn picture(language: Language, report: &pb::ExperimentReport) -> String {
    let days = days(report);
    let mut pictures = Vec::new();
    for (at, comparison) in report.comparisons.iter().enumerate() {
        let looks: Vec<(f64, &pb::ExperimentArmLook)> = days
            .iter()
            .zip(&report.looks)
            .filter_map(|(day, look)| Some((*day, look.arms.get(at)?)))
            .collect();
        pictures.push(money(language, report, comparison, &looks));
        for (place, it) in comparison.harms.iter().enumerate() {
            let grown: Vec<(f64, f64, f64)> = looks
                .iter()
                .filter_map(|(day, look)| {
                    let harm = look.harms.get(place)?;
                    Some((*day, harm.control_units as f64, harm.arm_units as f64))
                })
                .collect();
            if !grown.is_empty() {
                pictures.push(harmed(language, comparison, it, &grown));
            }
        }
    }
    stacked(&report.experiment_id, &pictures)
}

/// Days from the start to each look.
fn days(report: &pb::ExperimentReport) -> Vec<f64> {
    let start = report.started_at.map(instant).unwrap_or_default();
    let day = |look: &pb::ExperimentLook| {
        let at = look.at.map_or(start, instant);
        (at - start).as_days().max(0.0)
    };
    report.looks.iter().map(day).collect()
}

fn money(
    language: Language,
    report: &pb::ExperimentReport,
    comparison: &pb::ExperimentComparison,
    looks: &[(f64, &pb::ExperimentArmLook)],
) -> String {
    let point = |(x, look): &(f64, &pb::ExperimentArmLook)| {
        let interval = look.at_every_look?;
        let (low, high) = (interval.low, interval.high);
        Some(EffectPoint { x: *x, estimate: look.difference?, low, high })
    };
    let points: Vec<EffectPoint> = looks.iter().filter_map(point).collect();
    let arm = &comparison.arm;
    let title = match language {
        Language::English => format!("{arm}: money"),
        Language::Chinese => format!("{arm}：金额"),
    };
    let currency = &report.currency_code;
    let y = match language {
        Language::English => format!("{currency} per 1,000 orders, arm minus control"),
        Language::Chinese => format!("每千单 {currency}，本组减对照组"),
    };
    let why: Vec<&str> = comparison.money_refusals().map(|it| refusal(language, it)).collect();
    let note = if comparison.money.is_some() {
        word(language, "band: holds at every look", "区间：随时查看有效").to_owned()
    } else {
        format!("{}{}", word(language, "no number: ", "不给出数字："), why.join("; "))
    };
    let labels = Labels { title: &title, x: x_label(language), y: &y, note: &note };
    effect(labels, last_day(looks), &points)
}

fn harmed(
    language: Language,
    comparison: &pb::ExperimentComparison,
    compared: &pb::HarmComparison,
    grown: &[(f64, f64, f64)],
) -> String {
    let (arm, harm) = (&comparison.arm, harm(language, compared.harm));
    let title = match language {
        Language::English => format!("{arm}: {harm}"),
        Language::Chinese => format!("{arm}：{harm}"),
    };
    let y = word(language, "rings that it has come to", "累计发生的团伙数");
    let labels = Labels { title: &title, x: x_label(language), y, note: "" };
    let names = [word(language, "control", "对照组"), arm.as_str()];
    let x_max = grown.last().map_or(0.0, |point| point.0);
    counts(labels, x_max, names, grown)
}

fn x_label(language: Language) -> &'static str {
    word(language, "days since the start", "开始以来的天数")
}

fn last_day(looks: &[(f64, &pb::ExperimentArmLook)]) -> f64 {
    looks.last().map_or(0.0, |look| look.0)
}

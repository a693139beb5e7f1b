//! What an experiment showed on the way, as a picture.

use crate::cli::experiment_json::instant;
use crate::cli::experiment_words::{harm, refusal};
use crate::cli::words::word;
use crate::domain::text::Language;
use crate::domain::time::{Span, Timestamp};
use crate::plot::looks::{EffectPoint, Labels, counts, effect, stacked};
use crate::wire::pb::v1 as pb;

/// The effect of every arm on money with its confidence sequence, then each harm as it grew.
pub fn picture(language: Language, report: &pb::ExperimentReport) -> String {
    let elapsed = Elapsed::of(report);
    let mut pictures = Vec::new();
    for (at, comparison) in report.comparisons.iter().enumerate() {
        let looks: Vec<(f64, &pb::ExperimentArmLook)> = report
            .looks
            .iter()
            .filter_map(|look| Some((elapsed.at(look), look.arms.get(at)?)))
            .collect();
        let x = elapsed.label(language);
        pictures.push(money(language, report, (comparison, x), &looks));
        for (place, it) in comparison.harms.iter().enumerate() {
            let grown: Vec<(f64, f64, f64)> = looks
                .iter()
                .filter_map(|(day, look)| {
                    let harm = look.harms.get(place)?;
                    Some((*day, harm.control_units as f64, harm.arm_units as f64))
                })
                .collect();
            // What came to nobody needs no picture.
            if grown.iter().any(|(_, control, arm)| 0.0 < control + arm) {
                pictures.push(harmed(language, (comparison, x), it, &grown));
            }
        }
    }
    stacked(&report.experiment_id, &pictures)
}

/// Time since the start, in the unit that suits it.
#[derive(Clone, Copy, Debug)]
struct Elapsed {
    start: Timestamp,
    unit: Span,
}

impl Elapsed {
    fn of(report: &pb::ExperimentReport) -> Self {
        let start = report.started_at.map(instant).unwrap_or_default();
        let ends = report.looks.iter().filter_map(|look| look.at).map(instant);
        let longest = ends.max().map_or(Span(0), |end| end - start);
        let suits = |unit: &Span| 2 * unit.0 <= longest.0;
        let units = [Span::DAY, Span::HOUR, Span::minutes(1)];
        Self { start, unit: units.into_iter().find(suits).unwrap_or(Span::SECOND) }
    }

    fn at(self, look: &pb::ExperimentLook) -> f64 {
        let at = look.at.map_or(self.start, instant);
        ((at - self.start).0 as f64 / self.unit.0 as f64).max(0.0)
    }

    fn label(self, language: Language) -> &'static str {
        let (en, zh) = match self.unit {
            Span::DAY => ("days since the start", "开始以来的天数"),
            Span::HOUR => ("hours since the start", "开始以来的小时数"),
            Span::SECOND => ("seconds since the start", "开始以来的秒数"),
            Span(_) => ("minutes since the start", "开始以来的分钟数"),
        };
        word(language, en, zh)
    }
}

fn money(
    language: Language,
    report: &pb::ExperimentReport,
    (comparison, x): (&pb::ExperimentComparison, &str),
    looks: &[(f64, &pb::ExperimentArmLook)],
) -> String {
    let per_order = |per_1000: f64| per_1000 / 1_000.0;
    let point = |(x, look): &(f64, &pb::ExperimentArmLook)| {
        let interval = look.at_every_look?;
        let (low, high) = (per_order(interval.low), per_order(interval.high));
        Some(EffectPoint { x: *x, estimate: per_order(look.difference?), low, high })
    };
    let points: Vec<EffectPoint> = looks.iter().filter_map(point).collect();
    let arm = &comparison.arm;
    let title = match language {
        Language::English => format!("{arm}: money"),
        Language::Chinese => format!("{arm}：金额"),
    };
    let currency = &report.currency_code;
    let y = match language {
        Language::English => format!("{currency} per order, arm minus control"),
        Language::Chinese => format!("每单 {currency}，本组减对照组"),
    };
    let why: Vec<&str> = comparison.money_refusals().map(|it| refusal(language, it)).collect();
    let note = if comparison.money.is_some() {
        word(language, "band: holds at every look", "区间：随时查看有效").to_owned()
    } else {
        format!("{}{}", word(language, "no number: ", "不给出数字："), why.join("; "))
    };
    let labels = Labels { title: &title, x, y: &y, note: &note };
    effect(labels, looks.last().map_or(0.0, |look| look.0), &points)
}

fn harmed(
    language: Language,
    (comparison, x): (&pb::ExperimentComparison, &str),
    compared: &pb::HarmComparison,
    grown: &[(f64, f64, f64)],
) -> String {
    let (arm, harm) = (&comparison.arm, harm(language, compared.harm));
    let title = match language {
        Language::English => format!("{arm}: {harm}"),
        Language::Chinese => format!("{arm}：{harm}"),
    };
    let y = word(language, "rings that it has come to", "累计发生的团伙数");
    let labels = Labels { title: &title, x, y, note: "" };
    let names = [word(language, "control", "对照组"), arm.as_str()];
    let x_max = grown.last().map_or(0.0, |point| point.0);
    counts(labels, x_max, names, grown)
}

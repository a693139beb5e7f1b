//! What an experiment showed on the way, as pictures.

use crate::console::pages::experiments::names::{harm, refusal};
use crate::console::words::Words;
use crate::domain::experiment_report::{
    ArmLook, Comparison, ExperimentReport, Look, MoneyComparison,
};
use crate::domain::time::{Span, Timestamp};
use crate::plot::looks::{EffectPoint, Labels, counts_inside, effect_inside};

/// The pictures of the comparison at a place of the report; ids begin with `id`.
pub fn pictures(words: Words, report: &ExperimentReport, (at, id): (usize, &str)) -> Vec<String> {
    let Some(comparison) = report.comparisons.get(at) else { return Vec::new() };
    let elapsed = Elapsed::of(report);
    let looks: Vec<(f64, &ArmLook)> = report
        .looks
        .iter()
        .filter_map(|look| Some((elapsed.at(look), look.arms.get(at)?)))
        .collect();
    let label = words.t(elapsed.key());
    let mut pictures = Vec::new();
    // One look is a point: the table has it.
    if 2 <= looks.iter().filter(|(_, look)| look.money.is_some()).count() {
        pictures.push(money(words, report, (comparison, id, &label), &looks));
    }
    for (place, it) in comparison.harms.iter().enumerate() {
        let grown: Vec<(f64, f64, f64)> = looks
            .iter()
            .filter_map(|(x, look)| {
                let (control, arm) = look.harmed.get(place)?;
                Some((*x, *control as f64, *arm as f64))
            })
            .collect();
        // What came to nobody needs no picture.
        if grown.iter().any(|(_, control, arm)| 0.0 < control + arm) {
            let named = (harm(words, it.harm), format!("{id}-{}", it.harm.as_str()));
            pictures.push(harmed(words, (comparison, &label), &named, &grown));
        }
    }
    pictures
}

/// Time since the start, in the unit that suits it.
#[derive(Clone, Copy, Debug)]
struct Elapsed {
    start: Timestamp,
    unit: Span,
}

impl Elapsed {
    fn of(report: &ExperimentReport) -> Self {
        let start = report.started_at;
        let longest = report.looks.iter().map(|look| look.at - start).max().unwrap_or(Span(0));
        let suits = |unit: &Span| 2 * unit.0 <= longest.0;
        let units = [Span::DAY, Span::HOUR, Span::minutes(1)];
        Self { start, unit: units.into_iter().find(suits).unwrap_or(Span::SECOND) }
    }

    fn at(self, look: &Look) -> f64 {
        ((look.at - self.start).0 as f64 / self.unit.0 as f64).max(0.0)
    }

    fn key(self) -> &'static str {
        match self.unit {
            Span::DAY => "experiments-since-days",
            Span::HOUR => "experiments-since-hours",
            Span::SECOND => "experiments-since-seconds",
            Span(_) => "experiments-since-minutes",
        }
    }
}

fn money(
    words: Words,
    report: &ExperimentReport,
    (comparison, id, label): (&Comparison, &str, &str),
    looks: &[(f64, &ArmLook)],
) -> String {
    let per_order = |per_1000: f64| per_1000 / 1_000.0;
    let point = |(x, look): &(f64, &ArmLook)| {
        let told = look.money?;
        let (low, high) = (per_order(told.at_every_look.0), per_order(told.at_every_look.1));
        Some(EffectPoint { x: *x, estimate: per_order(told.difference), low, high })
    };
    let points: Vec<EffectPoint> = looks.iter().filter_map(point).collect();
    let title = words.t1("experiments-picture-money", "arm", &comparison.arm);
    let y = words.t1("experiments-picture-per-order", "currency", report.currency);
    let note = match &comparison.money {
        MoneyComparison::Told(_) => words.t("experiments-picture-band"),
        MoneyComparison::Refused(why) => no_number(words, why.iter().map(|it| refusal(words, *it))),
    };
    let labels = Labels { title: &title, x: label, y: &y, note: &note };
    let desc = words.t1("experiments-picture-money-desc", "arm", &comparison.arm);
    let placed = (&*format!("{id}-money"), &*desc);
    effect_inside(placed, labels, looks.last().map_or(0.0, |look| look.0), &points)
}

/// Why there is no number, as one sentence.
pub fn no_number(words: Words, why: impl Iterator<Item = String>) -> String {
    let joint = words.t("experiments-joint");
    words.t1("experiments-no-number", "why", why.collect::<Vec<_>>().join(&joint))
}

fn harmed(
    words: Words,
    (comparison, label): (&Comparison, &str),
    (harm, id): &(String, String),
    grown: &[(f64, f64, f64)],
) -> String {
    let arm = &comparison.arm;
    let title = words.t2("experiments-picture-harm", "arm", arm, "harm", harm);
    let y = words.t("experiments-picture-rings");
    let labels = Labels { title: &title, x: label, y: &y, note: "" };
    let control = words.t("experiments-control");
    let (x_max, n_control, n_arm) = grown.last().copied().unwrap_or_default();
    let numbers =
        [("harm", harm.clone()), ("control", n_control.to_string()), ("arm", n_arm.to_string())];
    let desc = words.with("experiments-picture-harm-desc", &numbers);
    counts_inside((id, &desc), labels, x_max, [&control, arm], grown)
}

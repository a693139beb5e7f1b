//! A report on an experiment as people read it.

use crate::console::format::{count, minute, percent};
use crate::console::pages::experiments::names::{
    advice, end, harm, interval, money, p, percents, refusal, short, status, times, tone,
};
use crate::console::pages::experiments::pictures::{no_number, pictures};
use crate::console::words::Words;
use crate::domain::experiment_draft::ExperimentSummary;
use crate::domain::experiment_report::{
    ArmReport, Comparison, ExperimentReport, HarmComparison, MoneyComparison, MoneyDifference,
    RelativeDifference,
};
use crate::domain::money::grouped;

/// A report as people read it.
#[derive(Clone, Debug)]
pub struct ReportView {
    /// Name of the experiment.
    pub id: String,
    /// Whether it runs, or why it ended.
    pub state: String,
    /// Percentages of the rings, as they followed each other.
    pub percents: String,
    /// The percentage now.
    pub percent: u32,
    /// Who started it.
    pub by: String,
    /// When it started.
    pub started: String,
    /// What to do.
    pub advice: String,
    /// The color of that.
    pub tone: &'static str,
    /// Whether its numbers may be used.
    pub status: String,
    /// Why nothing can be compared; empty when it can.
    pub refusal: String,
    /// The arms, the control first.
    pub arms: Vec<ArmRow>,
    /// How many orders there have to be.
    pub meter: Meter,
    /// Every arm against the control.
    pub comparisons: Vec<ComparisonView>,
    /// p that the split is as planned.
    pub split_p: String,
    /// Share of the orders of mixed rings.
    pub mixed: String,
    /// What the rings are worth.
    pub effective: String,
    /// What names the report.
    pub hash: String,
    /// What names the plan.
    pub plan_hash: String,
    /// Its journal position.
    pub position: u64,
    /// As of when; to the last digit, since with it the report is made again.
    pub as_of: String,
    /// What money is counted in.
    pub currency: String,
}

/// An arm by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmRow {
    /// Its name.
    pub name: String,
    /// Its bundle.
    pub model: String,
    /// Its strategy.
    pub strategy: String,
    /// Its share.
    pub share: String,
    /// Its rings.
    pub units: String,
    /// Their orders.
    pub orders: String,
    /// Share of the orders whose horizon is over.
    pub matured: String,
}

/// Orders of the smallest arm against the fewest at which money may end the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Orders of the smallest arm.
    pub orders: u64,
    /// How many are wanted.
    pub wanted: u64,
}

impl Meter {
    /// Orders that the meter shows: full is full.
    pub fn shown(&self) -> u64 {
        self.orders.min(self.wanted)
    }

    /// Orders of the smallest arm as they are read.
    pub fn orders_text(&self) -> String {
        count(self.orders)
    }

    /// How many are wanted, as it is read.
    pub fn wanted_text(&self) -> String {
        count(self.wanted)
    }

    /// True when there are enough.
    pub fn is_full(&self) -> bool {
        self.wanted <= self.orders
    }
}

/// An arm against the control.
#[derive(Clone, Debug)]
pub struct ComparisonView {
    /// The arm.
    pub arm: String,
    /// Its money; `None` when it is refused.
    pub money: Option<MoneyView>,
    /// Why it is.
    pub refusal: String,
    /// Its harms.
    pub harms: Vec<HarmRow>,
    /// What it showed on the way.
    pub pictures: Vec<String>,
}

/// Money of an arm against the control, per 1,000 orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyView {
    /// Of the control.
    pub control: String,
    /// Of the arm.
    pub arm: String,
    /// Arm minus control.
    pub difference: String,
    /// Interval that holds at every look, and its p.
    pub every_look: (String, String),
    /// Interval for one look.
    pub one_look: String,
    /// The least difference that would be seen.
    pub least_seen: String,
    /// The difference as a share of the control, with its interval; empty when there is none.
    pub relative: String,
    /// p of the final look; empty while it runs.
    pub p_final: String,
}

/// A harm in an arm and in the control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HarmRow {
    /// Which.
    pub name: String,
    /// Rings of the control that it came to.
    pub control: String,
    /// Rings of the arm.
    pub arm: String,
    /// How many times as often.
    pub times: String,
    /// p of harm.
    pub p: String,
    /// Where it ends the experiment.
    pub stops_at: String,
    /// True when it is there.
    pub is_crossed: bool,
}

const NONE: &str = "–";

impl ReportView {
    /// What a report says.
    pub fn new(words: Words, summary: &ExperimentSummary, report: &ExperimentReport) -> Self {
        let orders = report.arms.iter().map(|arm| arm.orders).min().unwrap_or_default();
        let comparisons = report.comparisons.iter().enumerate().map(|(at, comparison)| {
            let id = format!("arm-{at}");
            compared(words, comparison, pictures(words, report, (at, &id)))
        });
        let refusals = report.refusals.iter().map(|it| refusal(words, *it));
        Self {
            id: report.id.to_string(),
            state: match &report.ended {
                None => words.t("experiments-runs"),
                Some((why, at)) => format!("{} · {}", end(words, why), minute(*at)),
            },
            percents: percents(&report.epochs),
            percent: report.epochs.last().map_or(0, |epoch| epoch.percent),
            by: summary.started.by.to_string(),
            started: minute(report.started_at),
            advice: advice(words, report.advice),
            tone: tone(report.advice),
            status: status(words, report.status),
            refusal: if report.refusals.is_empty() {
                String::new()
            } else {
                no_number(words, refusals)
            },
            arms: report.arms.iter().map(arm_row).collect(),
            meter: Meter { orders, wanted: summary.orders_min },
            comparisons: comparisons.collect(),
            split_p: p(report.split_p),
            // A share of nothing may be −0, which would be written with its sign.
            mixed: percent(report.mixed_share + 0.0),
            effective: grouped(report.effective_units, 1),
            hash: report.hash().to_string(),
            plan_hash: report.plan_hash.to_string(),
            position: report.position,
            as_of: report.as_of.to_string(),
            currency: report.currency.to_string(),
        }
    }
}

fn arm_row(arm: &ArmReport) -> ArmRow {
    let whole = |share: f64| format!("{:.0} %", 100.0 * share);
    ArmRow {
        name: arm.name.to_string(),
        model: arm.model.to_string(),
        strategy: short(&arm.strategy_hash).to_owned(),
        share: whole(arm.share),
        units: count(arm.units),
        orders: count(arm.orders),
        matured: arm.matured_share.map_or_else(|| NONE.to_owned(), whole),
    }
}

fn compared(words: Words, comparison: &Comparison, pictures: Vec<String>) -> ComparisonView {
    let (told, refusal) = match &comparison.money {
        MoneyComparison::Told(told) => (Some(money_view(told)), String::new()),
        MoneyComparison::Refused(why) => {
            (None, no_number(words, why.iter().map(|it| refusal(words, *it))))
        }
    };
    ComparisonView {
        arm: comparison.arm.to_string(),
        money: told,
        refusal,
        harms: comparison.harms.iter().map(|it| harm_row(words, it)).collect(),
        pictures,
    }
}

fn money_view(told: &MoneyDifference) -> MoneyView {
    MoneyView {
        control: money(told.control),
        arm: money(told.arm),
        difference: signed(told.difference),
        every_look: (interval(told.at_every_look), p(told.p_at_every_look)),
        one_look: interval(told.at_one_look),
        least_seen: money(told.least_seen),
        relative: told.relative.map_or_else(String::new, relative),
        p_final: told.p_final.map_or_else(String::new, p),
    }
}

fn signed(major: f64) -> String {
    let text = money(major);
    if text.starts_with('-') || text == "0" { text } else { format!("+{text}") }
}

fn relative(relative: RelativeDifference) -> String {
    let share = |share: f64| format!("{:+.1} %", 100.0 * share);
    let (low, high) = relative.at_one_look;
    format!("{} ({} … {})", share(relative.effect), share(low), share(high))
}

fn harm_row(words: Words, it: &HarmComparison) -> HarmRow {
    HarmRow {
        name: harm(words, it.harm),
        control: count(it.control_units),
        arm: count(it.arm_units),
        times: it.times_at_every_look.map_or_else(|| NONE.to_owned(), times),
        p: it.p_at_every_look.map_or_else(|| NONE.to_owned(), p),
        stops_at: p(it.stops_at),
        is_crossed: it.p_at_every_look.is_some_and(|p| p <= it.stops_at),
    }
}

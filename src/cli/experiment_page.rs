//! Experiments as pages for people: a list, and a report.

use crate::cli::experiment_json::instant;
use crate::cli::experiment_words::{advice, end, harm, refusal, status};
use crate::cli::paint::{Align, Cell, Ink, Tone, table};
use crate::cli::words::word;
use crate::domain::money::grouped;
use crate::domain::text::Language;
use crate::wire::pb::v1 as pb;

/// Digits of a hash that people see.
const HASH_DIGITS: usize = 12;

/// Experiments, the newest first.
pub fn list_page(language: Language, ink: Ink, listed: &[pb::ExperimentSummary]) -> String {
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("experiment", "实验"),
        heading("state", "状态"),
        heading("% of rings", "团伙占比 %"),
        heading("arms (rings)", "分组（团伙数）"),
        heading("started by", "发起人"),
        heading("started", "开始时间"),
    ]];
    for summary in listed {
        let (tone, state) = match &summary.ended {
            None => (Tone::Good, word(language, "runs", "进行中").to_owned()),
            Some(ended) => (Tone::Normal, end(language, ended)),
        };
        let arm = |arm: &pb::ExperimentArmSummary| format!("{} ({})", arm.name, arm.units);
        rows.push(vec![
            Cell::new(Tone::Strong, summary.experiment_id.as_str()),
            Cell::new(tone, state),
            Cell::new(Tone::Normal, percents(&summary.epochs)),
            Cell::new(Tone::Normal, summary.arms.iter().map(arm).collect::<Vec<_>>().join(", ")),
            Cell::new(Tone::Normal, summary.started_by.as_str()),
            Cell::new(Tone::Quiet, when(summary.started_at)),
        ]);
    }
    table(ink, &[Align::Start; 6], &rows).trim_end().to_owned()
}

/// What an experiment has shown.
pub fn report_page(language: Language, ink: Ink, report: &pb::ExperimentReport) -> String {
    let mut lines = vec![head(language, ink, report), checks(language, report), String::new()];
    if !report.refusals.is_empty() {
        let why = reasons(language, report.refusals());
        lines.push(ink.paint(Tone::Bad, &why));
    }
    lines.push(arms(language, ink, &report.arms));
    for comparison in &report.comparisons {
        lines.push(String::new());
        lines.push(money(language, ink, report, comparison));
        lines.push(harms(language, ink, comparison));
    }
    lines.join("\n")
}

fn head(language: Language, ink: Ink, report: &pb::ExperimentReport) -> String {
    let state = match &report.ended {
        None => word(language, "runs", "进行中").to_owned(),
        Some(ended) => format!("{} ({})", end(language, ended), when(ended.at)),
    };
    let tone = match report.advice() {
        pb::ExperimentAdvice::Ship => Tone::Good,
        pb::ExperimentAdvice::StopHarm => Tone::Bad,
        pb::ExperimentAdvice::Refused => Tone::Warn,
        pb::ExperimentAdvice::KeepRunning
        | pb::ExperimentAdvice::NoDifferenceShown
        | pb::ExperimentAdvice::Unspecified => Tone::Strong,
    };
    let advice = ink.paint(tone, advice(language, report.advice()));
    let (id, percents) = (&report.experiment_id, percents(&report.epochs));
    let (since, status) = (when(report.started_at), status(language, report.status()));
    match language {
        Language::English => format!(
            "experiment `{id}`: {state}; {percents} % of rings, since {since}\n\
             {advice} · status: {status}"
        ),
        Language::Chinese => format!(
            "实验 `{id}`：{state}；团伙占比 {percents} %，始于 {since}\n{advice} · 状态：{status}"
        ),
    }
}

fn checks(language: Language, report: &pb::ExperimentReport) -> String {
    let split = p(report.split_p);
    let mixed = 100.0 * report.mixed_share;
    let rings = report.effective_units;
    let (hash, position) = (short(&report.report_hash), report.position);
    // To the last digit: with it the report is made again.
    let as_of = report.as_of.map_or("–".to_owned(), |at| instant(at).to_string());
    match language {
        Language::English => format!(
            "split as drawn: p {split} · orders of mixed rings {mixed:.1} % · effective rings \
             {rings:.1}\nreport {hash}, journal position {position}, as of {as_of}"
        ),
        Language::Chinese => format!(
            "分组与抽样一致：p {split} · 跨组团伙订单 {mixed:.1} % · 等效团伙 {rings:.1}\n\
             报告 {hash}，日志位置 {position}，截至 {as_of}"
        ),
    }
}

fn arms(language: Language, ink: Ink, arms: &[pb::ExperimentArmReport]) -> String {
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("arm", "分组"),
        heading("model", "模型"),
        heading("strategy", "策略"),
        heading("share", "比例"),
        heading("rings", "团伙数"),
        heading("orders", "订单数"),
        heading("past the horizon", "已过观察期"),
    ]];
    for arm in arms {
        let matured =
            arm.matured_share.map_or("–".to_owned(), |it| format!("{:.0} %", 100.0 * it));
        rows.push(vec![
            Cell::new(Tone::Strong, arm.name.as_str()),
            Cell::new(Tone::Normal, arm.model.as_str()),
            Cell::new(Tone::Normal, short(&arm.strategy_hash)),
            Cell::new(Tone::Normal, format!("{:.0} %", 100.0 * arm.share)),
            Cell::new(Tone::Normal, arm.units.to_string()),
            Cell::new(Tone::Normal, arm.orders.to_string()),
            Cell::new(Tone::Normal, matured),
        ]);
    }
    let ends = [Align::End; 4];
    let aligns = [[Align::Start; 3].as_slice(), &ends].concat();
    table(ink, &aligns, &rows).trim_end().to_owned()
}

fn money(
    language: Language,
    ink: Ink,
    report: &pb::ExperimentReport,
    comparison: &pb::ExperimentComparison,
) -> String {
    let (arm, currency) = (&comparison.arm, &report.currency_code);
    let title = match language {
        Language::English => format!("`{arm}` against the control, {currency} per 1,000 orders"),
        Language::Chinese => format!("`{arm}` 组与对照组相比，每千单 {currency}"),
    };
    let title = ink.paint(Tone::Strong, &title);
    let Some(money) = &comparison.money else {
        let why = reasons(language, comparison.money_refusals());
        return format!("{title}\n  {}", ink.paint(Tone::Warn, &why));
    };
    let number = |value: f64| grouped(value, 0);
    let (control, arm, difference) =
        (number(money.control), number(money.arm), number(money.difference));
    let (always, once) = (interval(money.at_every_look), interval(money.at_one_look));
    let (p_always, least) = (p(money.p_at_every_look), number(money.least_seen));
    let told = match language {
        Language::English => format!(
            "  control {control}, arm {arm}, difference {difference}\n  \
             at every look {always}, p {p_always}; at one look planned before {once}\n  \
             least difference that would be seen: {least}"
        ),
        Language::Chinese => format!(
            "  对照组 {control}，本组 {arm}，差异 {difference}\n  \
             随时查看有效 {always}，p {p_always}；仅限预定的一次查看 {once}\n  \
             可察觉的最小差异：{least}"
        ),
    };
    let at_the_end = money.p_final.map_or(String::new(), |it| match language {
        Language::English => format!("\n  final look, by redrawn assignments: p {}", p(it)),
        Language::Chinese => format!("\n  最终检验（重新随机分组）：p {}", p(it)),
    });
    let relative = money.relative.as_ref().map_or(String::new(), |it| relative(language, it));
    format!("{title}\n{told}{relative}{at_the_end}")
}

/// To be read: what a share of the control is worth depends on the control.
fn relative(language: Language, relative: &pb::RelativeDifference) -> String {
    let percent = |share: f64| format!("{:+.1} %", 100.0 * share);
    let (low, high) = relative.at_one_look.as_ref().map_or((0.0, 0.0), |it| (it.low, it.high));
    let (effect, low, high) = (percent(relative.effect), percent(low), percent(high));
    match language {
        Language::English => format!("\n  of the control: {effect} ({low} – {high}, at one look)"),
        Language::Chinese => format!("\n  相对于对照组：{effect}（{low} – {high}，仅限一次查看）"),
    }
}

fn harms(language: Language, ink: Ink, comparison: &pb::ExperimentComparison) -> String {
    let heading = |en, zh| Cell::new(Tone::Quiet, word(language, en, zh));
    let mut rows = vec![vec![
        heading("  guardrail", "  护栏"),
        heading("control rings", "对照组团伙"),
        heading("arm rings", "本组团伙"),
        heading("times as often", "频率倍数"),
        heading("p of harm", "损害 p"),
        heading("stops at", "停止于"),
    ]];
    for it in &comparison.harms {
        let is_crossed = it.p_at_every_look.is_some_and(|p| p <= it.stops_at);
        let tone = if is_crossed { Tone::Bad } else { Tone::Normal };
        let times = it.times_at_every_look.as_ref().map_or("–".to_owned(), times);
        rows.push(vec![
            Cell::new(tone, format!("  {}", harm(language, it.harm))),
            Cell::new(tone, it.control_units.to_string()),
            Cell::new(tone, it.arm_units.to_string()),
            Cell::new(tone, times),
            Cell::new(tone, it.p_at_every_look.map_or("–".to_owned(), p)),
            Cell::new(tone, p(it.stops_at)),
        ]);
    }
    let aligns = [[Align::Start].as_slice(), &[Align::End; 5]].concat();
    table(ink, &aligns, &rows).trim_end().to_owned()
}

fn times(times: &pb::TimesAsOften) -> String {
    let high = times.high.map_or("∞".to_owned(), |high| format!("{high:.2}"));
    format!("{:.2} … {high}", times.low)
}

fn interval(interval: Option<pb::NumberInterval>) -> String {
    let told = |it: pb::NumberInterval| format!("{} … {}", grouped(it.low, 0), grouped(it.high, 0));
    interval.map_or("–".to_owned(), told)
}

fn reasons(language: Language, refusals: impl Iterator<Item = pb::EstimateRefusal>) -> String {
    let why: Vec<&str> = refusals.map(|it| refusal(language, it)).collect();
    match language {
        Language::English => format!("no number: {}", why.join("; ")),
        Language::Chinese => format!("不给出数字：{}", why.join("；")),
    }
}

/// Percentages of the epochs, as they followed each other.
fn percents(epochs: &[pb::ExperimentEpoch]) -> String {
    epochs.iter().map(|epoch| epoch.percent.to_string()).collect::<Vec<_>>().join(" → ")
}

fn p(p: f64) -> String {
    if p < 0.001 { format!("{p:.1e}") } else { format!("{p:.3}") }
}

fn when(at: Option<prost_types::Timestamp>) -> String {
    at.map_or("–".to_owned(), |at| instant(prost_types::Timestamp { nanos: 0, ..at }).to_string())
}

fn short(hash: &str) -> &str {
    hash.get(..HASH_DIGITS).unwrap_or(hash)
}

#[cfg(test)]
#[path = "experiment_page_tests.rs"]
mod tests;

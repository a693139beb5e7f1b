//! What a log says about another policy, for people.

use std::fmt::Write as _;

use crate::cli::ope::{Diagnostics, Outcome, Report, Row};
use crate::cli::paint::{Align, Cell, Ink, Tone, bar, table};
use crate::cli::words::word;
use crate::domain::text::Language;
use crate::experiment::refusal::Refusal;
use crate::plot::charts::{Distribution, distributions};

/// Width of a share's bar.
const BAR_COLUMNS: usize = 20;
/// Bins of the picture.
const BINS: usize = 40;

/// The report as text.
pub(super) fn page(language: Language, ink: Ink, report: &Report) -> String {
    let mut text = match &report.result {
        Outcome::Refused { refusals } => refused(language, ink, refusals),
        Outcome::Ok { headline, estimates } => estimated(language, ink, headline, estimates),
    };
    text += "\n\n";
    text += &reach(language, ink, &report.diagnostics);
    text
}

fn refused(language: Language, ink: Ink, refusals: &[Refusal]) -> String {
    let no = word(language, "No estimate, since", "没有估计值，原因：");
    let reasons = refusals.iter().map(|refusal| format!("\n  {}", reason(language, *refusal)));
    ink.paint(Tone::Warn, no) + &reasons.collect::<String>()
}

fn estimated(language: Language, ink: Ink, first: &Row, others: &[Row]) -> String {
    let heading = [
        word(language, "estimator", "估计方法"),
        word(language, "value", "数值"),
        word(language, "error", "标准误"),
        word(language, "95 % interval", "95 % 区间"),
    ];
    let mut rows = vec![heading.map(|it| Cell::new(Tone::Quiet, it)).into()];
    let first = std::iter::once((Tone::Strong, first));
    for (tone, row) in first.chain(others.iter().map(|it| (Tone::Normal, it))) {
        let lambda = row.lambda.map_or_else(String::new, |lambda| format!(", λ = {lambda:.0}"));
        rows.push(vec![
            Cell::new(
                tone,
                format!("{} ({}{lambda})", name(language, row.estimator), row.estimator),
            ),
            Cell::new(tone, format!("{:.4}", row.value)),
            Cell::new(Tone::Quiet, format!("{:.4}", row.standard_error)),
            Cell::new(tone, format!("{:.4} – {:.4}", row.low, row.high)),
        ]);
    }
    let aligns = [Align::Start, Align::End, Align::End, Align::End];
    table(ink, &aligns, &rows).trim_end().to_owned()
}

/// How far the log reaches, refused or not: who reads a refusal wants to know what to log.
fn reach(language: Language, ink: Ink, told: &Diagnostics) -> String {
    let Diagnostics { n, n_effective, rings_effective, .. } = told;
    let (low, high) = told.mean_weight_interval;
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let (largest, top) = (percent(told.max_weight_share), percent(told.top_weight_share));
    let mut text = match language {
        Language::English => format!(
            "{n} choices count as {n_effective:.0}, in {rings_effective:.0} effective rings\n\
             mean weight {:.3} ({low:.3} – {high:.3}; 1 when propensities are right), \
             largest {:.1} with {largest} of all, heaviest hundredth {top}",
            told.mean_weight, told.max_weight
        ),
        Language::Chinese => format!(
            "{n} 次选择等效于 {n_effective:.0} 次，等效团伙数 {rings_effective:.0}\n\
             平均权重 {:.3}（{low:.3} – {high:.3}；概率无误时为 1），\
             最大权重 {:.1}，占全部 {largest}，最重的百分之一占 {top}",
            told.mean_weight, told.max_weight
        ),
    };
    let heading = [
        word(language, "action", "动作"),
        word(language, "logged", "日志中"),
        "",
        word(language, "policy", "策略"),
        "",
    ];
    let mut rows = vec![heading.map(|it| Cell::new(Tone::Quiet, it)).into()];
    for it in &told.overlap {
        rows.push(vec![
            Cell::new(Tone::Normal, &*it.action),
            Cell::new(Tone::Normal, percent(it.logged)),
            Cell::new(Tone::Quiet, bar(it.logged, BAR_COLUMNS)),
            Cell::new(Tone::Normal, percent(it.target)),
            Cell::new(Tone::Quiet, bar(it.target, BAR_COLUMNS)),
        ]);
    }
    let aligns = [Align::Start, Align::End, Align::Start, Align::End, Align::Start];
    let _ = write!(text, "\n\n{}", table(ink, &aligns, &rows).trim_end());
    text
}

/// What an estimator is, in words.
fn name(language: Language, estimator: &str) -> &'static str {
    let (en, zh) = match estimator {
        "DR" => ("model, corrected by weighted misses", "模型加权修正"),
        "IPS" => ("weighted", "加权"),
        "SNIPS" => ("weighted, over the mean weight", "自归一化加权"),
        "SNDR" => ("corrected, over the mean weight", "自归一化修正"),
        "Switch-DR" => ("corrected where weights are small", "小权重处修正"),
        "DRos" => ("corrected by shrunk weights", "收缩权重修正"),
        _ => ("model alone", "仅模型"),
    };
    word(language, en, zh)
}

fn reason(language: Language, refusal: Refusal) -> &'static str {
    let (en, zh) = match refusal {
        Refusal::TooFewUnits => ("there are no rows", "没有数据行"),
        Refusal::TooFewEvents => ("there are too few events", "事件过少"),
        Refusal::BaselineNearZero => ("the control's mean could be zero", "对照组均值可能为零"),
        Refusal::NoSpread => ("all values are equal", "所有数值相同"),
        Refusal::TooFewClusters => {
            ("there are too few rings: 20 effective ones are needed", "团伙过少：需要等效 20 个")
        }
        Refusal::TooFewEffectiveRows => (
            "there are too few rows once they are weighted: 200 are needed",
            "加权后有效行数过少：需要 200 行",
        ),
        Refusal::WeightConcentrated => {
            ("a single row has more than 5 % of all weight", "单行权重超过全部的 5 %")
        }
        Refusal::NoOverlap => {
            ("the policy chooses what was never chosen", "策略选择了日志中从未出现的动作")
        }
        Refusal::PropensitiesWrong => {
            ("weights are not 1 on average: propensities are wrong", "平均权重不为 1：概率有误")
        }
        Refusal::EstimatesDisagree => {
            ("doubly robust and self-normalized estimate disagree", "双重稳健与自归一化估计不一致")
        }
        Refusal::SampleRatioMismatch => {
            ("arms are not as large as they were drawn", "各组规模与抽样不符")
        }
        Refusal::UnitInEmptyArm => {
            ("a unit is in an arm that nobody is drawn into", "有单元落入空组")
        }
        Refusal::UnitsMixed => {
            ("too many orders are of rings that met a ring of another arm", "过多订单的团伙跨组")
        }
    };
    word(language, en, zh)
}

/// Rows, and where their weight is, by weight.
pub(super) fn picture(language: Language, weights: &[f64]) -> String {
    let highest = weights.iter().copied().fold(1.0, f64::max);
    let width = highest / BINS as f64;
    let (mut rows, mut mass) = (vec![0.0; BINS], vec![0.0; BINS]);
    let (n, sum) = (weights.len().max(1) as f64, weights.iter().sum::<f64>());
    for weight in weights {
        // The largest weight is inside the last bin.
        let bin = (1..BINS).take_while(|bin| *bin as f64 * width <= *weight).count();
        rows[bin] += 1.0 / n;
        mass[bin] += if sum > 0.0 { weight / sum } else { 0.0 };
    }
    let group = |en, zh, shares| Distribution { name: word(language, en, zh).to_owned(), shares };
    distributions(
        word(language, "How far the log reaches", "日志的覆盖范围"),
        word(language, "weight of a choice: policy / log", "选择的权重：策略 / 日志"),
        (0.0, highest),
        &[
            group("share of the choices", "选择占比", rows),
            group("share of the weight", "权重占比", mass),
        ],
    )
}

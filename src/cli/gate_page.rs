//! What a promotion gate says, in words.

use crate::cli::words::{head, word};
use crate::domain::text::Language;
use crate::training::metrics::bootstrap::Measured;
use crate::workflow::promotion_gate::{Bound, Check, CheckSubject, Figure, GateReport};
use crate::workflow::retrain_model::RetrainReport;

/// A retraining: what was learned from, and every check of the gate.
pub fn retrain_page(language: Language, report: &RetrainReport) -> String {
    let set = &report.training_set;
    let hash = set.content_hash.get(..12).unwrap_or_default();
    let mut lines = vec![match language {
        Language::English => format!(
            "{} learned from {} orders as known {} (set {hash}…)",
            report.bundle, set.n_rows, set.as_of
        ),
        Language::Chinese => format!(
            "{} 用截至 {} 已知的 {} 笔订单训练（数据集 {hash}…）",
            report.bundle, set.as_of, set.n_rows
        ),
    }];
    match &report.gate {
        Some(gate) => lines.extend(gate_lines(language, gate)),
        None => lines.push(
            word(
                language,
                "gate: no order whose whole truth is known; the champion stays",
                "准入：没有真相已全部可知的订单，沿用现有模型",
            )
            .to_owned(),
        ),
    }
    lines.join("\n")
}

fn gate_lines(language: Language, gate: &GateReport) -> Vec<String> {
    let passed = match (language, gate.is_passed) {
        (Language::English, true) => "passed",
        (Language::English, false) => "NOT passed",
        (Language::Chinese, true) => "通过",
        (Language::Chinese, false) => "未通过",
    };
    let heading = match language {
        Language::English => format!(
            "gate {passed}: against {} on {} orders of {} accounts",
            gate.champion, gate.n_orders, gate.n_clusters
        ),
        Language::Chinese => format!(
            "准入{passed}：与 {} 比较，{} 笔订单、{} 个账户",
            gate.champion, gate.n_orders, gate.n_clusters
        ),
    };
    let checks = gate.checks.iter().map(|check| check_line(language, check));
    std::iter::once(heading).chain(checks).collect()
}

fn check_line(language: Language, check: &Check) -> String {
    let mark = match (language, check.holds) {
        (Language::English, true) => "holds",
        (Language::English, false) => "FAILS",
        (Language::Chinese, true) => "符合",
        (Language::Chinese, false) => "不符",
    };
    let figure = match &check.figure {
        Figure::Measured(figure) => measured(figure),
        Figure::Exact(figure) => format!("{figure:.4}"),
        Figure::NotEnoughData => word(language, "not enough data", "数据不足").to_owned(),
    };
    let bound = match (language, check.bound) {
        (Language::English, Bound::Above(least)) => format!("above {least}"),
        (Language::English, Bound::AtMost(most)) => format!("at most {most:.4}"),
        (Language::Chinese, Bound::Above(least)) => format!("须高于 {least}"),
        (Language::Chinese, Bound::AtMost(most)) => format!("至多 {most:.4}"),
        (_, Bound::Shown) => word(language, "for people to judge", "供人判断").to_owned(),
    };
    format!("  {mark}  {}: {figure}, {bound}", subject(language, &check.subject))
}

fn subject(language: Language, subject: &CheckSubject) -> String {
    let (en, zh) = match subject {
        CheckSubject::LostRisks => (
            "risks that the champion knows and the challenger does not",
            "现有模型有而新模型没有的风险",
        ),
        CheckSubject::Money => {
            ("money per 1,000 orders, challenger minus champion", "每千单金额，新模型减现有模型")
        }
        CheckSubject::AveragePrecision => (
            "average precision, mean over risks, challenger minus champion",
            "平均精确率（各风险平均），新模型减现有模型",
        ),
        CheckSubject::Calibration(_) => ("calibration error", "校准误差"),
        CheckSubject::ScoreShift(_) => ("shift of the score since training", "训练以来得分漂移"),
        CheckSubject::LeadingFeatures => {
            ("share of the five leading features that stay", "前五特征保持不变的比例")
        }
        CheckSubject::FalseStops => {
            ("good orders stopped, abroad over at home", "被拦好单比例，境外除以境内")
        }
    };
    let text = word(language, en, zh);
    match subject {
        CheckSubject::Calibration(of) | CheckSubject::ScoreShift(of) => {
            format!("{text}, {}", head(language, of))
        }
        CheckSubject::LostRisks
        | CheckSubject::Money
        | CheckSubject::AveragePrecision
        | CheckSubject::LeadingFeatures
        | CheckSubject::FalseStops => text.to_owned(),
    }
}

/// A figure with its 90 % interval.
pub fn measured(figure: &Measured) -> String {
    format!("{:.3} ({:.3} … {:.3})", figure.value, figure.low, figure.high)
}

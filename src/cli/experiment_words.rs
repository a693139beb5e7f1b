//! Words of reports on experiments for people, in both languages.

use crate::cli::words::word;
use crate::domain::experiment::Harm;
use crate::domain::text::Language;
use crate::wire::enums::WireEnum as _;
use crate::wire::pb::v1 as pb;

/// Name of a harm.
pub fn harm(language: Language, harm: i32) -> &'static str {
    let Some(harm) = Harm::from_wire(harm) else { return "" };
    let (en, zh) = match harm {
        Harm::Stopped => ("orders not released", "未放行"),
        Harm::Chargeback => ("chargebacks", "拒付"),
        Harm::Penalty => ("platform penalties", "平台处罚"),
        Harm::Complaint => ("complaints", "投诉"),
    };
    word(language, en, zh)
}

/// Whether the numbers of a report may be used.
pub fn status(language: Language, status: pb::ReportStatus) -> &'static str {
    let (en, zh) = match status {
        pb::ReportStatus::Unspecified => ("", ""),
        pb::ReportStatus::Ok => ("sound", "可信"),
        pb::ReportStatus::Warn => {
            ("with care: many rings met rings of other arms", "谨慎：较多团伙跨组")
        }
        pb::ReportStatus::Refused => ("no numbers about money", "不给出金额数字"),
    };
    word(language, en, zh)
}

/// What to do.
pub fn advice(language: Language, advice: pb::ExperimentAdvice) -> &'static str {
    let (en, zh) = match advice {
        pb::ExperimentAdvice::Unspecified => ("", ""),
        pb::ExperimentAdvice::Ship => ("ship: an arm earns more", "上线：有一组收益更高"),
        pb::ExperimentAdvice::StopHarm => ("stopped: an arm did harm", "已停止：有一组造成损害"),
        pb::ExperimentAdvice::KeepRunning => {
            ("keep running: nothing is sure yet", "继续：尚无定论")
        }
        pb::ExperimentAdvice::NoDifferenceShown => {
            ("it ended without a difference shown", "已结束，未显示差异")
        }
        pb::ExperimentAdvice::Refused => ("nothing can be compared", "无法比较"),
    };
    word(language, en, zh)
}

/// Why there is no number.
pub fn refusal(language: Language, refusal: pb::EstimateRefusal) -> &'static str {
    let (en, zh) = match refusal {
        pb::EstimateRefusal::Unspecified => ("", ""),
        pb::EstimateRefusal::TooFewUnits => ("too few rings", "团伙数过少"),
        pb::EstimateRefusal::TooFewEvents => ("too few events", "事件过少"),
        pb::EstimateRefusal::BaselineNearZero => {
            ("the control's mean is too near to zero", "对照组均值接近零")
        }
        pb::EstimateRefusal::NoSpread => {
            ("all rings of an arm brought the same", "某组所有团伙的收益相同")
        }
        pb::EstimateRefusal::TooFewClusters => {
            ("the rings are worth fewer than 20 of equal size", "等效团伙数不足 20")
        }
        pb::EstimateRefusal::TooFewEffectiveRows => ("too few effective rows", "有效行数过少"),
        pb::EstimateRefusal::WeightConcentrated => ("single rows weigh too much", "个别行权重过大"),
        pb::EstimateRefusal::NoOverlap => {
            ("what was asked about was never chosen", "所问的选择从未出现")
        }
        pb::EstimateRefusal::PropensitiesWrong => {
            ("logged probabilities do not fit the choices", "记录的概率与选择不符")
        }
        pb::EstimateRefusal::EstimatesDisagree => ("two estimates disagree", "两种估计不一致"),
        pb::EstimateRefusal::SampleRatioMismatch => {
            ("the arms are not as large as they were drawn", "各组规模与抽样不符")
        }
        pb::EstimateRefusal::UnitInEmptyArm => {
            ("a ring is in an arm that nobody is drawn into", "有团伙落入空组")
        }
        pb::EstimateRefusal::UnitsMixed => {
            ("too many rings met rings of other arms", "过多团伙跨组")
        }
    };
    word(language, en, zh)
}

/// Why an experiment ended.
pub fn end(language: Language, end: &pb::ExperimentEnd) -> String {
    let arm = &end.arm;
    let (en, zh) = match end.reason() {
        pb::ExperimentEndReason::Unspecified => ("", ""),
        pb::ExperimentEndReason::Finished => ("finished", "已完成"),
        pb::ExperimentEndReason::Killed => ("killed", "已终止"),
        pb::ExperimentEndReason::Harm => {
            let harm = harm(language, end.harm);
            return match language {
                Language::English => format!("stopped by a guardrail: more {harm} in `{arm}`"),
                Language::Chinese => format!("护栏停止：`{arm}` 组{harm}更多"),
            };
        }
        pb::ExperimentEndReason::Money => {
            return match language {
                Language::English => format!("stopped by a guardrail: `{arm}` earned less"),
                Language::Chinese => format!("护栏停止：`{arm}` 组收益更低"),
            };
        }
    };
    word(language, en, zh).to_owned()
}

//! Names of the contract's words for people, in both languages.

use crate::domain::decision::{ActionKind, DecisionState, DegradedReason, Stage};
use crate::domain::exploration::ExplorationLimit;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::impact::ImpactKind;
use crate::domain::risk::RiskBand;
use crate::domain::rule::RuleObstacle;
use crate::domain::text::Language;

/// One of two texts.
pub fn word(language: Language, en: &'static str, zh: &'static str) -> &'static str {
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}

/// Name of a head; heads of a config's own are called by their id.
pub fn head(language: Language, head: &HeadId) -> String {
    let Some(risk) = head.risk_type() else { return head.0.replace('_', " ") };
    let (en, zh) = match risk {
        RiskType::PaymentFraud => ("payment fraud", "支付欺诈"),
        RiskType::ResellerHoarding => ("reseller hoarding", "黄牛囤货"),
        RiskType::PromoAbuse => ("promotion abuse", "薅羊毛"),
        RiskType::FakeOrder => ("fake order", "刷单"),
        RiskType::ReturnAbuse => ("return abuse", "恶意退货"),
    };
    word(language, en, zh).to_owned()
}

/// Name of an action.
pub fn action(language: Language, action: ActionKind) -> &'static str {
    let (en, zh) = match action {
        ActionKind::Approve => ("approve", "放行"),
        ActionKind::ApproveAndWatch => ("approve and watch", "放行并观察"),
        ActionKind::Challenge => ("challenge", "加强验证"),
        ActionKind::PhoneCheck => ("phone check", "电话核实"),
        ActionKind::Review => ("review", "人工审核"),
        ActionKind::Hold => ("hold", "暂扣"),
        ActionKind::LimitQuantity => ("limit quantity", "限量"),
        ActionKind::OfferReservation => ("offer reservation", "转预约"),
        ActionKind::SplitShipment => ("split shipment", "分批发货"),
        ActionKind::Expedite => ("expedite", "优先发货"),
        ActionKind::Decline => ("decline", "拒绝"),
    };
    word(language, en, zh)
}

/// Name of a risk band.
pub fn band(language: Language, band: RiskBand) -> &'static str {
    let (en, zh) = match band {
        RiskBand::Low => ("low", "低"),
        RiskBand::Elevated => ("elevated", "偏高"),
        RiskBand::High => ("HIGH", "高"),
    };
    word(language, en, zh)
}

/// Name of a kind of consequence.
pub fn impact(language: Language, kind: ImpactKind) -> &'static str {
    let (en, zh) = match kind {
        ImpactKind::RiskLoss => ("risk loss", "风险损失"),
        ImpactKind::PlatformPenalty => ("penalties", "平台处罚"),
        ImpactKind::Margin => ("margin", "毛利"),
        ImpactKind::ReturnCost => ("returns", "退货成本"),
        ImpactKind::FalseStop => ("false stop", "误伤"),
        ImpactKind::Complaint => ("complaints", "投诉"),
        ImpactKind::DelayCompensation => ("delay", "延误补偿"),
        ImpactKind::ReviewCost => ("review", "人工成本"),
        ImpactKind::ActionCost => ("action cost", "处置成本"),
        ImpactKind::FuturePurchases => ("future purchases", "后续购买"),
        ImpactKind::PriceIndex => ("price index", "价格指数"),
        ImpactKind::StockUse => ("pieces", "占用库存"),
    };
    word(language, en, zh)
}

/// Name of a state of an answer.
pub fn state(language: Language, state: DecisionState) -> &'static str {
    let (en, zh) = match state {
        DecisionState::Final => ("final", "完整"),
        DecisionState::Degraded => ("degraded", "降级"),
        DecisionState::Abstained => ("abstained", "弃权"),
    };
    word(language, en, zh)
}

/// Why an answer is less than complete.
pub fn degraded(language: Language, reason: DegradedReason) -> &'static str {
    let (en, zh) = match reason {
        DegradedReason::LateEvent => ("the order came too late for the graph", "订单到达过晚"),
        DegradedReason::UnknownEntityKind => {
            ("the model has never seen one of its entity kinds", "模型未见过其中一种实体")
        }
        DegradedReason::FewInputsKnown => ("few of the model's inputs are known", "已知输入过少"),
        DegradedReason::PastShed => {
            ("the graph had no room for all of the past", "图谱容量不足，已舍弃部分历史")
        }
        DegradedReason::GraphLate => {
            ("there was no time to read the graph; a person decides", "来不及读取图谱，由人工决定")
        }
        DegradedReason::ExplanationLate => {
            ("there was no time for evidence and smallest changes", "来不及给出证据和最小改动")
        }
    };
    word(language, en, zh)
}

/// Why the effects of a rule do not count.
pub fn obstacle(language: Language, obstacle: RuleObstacle) -> &'static str {
    let (en, zh) = match obstacle {
        RuleObstacle::Overruled => ("overruled by another rule", "被其他规则覆盖"),
        RuleObstacle::NotEligible => ("not possible for this order", "不适用于本订单"),
        RuleObstacle::MissingInput => ("not known: ", "未知："),
    };
    word(language, en, zh)
}

/// A limit of releasing declined orders.
pub fn exploration_limit_name(language: Language, limit: ExplorationLimit) -> &'static str {
    let (en, zh) = match limit {
        ExplorationLimit::Hour => ("this hour", "本小时"),
        ExplorationLimit::Day => ("24 hours", "24 小时"),
        ExplorationLimit::Month => ("30 days", "30 天"),
        ExplorationLimit::Ring => ("one order of a ring a day", "同一团伙每日一单"),
    };
    word(language, en, zh)
}

/// Why a declined order had no chance to be released.
pub fn exploration_limit(language: Language, limit: ExplorationLimit) -> &'static str {
    let (en, zh) = match limit {
        ExplorationLimit::Hour => ("this hour's money at risk is used up", "本小时风险额度已用完"),
        ExplorationLimit::Day => ("the day's money at risk is used up", "当日风险额度已用完"),
        ExplorationLimit::Month => ("the month's money at risk is used up", "当月风险额度已用完"),
        ExplorationLimit::Ring => {
            ("another order of its ring was, within a day", "同一团伙一日内已有订单放行")
        }
    };
    word(language, en, zh)
}

/// Name of a stage of scoring.
pub fn stage(language: Language, stage: Stage) -> &'static str {
    let (en, zh) = match stage {
        Stage::Features => ("features", "特征"),
        Stage::Model => ("model", "模型"),
        Stage::Decision => ("decision", "决策"),
    };
    word(language, en, zh)
}

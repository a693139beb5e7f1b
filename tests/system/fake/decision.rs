//! Decisions of an engine that judges by the amount alone, every part filled.

use orderlens::domain::decision::{
    ActionKind, Decision, DecisionId, DecisionState, DecisionTimes, Reason, ReasonArgument,
    ReasonValue, Stage, StageTiming, Versions,
};
use orderlens::domain::evidence::{DeltaIfRemoved, Evidence, EvidenceEdge, EvidenceNode};
use orderlens::domain::feature::FeatureGroup;
use orderlens::domain::head::RiskType;
use orderlens::domain::impact::{
    ActionImpact, Estimate, ImpactKind, ImpactPart, ImpactUnit, RecommendedAction,
};
use orderlens::domain::money::Currency;
use orderlens::domain::record::ScoreRequest;
use orderlens::domain::risk::{
    Contribution, ContributionRest, Probability, RiskAssessment, RiskBand,
};
use orderlens::domain::text::Text;
use orderlens::domain::time::Timestamp;
use orderlens::domain::unlike::UnlikeTraining;

/// A decision that depends on the amount alone, with every part filled.
pub(crate) fn decide(request: &ScoreRequest, id: DecisionId, received: Timestamp) -> Decision {
    let amount = request.order.amount.map_or(0.0, |money| money.minor_units as f64);
    let raw = -2.5 + amount / 50_000.0;
    Decision {
        decision_id: id,
        request_id: request.request_id.clone(),
        order: request.order.key.clone(),
        state: DecisionState::Final,
        times: DecisionTimes { event_time: request.event_time, received_time: received },
        versions: Versions {
            model: "fake/1".into(),
            model_hash: "0a".repeat(32).into(),
            strategy: "default".into(),
            strategy_hash: "0b".repeat(32).into(),
            schema_hash: "0c".repeat(32).into(),
            graph_position: 7,
            build: "test".into(),
            background: "".into(),
            background_hash: "".into(),
            assignment: None,
            propensity: Probability::ONE,
        },
        risks: RiskType::ALL.iter().map(|risk| assess(*risk, raw, request)).collect(),
        evidence: evidence(request),
        impacts: [ActionKind::Approve, ActionKind::Hold, ActionKind::Decline]
            .map(|action| impact(action, amount))
            .to_vec(),
        actions: (1..=request.max_actions).zip(ActionKind::ALL).map(recommend).collect(),
        rules: Vec::new(),
        tags: Vec::new(),
        notices: Vec::new(),
        priority: 0,
        reasons: vec![Reason {
            code: "ip_accounts_count_1h".into(),
            head: RiskType::ResellerHoarding.head(),
            arguments: vec![ReasonArgument {
                name: "count".into(),
                value: ReasonValue::Number(12.0),
            }],
            text: Text::new(
                "12 accounts ordered from this IP within an hour, 4 of them known resellers",
                "一小时内有 12 个账号从该 IP 下单，其中 4 个是已知囤货者",
            ),
        }],
        counterfactuals: Vec::new(),
        features: vec![1.0; 40],
        missing_inputs: vec!["device_orders_count_1d".into()],
        exploration: None,
        is_blind: false,
        unlike_training: UnlikeTraining {
            is_unlike: false,
            surprise: 3.5,
            surprise_max: 20.0,
            reasons: Vec::new(),
        },
        degraded_reasons: Vec::new(),
        stage_timings: vec![
            StageTiming { stage: Stage::Features, nanos: 21_000 },
            StageTiming { stage: Stage::Model, nanos: 7_000 },
            StageTiming { stage: Stage::Decision, nanos: 12_000 },
        ],
    }
}

fn assess(risk: RiskType, raw: f64, request: &ScoreRequest) -> RiskAssessment {
    let raw = raw - f64::from(u8::try_from(risk as usize).expect("small"));
    let n_shown = request.max_contributions.min(40);
    let base = -3.0;
    let names = [
        ("ip_accounts_count_1h", FeatureGroup::Network),
        ("account_age_days", FeatureGroup::Account),
        ("order_amount", FeatureGroup::Order),
        ("sku_heat_1d", FeatureGroup::Product),
        ("payment_country_mismatch", FeatureGroup::Payment),
    ];
    let total = raw - base;
    let shift = |idx: u32| {
        let (feature, group) = names[idx as usize % names.len()];
        let sign = if idx % 3 == 1 { -0.4 } else { 1.0 };
        Contribution {
            feature: if idx < 5 { feature.into() } else { format!("{feature}_{idx}").into() },
            group,
            value: (idx % 7 != 6).then_some(f64::from(idx) + 0.5),
            log_odds: sign * total * 0.5_f64.powi(idx.cast_signed() + 1),
            weight: 1.0,
        }
    };
    let contributions: Vec<_> = (0..n_shown).map(shift).collect();
    let listed: f64 = contributions.iter().map(|shift| shift.log_odds).sum();
    let probability = 1.0 / (1.0 + (-raw).exp());
    RiskAssessment {
        head: risk.head(),
        probability: Probability::clamped(probability),
        interval: (
            Probability::clamped(probability * 0.7),
            Probability::clamped(probability * 1.3),
        ),
        model_probability: Probability::clamped(probability),
        band: match probability {
            p if p < 0.2 => RiskBand::Low,
            p if p < 0.7 => RiskBand::Elevated,
            _ => RiskBand::High,
        },
        base,
        raw_log_odds: raw,
        weighted_log_odds: raw,
        residual: 0.0,
        rest: ContributionRest {
            n_features: 40 - n_shown,
            log_odds: total - listed,
            weighted_log_odds: total - listed,
        },
        contributions,
        n_support: 1_234,
        groups: Vec::new(),
        entities: Vec::new(),
    }
}

fn evidence(request: &ScoreRequest) -> Evidence {
    let nodes: Vec<_> = request
        .order
        .nodes()
        .map(|entity| EvidenceNode {
            entity: entity.clone(),
            n_orders: 12,
            n_bad: 4,
            is_hub: false,
            is_of_order: true,
        })
        .collect();
    let last = u32::try_from(nodes.len().saturating_sub(1)).expect("small");
    let edge = EvidenceEdge {
        from: 0,
        to: last,
        n_orders: 9,
        event_ids: vec!["e9".into(), "e1".into()],
        first_seen: Timestamp(0),
        last_seen: request.event_time,
        features: vec!["ip_accounts_count_1h".into()],
        delta_if_removed: Some(DeltaIfRemoved {
            log_odds: -1.25,
            probability: Probability::clamped(0.125),
        }),
    };
    Evidence { edges: if 0 < last { vec![edge] } else { Vec::new() }, nodes, is_truncated: false }
}

fn impact(action: ActionKind, amount: f64) -> ActionImpact {
    let scaled = |share: f64| Estimate {
        mean: amount * share,
        p10: amount * share - amount.abs() * 0.05,
        p90: amount * share + amount.abs() * 0.05,
    };
    let part = |kind, share, unit| ImpactPart {
        kind,
        value: scaled(share),
        unit,
        n_support: 321,
        drivers: vec!["reseller_hoarding".into()],
        alarm_from: None,
    };
    ActionImpact {
        action,
        currency: Currency::CNY,
        total: scaled(0.1),
        parts: vec![
            part(ImpactKind::RiskLoss, -0.1, ImpactUnit::MinorUnits),
            part(ImpactKind::Margin, 0.2, ImpactUnit::MinorUnits),
            ImpactPart {
                value: Estimate { mean: 1.08, p10: 1.02, p90: 1.15 },
                ..part(ImpactKind::PriceIndex, 0.0, ImpactUnit::Index)
            },
        ],
        review_minutes: 4.0,
        plan: Box::default(),
    }
}

fn recommend((rank, action): (u32, ActionKind)) -> RecommendedAction {
    let step = f64::from(rank);
    RecommendedAction {
        rank,
        action,
        value: Estimate { mean: 9_000.0 / step, p10: -500.0, p90: 20_000.0 },
        p_best: Probability::clamped(0.6 / step),
        p_confirm: Probability::clamped(0.7 / step),
        n_confirm: 0,
        is_prior_only: true,
        plan: Box::default(),
        steps: Vec::new(),
        customer_message: Text::default(),
        gap_to_next_minor: 4_500.0 / step,
        is_close_call: rank == 2,
        requires_approval: rank == 3,
        forced_by: None,
        title: Text::new(format!("Do `{}`", action.as_str()), "执行该操作"),
    }
}

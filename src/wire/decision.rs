//! Decisions to their message.

use crate::domain::decision::{Decision, Reason, ReasonArgument, ReasonValue, Versions};
use crate::domain::entity::EntityKind;
use crate::domain::evidence::Evidence;
use crate::domain::feature::FeatureGroup;
use crate::domain::impact::{
    ActionImpact, Estimate, ImpactPart, PlanStep, RecommendedAction, StepKind,
};
use crate::domain::risk::{Contribution, RiskAssessment, Share};
use crate::domain::text::Text;
use crate::domain::unlike::{UnlikeReason, UnlikeTraining};
use crate::wire::check::{entity_to_pb, head_to_pb, order_key_to_pb, time_to_pb};
use crate::wire::counterfactual;
use crate::wire::enums::WireEnum;
use crate::wire::exploration::exploration_to_pb;
use crate::wire::pb::v1 as pb;
use crate::wire::rule;

/// Contributions of each risk that [`Explain::TopK`] shows.
pub const TOP_K: u32 = 12;

/// Contributions of each risk that are computed for [`Explain::Full`]; more than any bundle has.
pub const CONTRIBUTIONS_MAX: u32 = 10_000;

/// How many contributions a message shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explain {
    /// None.
    None,
    /// The [`TOP_K`] largest of each risk.
    #[default]
    TopK,
    /// All.
    Full,
}

/// The message for a decision.
pub fn to_pb(decision: &Decision, explain: Explain) -> pb::Decision {
    pb::Decision {
        decision_id: decision.decision_id.to_string(),
        request_id: decision.request_id.to_string(),
        order: Some(order_key_to_pb(&decision.order)),
        state: decision.state.to_wire(),
        times: Some(pb::DecisionTimes {
            event_time: Some(time_to_pb(decision.times.event_time)),
            received_time: Some(time_to_pb(decision.times.received_time)),
        }),
        versions: Some(versions_to_pb(&decision.versions)),
        assignment: Some(assignment_to_pb(&decision.versions)),
        risks: decision.risks.iter().map(|risk| risk_to_pb(risk, explain)).collect(),
        evidence: Some(evidence_to_pb(&decision.evidence)),
        impacts: decision.impacts.iter().map(impact_to_pb).collect(),
        actions: decision.actions.iter().map(action_to_pb).collect(),
        reasons: decision.reasons.iter().map(reason_to_pb).collect(),
        unlike_training: Some(unlike_to_pb(&decision.unlike_training)),
        missing_inputs: texts_to_pb(&decision.missing_inputs),
        degraded_reasons: decision.degraded_reasons.iter().map(|r| r.to_wire()).collect(),
        stage_timings: decision
            .stage_timings
            .iter()
            .map(|timing| pb::StageTiming { stage: timing.stage.to_wire(), nanos: timing.nanos })
            .collect(),
        counterfactuals: decision.counterfactuals.iter().map(counterfactual::to_pb).collect(),
        is_hypothetical: false,
        rules: decision.rules.iter().map(rule::to_pb).collect(),
        exploration: decision.exploration.as_ref().map(exploration_to_pb),
        is_blind: decision.is_blind,
        tags: texts_to_pb(&decision.tags),
        notices: texts_to_pb(&decision.notices),
        priority: decision.priority,
    }
}

/// The message for an assignment.
pub(super) fn assignment_to_pb(versions: &Versions) -> pb::Assignment {
    let propensity = versions.propensity.value();
    let Some(assigned) = &versions.assignment else {
        return pb::Assignment { propensity, ..pb::Assignment::default() };
    };
    pb::Assignment {
        experiment_arm: assigned.arm.to_string(),
        propensity,
        experiment_id: assigned.experiment.to_string(),
        unit: assigned.unit.to_string(),
        reason: assigned.reason.to_wire(),
    }
}

fn versions_to_pb(versions: &Versions) -> pb::Versions {
    pb::Versions {
        model: versions.model.to_string(),
        model_hash: versions.model_hash.to_string(),
        strategy: versions.strategy.to_string(),
        strategy_hash: versions.strategy_hash.to_string(),
        schema_hash: versions.schema_hash.to_string(),
        graph_position: versions.graph_position,
        build: versions.build.to_string(),
        background: versions.background.to_string(),
        background_hash: versions.background_hash.to_string(),
    }
}

fn risk_to_pb(risk: &RiskAssessment, explain: Explain) -> pb::RiskAssessment {
    let (risk_type, head_id) = head_to_pb(&risk.head);
    let n_shown = match explain {
        Explain::None => 0,
        Explain::TopK => risk.contributions.len().min(TOP_K as usize),
        Explain::Full => risk.contributions.len(),
    };
    let (shown, omitted) = risk.contributions.split_at(n_shown);
    pb::RiskAssessment {
        risk_type,
        head_id,
        probability: risk.probability.value(),
        interval: Some(pb::ProbabilityInterval {
            lower: risk.interval.0.value(),
            upper: risk.interval.1.value(),
        }),
        model_probability: risk.model_probability.value(),
        band: risk.band.to_wire(),
        base: risk.base,
        raw_log_odds: risk.raw_log_odds,
        weighted_log_odds: risk.weighted_log_odds,
        residual: risk.residual,
        contributions: shown.iter().map(contribution_to_pb).collect(),
        n_omitted: u32::try_from(omitted.len())
            .map_or(u32::MAX, |n| risk.rest.n_features.saturating_add(n)),
        omitted_log_odds: omitted
            .iter()
            .fold(risk.rest.log_odds, |sum, shift| sum + shift.log_odds),
        omitted_weighted_log_odds: omitted
            .iter()
            .fold(risk.rest.weighted_log_odds, |sum, shift| sum + shift.weight * shift.log_odds),
        n_support: risk.n_support,
        groups: risk.groups.iter().map(group_to_pb).collect(),
        entities: risk.entities.iter().map(entity_share_to_pb).collect(),
    }
}

fn group_to_pb(share: &Share<FeatureGroup>) -> pb::GroupShare {
    pb::GroupShare {
        group: share.of.to_wire(),
        n_features: share.n_features,
        log_odds: share.log_odds,
        weighted_log_odds: share.weighted_log_odds,
    }
}

fn entity_share_to_pb(share: &Share<Option<EntityKind>>) -> pb::EntityShare {
    pb::EntityShare {
        entity_kind: share.of.map(WireEnum::to_wire),
        n_features: share.n_features,
        log_odds: share.log_odds,
        weighted_log_odds: share.weighted_log_odds,
    }
}

fn contribution_to_pb(shift: &Contribution) -> pb::Contribution {
    pb::Contribution {
        feature: shift.feature.to_string(),
        group: shift.group.to_wire(),
        value: shift.value,
        log_odds: shift.log_odds,
        weight: shift.weight,
    }
}

fn evidence_to_pb(evidence: &Evidence) -> pb::Evidence {
    pb::Evidence {
        nodes: evidence
            .nodes
            .iter()
            .map(|node| pb::EvidenceNode {
                entity: Some(entity_to_pb(&node.entity)),
                n_orders: node.n_orders,
                n_bad: node.n_bad,
                is_hub: node.is_hub,
                is_of_order: node.is_of_order,
            })
            .collect(),
        edges: evidence
            .edges
            .iter()
            .map(|edge| pb::EvidenceEdge {
                from: edge.from,
                to: edge.to,
                n_orders: edge.n_orders,
                first_seen: Some(time_to_pb(edge.first_seen)),
                last_seen: Some(time_to_pb(edge.last_seen)),
                features: texts_to_pb(&edge.features),
                event_ids: texts_to_pb(&edge.event_ids),
                delta_if_removed: edge.delta_if_removed.map(|delta| pb::DeltaIfRemoved {
                    log_odds: delta.log_odds,
                    probability: delta.probability.value(),
                }),
            })
            .collect(),
        is_truncated: evidence.is_truncated,
    }
}

fn impact_to_pb(impact: &ActionImpact) -> pb::ActionImpact {
    pb::ActionImpact {
        action: impact.action.to_wire(),
        currency_code: impact.currency.as_str().to_owned(),
        total: Some(estimate_to_pb(impact.total)),
        parts: impact.parts.iter().map(part_to_pb).collect(),
        review_minutes: impact.review_minutes,
        plan: impact.plan.to_string(),
    }
}

fn part_to_pb(part: &ImpactPart) -> pb::ImpactPart {
    pb::ImpactPart {
        kind: part.kind.to_wire(),
        value: Some(estimate_to_pb(part.value)),
        unit: part.unit.to_wire(),
        n_support: part.n_support,
        drivers: texts_to_pb(&part.drivers),
        alarm_from: part.alarm_from,
    }
}

pub(super) fn action_to_pb(action: &RecommendedAction) -> pb::RecommendedAction {
    pb::RecommendedAction {
        rank: action.rank,
        action: action.action.to_wire(),
        value: Some(estimate_to_pb(action.value)),
        p_best: action.p_best.value(),
        p_confirm: action.p_confirm.value(),
        n_confirm: action.n_confirm,
        is_prior_only: action.is_prior_only,
        plan: action.plan.to_string(),
        steps: action.steps.iter().map(step_to_pb).collect(),
        customer_message: (action.customer_message != Text::default())
            .then(|| text_to_pb(&action.customer_message)),
        gap_to_next_minor: action.gap_to_next_minor,
        is_close_call: action.is_close_call,
        requires_approval: action.requires_approval,
        title: Some(text_to_pb(&action.title)),
        forced_by: action.forced_by.as_deref().unwrap_or_default().to_owned(),
    }
}

fn step_to_pb(step: &PlanStep) -> pb::PlanStep {
    use pb::plan_step::Kind;
    let kind = match &step.kind {
        StepKind::Action(action) => Kind::Action(action.to_wire()),
        StepKind::Notice(name) => Kind::Notice(name.to_string()),
    };
    pb::PlanStep { kind: Some(kind), title: Some(text_to_pb(&step.title)) }
}

fn reason_to_pb(reason: &Reason) -> pb::Reason {
    let (risk_type, head_id) = head_to_pb(&reason.head);
    let argument = |argument: &ReasonArgument| pb::ReasonArgument {
        name: argument.name.to_string(),
        value: Some(match &argument.value {
            ReasonValue::Number(number) => pb::reason_argument::Value::Number(*number),
            ReasonValue::Node(node) => pb::reason_argument::Value::Node(node.clone()),
        }),
    };
    pb::Reason {
        code: reason.code.to_string(),
        risk_type,
        head_id,
        arguments: reason.arguments.iter().map(argument).collect(),
        text: Some(text_to_pb(&reason.text)),
    }
}

fn unlike_to_pb(unlike: &UnlikeTraining) -> pb::UnlikeTraining {
    let reason = |reason: &UnlikeReason| pb::UnlikeReason {
        kind: reason.kind.to_wire(),
        feature: reason.feature.to_string(),
        beside: reason.beside.to_string(),
        surprise: reason.surprise,
        text: Some(text_to_pb(&reason.text)),
    };
    pb::UnlikeTraining {
        is_unlike: unlike.is_unlike,
        surprise: unlike.surprise,
        surprise_max: unlike.surprise_max,
        reasons: unlike.reasons.iter().map(reason).collect(),
    }
}

fn estimate_to_pb(estimate: Estimate) -> pb::Estimate {
    pb::Estimate { mean: estimate.mean, p10: estimate.p10, p90: estimate.p90 }
}

pub(super) fn text_to_pb(text: &Text) -> pb::Text {
    pb::Text { en: text.en.clone(), zh: text.zh.clone() }
}

pub(super) fn texts_to_pb(texts: &[Box<str>]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

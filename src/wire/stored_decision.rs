//! Decisions read back from their message: by the journal and by clients.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::assignment::{Assignment, AssignmentReason};
use crate::domain::decision::{
    Decision, DecisionTimes, Reason, ReasonArgument, ReasonValue, StageTiming, Versions,
};
use crate::domain::evidence::{DeltaIfRemoved, Evidence, EvidenceEdge, EvidenceNode};
use crate::domain::impact::{
    ActionImpact, Estimate, ImpactPart, PlanStep, RecommendedAction, StepKind,
};
use crate::domain::risk::{Contribution, ContributionRest, Probability, RiskAssessment, Share};
use crate::domain::text::Text;
use crate::domain::unlike::{UnlikeReason, UnlikeTraining};
use crate::wire::check::{Check, Path};
use crate::wire::counterfactual;
use crate::wire::enums::WireEnum as _;
use crate::wire::error::Error;
use crate::wire::exploration::read_exploration;
use crate::wire::feedback::read_decision_id;
use crate::wire::pb::v1 as pb;
use crate::wire::rule;

/// The decision that a server answered with, as far as the answer tells it.
///
/// # Errors
/// [`Error::Invalid`] when a field is missing, as it is when the server is a newer one.
pub fn of_answer(decision: pb::Decision) -> Result<Decision, Error> {
    let mut check = Check::of_journal();
    let read = read(&mut check, &Path::Root, decision);
    check.finish(read)
}

/// Reads a decision, without the feature vector, which no answer holds.
pub fn read(check: &mut Check<'_>, path: &Path<'_>, decision: pb::Decision) -> Option<Decision> {
    let decision_id = read_decision_id(check, &path.field("decision_id"), &decision.decision_id);
    let order = check.required(&path.field("order"), decision.order, Check::order_key);
    let state = check.choice(&path.field("state"), decision.state);
    let times = check.required(&path.field("times"), decision.times, read_times);
    let assignment = decision.assignment.unwrap_or_default();
    let versions = check.required(&path.field("versions"), decision.versions, |_, _, read| {
        Some(read_versions(read, assignment))
    });
    let risks = read_all(check, &path.field("risks"), decision.risks, read_risk);
    let evidence = check.required(&path.field("evidence"), decision.evidence, |check, path, it| {
        Some(read_evidence(check, path, it))
    });
    let impacts = read_all(check, &path.field("impacts"), decision.impacts, read_impact);
    let actions = read_all(check, &path.field("actions"), decision.actions, read_action);
    let reasons = read_all(check, &path.field("reasons"), decision.reasons, read_reason);
    let unlike_path = path.field("unlike_training");
    let unlike = check.required(&unlike_path, decision.unlike_training, |check, path, it| {
        Some(read_unlike(check, path, it))
    });
    let degraded = path.field("degraded_reasons");
    let degraded_reasons =
        read_all(check, &degraded, decision.degraded_reasons, |check, path, reason| {
            check.choice(path, reason)
        });
    let timings = path.field("stage_timings");
    let stage_timings = read_all(check, &timings, decision.stage_timings, |check, path, timing| {
        let measured = check.choice(&path.field("stage"), timing.stage);
        Some(StageTiming { stage: measured?, nanos: timing.nanos })
    });
    let searched = path.field("counterfactuals");
    let counterfactuals =
        read_all(check, &searched, decision.counterfactuals, counterfactual::read);
    let rules = read_all(check, &path.field("rules"), decision.rules, rule::read);
    Some(Decision {
        decision_id: decision_id?,
        request_id: decision.request_id.into_boxed_str(),
        order: order?,
        state: state?,
        times: times?,
        versions: versions?,
        risks,
        evidence: evidence?,
        impacts,
        actions,
        exploration: decision.exploration.map(read_exploration),
        is_blind: decision.is_blind,
        rules,
        tags: boxed(decision.tags),
        notices: boxed(decision.notices),
        priority: decision.priority,
        reasons,
        unlike_training: unlike?,
        counterfactuals,
        features: Vec::new(),
        missing_inputs: shared(decision.missing_inputs),
        degraded_reasons,
        stage_timings,
    })
}

pub(super) fn read_all<T, R>(
    check: &mut Check<'_>,
    path: &Path<'_>,
    values: Vec<T>,
    mut read: impl FnMut(&mut Check<'_>, &Path<'_>, T) -> Option<R>,
) -> Vec<R> {
    let read_one = |(idx, value)| read(check, &path.index(idx), value);
    values.into_iter().enumerate().filter_map(read_one).collect()
}

pub(super) fn read_times(
    check: &mut Check<'_>,
    path: &Path<'_>,
    times: pb::DecisionTimes,
) -> Option<DecisionTimes> {
    let event_time = check.required(&path.field("event_time"), times.event_time, Check::time);
    let received = path.field("received_time");
    let received_time = check.required(&received, times.received_time, Check::time);
    Some(DecisionTimes { event_time: event_time?, received_time: received_time? })
}

fn read_versions(versions: pb::Versions, assignment: pb::Assignment) -> Versions {
    Versions {
        model: versions.model.into(),
        model_hash: versions.model_hash.into(),
        strategy: versions.strategy.into(),
        strategy_hash: versions.strategy_hash.into(),
        schema_hash: versions.schema_hash.into(),
        graph_position: versions.graph_position,
        build: versions.build.into(),
        background: versions.background.into(),
        background_hash: versions.background_hash.into(),
        propensity: Probability::clamped(assignment.propensity),
        assignment: read_assignment(assignment),
    }
}

/// No experiment has no name.
pub(super) fn read_assignment(assignment: pb::Assignment) -> Option<Assignment> {
    let reason = AssignmentReason::from_wire(assignment.reason)?;
    Some(Assignment {
        experiment: assignment.experiment_id.into_boxed_str(),
        arm: assignment.experiment_arm.into_boxed_str(),
        unit: assignment.unit.into_boxed_str(),
        reason,
    })
}

fn read_risk(
    check: &mut Check<'_>,
    path: &Path<'_>,
    risk: pb::RiskAssessment,
) -> Option<RiskAssessment> {
    let head = check.head(path, risk.risk_type, risk.head_id);
    let interval = check.required(&path.field("interval"), risk.interval, |_, _, interval| {
        Some((Probability::clamped(interval.lower), Probability::clamped(interval.upper)))
    });
    let band = check.choice(&path.field("band"), risk.band);
    let listed = path.field("contributions");
    let contributions = read_all(check, &listed, risk.contributions, |check, path, shift| {
        Some(Contribution {
            feature: shift.feature.into(),
            group: check.choice(&path.field("group"), shift.group)?,
            value: shift.value,
            log_odds: shift.log_odds,
            weight: shift.weight,
        })
    });
    let groups = read_all(check, &path.field("groups"), risk.groups, |check, path, share| {
        Some(Share {
            of: check.choice(&path.field("group"), share.group)?,
            n_features: share.n_features,
            log_odds: share.log_odds,
            weighted_log_odds: share.weighted_log_odds,
        })
    });
    let entities = read_all(check, &path.field("entities"), risk.entities, |check, path, share| {
        let kind = |kind| check.choice(&path.field("entity_kind"), kind);
        Some(Share {
            of: share.entity_kind.and_then(kind),
            n_features: share.n_features,
            log_odds: share.log_odds,
            weighted_log_odds: share.weighted_log_odds,
        })
    });
    Some(RiskAssessment {
        head: head?,
        probability: Probability::clamped(risk.probability),
        interval: interval?,
        model_probability: Probability::clamped(risk.model_probability),
        band: band?,
        base: risk.base,
        raw_log_odds: risk.raw_log_odds,
        weighted_log_odds: risk.weighted_log_odds,
        residual: risk.residual,
        contributions,
        rest: ContributionRest {
            n_features: risk.n_omitted,
            log_odds: risk.omitted_log_odds,
            weighted_log_odds: risk.omitted_weighted_log_odds,
        },
        n_support: risk.n_support,
        groups,
        entities,
    })
}

fn read_evidence(check: &mut Check<'_>, path: &Path<'_>, evidence: pb::Evidence) -> Evidence {
    let nodes = read_all(check, &path.field("nodes"), evidence.nodes, |check, path, node| {
        let entity = check.required(&path.field("entity"), node.entity, Check::entity);
        Some(EvidenceNode {
            entity: entity?,
            n_orders: node.n_orders,
            n_bad: node.n_bad,
            is_hub: node.is_hub,
            is_of_order: node.is_of_order,
        })
    });
    let edges = read_all(check, &path.field("edges"), evidence.edges, |check, path, edge| {
        let first = check.required(&path.field("first_seen"), edge.first_seen, Check::time);
        let last = check.required(&path.field("last_seen"), edge.last_seen, Check::time);
        Some(EvidenceEdge {
            from: edge.from,
            to: edge.to,
            n_orders: edge.n_orders,
            first_seen: first?,
            last_seen: last?,
            event_ids: boxed(edge.event_ids),
            features: shared(edge.features),
            delta_if_removed: edge.delta_if_removed.map(|delta| DeltaIfRemoved {
                log_odds: delta.log_odds,
                probability: Probability::clamped(delta.probability),
            }),
        })
    });
    Evidence { nodes, edges, is_truncated: evidence.is_truncated }
}

fn read_impact(
    check: &mut Check<'_>,
    path: &Path<'_>,
    impact: pb::ActionImpact,
) -> Option<ActionImpact> {
    let action = check.choice(&path.field("action"), impact.action);
    let currency = check.currency(&path.field("currency_code"), &impact.currency_code);
    let total = read_estimate(check, &path.field("total"), impact.total);
    let parts = read_all(check, &path.field("parts"), impact.parts, |check, path, part| {
        let kind = check.choice(&path.field("kind"), part.kind);
        let value = read_estimate(check, &path.field("value"), part.value);
        let unit = check.choice(&path.field("unit"), part.unit);
        Some(ImpactPart {
            kind: kind?,
            value: value?,
            unit: unit?,
            n_support: part.n_support,
            drivers: part.drivers.into_iter().map(Cow::Owned).collect(),
            alarm_from: part.alarm_from,
        })
    });
    Some(ActionImpact {
        action: action?,
        currency: currency?,
        total: total?,
        parts,
        review_minutes: impact.review_minutes,
        plan: impact.plan.into_boxed_str(),
    })
}

fn read_action(
    check: &mut Check<'_>,
    path: &Path<'_>,
    action: pb::RecommendedAction,
) -> Option<RecommendedAction> {
    let kind = check.choice(&path.field("action"), action.action);
    let value = read_estimate(check, &path.field("value"), action.value);
    let title = check.required(&path.field("title"), action.title, read_text);
    let steps = read_all(check, &path.field("steps"), action.steps, read_step);
    let said = action.customer_message;
    let customer_message =
        said.and_then(|said| read_text(check, &path.field("customer_message"), said));
    let customer_message = customer_message.unwrap_or_default();
    Some(RecommendedAction {
        rank: action.rank,
        action: kind?,
        value: value?,
        p_best: Probability::clamped(action.p_best),
        p_confirm: Probability::clamped(action.p_confirm),
        n_confirm: action.n_confirm,
        is_prior_only: action.is_prior_only,
        plan: action.plan.into_boxed_str(),
        steps,
        customer_message,
        gap_to_next_minor: action.gap_to_next_minor,
        is_close_call: action.is_close_call,
        requires_approval: action.requires_approval,
        forced_by: (!action.forced_by.is_empty()).then(|| action.forced_by.into_boxed_str()),
        title: title?,
    })
}

fn read_step(check: &mut Check<'_>, path: &Path<'_>, step: pb::PlanStep) -> Option<PlanStep> {
    use pb::plan_step::Kind;
    let kind = check.required(&path.field("kind"), step.kind, |check, path, kind| match kind {
        Kind::Action(action) => check.choice(path, action).map(StepKind::Action),
        Kind::Notice(name) => Some(StepKind::Notice(name.into_boxed_str())),
    });
    let title = check.required(&path.field("title"), step.title, read_text);
    Some(PlanStep { kind: kind?, title: title? })
}

fn read_reason(check: &mut Check<'_>, path: &Path<'_>, reason: pb::Reason) -> Option<Reason> {
    let head = check.head(path, reason.risk_type, reason.head_id);
    let named = path.field("arguments");
    let arguments = read_all(check, &named, reason.arguments, |check, path, argument| {
        let value = check.required(&path.field("value"), argument.value, |_, _, value| {
            Some(match value {
                pb::reason_argument::Value::Number(number) => ReasonValue::Number(number),
                pb::reason_argument::Value::Node(node) => ReasonValue::Node(node),
            })
        });
        Some(ReasonArgument { name: argument.name.into_boxed_str(), value: value? })
    });
    let text = check.required(&path.field("text"), reason.text, read_text);
    Some(Reason { code: reason.code.into(), head: head?, arguments, text: text? })
}

fn read_unlike(
    check: &mut Check<'_>,
    path: &Path<'_>,
    unlike: pb::UnlikeTraining,
) -> UnlikeTraining {
    let reasons = read_all(check, &path.field("reasons"), unlike.reasons, |check, path, it| {
        let kind = check.choice(&path.field("kind"), it.kind);
        let text = check.required(&path.field("text"), it.text, read_text);
        Some(UnlikeReason {
            kind: kind?,
            feature: it.feature.into(),
            beside: it.beside.into(),
            surprise: it.surprise,
            text: text?,
        })
    });
    UnlikeTraining {
        is_unlike: unlike.is_unlike,
        surprise: unlike.surprise,
        surprise_max: unlike.surprise_max,
        reasons,
    }
}

fn read_estimate(
    check: &mut Check<'_>,
    path: &Path<'_>,
    estimate: Option<pb::Estimate>,
) -> Option<Estimate> {
    check.required(path, estimate, |_, _, number| {
        Some(Estimate { mean: number.mean, p10: number.p10, p90: number.p90 })
    })
}

// The signature that `Check::required` asks of every reader.
#[expect(clippy::unnecessary_wraps, reason = "a reader that cannot fail is still a reader")]
pub(super) fn read_text(_: &mut Check<'_>, _: &Path<'_>, text: pb::Text) -> Option<Text> {
    Some(Text { en: text.en, zh: text.zh })
}

fn shared(texts: Vec<String>) -> Vec<Arc<str>> {
    texts.into_iter().map(Arc::from).collect()
}

pub(super) fn boxed(texts: Vec<String>) -> Vec<Box<str>> {
    texts.into_iter().map(String::into_boxed_str).collect()
}

//! Decisions to the bytes of their message, without the message.
//!
//! The same bytes as [`decision::to_pb`] encoded; a test holds the two together.

use uuid::fmt::Hyphenated;

use crate::domain::decision::{Decision, Reason, ReasonArgument, ReasonValue, Versions};
use crate::domain::entity::{EntityKey, EntityRef, HashText};
use crate::domain::evidence::Evidence;
use crate::domain::head::{HeadId, RiskType};
use crate::domain::impact::{
    ActionImpact, Estimate, ImpactPart, PlanStep, RecommendedAction, StepKind,
};
use crate::domain::order::OrderKey;
use crate::domain::risk::{Contribution, RiskAssessment};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::domain::unlike::UnlikeTraining;
use crate::wire::decision::{Explain, TOP_K};
use crate::wire::enums::WireEnum;
use crate::wire::message_writer::MessageWriter;
use crate::wire::pb::v1 as pb;
use crate::wire::{counterfactual, decision, exploration, rule};

/// What of a decision is not as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is recorded.
    Recorded,
    /// Nothing recorded stands behind it.
    Hypothetical,
}

/// Which contributions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those that a caller asked for; the others are summed.
    Shown(Explain),
    /// None: they are kept elsewhere, and what is omitted is what the decision omits.
    Elsewhere,
}

/// Writes the fields of a decision.
pub fn write(out: &mut MessageWriter, decision: &Decision, listed: Listed, standing: Standing) {
    let mut id = [0; Hyphenated::LENGTH];
    out.text(1, decision.decision_id.0.hyphenated().encode_lower(&mut id));
    out.text(2, &decision.request_id);
    out.message(3, |out| write_order_key(out, &decision.order));
    out.int(4, decision.state.to_wire());
    out.message(5, |out| {
        write_time(out, 1, decision.times.event_time);
        write_time(out, 2, decision.times.received_time);
    });
    out.long_message(6, |out| write_versions(out, &decision.versions));
    out.built(7, &decision::assignment_to_pb(&decision.versions));
    for risk in &decision.risks {
        out.long_message(8, |out| write_risk(out, risk, listed));
    }
    out.long_message(9, |out| write_evidence(out, &decision.evidence));
    for impact in &decision.impacts {
        out.long_message(10, |out| write_impact(out, impact));
    }
    for action in &decision.actions {
        out.long_message(11, |out| write_action(out, action));
    }
    for reason in &decision.reasons {
        out.long_message(12, |out| write_reason(out, reason));
    }
    write_texts(out, 13, &decision.missing_inputs);
    let degraded = decision.degraded_reasons.iter();
    out.packed_uints(14, degraded.map(|reason| i64::from(reason.to_wire()).cast_unsigned()));
    for timing in &decision.stage_timings {
        out.message(15, |out| {
            out.int(1, timing.stage.to_wire());
            out.uint(2, timing.nanos);
        });
    }
    for search in &decision.counterfactuals {
        out.built(16, &counterfactual::to_pb(search));
    }
    out.long_message(17, |out| write_unlike(out, &decision.unlike_training));
    out.uint(18, standing == Standing::Hypothetical);
    for outcome in &decision.rules {
        out.built(19, &rule::to_pb(outcome));
    }
    write_texts(out, 20, &decision.tags);
    write_texts(out, 21, &decision.notices);
    out.int(22, decision.priority);
    if let Some(drawn) = &decision.exploration {
        out.built(23, &exploration::exploration_to_pb(drawn));
    }
    out.uint(24, decision.is_blind);
}

/// Writes the fields of a risk.
fn write_risk(out: &mut MessageWriter, risk: &RiskAssessment, listed: Listed) {
    let n_shown = match listed {
        Listed::Elsewhere | Listed::Shown(Explain::None) => 0,
        Listed::Shown(Explain::TopK) => risk.contributions.len().min(TOP_K as usize),
        Listed::Shown(Explain::Full) => risk.contributions.len(),
    };
    let (shown, omitted) = risk.contributions.split_at(n_shown);
    let omitted = if listed == Listed::Elsewhere { &[] } else { omitted };
    let mut rest = risk.rest;
    for shift in omitted {
        rest.n_features = rest.n_features.saturating_add(1);
        rest.log_odds += shift.log_odds;
        rest.weighted_log_odds += shift.weight * shift.log_odds;
    }
    write_head(out, (1, 2), &risk.head);
    out.double(3, risk.probability.value());
    out.message(4, |out| {
        out.double(1, risk.interval.0.value());
        out.double(2, risk.interval.1.value());
    });
    out.double(5, risk.model_probability.value());
    out.int(6, risk.band.to_wire());
    out.double(7, risk.base);
    out.double(8, risk.raw_log_odds);
    out.double(9, risk.weighted_log_odds);
    out.double(10, risk.residual);
    for shift in shown {
        out.message(11, |out| write_contribution(out, shift));
    }
    out.uint(12, rest.n_features);
    out.double(13, rest.log_odds);
    out.uint(14, risk.n_support);
    out.double(15, rest.weighted_log_odds);
    for share in &risk.groups {
        out.message(16, |out| {
            out.int(1, share.of.to_wire());
            out.uint(2, share.n_features);
            out.double(3, share.log_odds);
            out.double(4, share.weighted_log_odds);
        });
    }
    for share in &risk.entities {
        out.message(17, |out| {
            if let Some(kind) = share.of {
                out.uint_always(1, i64::from(kind.to_wire()).cast_unsigned());
            }
            out.uint(2, share.n_features);
            out.double(3, share.log_odds);
            out.double(4, share.weighted_log_odds);
        });
    }
}

fn write_contribution(out: &mut MessageWriter, shift: &Contribution) {
    out.text(1, &shift.feature);
    out.int(2, shift.group.to_wire());
    if let Some(value) = shift.value {
        out.double_always(3, value);
    }
    out.double(4, shift.log_odds);
    out.double(5, shift.weight);
}

fn write_evidence(out: &mut MessageWriter, evidence: &Evidence) {
    for node in &evidence.nodes {
        out.message(1, |out| {
            out.message(1, |out| write_entity(out, &node.entity));
            out.uint(2, node.n_orders);
            out.uint(3, node.n_bad);
            out.uint(4, node.is_hub);
            out.uint(5, node.is_of_order);
        });
    }
    for edge in &evidence.edges {
        out.long_message(2, |out| {
            out.uint(1, edge.from);
            out.uint(2, edge.to);
            out.uint(3, edge.n_orders);
            write_time(out, 4, edge.first_seen);
            write_time(out, 5, edge.last_seen);
            write_texts(out, 6, &edge.features);
            write_texts(out, 7, &edge.event_ids);
            if let Some(delta) = &edge.delta_if_removed {
                out.message(8, |out| {
                    out.double(1, delta.log_odds);
                    out.double(2, delta.probability.value());
                });
            }
        });
    }
    out.uint(3, evidence.is_truncated);
}

fn write_impact(out: &mut MessageWriter, impact: &ActionImpact) {
    out.int(1, impact.action.to_wire());
    out.text(2, impact.currency.as_str());
    write_estimate(out, 3, impact.total);
    for part in &impact.parts {
        out.message(4, |out| write_part(out, part));
    }
    out.double(5, impact.review_minutes);
    out.text(6, &impact.plan);
}

fn write_part(out: &mut MessageWriter, part: &ImpactPart) {
    out.int(1, part.kind.to_wire());
    write_estimate(out, 2, part.value);
    out.int(3, part.unit.to_wire());
    out.uint(4, part.n_support);
    write_texts(out, 5, &part.drivers);
    if let Some(alarm_from) = part.alarm_from {
        out.double_always(6, alarm_from);
    }
}

fn write_action(out: &mut MessageWriter, action: &RecommendedAction) {
    out.uint(1, action.rank);
    out.int(2, action.action.to_wire());
    write_estimate(out, 3, action.value);
    out.double(4, action.p_best.value());
    out.double(5, action.gap_to_next_minor);
    out.uint(6, action.is_close_call);
    out.uint(7, action.requires_approval);
    write_text(out, 8, &action.title);
    out.text(9, action.forced_by.as_deref().unwrap_or_default());
    out.double(10, action.p_confirm.value());
    out.uint(11, action.n_confirm);
    out.uint(12, action.is_prior_only);
    out.text(13, &action.plan);
    for step in &action.steps {
        out.message(14, |out| write_step(out, step));
    }
    if !action.customer_message.en.is_empty() || !action.customer_message.zh.is_empty() {
        write_text(out, 15, &action.customer_message);
    }
}

fn write_step(out: &mut MessageWriter, step: &PlanStep) {
    match &step.kind {
        StepKind::Action(action) => {
            out.uint_always(1, i64::from(action.to_wire()).cast_unsigned());
        }
        StepKind::Notice(name) => out.text_always(2, name),
    }
    write_text(out, 3, &step.title);
}

fn write_reason(out: &mut MessageWriter, reason: &Reason) {
    out.text(1, &reason.code);
    write_head(out, (2, 3), &reason.head);
    for ReasonArgument { name, value } in &reason.arguments {
        out.message(4, |out| {
            out.text(1, name);
            match value {
                ReasonValue::Number(number) => out.double_always(2, *number),
                ReasonValue::Node(node) => out.text_always(3, node),
            }
        });
    }
    write_text(out, 5, &reason.text);
}

fn write_unlike(out: &mut MessageWriter, unlike: &UnlikeTraining) {
    out.uint(1, unlike.is_unlike);
    out.double(2, unlike.surprise);
    out.double(3, unlike.surprise_max);
    for reason in &unlike.reasons {
        out.long_message(4, |out| {
            out.int(1, reason.kind.to_wire());
            out.text(2, &reason.feature);
            out.text(3, &reason.beside);
            out.double(4, reason.surprise);
            write_text(out, 5, &reason.text);
        });
    }
}

fn write_versions(out: &mut MessageWriter, versions: &Versions) {
    out.text(1, &versions.model);
    out.text(2, &versions.model_hash);
    out.text(3, &versions.strategy);
    out.text(4, &versions.strategy_hash);
    out.text(5, &versions.schema_hash);
    out.uint(6, versions.graph_position);
    out.text(7, &versions.build);
    out.text(8, &versions.background);
    out.text(9, &versions.background_hash);
}

/// Writes the fields of an order's key.
pub fn write_order_key(out: &mut MessageWriter, key: &OrderKey) {
    out.text(1, &key.channel);
    out.text(2, &key.order_id);
    out.uint(3, key.revision);
}

/// Writes the fields of an entity.
pub fn write_entity(out: &mut MessageWriter, entity: &EntityRef) {
    out.int(1, entity.kind.to_wire());
    match &entity.key {
        EntityKey::Plain(name) => out.text(2, name),
        EntityKey::Hashed(hash) => out.text(2, HashText::new(*hash).as_str()),
        EntityKey::Twice(_) => out.text(2, &entity.key.to_string()),
    }
}

/// Writes a field that holds an instant.
pub fn write_time(out: &mut MessageWriter, field: u32, time: Timestamp) {
    out.message(field, |out| {
        out.int(1, time.0.div_euclid(1_000_000));
        out.int(2, time.0.rem_euclid(1_000_000) * 1_000);
    });
}

fn write_head(out: &mut MessageWriter, (risk_type, head_id): (u32, u32), head: &HeadId) {
    let custom = || i32::from(pb::RiskType::Custom);
    out.int(risk_type, head.risk_type().map_or_else(custom, RiskType::to_wire));
    out.text(head_id, &head.0);
}

fn write_estimate(out: &mut MessageWriter, field: u32, estimate: Estimate) {
    out.message(field, |out| {
        out.double(1, estimate.mean);
        out.double(2, estimate.p10);
        out.double(3, estimate.p90);
    });
}

fn write_text(out: &mut MessageWriter, field: u32, text: &Text) {
    out.message(field, |out| {
        out.text(1, &text.en);
        out.text(2, &text.zh);
    });
}

fn write_texts(out: &mut MessageWriter, field: u32, texts: &[impl AsRef<str>]) {
    for text in texts {
        out.text_always(field, text.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::domain::decision::Decision;
    use crate::wire::samples;

    fn written(decision: &Decision, explain: Explain, standing: Standing) -> Vec<u8> {
        let mut out = MessageWriter::default();
        write(&mut out, decision, Listed::Shown(explain), standing);
        out.into_bytes()
    }

    #[test]
    fn a_decision_is_written_as_its_message_would_be() {
        let full = samples::scored_order().decision;
        let mut negative = Decision::clone(&full);
        negative.priority = -7;
        negative.risks[0].residual = -0.0;
        negative.actions[0].customer_message = Text::default();
        negative.versions.assignment = None;
        negative.evidence = Evidence::default();
        for decision in [&full, &negative] {
            for explain in [Explain::None, Explain::TopK, Explain::Full] {
                let mut message = decision::to_pb(decision, explain);
                let bytes = written(decision, explain, Standing::Recorded);
                assert!(bytes == message.encode_to_vec(), "{explain:?}");
                message.is_hypothetical = true;
                let bytes = written(decision, explain, Standing::Hypothetical);
                assert!(bytes == message.encode_to_vec(), "hypothetical, {explain:?}");
            }
        }
    }
}

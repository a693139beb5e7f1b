//! Outcomes of rules to and from their message.

use crate::domain::rule::RuleOutcome;
use crate::wire::check::{Check, Path};
use crate::wire::decision::{text_to_pb, texts_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::pb::v1 as pb;
use crate::wire::stored_decision::{boxed, read_text};

/// The message for an outcome.
pub(super) fn to_pb(outcome: &RuleOutcome) -> pb::RuleOutcome {
    pb::RuleOutcome {
        rule: outcome.rule.to_string(),
        is_matched: outcome.is_matched(),
        is_selected: outcome.is_selected(),
        obstacle: outcome.obstacle.map_or(0, WireEnum::to_wire),
        missing_inputs: texts_to_pb(&outcome.missing_inputs),
        priority: outcome.priority,
        forced_action: outcome.force.map_or(0, WireEnum::to_wire),
        tags: texts_to_pb(&outcome.tags),
        notices: texts_to_pb(&outcome.emit),
        title: Some(text_to_pb(&outcome.title)),
    }
}

/// Reads an outcome; whether it is matched and selected follows from the obstacle.
pub(super) fn read(
    check: &mut Check<'_>,
    path: &Path<'_>,
    outcome: pb::RuleOutcome,
) -> Option<RuleOutcome> {
    let obstacle = check.choice_or_none(&path.field("obstacle"), outcome.obstacle);
    let force = check.choice_or_none(&path.field("forced_action"), outcome.forced_action);
    let title = check.required(&path.field("title"), outcome.title, read_text);
    Some(RuleOutcome {
        rule: outcome.rule.into_boxed_str(),
        obstacle,
        missing_inputs: boxed(outcome.missing_inputs),
        priority: outcome.priority,
        force,
        tags: boxed(outcome.tags),
        emit: boxed(outcome.notices),
        title: title?,
    })
}

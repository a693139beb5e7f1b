//! Compares a recorded decision with the same decision made again.

use std::fmt::Debug;

use crate::domain::decision::Decision;
use crate::domain::query::FieldDifference;
use crate::domain::risk::RiskAssessment;

/// Longest value that a difference shows; the rest is cut.
const SHOWN_CHARS_MAX: usize = 200;
/// How much of it comes before the first character that differs.
const SHOWN_CHARS_BEFORE: usize = 80;

/// The fields that differ, in contract order; none is the promise.
///
/// Compared by their debug text: it shows every float to the last digit and
/// tells −0 from 0, so equal texts mean equal bits. Timings are measured, hence
/// not compared.
pub fn differences(recorded: &Decision, again: &Decision) -> Vec<FieldDifference> {
    // Taken apart in full, so that a new field cannot be forgotten.
    let Decision {
        decision_id,
        request_id,
        order,
        state,
        times,
        versions,
        risks,
        evidence,
        impacts,
        actions,
        exploration,
        is_blind,
        rules,
        tags,
        notices,
        priority,
        reasons,
        unlike_training,
        counterfactuals,
        features,
        missing_inputs,
        degraded_reasons,
        stage_timings: _,
    } = recorded;
    let mut found = Vec::new();
    let mut check = |path: &str, a: &dyn Debug, b: &dyn Debug| compare(&mut found, path, a, b);
    check("decision_id", decision_id, &again.decision_id);
    check("request_id", request_id, &again.request_id);
    check("order", order, &again.order);
    check("state", state, &again.state);
    check("times", times, &again.times);
    check("versions", versions, &again.versions);
    check("features", features, &again.features);
    check("evidence", evidence, &again.evidence);
    check("impacts", impacts, &again.impacts);
    check("actions", actions, &again.actions);
    check("exploration", exploration, &again.exploration);
    check("is_blind", is_blind, &again.is_blind);
    check("rules", rules, &again.rules);
    check("tags", tags, &again.tags);
    check("notices", notices, &again.notices);
    check("priority", priority, &again.priority);
    check("reasons", reasons, &again.reasons);
    check("unlike_training", unlike_training, &again.unlike_training);
    check("counterfactuals", counterfactuals, &again.counterfactuals);
    check("missing_inputs", missing_inputs, &again.missing_inputs);
    check("degraded_reasons", degraded_reasons, &again.degraded_reasons);
    check("risks.len", &risks.len(), &again.risks.len());
    for (idx, (a, b)) in risks.iter().zip(&again.risks).enumerate() {
        compare_risk(&mut found, idx, a, b);
    }
    found
}

fn compare_risk(
    found: &mut Vec<FieldDifference>,
    idx: usize,
    recorded: &RiskAssessment,
    again: &RiskAssessment,
) {
    let RiskAssessment {
        head,
        probability,
        interval,
        model_probability,
        band,
        base,
        raw_log_odds,
        weighted_log_odds,
        residual,
        contributions,
        rest,
        n_support,
        groups,
        entities,
    } = recorded;
    let fields: [(&str, &dyn Debug, &dyn Debug); 14] = [
        ("head", head, &again.head),
        ("probability", probability, &again.probability),
        ("interval", interval, &again.interval),
        ("model_probability", model_probability, &again.model_probability),
        ("band", band, &again.band),
        ("base", base, &again.base),
        ("raw_log_odds", raw_log_odds, &again.raw_log_odds),
        ("weighted_log_odds", weighted_log_odds, &again.weighted_log_odds),
        ("residual", residual, &again.residual),
        ("contributions", contributions, &again.contributions),
        ("rest", rest, &again.rest),
        ("n_support", n_support, &again.n_support),
        ("groups", groups, &again.groups),
        ("entities", entities, &again.entities),
    ];
    for (name, a, b) in fields {
        compare(found, &format!("risks[{idx}].{name}"), a, b);
    }
}

fn compare(found: &mut Vec<FieldDifference>, path: &str, recorded: &dyn Debug, again: &dyn Debug) {
    let (recorded, replayed) = (format!("{recorded:?}"), format!("{again:?}"));
    if recorded != replayed {
        let n_same = recorded.chars().zip(replayed.chars()).take_while(|(a, b)| a == b).count();
        let start = n_same.saturating_sub(SHOWN_CHARS_BEFORE);
        found.push(FieldDifference {
            path: path.into(),
            recorded: shown(&recorded, start),
            replayed: shown(&replayed, start),
        });
    }
}

/// Cut at both ends, so that what differs is in it.
fn shown(text: &str, start: usize) -> Box<str> {
    let part: String = text.chars().skip(start).take(SHOWN_CHARS_MAX).collect();
    if start == 0 { part.into() } else { format!("…{part}").into() }
}

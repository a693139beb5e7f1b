//! Compares a recorded decision with the same decision made again.

use std::fmt::Debug;

use crate::domain::decision::{Decision, RiskAssessment};
use crate::domain::query::FieldDifference;

/// Longest value that a difference shows; the rest is cut.
const SHOWN_CHARS_MAX: usize = 200;

/// The fields that differ, in contract order; none is the promise.
///
/// Compared by their debug text: it shows every float to the last digit and
/// tells −0 from 0, so equal texts mean equal bits.
pub fn differences(recorded: &Decision, again: &Decision) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    let mut check = |path: &str, a: &dyn Debug, b: &dyn Debug| compare(&mut found, path, a, b);
    check("order", &recorded.order, &again.order);
    check("state", &recorded.state, &again.state);
    check("times", &recorded.times, &again.times);
    check("versions", &recorded.versions, &again.versions);
    check("features", &recorded.features, &again.features);
    check("evidence", &recorded.evidence, &again.evidence);
    check("impacts", &recorded.impacts, &again.impacts);
    check("actions", &recorded.actions, &again.actions);
    check("reasons", &recorded.reasons, &again.reasons);
    check("missing_inputs", &recorded.missing_inputs, &again.missing_inputs);
    check("degraded_reasons", &recorded.degraded_reasons, &again.degraded_reasons);
    check("risks.len", &recorded.risks.len(), &again.risks.len());
    for (idx, (a, b)) in recorded.risks.iter().zip(&again.risks).enumerate() {
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
    let fields: [(&str, &dyn Debug, &dyn Debug); 9] = [
        ("head", &recorded.head, &again.head),
        ("probability", &recorded.probability, &again.probability),
        ("interval", &recorded.interval, &again.interval),
        ("model_probability", &recorded.model_probability, &again.model_probability),
        ("band", &recorded.band, &again.band),
        ("raw_log_odds", &recorded.raw_log_odds, &again.raw_log_odds),
        ("weighted_log_odds", &recorded.weighted_log_odds, &again.weighted_log_odds),
        ("contributions", &recorded.contributions, &again.contributions),
        ("rest", &recorded.rest, &again.rest),
    ];
    for (name, a, b) in fields {
        compare(found, &format!("risks[{idx}].{name}"), a, b);
    }
}

fn compare(found: &mut Vec<FieldDifference>, path: &str, recorded: &dyn Debug, again: &dyn Debug) {
    let (recorded, replayed) = (format!("{recorded:?}"), format!("{again:?}"));
    if recorded != replayed {
        found.push(FieldDifference {
            path: path.into(),
            recorded: shown(&recorded),
            replayed: shown(&replayed),
        });
    }
}

fn shown(text: &str) -> Box<str> {
    text.chars().take(SHOWN_CHARS_MAX).collect::<String>().into()
}

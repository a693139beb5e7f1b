//! What is unusual about an order, in words.

use crate::decision::attribution::{Inputs, known};
use crate::decision::messages::message;
use crate::decision::reasons::fact;
use crate::domain::unlike::{UnlikeKind, UnlikeReason, UnlikeTraining};
use crate::model::unlike::{Finding, Unlikeness};

/// The flag of an answer, with a sentence for each finding.
pub fn unlike_training(found: &Unlikeness, inputs: Inputs<'_>) -> UnlikeTraining {
    let reasons = found.findings.iter().filter_map(|finding| reason(finding, inputs));
    UnlikeTraining {
        is_unlike: found.is_unlike,
        surprise: found.surprise,
        surprise_max: found.surprise_max,
        reasons: reasons.collect(),
    }
}

fn reason(finding: &Finding, inputs: Inputs<'_>) -> Option<UnlikeReason> {
    let spec = inputs.specs.get(finding.feature)?;
    let beside = finding.beside.and_then(|beside| Some((beside, inputs.specs.get(beside)?)));
    let value = fact(spec, known(inputs.values, finding.feature));
    let other = beside.map(|(at, spec)| fact(spec, known(inputs.values, at))).unwrap_or_default();
    let key = match finding.kind {
        UnlikeKind::BelowRange => "below_range",
        UnlikeKind::AboveRange => "above_range",
        UnlikeKind::NeverMissing => "never_missing",
        UnlikeKind::RareTogether => "rare_together",
        UnlikeKind::Rare => "rare",
    };
    Some(UnlikeReason {
        kind: finding.kind,
        feature: spec.id.clone(),
        beside: beside.map(|(_, spec)| spec.id.clone()).unwrap_or_default(),
        surprise: finding.surprise,
        text: message("unlike", key, &[("fact", &value), ("other", &other)]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::fixtures::spec;
    use crate::domain::feature::{FeatureGroup, FeatureUnit};

    fn finding(kind: UnlikeKind, feature: usize, beside: Option<usize>) -> Finding {
        Finding { kind, feature, beside, surprise: 8.5 }
    }

    #[test]
    fn every_kind_of_finding_has_a_sentence_in_both_languages() {
        let specs = [
            spec("ip_accounts_count_1h", FeatureGroup::Ip, FeatureUnit::Count),
            spec("order_amount", FeatureGroup::Order, FeatureUnit::Money),
        ];
        let inputs = Inputs { specs: &specs, values: &[12.0, f32::NAN] };
        let findings = vec![
            finding(UnlikeKind::BelowRange, 0, None),
            finding(UnlikeKind::AboveRange, 0, None),
            finding(UnlikeKind::NeverMissing, 1, None),
            finding(UnlikeKind::RareTogether, 0, Some(1)),
            finding(UnlikeKind::Rare, 0, None),
        ];
        let found = Unlikeness { is_unlike: true, surprise: 40.0, surprise_max: 30.0, findings };
        let flag = unlike_training(&found, inputs);
        let texts: Vec<String> = flag
            .reasons
            .iter()
            .map(|reason| format!("{}\n{}", reason.text.en, reason.text.zh))
            .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}

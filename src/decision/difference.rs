//! Compares two decisions about one order under one model.

use crate::decision::attribution::known;
use crate::domain::decision::Decision;
use crate::domain::difference::{
    Change, ContributionDifference, DecisionDifference, GroupDifference, RiskDifference,
};
use crate::domain::feature::{FeatureGroup, FeatureSpec};
use crate::domain::head::HeadScore;
use crate::domain::risk::{RiskAssessment, Share};

/// Most features listed per risk.
pub const CONTRIBUTIONS_MAX: usize = 12;

/// A decision with what the model says about its features.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The decision, with its feature vector.
    pub decision: &'a Decision,
    /// Every head of the bundle, with all contributions.
    pub scores: &'a [HeadScore],
}

/// What is different in `after`; `specs` are the bundle's features.
pub fn difference(before: Side<'_>, after: Side<'_>, specs: &[FeatureSpec]) -> DecisionDifference {
    let first = |side: Side<'_>| side.decision.actions.first().map(|first| first.action);
    let pairs = before.decision.risks.iter().zip(&after.decision.risks);
    DecisionDifference {
        first_action: Change { before: first(before), after: first(after) },
        risks: pairs.map(|(a, b)| of_risk((a, before), (b, after), specs)).collect(),
    }
}

fn of_risk(
    (before, was): (&RiskAssessment, Side<'_>),
    (after, is): (&RiskAssessment, Side<'_>),
    specs: &[FeatureSpec],
) -> RiskDifference {
    let mut moved = contributions((before, was), (after, is), specs);
    let omitted = moved.split_off(CONTRIBUTIONS_MAX.min(moved.len()));
    RiskDifference {
        head: before.head.clone(),
        probability: Change { before: before.probability, after: after.probability },
        band: Change { before: before.band, after: after.band },
        raw_log_odds: Change { before: before.raw_log_odds, after: after.raw_log_odds },
        weighted_log_odds: Change {
            before: before.weighted_log_odds,
            after: after.weighted_log_odds,
        },
        groups: before.groups.iter().zip(&after.groups).map(|(a, b)| of_group(a, b)).collect(),
        contributions: moved,
        n_omitted: u32::try_from(omitted.len()).unwrap_or(u32::MAX),
        omitted_log_odds: omitted.iter().map(|it| it.log_odds.shift()).sum(),
    }
}

fn of_group(before: &Share<FeatureGroup>, after: &Share<FeatureGroup>) -> GroupDifference {
    let weighted = (before.weighted_log_odds, after.weighted_log_odds);
    GroupDifference {
        group: before.of,
        log_odds: Change { before: before.log_odds, after: after.log_odds },
        weighted_log_odds: Change { before: weighted.0, after: weighted.1 },
    }
}

/// The features whose share moved, largest move first, then by id.
fn contributions(
    (before, was): (&RiskAssessment, Side<'_>),
    (after, is): (&RiskAssessment, Side<'_>),
    specs: &[FeatureSpec],
) -> Vec<ContributionDifference> {
    let shares = |risk: &RiskAssessment, scores: &[HeadScore]| -> Vec<f64> {
        let score = scores.iter().find(|score| score.head == risk.head);
        score.map_or_else(Vec::new, |score| score.contributions.clone())
    };
    let pairs = shares(before, was.scores).into_iter().zip(shares(after, is.scores));
    let mut moved: Vec<ContributionDifference> = specs
        .iter()
        .zip(pairs)
        .enumerate()
        .filter(|(_, (_, (a, b)))| a.to_bits() != b.to_bits())
        .map(|(idx, (spec, (before, after)))| ContributionDifference {
            feature: (&*spec.id).into(),
            group: spec.group,
            value: Change {
                before: known(&was.decision.features, idx),
                after: known(&is.decision.features, idx),
            },
            log_odds: Change { before, after },
        })
        .collect();
    moved.sort_by(|a, b| {
        let size = |it: &ContributionDifference| it.log_odds.shift().abs();
        size(b).total_cmp(&size(a)).then_with(|| a.feature.cmp(&b.feature))
    });
    moved
}

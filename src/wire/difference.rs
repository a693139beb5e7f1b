//! Differences of decisions to and from their message.

use crate::domain::difference::{
    Change, ContributionDifference, DecisionDifference, GroupDifference, RiskDifference,
};
use crate::domain::risk::Probability;
use crate::wire::check::{Check, Path, head_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;

/// The message for a difference.
pub fn to_pb(difference: &DecisionDifference) -> pb::DecisionDifference {
    let Change { before, after } = difference.first_action;
    pb::DecisionDifference {
        first_action_before: before.map_or(0, WireEnum::to_wire),
        first_action_after: after.map_or(0, WireEnum::to_wire),
        risks: difference.risks.iter().map(risk_to_pb).collect(),
    }
}

fn risk_to_pb(risk: &RiskDifference) -> pb::RiskDifference {
    let (risk_type, head_id) = head_to_pb(&risk.head);
    pb::RiskDifference {
        risk_type,
        head_id,
        probability_before: risk.probability.before.value(),
        probability_after: risk.probability.after.value(),
        band_before: risk.band.before.to_wire(),
        band_after: risk.band.after.to_wire(),
        raw_log_odds_before: risk.raw_log_odds.before,
        raw_log_odds_after: risk.raw_log_odds.after,
        weighted_log_odds_before: risk.weighted_log_odds.before,
        weighted_log_odds_after: risk.weighted_log_odds.after,
        groups: risk.groups.iter().map(group_to_pb).collect(),
        contributions: risk.contributions.iter().map(contribution_to_pb).collect(),
        n_omitted: risk.n_omitted,
        omitted_log_odds: risk.omitted_log_odds,
    }
}

fn group_to_pb(moved: &GroupDifference) -> pb::GroupDifference {
    pb::GroupDifference {
        group: moved.group.to_wire(),
        log_odds_before: moved.log_odds.before,
        log_odds_after: moved.log_odds.after,
        weighted_log_odds_before: moved.weighted_log_odds.before,
        weighted_log_odds_after: moved.weighted_log_odds.after,
    }
}

fn contribution_to_pb(moved: &ContributionDifference) -> pb::ContributionDifference {
    pb::ContributionDifference {
        feature: moved.feature.to_string(),
        group: moved.group.to_wire(),
        value_before: moved.value.before,
        value_after: moved.value.after,
        log_odds_before: moved.log_odds.before,
        log_odds_after: moved.log_odds.after,
    }
}

/// The difference that a server answered with.
///
/// # Errors
/// [`Error::Invalid`] when a value is unknown, as it is when the server is a newer one.
pub fn of_answer(difference: pb::DecisionDifference) -> Result<DecisionDifference, Error> {
    let mut check = Check::of_journal();
    let root = Path::Root;
    let first_action = Change {
        before: check
            .choice_or_none(&root.field("first_action_before"), difference.first_action_before),
        after: check
            .choice_or_none(&root.field("first_action_after"), difference.first_action_after),
    };
    let list = root.field("risks");
    let risks = difference.risks.into_iter().enumerate();
    let risks = risks.filter_map(|(idx, risk)| read_risk(&mut check, &list.index(idx), risk));
    let risks = risks.collect();
    check.finish(Some(DecisionDifference { first_action, risks }))
}

fn read_risk(
    check: &mut Check<'_>,
    path: &Path<'_>,
    risk: pb::RiskDifference,
) -> Option<RiskDifference> {
    let head = check.head(path, risk.risk_type, risk.head_id);
    let before = check.choice(&path.field("band_before"), risk.band_before);
    let after = check.choice(&path.field("band_after"), risk.band_after);
    let groups = path.field("groups");
    let groups: Option<Vec<GroupDifference>> = risk
        .groups
        .into_iter()
        .enumerate()
        .map(|(idx, moved)| read_group(check, &groups.index(idx), &moved))
        .collect();
    let contributions = path.field("contributions");
    let contributions: Option<Vec<ContributionDifference>> = risk
        .contributions
        .into_iter()
        .enumerate()
        .map(|(idx, moved)| read_contribution(check, &contributions.index(idx), moved))
        .collect();
    Some(RiskDifference {
        head: head?,
        probability: Change {
            before: Probability::clamped(risk.probability_before),
            after: Probability::clamped(risk.probability_after),
        },
        band: Change { before: before?, after: after? },
        raw_log_odds: Change { before: risk.raw_log_odds_before, after: risk.raw_log_odds_after },
        weighted_log_odds: Change {
            before: risk.weighted_log_odds_before,
            after: risk.weighted_log_odds_after,
        },
        groups: groups?,
        contributions: contributions?,
        n_omitted: risk.n_omitted,
        omitted_log_odds: risk.omitted_log_odds,
    })
}

fn read_group(
    check: &mut Check<'_>,
    path: &Path<'_>,
    moved: &pb::GroupDifference,
) -> Option<GroupDifference> {
    Some(GroupDifference {
        group: check.choice(&path.field("group"), moved.group)?,
        log_odds: Change { before: moved.log_odds_before, after: moved.log_odds_after },
        weighted_log_odds: Change {
            before: moved.weighted_log_odds_before,
            after: moved.weighted_log_odds_after,
        },
    })
}

fn read_contribution(
    check: &mut Check<'_>,
    path: &Path<'_>,
    moved: pb::ContributionDifference,
) -> Option<ContributionDifference> {
    Some(ContributionDifference {
        group: check.choice(&path.field("group"), moved.group)?,
        feature: moved.feature.into_boxed_str(),
        value: Change { before: moved.value_before, after: moved.value_after },
        log_odds: Change { before: moved.log_odds_before, after: moved.log_odds_after },
    })
}

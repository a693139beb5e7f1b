//! Counterfactuals to and from their message.

use crate::domain::counterfactual::{
    Counterfactual, CounterfactualSearch, FeatureChange, LeverChange, LeverRange,
};
use crate::domain::risk::Probability;
use crate::domain::text::Text;
use crate::wire::check::{Check, Path, head_to_pb};
use crate::wire::enums::WireEnum;
use crate::wire::error::Error;
use crate::wire::pb::v1 as pb;

/// The message for a search.
pub fn to_pb(search: &CounterfactualSearch) -> pb::CounterfactualSearch {
    let (risk_type, head_id) = head_to_pb(&search.head);
    pb::CounterfactualSearch {
        risk_type,
        head_id,
        direction: search.direction.to_wire(),
        aim: search.aim.to_wire(),
        target: search.target.map(Probability::value),
        counterfactuals: search.counterfactuals.iter().map(one_to_pb).collect(),
        proof: search.proof.to_wire(),
    }
}

fn one_to_pb(found: &Counterfactual) -> pb::Counterfactual {
    pb::Counterfactual {
        levers: found.levers.iter().map(lever_to_pb).collect(),
        cost: found.cost,
        probability: found.probability.value(),
        first_action: found.first_action.to_wire(),
        is_proven_minimal: found.is_proven_minimal,
        text: Some(pb::Text { en: found.text.en.clone(), zh: found.text.zh.clone() }),
    }
}

fn lever_to_pb(lever: &LeverChange) -> pb::LeverChange {
    let feature_to_pb = |change: &FeatureChange| pb::FeatureChange {
        feature: change.feature.to_string(),
        from: change.from,
        to: change.to,
    };
    pb::LeverChange {
        lever: lever.lever.to_string(),
        range: lever.range.map(|range| pb::LeverRange {
            lowest: range.lowest,
            highest: range.highest,
            is_open: range.is_open,
        }),
        features: lever.features.iter().map(feature_to_pb).collect(),
    }
}

/// The searches that a server answered with.
///
/// # Errors
/// [`Error::Invalid`] when a value is unknown, as it is when the server is a newer one.
pub fn of_answer(
    searches: Vec<pb::CounterfactualSearch>,
) -> Result<Vec<CounterfactualSearch>, Error> {
    let mut check = Check::of_journal();
    let list = Path::Root.field("counterfactuals");
    let read_one = |(idx, search): (usize, pb::CounterfactualSearch)| {
        read(&mut check, &list.index(idx), search)
    };
    let searches = searches.into_iter().enumerate().filter_map(read_one).collect();
    check.finish(Some(searches))
}

/// Reads a search.
pub fn read(
    check: &mut Check<'_>,
    path: &Path<'_>,
    search: pb::CounterfactualSearch,
) -> Option<CounterfactualSearch> {
    let head = check.head(path, search.risk_type, search.head_id);
    let direction = check.choice(&path.field("direction"), search.direction);
    let aim = check.choice(&path.field("aim"), search.aim);
    let proof = check.choice(&path.field("proof"), search.proof);
    let listed = path.field("counterfactuals");
    let read_one = |(idx, found)| read_one(check, &listed.index(idx), found);
    let counterfactuals =
        search.counterfactuals.into_iter().enumerate().filter_map(read_one).collect();
    Some(CounterfactualSearch {
        head: head?,
        direction: direction?,
        aim: aim?,
        target: search.target.map(Probability::clamped),
        counterfactuals,
        proof: proof?,
    })
}

fn read_one(
    check: &mut Check<'_>,
    path: &Path<'_>,
    found: pb::Counterfactual,
) -> Option<Counterfactual> {
    let first_action = check.choice(&path.field("first_action"), found.first_action);
    let text = check.required(&path.field("text"), found.text, |_, _, text| {
        Some(Text { en: text.en, zh: text.zh })
    });
    Some(Counterfactual {
        levers: found.levers.into_iter().map(lever_of).collect(),
        cost: found.cost,
        probability: Probability::clamped(found.probability),
        first_action: first_action?,
        is_proven_minimal: found.is_proven_minimal,
        text: text?,
    })
}

fn lever_of(lever: pb::LeverChange) -> LeverChange {
    let feature_of = |change: pb::FeatureChange| FeatureChange {
        feature: change.feature.into(),
        from: change.from,
        to: change.to,
    };
    LeverChange {
        lever: lever.lever.into(),
        range: lever.range.map(|range| LeverRange {
            lowest: range.lowest,
            highest: range.highest,
            is_open: range.is_open,
        }),
        features: lever.features.into_iter().map(feature_of).collect(),
    }
}

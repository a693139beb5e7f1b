//! Plain levers: one feature each, to values that the training data has seen.

use crate::domain::feature::Monotone;
use crate::model::binning::RANK_MISSING;
use crate::model::counterfactual::lever::{Levers, Move};
use crate::model::counterfactual::plausibility::Plausibility;
use crate::model::counterfactual::question::Goal;
use crate::model::counterfactual::search_forest::SearchForest;

/// An order as a head sees it.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// Feature values; NaN is unknown.
    pub values: &'a [f32],
    /// Their ranks.
    pub ranks: &'a [u8],
}

/// Which way a feature may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both.
    Either,
    /// To higher values only.
    Up,
    /// To lower values only.
    Down,
}

impl Way {
    /// The way that can help: a feature that never lowers the risk when it grows is no means
    /// to lower the risk by growing.
    pub fn toward(goal: Goal, monotone: Monotone) -> Self {
        match (goal, monotone) {
            (_, Monotone::Free) => Self::Either,
            (Goal::AtMost(_), Monotone::Increasing) | (Goal::AtLeast(_), Monotone::Decreasing) => {
                Self::Down
            }
            (Goal::AtMost(_), Monotone::Decreasing) | (Goal::AtLeast(_), Monotone::Increasing) => {
                Self::Up
            }
        }
    }

    fn allows(self, from: usize, to: usize) -> bool {
        match self {
            Self::Either => from != to,
            Self::Up => from < to,
            Self::Down => to < from,
        }
    }
}

/// One lever per feature that has a value: for each cell that the head can tell from the
/// present one, the observed value nearest to the present one. No value is made unknown.
pub fn feature_levers(
    forest: &SearchForest,
    plausibility: &Plausibility,
    present: Present<'_>,
    features: impl IntoIterator<Item = (u16, Way)>,
) -> Levers {
    let mut levers = Levers::default();
    for (feature, way) in features {
        let rank = present.ranks[usize::from(feature)];
        if rank != RANK_MISSING && !forest.borders_of(feature).is_empty() {
            let settings = settings_of(forest, plausibility, present, (feature, way));
            levers.add(settings.into_iter().map(|(cost, step)| (cost, vec![step])));
        }
    }
    levers.check_against(plausibility, present.ranks);
    levers
}

/// Ascending by cell.
fn settings_of(
    forest: &SearchForest,
    plausibility: &Plausibility,
    present: Present<'_>,
    (feature, way): (u16, Way),
) -> Vec<(u32, Move)> {
    let from = forest.cell(feature, present.ranks[usize::from(feature)]);
    let mut settings: Vec<(u32, Move)> = Vec::new();
    let mut last = None;
    for rank in 1..=u8::MAX {
        let Some(value) = plausibility.value(feature, rank) else { continue };
        let cell = forest.cell(feature, rank);
        if !way.allows(from, cell) {
            continue;
        }
        let cost = plausibility.cost(feature, value - present.values[usize::from(feature)]);
        let found = (cost, Move { feature, rank, value });
        match settings.last_mut() {
            Some(known) if last == Some(cell) => {
                if cost < known.0 {
                    *known = found;
                }
            }
            Some(_) | None => settings.push(found),
        }
        last = Some(cell);
    }
    settings
}

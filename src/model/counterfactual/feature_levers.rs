//! Plain levers: one feature each, to values that the training data has seen.

use crate::domain::feature::Monotone;
use crate::model::binning::RANK_MISSING;
use crate::model::counterfactual::lever::{Levers, Move};
use crate::model::counterfactual::plausibility::Plausibility;
use crate::model::counterfactual::question::Goal;
use crate::model::counterfactual::search_forest::{SearchForest, is_above};

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

    /// True when it leads from one value to the other; to the same one none does.
    pub fn allows<T: Copy + PartialOrd>(self, from: T, to: T) -> bool {
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

/// Ascending by cell. Values ascend with the rank: of a cell below the present one the last is
/// nearest, of one above it the first.
fn settings_of(
    forest: &SearchForest,
    plausibility: &Plausibility,
    present: Present<'_>,
    (feature, way): (u16, Way),
) -> Vec<(u32, Move)> {
    let from = forest.cell(feature, present.ranks[usize::from(feature)]);
    let borders = forest.borders_of(feature);
    let mut steps: Vec<(usize, Move)> = Vec::with_capacity(borders.len());
    let mut cell = 0;
    for (rank, value) in plausibility.values(feature) {
        while borders.get(cell).is_some_and(|&border| is_above(rank, border)) {
            cell += 1;
        }
        if !way.allows(from, cell) {
            continue;
        }
        let step = Move { feature, rank, value };
        match steps.last_mut() {
            Some((last, _)) if *last == cell && from < cell => {}
            Some((last, known)) if *last == cell => *known = step,
            Some(_) | None => steps.push((cell, step)),
        }
    }
    let now = present.values[usize::from(feature)];
    let priced = |(_, step): (usize, Move)| (plausibility.cost(feature, step.value - now), step);
    steps.into_iter().map(priced).collect()
}

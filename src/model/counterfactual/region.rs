//! How far a change may go: the settings that would do as well.

use std::ops::Range;

use crate::model::counterfactual::answer::Change;
use crate::model::counterfactual::cubes::Cubes;
use crate::model::counterfactual::question::Question;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::counterfactual::singles::Singles;

/// For a lever chosen at a position of a change: the run of settings around the chosen one
/// that would do as well, the other choices as they are; positions, within bounds that hold
/// the chosen one. All of them meet the goal, and the data has seen each combination.
pub fn settings_around(
    forest: &SearchForest,
    question: &Question<'_>,
    change: &Change,
    at: usize,
    within: Range<usize>,
) -> Range<usize> {
    let chosen: Vec<(usize, usize)> =
        change.choices.iter().map(|choice| (choice.lever, choice.setting)).collect();
    let levers = question.levers;
    let (lever, own) = chosen[at];
    let mut ranks = question.ranks.to_vec();
    for &(other, setting) in chosen.iter().filter(|(other, _)| *other != lever) {
        levers.apply(&levers.settings(other)[setting], &mut ranks);
    }
    let alone = levers.only(lever);
    let changed = Question { ranks: &ranks, levers: &alone, ..*question };
    let need = question.goal.need(forest.margin(&ranks));
    let singles = Singles::new(&Cubes::new(forest, &changed));
    let mut others = chosen.clone();
    let mut does = |position: &usize| {
        others[at] = (lever, *position);
        singles.of(0)[*position] <= need && question.is_plausible(&others)
    };
    let n_above = (own + 1..within.end).take_while(&mut does).count();
    let n_below = (within.start..own).rev().take_while(&mut does).count();
    own - n_below..own + 1 + n_above
}

//! How far a change may go: the cells around a setting that would do as well.

use crate::model::counterfactual::answer::Change;
use crate::model::counterfactual::cubes::Cubes;
use crate::model::counterfactual::question::Question;
use crate::model::counterfactual::search_forest::SearchForest;
use crate::model::counterfactual::singles::Singles;

/// For a lever of one feature, chosen at a position of a change: cells of the feature around
/// the setting's that would do as well, the other choices as they are; first and last, as
/// [`SearchForest::cell`] counts them. Widened over neighboring cells as long as the goal is
/// met and the data has seen the combination.
pub fn cells_around(
    forest: &SearchForest,
    question: &Question<'_>,
    change: &Change,
    at: usize,
) -> Option<(usize, usize)> {
    let chosen: Vec<(usize, usize)> =
        change.choices.iter().map(|choice| (choice.lever, choice.setting)).collect();
    let levers = question.levers;
    let (lever, own) = chosen[at];
    let settings = levers.settings(lever);
    let cell_of = |position: usize| match levers.moves(&settings[position]) {
        [step] => Some(forest.cell(step.feature, step.rank)),
        _ => None,
    };
    let mut first = cell_of(own)?;
    let mut last = first;
    let mut ranks = question.ranks.to_vec();
    for &(other, setting) in chosen.iter().filter(|(other, _)| *other != lever) {
        levers.apply(&levers.settings(other)[setting], &mut ranks);
    }
    let alone = levers.only(lever);
    let changed = Question { ranks: &ranks, levers: &alone, ..*question };
    let need = question.goal.need(forest.margin(&ranks));
    let singles = Singles::new(&Cubes::new(forest, &changed));
    let mut others = chosen.clone();
    let mut does = |position: usize| {
        others[at] = (lever, position);
        singles.of(0)[position] <= need && question.is_plausible(&others)
    };
    for position in own + 1..settings.len() {
        if cell_of(position) != Some(last + 1) || !does(position) {
            break;
        }
        last += 1;
    }
    for position in (0..own).rev() {
        if cell_of(position).map(|cell| cell + 1) != Some(first) || !does(position) {
            break;
        }
        first -= 1;
    }
    Some((first, last))
}
